"""The transmission (reporting) rate tau, kept outside the sampler.

A survey identifies the reported size w = tau * N only. So the models estimate w, and N = w / tau
follows by drawing tau from its own prior: exact, without the ridge that tau and N form in MCMC,
and with the sensitivity of every total to that prior for free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from scipy import stats

from smallarea.errors import InputError

CURVE = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class BetaPrior:
    """Beta(a, b) belief about a share; `source` says where it comes from."""

    a: float
    b: float
    source: str
    about: ClassVar[str] = "prior of a share"

    def __post_init__(self) -> None:
        if not (0 < self.a < np.inf and 0 < self.b < np.inf):
            raise InputError(
                f"Beta({self.a}, {self.b}) is not a distribution",
                where=self.about,
                remedy="give two positive numbers, e.g. 5,95 for a mean of 5 %",
            )

    @classmethod
    def from_mean(cls, mean: float, cv: float, source: str) -> Self:
        """Return the Beta prior with a mean and a coefficient of variation (sd / mean)."""
        if not (0 < mean < 1 and 0 < cv < np.sqrt(1 / mean - 1)):
            raise InputError(
                f"no Beta distribution has mean {mean} and coefficient of variation {cv}",
                where=cls.about,
                remedy="give a mean between 0 and 1 and a cv below sqrt(1 / mean - 1)",
            )
        total = (1 - mean) / (mean * cv**2) - 1
        return cls(mean * total, (1 - mean) * total, source)

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)


class TauPrior(BetaPrior):
    """Belief about the share of acquaintances in the group that is reported.

    `has_mean` and `has_sd` tell whether N = w / tau has those moments: E[1/tau] is infinite for
    a <= 1, E[1/tau^2] for a <= 2.
    """

    about = "transmission prior"

    @property
    def has_mean(self) -> bool:
        return self.a > 1

    @property
    def has_sd(self) -> bool:
        return self.a > 2


#: What the study began with. It says nothing, so a total computed with it has no mean.
UNIFORM = TauPrior(1.0, 1.0, "uniform: no information on reporting")


def tau_draws(
    prior: TauPrior, draws: int, seed: int, lower: np.ndarray | float = 0.0
) -> np.ndarray:
    """Draw tau from its prior, at or above `lower` (scalar or one bound per draw).

    The bound w / population keeps N = w / tau within the population.
    """
    beta = stats.beta(prior.a, prior.b)
    below = beta.cdf(lower)
    uniform = np.random.default_rng(seed).uniform(size=draws)
    # The clip only undoes rounding at the bound, where the inverse is not exact.
    return np.clip(beta.ppf(below + uniform * (1 - below)), lower, 1.0)


def divide_by_tau(
    reported: np.ndarray, prior: TauPrior, population: float, seed: int
) -> np.ndarray:
    """Turn draws of reported sizes w into draws of true sizes N = w / tau.

    Parameters
    ----------
    reported : (..., draws) reported sizes. All of them meet the same tau draw, for reporting
        is one behaviour shared by the groups.
    population : upper bound of N.
    """
    lower = np.max(reported.reshape(-1, reported.shape[-1]), axis=0) / population
    return reported / tau_draws(prior, reported.shape[-1], seed, np.minimum(lower, 1.0))


def totals_given_tau(reported: np.ndarray, taus: Sequence[float] = CURVE) -> pd.DataFrame:
    """Return the total as a function of a fixed tau: the curve to show beside any single number.

    Parameters
    ----------
    reported : (draws,) reported sizes w of one group.
    taus : reporting rates at which to evaluate N = w / tau.

    Returns
    -------
    Index tau; columns median, q025, q10, q90, q975.
    """
    levels = {"median": 0.5, "q025": 0.025, "q10": 0.1, "q90": 0.9, "q975": 0.975}
    quantiles = np.quantile(np.asarray(reported, float), list(levels.values()))
    rates = np.asarray(taus, float)
    if not ((rates > 0) & (rates <= 1)).all():
        raise InputError(
            "a reporting rate outside (0, 1]",
            where="transmission curve",
            remedy="give rates above 0 and at most 1",
        )
    return pd.DataFrame(
        quantiles / rates[:, None], index=pd.Index(rates, name="tau"), columns=list(levels)
    )

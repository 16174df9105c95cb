"""Where to interview next: the areas whose answers would narrow the estimates most.

Greedy choice under a Gaussian approximation. Draws give the covariance of all areas' rates; a PSU
in area j would add an observation of its rate with a known sampling variance, so that the
variance of everything correlated with j shrinks (Krause, Singh & Guestrin 2008 choose sensors so).
It works on the reported scale, for the reporting rate tau is common to all areas and no number
of interviews tells more about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError

_FEWEST_DRAWS = 100


def next_places(
    rates: xr.DataArray,
    population: pd.Series,
    exposure: pd.Series | float,
    *,
    number: int,
    target: Literal["nation", "areas"] = "areas",
    candidates: Sequence[str] | None = None,
    deff: float = 1.0,
    psu_cv: float = 0.3,
) -> pd.DataFrame:
    """Choose the areas to interview next, one PSU each, in order of what they add.

    Parameters
    ----------
    rates : draws of one component's reported rates, dims (area_id, draw), after everything
        already surveyed.
    population : reference population of every area, by area_id.
    exposure : people known to the respondents of one PSU (interviews x mean degree), one number
        or by area_id.
    number : how many areas.
    target : `nation`, the variance of the national total; `areas`, the mean variance of the
        areas' rates, weighted by population.
    candidates : areas that can be chosen; None: all.
    deff : variance of a PSU's reports over a Poisson's. psu_cv : coefficient of variation of
        rates between the PSUs of one area, which one more PSU does not average out.

    Returns
    -------
    DataFrame by area_id in order of choice: `rate` (posterior mean) and, after it and all before
    it, `nation_sd` and `areas_sd`, the standard deviation of the national total and the root mean
    variance of the areas' rates as shares of today's.

    Half of the draws choose and the other half say what was gained: the same draws would flatter
    their own choice by a quarter to a half. Correlations are shrunk (Ledoit & Wolf 2004).

    Raises
    ------
    InputError : unknown areas, fewer than 100 draws, or more places than candidates.
    """
    area_ids = rates.get_index("area_id")
    draws = rates.transpose("area_id", "draw").to_numpy()
    allowed = _check(area_ids, draws, population, candidates, number)
    people = population.loc[area_ids].to_numpy(float)
    share = people / people.sum()
    mean = draws.mean(axis=1)
    known = exposure.loc[area_ids].to_numpy(float) if isinstance(exposure, pd.Series) else exposure
    noise = deff * mean / known + (psu_cv * mean) ** 2

    half = draws.shape[1] // 2
    chosen = _greedy(Covariance(draws[:, :half]), share, noise, number, target, allowed)
    after = _path(Covariance(draws[:, half:]), share, noise, chosen)
    return pd.DataFrame(
        {"rate": mean[chosen], "nation_sd": after[:, 0], "areas_sd": after[:, 1]},
        index=area_ids[chosen].rename("area_id"),
    )


class Covariance:
    """Covariance of areas, B diag(signs) B' + diag(own): no matrix of areas by areas is made.

    B is (areas, draws), a further column for each observation conditioned on.
    """

    def __init__(self, draws: np.ndarray) -> None:
        """Take it from draws (areas, draws), correlations shrunk towards none."""
        (m, n), sd = draws.shape, draws.std(axis=1, keepdims=True)
        scaled = (draws - draws.mean(axis=1, keepdims=True)) / np.where(sd > 0, sd, 1.0)
        weight, level = _shrinkage(scaled), (scaled**2).sum() / (m * n)
        self.B = scaled * sd * np.sqrt((1 - weight) / n)
        self.signs = np.ones(n)
        self.own = weight * level * sd[:, 0] ** 2

    def times(self, vector: np.ndarray) -> np.ndarray:
        """Return its product with a vector."""
        return np.asarray(self.B @ (self.signs * (self.B.T @ vector)) + self.own * vector)

    def diagonal(self) -> np.ndarray:
        """Return the areas' variances."""
        return np.asarray(self.B**2 @ self.signs + self.own)

    def squares(self, share: np.ndarray) -> np.ndarray:
        """Return the sum over areas of share x its squared covariance with each area."""
        signed = self.B * self.signs
        common = np.einsum("ij,ij->i", signed @ (self.B.T @ (share[:, None] * self.B)), signed)
        mutual = 2 * (self.B**2 @ self.signs) + self.own
        return np.asarray(common + share * self.own * mutual)

    def observe(self, place: int, noise: float) -> None:
        """Condition on one noisy observation of a place."""
        column = self.B @ (self.signs * self.B[place])
        column[place] += self.own[place]
        self.B = np.column_stack([self.B, column / np.sqrt(column[place] + noise)])
        self.signs = np.append(self.signs, -1.0)


def _shrinkage(scaled: np.ndarray) -> float:
    """Return Ledoit & Wolf's weight of the target, from the draws' products with each other."""
    m, n = scaled.shape
    level = (scaled**2).sum() / (m * n)
    squared = ((scaled.T @ scaled) ** 2).sum() / n**2
    beta = (((scaled**2).sum(axis=0) ** 2).sum() / n - squared) / (m * n)
    delta = squared / m - level**2
    return float(min(beta, delta) / delta) if beta > 0 and delta > 0 else 0.0


def _greedy(
    cov: Covariance,
    share: np.ndarray,
    noise: np.ndarray,
    number: int,
    target: str,
    allowed: np.ndarray,
) -> list[int]:
    allowed, chosen = allowed.copy(), []
    for _ in range(number):
        gain = cov.times(share) ** 2 if target == "nation" else cov.squares(share)
        gain = np.where(allowed, gain / (cov.diagonal() + noise), -1.0)
        best = int(gain.argmax())
        chosen.append(best)
        allowed[best] = False
        cov.observe(best, noise[best])
    return chosen


def _path(cov: Covariance, share: np.ndarray, noise: np.ndarray, chosen: list[int]) -> np.ndarray:
    """Standard deviations of the nation and of the areas after each choice, (choices, 2)."""
    after = []
    today = share @ cov.times(share), share @ cov.diagonal()
    for place in chosen:
        cov.observe(place, noise[place])
        after.append((share @ cov.times(share), share @ cov.diagonal()))
    return np.sqrt(np.array(after) / today)


def _check(
    area_ids: pd.Index,
    draws: np.ndarray,
    population: pd.Series,
    candidates: Sequence[str] | None,
    number: int,
) -> np.ndarray:
    allowed = np.ones(len(area_ids), bool) if candidates is None else area_ids.isin(candidates)
    unknown = pd.Index(candidates if candidates is not None else []).difference(area_ids)
    problem = ""
    if len(unknown):
        problem = f"{len(unknown)} candidates have no draws, first {unknown[0]}"
    elif len(missing := area_ids.difference(population.index)):
        problem = f"{len(missing)} areas have no population, first {missing[0]}"
    elif not 0 < number <= allowed.sum():
        problem = f"{number} places wanted of {allowed.sum()} candidates"
    elif draws.shape[1] < _FEWEST_DRAWS:
        problem = f"{draws.shape[1]} draws tell too little about how areas move together"
    if problem:
        raise InputError(
            problem,
            where="next places",
            remedy=f"give at least {_FEWEST_DRAWS} draws and a population for all areas, and "
            "candidates among them",
        )
    return allowed

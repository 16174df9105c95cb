"""What is observed of a latent value: counts with exposure, yes among asked, or an estimate.

Each family gives, cell by cell, the log density of its data given latent values and the
derivatives that Newton's method and Laplace's approximation need. A cell that nothing was observed
of has log density 0 whatever its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, gammaln, xlogy

from smallarea.errors import InputError
from smallarea.models.counts import effective_counts

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]
Family = Literal["poisson", "binomial", "gaussian"]


class Derivatives(NamedTuple):
    """First, minus second, and third derivative of the log density, each of the data's shape."""

    first: Array
    weight: Array
    third: Array


class Observed(Protocol):
    """Data of one family, (components, areas)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (components, areas)."""

    def log_density(self, f: Array) -> Array:
        """Return the log density of each cell's data given `f`, which may have leading axes."""

    def derivatives(self, f: Array) -> Derivatives:
        """Return derivatives of the log density at `f`, (components, areas)."""

    def at(self, areas: NDArray[np.intp]) -> Observed:
        """Return the data of some of the areas."""


@dataclass(frozen=True)
class Poisson:
    """Counts y ~ Poisson(exposure exp(f)); both may be effective, so y need not be whole."""

    count: Array
    exposure: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.count.shape

    @cached_property
    def _constant(self) -> Array:
        return np.asarray(xlogy(self.count, self.exposure) - gammaln(self.count + 1))

    def log_density(self, f: Array) -> Array:
        return self.count * f - self.exposure * np.exp(f) + self._constant

    def derivatives(self, f: Array) -> Derivatives:
        mean = self.exposure * np.exp(f)
        return Derivatives(self.count - mean, mean, -mean)

    def at(self, areas: NDArray[np.intp]) -> Poisson:
        return Poisson(self.count[:, areas], self.exposure[:, areas])


@dataclass(frozen=True)
class Binomial:
    """Counts y ~ Binomial(asked, expit(centre + f)); they may be effective, so need not be whole.

    centre : (components, 1).
    """

    count: Array
    asked: Array
    centre: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.count.shape

    @cached_property
    def _constant(self) -> Array:
        n, y = self.asked, self.count
        return np.asarray(gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1))

    def log_density(self, f: Array) -> Array:
        logit = self.centre + f
        return self.count * logit - self.asked * np.logaddexp(0, logit) + self._constant

    def derivatives(self, f: Array) -> Derivatives:
        p = expit(self.centre + f)
        weight = self.asked * p * (1 - p)
        return Derivatives(self.count - self.asked * p, weight, -weight * (1 - 2 * p))

    def at(self, areas: NDArray[np.intp]) -> Binomial:
        return Binomial(self.count[:, areas], self.asked[:, areas], self.centre)


@dataclass(frozen=True)
class Gaussian:
    """Estimates y ~ Normal(f, 1 / precision); precision 0 where nothing was observed."""

    estimate: Array
    precision: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.estimate.shape

    def log_density(self, f: Array) -> Array:
        seen = self.precision > 0
        constant = 0.5 * np.log(np.where(seen, self.precision / (2 * np.pi), 1.0))
        return constant - 0.5 * self.precision * (self.estimate - f) ** 2

    def derivatives(self, f: Array) -> Derivatives:
        return Derivatives(self.precision * (self.estimate - f), self.precision, np.zeros_like(f))

    def at(self, areas: NDArray[np.intp]) -> Gaussian:
        return Gaussian(self.estimate[:, areas], self.precision[:, areas])


def observed(direct: Direct, family: Family) -> tuple[Observed, pd.Series]:
    """Return the data of a family about each component's centre, and the centres.

    Areas are sorted by area_id. A centre is where latent values of the component are 0 on average:
    the log rate or log odds of all areas together, or the precision-weighted mean estimate.

    Raises
    ------
    InputError : no exposure at all, negative reports, or more reports than were asked.
    """
    if family == "gaussian":
        rate, variance = direct.rate.sort_index(), direct.variance.sort_index()
        known = rate.notna() & (variance > 0)
        precision = (1 / variance.where(known)).fillna(0.0)
        estimate = rate.where(known, 0.0)
        if (precision.sum() == 0).any():
            raise InputError(
                "a component has no estimate with a variance",
                where="survey",
                remedy="leave it out, or give variances",
            )
        centre = (precision * estimate).sum() / precision.sum()
        return Gaussian((estimate - centre).to_numpy().T, precision.to_numpy().T), centre
    count, exposure = effective_counts(direct)
    if family == "poisson":
        centre = ((count.sum() + 0.5) / exposure.sum()).map(np.log)
        return Poisson(count.to_numpy().T, (exposure * np.exp(centre)).to_numpy().T), centre
    if (count > exposure).any(axis=None):
        raise InputError(
            "more said yes than were asked", where="survey", remedy="correct reports or exposure"
        )
    centre = ((count.sum() + 0.5) / (exposure.sum() - count.sum() + 0.5)).map(np.log)
    asked = Binomial(count.to_numpy().T, exposure.to_numpy().T, centre.to_numpy()[:, None])
    return asked, centre

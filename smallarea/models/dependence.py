"""How an area's components hang together: one correlation of their effects, learned by moments.

Models fitted component by component give draws that are independent between components. Sums of
components would then have intervals that are too narrow, and ratios too wide ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LARGEST = 0.95


@dataclass(frozen=True)
class Exchangeable:
    """One correlation for every pair of components' area effects, with its standard error."""

    correlation: float
    error: float

    def scores(self, components: int, areas: int, n: int, rng: np.random.Generator) -> Array:
        """Return standard normal scores (components, areas, n), areas independent.

        Each draw has its own correlation: normal about the estimate, cut to [0, 0.95].
        """
        rho = np.clip(rng.normal(self.correlation, self.error, n), 0.0, _LARGEST)
        common = np.sqrt(rho) * rng.standard_normal((areas, n))
        scores = np.sqrt(1 - rho) * rng.standard_normal((components, areas, n))
        scores += common
        return scores


def exchangeable_correlation(residuals: Array, scales: Array) -> Exchangeable:
    """Estimate the correlation of area effects that all pairs of components share.

    Parameters
    ----------
    residuals : (areas, components), what was observed less what is expected without an effect.
    scales : (areas, components), by how much an effect of one standard deviation changes what
        is observed; 0 where nothing was.

    Notes
    -----
    Sampling errors of different components being independent, a product of residuals has the
    mean correlation x product of scales; the estimate is the ratio of the sums of both over areas
    and pairs. Its error is a jackknife over areas. What respondents of an area have in common
    beside its rate (they live in one PSU) makes sampling errors dependent and counts as well:
    the draws of a surveyed area are to be as dependent as its estimates are.
    """

    def pairs(table: Array) -> Array:
        return (table.sum(axis=1) ** 2 - (table**2).sum(axis=1)) / 2

    product, scale = pairs(residuals), pairs(scales)
    if not scale.sum() > 0:
        return Exchangeable(0.0, 0.0)
    estimate = product.sum() / scale.sum()
    left = scale.sum() - scale
    without = np.divide(product.sum() - product, left, out=np.zeros_like(left), where=left > 0)
    m = len(product)
    error = np.sqrt((m - 1) / m * ((without - estimate) ** 2).sum())
    return Exchangeable(float(np.clip(estimate, 0.0, _LARGEST)), float(error))

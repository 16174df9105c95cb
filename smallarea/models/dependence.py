"""How an area's components hang together: one correlation of their effects, learned by moments.

Models fitted component by component give draws that are independent between components. Sums of
components would then have intervals that are too narrow, and ratios too wide ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

_LARGEST = 0.95


@dataclass(frozen=True)
class Exchangeable:
    """One correlation for every pair of components.

    correlation, error : of area effects, and its standard error. noise : of sampling errors.
    """

    correlation: float
    error: float
    noise: float = 0.0

    def scores(
        self, information: Array, components: int, n: int, rng: np.random.Generator
    ) -> Array:
        """Return standard normal scores (components, areas, n), areas independent.

        Parameters
        ----------
        information : (areas,) variance of area effects over the sampling variance; 0 where
            nobody was interviewed. There scores correlate as effects do, elsewhere as their
            posterior given correlated estimates does.

        Each draw has its own correlation: normal about the estimate, cut to [0, 0.95].
        """
        rho = np.clip(rng.normal(self.correlation, self.error, n), 0.0, _LARGEST)
        rho = _given_estimates(rho, self.noise, information[:, None], components)
        scores = np.sqrt(1 - rho) * rng.standard_normal((components, len(information), n))
        scores += np.sqrt(rho) * rng.standard_normal((len(information), n))
        return scores


def exchangeable_correlation(
    residuals: Array, effects: Array, sampling: Array, shared: Array
) -> Exchangeable:
    """Estimate the correlation of area effects that all pairs of components share.

    Parameters
    ----------
    residuals : (areas, components), what was observed less what is expected without an effect.
    effects, sampling : (areas, components), standard deviations of the residuals that come from
        area effects and from sampling; 0 where nothing was observed.
    shared : (areas,), sum over pairs of components of the covariance of their sampling errors, see
        `shared_noise`.

    Notes
    -----
    A product of two residuals, less the covariance of their sampling errors, has the mean
    correlation x product of the effects' standard deviations; the estimate is the ratio of sums
    over areas and pairs. Its error is a jackknife over areas; of fewer than two areas with effects
    nothing can be learned, and effects are independent.
    """
    product, scale = _pairs(residuals) - shared, _pairs(effects)
    if (scale > 0).sum() < 2:
        return Exchangeable(0.0, 0.0)
    estimate = product.sum() / scale.sum()
    left = scale.sum() - scale
    without = np.divide(product.sum() - product, left, out=np.zeros_like(left), where=left > 0)
    m = len(product)
    error = np.sqrt((m - 1) / m * ((without - estimate) ** 2).sum())
    noise = shared.sum() / _pairs(sampling).sum()
    return Exchangeable(
        float(np.clip(estimate, 0.0, _LARGEST)), float(error), float(np.clip(noise, 0.0, _LARGEST))
    )


def shared_noise(direct: Direct, weight: Array) -> Array:
    """Sum, over pairs of components, the covariance of weighted sampling errors, (areas,).

    Parameters
    ----------
    direct : areas in the rows of `weight`; without `covariance` there is none.
    weight : (areas, components), by which an error of the rate is multiplied.
    """
    if direct.covariance is None:
        return np.zeros(len(weight))
    m, k = weight.shape
    table = direct.covariance.reindex(direct.reports.index, level="area_id")
    errors = table.to_numpy().reshape(m, k, k) * weight[:, :, None] * weight[:, None, :]
    whole = errors.sum(axis=(1, 2)) - np.trace(errors, axis1=1, axis2=2)
    return np.nan_to_num(whole / 2)


def _pairs(table: Array) -> Array:
    return (table.sum(axis=1) ** 2 - (table**2).sum(axis=1)) / 2


def _given_estimates(rho: Array, noise: float, information: Array, components: int) -> Array:
    """Correlation of effects given estimates: both covariances share their eigenvectors."""

    def variance(effect: Array, error: float) -> Array:  # over that of an effect
        return effect * error / (information * effect + error)

    common = variance(1 + (components - 1) * rho, 1 + (components - 1) * noise)
    contrast = variance(1 - rho, 1 - noise)
    return (common - contrast) / (common + (components - 1) * contrast)

"""Laplace's approximation of a latent Gaussian model of several components in m areas.

The mode by Newton's method, a Gaussian around it (`sites`), the marginal likelihood and its
gradient. Rasmussen & Williams 2006, ch. 3 and 5; Rue, Martino & Chopin 2009.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smallarea.errors import InputError
from smallarea.models.observations import Derivatives, Observed
from smallarea.models.sites import Prior, Sites

Array = NDArray[np.float64]

_CLOSE = 1e-5  # a Newton step this short leaves an error of about its square
_CLOSER = 1e-8  # a step with the curvature of an earlier one, an error not much shorter than itself
_FASTER = 0.3  # share of the last step that a step with the same curvature may be long


@dataclass(frozen=True)
class Laplace:
    """Gaussian approximation of the posterior at its mode.

    mode, slope : (K, m), the mode and the gradient of the log density there; the covariance
        times `slope` is `mode`.
    shift : (K, m), the covariance times `shift` takes the mode to the mean, to first order
        in the third derivatives (Tierney & Kadane 1986; Rue, Martino & Chopin 2009, eq. 23).
    log_marginal : Laplace's approximation of the log marginal likelihood.
    """

    prior: Prior
    data: Observed
    sites: Sites
    mode: Array
    slope: Array
    shift: Array
    log_marginal: float

    @cached_property
    def mean(self) -> Array:
        """Posterior mean corrected for skewness, (K, m)."""
        return self.prior.times(self.slope + self.shift)

    def gradient(self) -> Gradient:
        """Return derivatives of `log_marginal`, exact for the approximation (not the integral)."""
        G_kk = (self.slope.T @ self.slope) / 2 + self.shift.T @ self.slope
        s, v = self.slope.sum(axis=0), self.shift.sum(axis=0)
        G_kl = np.outer(s, s) / 2 + np.outer(v, s)
        total, through = self.sites.inverse.sum(axis=0), self.sites.through
        flat = through.reshape(-1, through.shape[2])
        G_kk = G_kk - (total - flat.T @ flat) / 2
        summed = through.sum(axis=0)
        G_kl = G_kl - (total - summed.T @ summed) / 2
        rho = self.prior.correlation
        return Gradient(
            shared=(1 - rho) * G_kk + rho * G_kl,
            correlation=float(((G_kl - G_kk) * self.prior.shared).sum()),
            own=float(np.trace(G_kk)),
            level=float(G_kk.sum()),
        )


class Gradient(NamedTuple):
    """Derivatives by the entries of A (contract with dA), rho, own and level variance."""

    shared: Array
    correlation: float
    own: float
    level: float


def laplace(prior: Prior, data: Observed, start: Laplace | None = None) -> Laplace:
    """Find the mode by Newton's method with step halving, and approximate around it.

    One factorised curvature serves several steps (Shamanskii 1967): it costs more than they do.

    Parameters
    ----------
    start : a fit of these data under like hyperparameters, whose mode is the first guess; without
        it latent values are guessed to be 0.

    Raises
    ------
    InputError : no mode was found (data beyond what floating point holds).
    """
    a = f = np.zeros(data.shape)
    height = _height(data, f, a)
    if start is not None:
        reached = _height(data, prior.times(start.slope), start.slope)
        if reached > height:
            a, height = start.slope, reached
        f = start.mode
    sites, last = None, np.inf
    for _ in range(200):
        at = data.derivatives(f)
        fresh = sites is None
        if sites is None:
            sites, weight = Sites(prior, at.weight), at.weight
        b = weight * f + at.first
        target = b - sites.solve(prior.times(b)[:, :, None])[:, :, 0]
        a, new, height = _step(prior, data, a, target, height)
        moved, f = np.abs(new - f).max(), new
        if moved < (_CLOSE if fresh else _CLOSER) and np.isfinite(height):
            return _around(prior, data, f)
        # Curvature is taken anew once that of an earlier step no longer brings the mode near.
        if moved > _FASTER * last:
            sites = None
        last = moved
    raise InputError(
        "no mode of the latent Gaussian model was found",
        where="latent Gaussian model",
        remedy="check reports, exposure and design effects for impossible values",
    )


def _height(data: Observed, f: Array, a: Array) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(data.log_density(f).sum() - 0.5 * (a * f).sum())


def _step(
    prior: Prior, data: Observed, a: Array, target: Array, height: float
) -> tuple[Array, Array, float]:
    """Go from `a` towards `target`, all the way unless the log posterior falls, else half of it.

    Returns the new slope, the latent values, and the log posterior there.
    """
    size = 1.0
    while size > 1e-6:
        new = a + size * (target - a)
        f = prior.times(new)
        reached = _height(data, f, new)
        if reached >= height - 1e-9 * abs(height):
            return new, f, reached
        size /= 2
    return a, prior.times(a), height


def _around(prior: Prior, data: Observed, f: Array) -> Laplace:
    at: Derivatives = data.derivatives(f)
    sites = Sites(prior, at.weight)
    half = 0.5 * sites.variance() * at.third
    shift = half - sites.solve(prior.times(half)[:, :, None])[:, :, 0]
    value = _height(data, f, at.first) - 0.5 * sites.log_det
    return Laplace(prior, data, sites, f, at.first, shift, value)

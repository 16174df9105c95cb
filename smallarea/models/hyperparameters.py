"""Standard deviations and the correlation of a latent Gaussian model: estimated, then integrated.

They are worked with as one vector theta: cube roots of the standard deviations of the kernels and
of the own effects, and the log odds of the correlation. Cube roots make what an exponential prior
leaves of a standard deviation nearly normal (Wilson & Hilferty 1931), whether data know it or not.
The posterior of theta is Laplace's marginal likelihood times the priors; it is integrated by
importance sampling on a quasi-random design around its mode, with weights cut at the root of the
number of points times their mean (Ionides 2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from scipy.stats import chi2, norm, qmc

from smallarea.models.laplace import Laplace, laplace
from smallarea.models.observations import Observed
from smallarea.models.sites import Prior

Array = NDArray[np.float64]

_NUGGET = 1e-9  # variance that keeps covariances invertible where every effect of areas vanishes
_FREEDOM = 10.0  # of the design's t distribution: tails heavier than a normal's
_UNIT = 0.25  # of theta, that the search for its mode goes in


@dataclass(frozen=True)
class Marginal:
    """The posterior density of theta.

    matrices : (J, m, m), the kernels at the surveyed areas. scale : mean of the exponential
    priors of standard deviations; the correlation is uniform on (0, 1). level_sd : fixed.
    components : K.
    """

    data: Observed
    matrices: Array
    components: int
    scale: float
    level_sd: float

    @property
    def size(self) -> int:
        return len(self.matrices) + 2

    @property
    def least(self) -> float:
        """The cube root of the least standard deviation that is looked at."""
        return float(np.cbrt(0.001 * self.scale))

    def prior(self, theta: Array) -> Prior:
        """Return the covariance under theta."""
        variances = theta[:-1] ** 6
        shared = np.tensordot(variances[:-1], self.matrices, 1)
        shared.flat[:: len(shared) + 1] += _NUGGET
        return Prior(shared, float(expit(theta[-1])), float(variances[-1]), self.level_sd**2)

    def fit(self, theta: Array, start: Laplace | None = None) -> Laplace:
        """Return Laplace's approximation under theta, from another fit if given."""
        return laplace(self.prior(theta), self.data, start)

    def log_prior(self, theta: Array) -> tuple[float, Array]:
        """Return the log density of theta a priori, up to a constant, and its gradient."""
        root, rho = theta[:-1], expit(theta[-1])
        value = (2 * np.log(root) - root**3 / self.scale).sum() + np.log(rho) + np.log1p(-rho)
        return float(value), np.append(2 / root - 3 * root**2 / self.scale, 1 - 2 * rho)

    def log_posterior(
        self, theta: Array, start: Laplace | None = None
    ) -> tuple[float, Array, Laplace]:
        """Return the log density of theta, up to a constant, its gradient, and the fit."""
        fitted = self.fit(theta, start)
        by = fitted.gradient()
        of_kernels = np.tensordot(self.matrices, by.shared, 2)
        rho = fitted.prior.correlation
        by_sds = 6 * theta[:-1] ** 5 * np.append(of_kernels, by.own)
        slope = np.append(by_sds, by.correlation * rho * (1 - rho))
        value, of_prior = self.log_prior(theta)
        return fitted.log_marginal + value, slope + of_prior, fitted


@dataclass(frozen=True)
class Integrated:
    """A weighted sample of theta, and the fits under each.

    thetas : (G, J + 2). weights : (G,), sum 1. mode : (J + 2,). fits : the G approximations.
    effective : number of equally weighted points that are worth as much, before weights were cut.
    """

    thetas: Array
    weights: Array
    mode: Array
    fits: list[Laplace]
    effective: float


def integrate(marginal: Marginal, points: int, seed: int = 0) -> Integrated:
    """Find the mode of theta and sample around it.

    Parameters
    ----------
    points : size of the design, a power of 2; 1 plugs in the mode. Points whose weight is below a
        thousandth of the largest are dropped; those kept come in order of their total variance.
    """
    mode, best = find_mode(marginal)
    if points == 1:
        return Integrated(mode[None], np.ones(1), mode, [best], 1.0)
    values, vectors = np.linalg.eigh(_curvature(marginal, mode, best))
    uniform = qmc.Sobol(marginal.size + 1, seed=seed).random(points)
    tail = np.sqrt(chi2.ppf(uniform[:, -1:], _FREEDOM) / _FREEDOM)
    standard = norm.ppf(uniform[:, :-1]) / tail
    thetas = mode + (standard / np.sqrt(values)) @ vectors.T
    squared = (standard**2).sum(axis=1)
    log_weights, fits = np.full(points, -np.inf), {}
    for g in np.flatnonzero((thetas[:, :-1] > marginal.least).all(axis=1)):
        fits[g] = marginal.fit(thetas[g], best)
        fits[g].sites.forget()
        value = fits[g].log_marginal + marginal.log_prior(thetas[g])[0]
        log_weights[g] = value + (_FREEDOM + marginal.size) / 2 * np.log1p(squared[g] / _FREEDOM)
    kept = np.flatnonzero(log_weights > log_weights.max() - np.log(1000))
    kept = kept[np.argsort((thetas[kept, :-1] ** 6).sum(axis=1), kind="stable")]
    weights = np.exp(log_weights[kept] - logsumexp(log_weights[kept]))
    effective = float(1 / (weights**2).sum())
    weights = np.minimum(weights, 1 / np.sqrt(points))
    return Integrated(
        thetas[kept], weights / weights.sum(), mode, [fits[g] for g in kept], effective
    )


def find_mode(marginal: Marginal) -> tuple[Array, Laplace]:
    """Return the mode of theta and the fit there.

    The search starts from standard deviations of 0.6 times their prior mean, correlation 0.7.
    """
    start = np.append(np.full(marginal.size - 1, np.cbrt(0.6 * marginal.scale)), 0.85)
    last: Laplace | None = None

    def fall(theta: Array) -> tuple[float, Array]:
        nonlocal last
        value, slope, last = marginal.log_posterior(_UNIT * theta, last)
        return -value, -_UNIT * slope

    bounds = np.array([(marginal.least, 3 * start[0])] * (marginal.size - 1) + [(-5.0, 5.0)])
    found = minimize(
        fall,
        start / _UNIT,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds / _UNIT,
        options={"ftol": 1e-5},  # a hundredth of a unit: the sample around it corrects the rest
    )
    mode = _UNIT * np.asarray(found.x)
    return mode, marginal.fit(mode, last)


def _curvature(marginal: Marginal, mode: Array, start: Laplace, step: float = 0.025) -> Array:
    """Minus the second derivatives at the mode; by differences wide enough to see the shape."""
    here = marginal.log_posterior(mode, start)[1]
    rows = [
        (here - marginal.log_posterior(mode + unit, start)[1]) / step
        for unit in np.eye(len(mode)) * step
    ]
    matrix = np.array(rows)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    # A standard deviation of theta beyond 1.5 would be wider than any of the priors.
    return np.asarray((vectors * np.maximum(values, 1.5**-2)) @ vectors.T)

"""Standard deviations and the correlation of a latent Gaussian model: estimated, then integrated.

They are worked with as one unbounded vector theta: log standard deviations of the kernels, of the
own effects, and the log odds of the correlation. Their posterior is Laplace's marginal likelihood
times weak priors; it is integrated by importance sampling on a quasi-random design around
its mode (in place of the grids and central composite designs of Rue, Martino & Chopin 2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_t, norm, qmc

from smallarea.models.laplace import Laplace, Prior, laplace
from smallarea.models.observations import Observed

Array = NDArray[np.float64]

_TAIL = 8.0  # degrees of freedom of the design: heavier tails than a normal


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

    def prior(self, theta: Array) -> Prior:
        """Return the covariance under theta."""
        variances = np.exp(2 * theta[:-1])
        shared = np.tensordot(variances[:-1], self.matrices, 1)
        return Prior(shared, float(expit(theta[-1])), float(variances[-1]), self.level_sd**2)

    def fit(self, theta: Array, start: Array | None = None) -> Laplace:
        """Return Laplace's approximation under theta, from the slope of another fit if given."""
        shape = (self.components, self.matrices.shape[1])
        return laplace(self.prior(theta), self.data, np.zeros(shape) if start is None else start)

    def log_prior(self, theta: Array) -> tuple[float, Array]:
        """Return the log density of theta a priori, up to a constant, and its gradient."""
        sd, rho = np.exp(theta[:-1]), expit(theta[-1])
        value = (theta[:-1] - sd / self.scale).sum() + np.log(rho) + np.log1p(-rho)
        return float(value), np.append(1 - sd / self.scale, 1 - 2 * rho)

    def log_posterior(
        self, theta: Array, start: Array | None = None
    ) -> tuple[float, Array, Laplace]:
        """Return the log density of theta, up to a constant, its gradient, and the fit."""
        fitted = self.fit(theta, start)
        by = fitted.gradient()
        variances = np.exp(2 * theta[:-1])
        of_kernels = np.tensordot(self.matrices, by.shared, 2)
        rho = fitted.prior.correlation
        slope = np.append(2 * variances * np.append(of_kernels, by.own), 0.0)
        slope[-1] = by.correlation * rho * (1 - rho)
        value, of_prior = self.log_prior(theta)
        return fitted.log_marginal + value, slope + of_prior, fitted


@dataclass(frozen=True)
class Integrated:
    """A weighted sample of theta, and the fits under each.

    thetas : (G, J + 2). weights : (G,), sum 1. mode : (J + 2,). fits : the G approximations.
    effective : the number of equally weighted points that are worth as much.
    """

    thetas: Array
    weights: Array
    mode: Array
    fits: list[Laplace]

    @property
    def effective(self) -> float:
        return float(1 / (self.weights**2).sum())


def integrate(marginal: Marginal, points: int, seed: int = 0) -> Integrated:
    """Find the mode of theta and sample around it.

    Parameters
    ----------
    points : size of the design; with 1 the mode is plugged in. Points whose weight is below a
        thousandth of the largest are dropped.
    """
    mode, best = find_mode(marginal)
    if points == 1:
        return Integrated(mode[None], np.ones(1), mode, [best])
    covariance = np.linalg.inv(_curvature(marginal, mode, best.slope))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(values)
    uniform = qmc.Sobol(marginal.size + 1, seed=seed).random(points)
    chi = _chi_square_quantile(uniform[:, -1])
    thetas = mode + (norm.ppf(uniform[:, :-1]) / np.sqrt(chi / _TAIL)[:, None]) @ root.T
    proposal = multivariate_t(mode, covariance, df=_TAIL).logpdf(thetas)
    log_weights, fits = np.empty(points), []
    for g, theta in enumerate(thetas):
        fits.append(marginal.fit(theta, best.slope))
        log_weights[g] = fits[-1].log_marginal + marginal.log_prior(theta)[0] - proposal[g]
    kept = np.flatnonzero(log_weights > log_weights.max() - np.log(1000))
    weights = np.exp(log_weights[kept] - logsumexp(log_weights[kept]))
    return Integrated(thetas[kept], weights, mode, [fits[g] for g in kept])


def find_mode(marginal: Marginal) -> tuple[Array, Laplace]:
    """Return the mode of theta and the fit there, starting from standard deviations of 0.3 and a correlation of 0.7."""
    start = np.append(np.full(marginal.size - 1, np.log(0.6 * marginal.scale)), 0.85)
    slope_there: Array | None = None
    low, high = np.log(0.01 * marginal.scale), np.log(20 * marginal.scale)

    def fall(theta: Array) -> tuple[float, Array]:
        nonlocal slope_there
        value, slope, fitted = marginal.log_posterior(theta, slope_there)
        slope_there = fitted.slope
        return -value, -slope

    bounds = [(low, high)] * (marginal.size - 1) + [(-5.0, 5.0)]
    found = minimize(
        fall, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-7}
    )
    mode = np.asarray(found.x)
    return mode, marginal.fit(mode, slope_there)


def _curvature(marginal: Marginal, mode: Array, start: Array, step: float = 0.1) -> Array:
    """Minus the second derivatives at the mode; by differences wide enough to see the shape."""
    rows = []
    for unit in np.eye(len(mode)) * step:
        above, below = (marginal.log_posterior(mode + s * unit, start)[1] for s in (1, -1))
        rows.append((below - above) / (2 * step))
    matrix = np.array(rows)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    # A standard deviation of theta beyond 1.5 would be wider than its prior.
    return (vectors * np.maximum(values, 1.5**-2)) @ vectors.T


def _chi_square_quantile(u: Array) -> Array:
    from scipy.stats import chi2

    return np.asarray(chi2.ppf(u, _TAIL))

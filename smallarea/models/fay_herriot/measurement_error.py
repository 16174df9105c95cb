"""The area-level model with covariates that are themselves estimates (Ybarra & Lohr 2008).

Xhat_a = x_a + u_a with Var(u_a) = C_a known. The direct estimate then weighs more,
gamma_a = (A + beta' C_a beta) / (A + beta' C_a beta + psi_a), beta solves the equations
sum w (Xhat Xhat' - C) beta = sum w Xhat y with w = 1 / (A + psi + beta' C beta), and A is
the mean of (y - Xhat' beta)^2 - psi - beta' C beta over m - p degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallarea.models.fay_herriot.inputs import Array, Places, check_arrays, check_rank, fail
from smallarea.models.fay_herriot.mse import Rows
from smallarea.models.fay_herriot.replicates import Replicates, Sample


@dataclass(frozen=True)
class MeasurementErrorFit:
    """A fit with covariates measured with error; attributes as of `FayHerriotFit`.

    `X_covariance` (m, p, p) is C. Mean squared errors come from the parametric bootstrap, each
    world with its own A drawn by the variance of the moment estimator. Areas outside the fit are
    predicted as if their covariates were exact.
    """

    between_variance: float
    coefficients: Array
    coefficient_covariance: Array
    shrinkage: Array
    effects: Array
    X: Array
    X_covariance: Array
    variance: Array

    def rows(self, X: Array, position: Places) -> Rows:
        """Return predictions of rows; `position` is an area's place in the fit, or -1."""
        estimate, spread = X @ self.coefficients, np.full(len(X), self.between_variance)
        seen = position >= 0
        at = position[seen]
        estimate[seen] += self.effects[at]
        spread[seen] = self.shrinkage[at] * self.variance[at]
        return Rows(estimate, spread, np.full(len(X), np.nan))

    def replicate(self, n: int, rng: np.random.Generator) -> Replicates:
        """Draw `n` worlds, with the covariates found as true ones, and fit each anew."""
        mean = self.X @ self.coefficients
        extra = quadratic(self.coefficients[None], self.X_covariance)[0]
        V = self.between_variance + self.variance + extra
        m, p = self.X.shape
        variance_of_A = float(2 * np.sum(V**2)) / (m - p) ** 2
        sample = Sample.draw(mean, self.between_variance, self.variance, n, rng, variance_of_A)
        values, vectors = np.linalg.eigh(self.X_covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None]  # (m, p, p)
        noise = np.einsum("mpq,nmq->nmp", root, rng.standard_normal((n, *self.X.shape)))
        y, X = sample.y.T, self.X + noise
        A, beta = solve(y, X, self.X_covariance, self.variance)
        gamma = weights_of_direct(A[:, None], quadratic(beta, self.X_covariance), self.variance)
        fitted = np.einsum("nmp,np->nm", X, beta)
        effects = gamma * (y - fitted) + np.einsum("nmp,np->nm", noise, beta)
        return Replicates(sample.A, sample.v, A, beta.T, effects.T, (gamma * self.variance).T)


def fit_measurement_error(
    y: Array, X: Array, variance: Array, X_covariance: Array
) -> MeasurementErrorFit:
    """Fit the area-level model with covariates measured with error.

    Parameters
    ----------
    y, X, variance : as of `fit_fay_herriot`.
    X_covariance : error variances of the covariates, (m, p), or covariances, (m, p, p); zero for
        what is exact, such as a column of ones.

    Raises
    ------
    InputError : as `fit_fay_herriot`; covariances of another shape, not finite or negative;
        errors so large that no variation of the covariates is left.
    """
    y, X, psi = (np.asarray(a, dtype=float) for a in (y, X, variance))
    check_arrays(y, X, psi)
    check_rank(X)
    C = covariances(X_covariance, X.shape)
    scale = np.sqrt((X**2).mean(0))
    scale[scale == 0] = 1.0
    A, beta = solve(y[None], X[None] / scale, C / np.outer(scale, scale), psi)
    beta = beta / scale
    extra = quadratic(beta, C)[0]
    w = 1 / (A + psi + extra)
    residual = y - X @ beta[0]
    # Sandwich: the estimating equation's own variance, without a model of the errors.
    score = w[:, None] * (X * residual[:, None] + C @ beta[0])
    bread = np.linalg.inv((X.T * w) @ X - np.einsum("m,mpq->pq", w, C))
    gamma = weights_of_direct(A, extra, psi)
    return MeasurementErrorFit(
        between_variance=float(A[0]),
        coefficients=beta[0],
        coefficient_covariance=bread @ (score.T @ score) @ bread.T,
        shrinkage=gamma,
        effects=gamma * residual,
        X=X,
        X_covariance=C,
        variance=psi,
    )


def solve(y: Array, X: Array, C: Array, psi: Array) -> tuple[Array, Array]:
    """Solve the equations for n data sets at once: A (n,) and beta (n, p).

    y (n, m), X (n, m, p), C (m, p, p), psi (m,). Weights start equal and are iterated, 100 times
    at most, until A and every variance beta' C beta are stable to a relative 1e-9.
    """
    n, m, p = X.shape
    w = np.ones((n, m))
    A, beta, extra = np.zeros(n), np.zeros((n, p)), np.zeros((n, m))
    flat = C.reshape(m, p * p)
    for _ in range(100):
        weighted = (X * w[..., None]).transpose(0, 2, 1)
        H = weighted @ X - (w @ flat).reshape(n, p, p)
        if not (np.linalg.eigvalsh(H)[:, 0] > 0).all():
            if n == 1:
                fail("errors of the covariates exceed their variation", "leave out the noisiest")
            H[np.linalg.eigvalsh(H)[:, 0] <= 0] += (w @ flat).reshape(n, p, p)[0]
        beta[:] = np.linalg.solve(H, weighted @ y[..., None])[..., 0]
        before = A, extra
        extra = quadratic(beta, C)
        residual = y - np.einsum("nmp,np->nm", X, beta)
        A = np.maximum((residual**2 - psi - extra).sum(1) / (m - p), 0.0)
        w = 1 / (A[:, None] + psi + extra)
        size = A + psi.mean()
        if (np.abs(A - before[0]) <= 1e-9 * size).all() and (
            np.abs(extra - before[1]) <= 1e-9 * size[:, None]
        ).all():
            break
    return A, beta


def quadratic(beta: Array, C: Array) -> Array:
    """Return beta' C beta for every data set and area, (n, m); beta (n, p), C (m, p, p)."""
    n, p = beta.shape
    pairs = (beta[:, :, None] * beta[:, None, :]).reshape(n, p * p)
    return pairs @ C.reshape(len(C), p * p).T


def weights_of_direct(A: Array, extra: Array, psi: Array) -> Array:
    """Return the weight of the direct estimate; `extra` is beta' C beta."""
    return (A + extra) / (A + extra + psi)


def covariances(given: Array, shape: tuple[int, ...]) -> Array:
    """Return error covariances of covariates (m, p, p) from variances (m, p) or covariances."""
    C = np.asarray(given, dtype=float)
    m, p = shape
    if C.shape == (m, p):
        C = C[:, :, None] * np.eye(p)
    if C.shape != (m, p, p):
        fail(f"errors of X have shape {C.shape}", "give variances like X, or (areas, p, p)")
    if not np.isfinite(C).all():
        fail("error variances of X are missing or infinite", "give zero for exact covariates")
    if (np.diagonal(C, axis1=1, axis2=2) < 0).any():
        fail("an error variance of X is negative", "give variances")
    return C

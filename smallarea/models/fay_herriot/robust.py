"""The area-level model fitted robustly: Huber's psi on residuals and on area effects.

The estimating equations of Sinha & Rao (2009) for the model of areas, where V is diagonal: an area
whose direct estimate lies far from x' beta neither drags beta and A along nor keeps its outlying
effect whole. With r = (y - x' beta) / sqrt(V), V = A + psi, and K = E psi(Z)^2:
sum x psi(r) / sqrt(V) = 0 and sum psi(r)^2 / V = K sum 1 / V; effects v solve
psi_k((y - x' beta - v) / sqrt(psi)) / sqrt(psi) = psi_k(v / sqrt(A)) / sqrt(A).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from smallarea.models.fay_herriot.inputs import Array, Places, fail
from smallarea.models.fay_herriot.likelihood import Profile
from smallarea.models.fay_herriot.mse import Rows
from smallarea.models.fay_herriot.replicates import Replicates, Sample, Stack


@dataclass(frozen=True)
class RobustFit:
    """A robust fit; attributes as of `FayHerriotFit`, `tuning` is Huber's constant k.

    There is no formula for its mean squared errors here: they come from the parametric bootstrap,
    each world with its own A drawn by `variance_of_A`, that of the estimator of A.
    """

    tuning: float
    between_variance: float
    coefficients: Array
    coefficient_covariance: Array
    shrinkage: Array
    effects: Array
    variance_of_A: float
    X: Array
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
        """Draw `n` worlds from the fitted model and fit each anew."""
        mean = self.X @ self.coefficients
        sample = Sample.draw(mean, self.between_variance, self.variance, n, rng, self.variance_of_A)
        profile = Profile(mean, self.X, self.variance)
        A, beta = fit_huber(profile, sample.y, self.tuning, tolerance=1e-4)
        psi = self.variance[:, None]
        effects = huber_effects(sample.y - self.X @ beta, A, psi, self.tuning)
        return Replicates(sample.A, sample.v, A, beta, effects, A / (A + psi) * psi)


def fit_robust(y: Array, X: Array, variance: Array, tuning: float = 1.345) -> RobustFit:
    """Fit the area-level model robustly; parameters as of `fit_fay_herriot`.

    Raises
    ------
    InputError : as `fit_fay_herriot`, and a `tuning` constant that is not positive.
    """
    if not tuning > 0:
        fail(f"Huber's constant is {tuning}", "use a positive one, such as 1.345")
    profile = Profile(y, X, variance)
    A, beta = fit_huber(profile, profile.y[:, None], tuning, tolerance=1e-10)
    psi = profile.psi
    X = np.asarray(X, dtype=float)
    # M-estimation: Var beta = E psi^2 / (E psi')^2 times that of least squares.
    inflation = _second_moment(tuning) / (2 * norm.cdf(tuning) - 1) ** 2
    covariance = inflation * np.linalg.inv((X.T / (A + psi)) @ X)
    variance_of_A = _variance_of_squares(tuning) / np.sum((A + psi) ** -2.0)
    return RobustFit(
        tuning=tuning,
        variance_of_A=float(variance_of_A),
        between_variance=float(A[0]),
        coefficients=beta[:, 0],
        coefficient_covariance=covariance,
        shrinkage=A / (A + psi),
        effects=huber_effects(profile.y - X @ beta[:, 0], A, psi, tuning),
        X=X,
        variance=psi,
    )


def fit_huber(profile: Profile, Y: Array, k: float, tolerance: float) -> tuple[Array, Array]:
    """Solve the robust equations for every column of Y: A (n,) and beta (p, n).

    Reweighted least squares for beta alternate with the scoring step for A until neither moves by
    more than `tolerance` of a typical standard error, 500 times at most.
    """
    stack, K = Stack(profile, Y), _second_moment(k)
    psi, R = stack.psi, stack.residual
    A = np.maximum((R**2).mean(0) - psi.mean(), 0.1 * np.median(psi))
    beta, fitted = np.zeros((Y.shape[1], stack.Q.shape[1])), np.zeros_like(R)
    scale = np.sqrt(np.median(psi))
    for _ in range(500):
        V = A + psi
        r = np.abs(R - fitted) / np.sqrt(V)
        weight = np.minimum(1.0, k / np.maximum(r, k)) / V
        M = stack.matrices(weight, R)
        beta[:] = np.linalg.solve(M[:, :-1, :-1], M[:, :-1, -1:])[..., 0]
        before, fitted = fitted, stack.Q @ beta.T
        clipped = np.minimum(np.abs(R - fitted) / np.sqrt(V), k) ** 2
        W = 1 / V
        step = ((clipped * W).sum(0) / K - W.sum(0)) / (W * W).sum(0)
        moved = np.maximum(A + step, 0.0) - A
        A = A + moved
        still = np.abs(fitted - before).max(0) <= tolerance * scale
        if (still & (np.abs(moved) <= tolerance * (A + psi.min()))).all():
            break
    return A, stack.coefficients(beta)


def huber_effects(residual: Array, A: Array, psi: Array, k: float) -> Array:
    """Return the area effects that solve the robust mixed model equation, shape of `residual`.

    Where neither psi function bends the effect is A / (A + psi) of the residual. Where the area
    effect is the noisier part (A > psi) all of the residual beyond it but a constant is
    effect; where the sampling error is, the effect stops growing.
    """
    s, sigma = np.sqrt(psi), np.sqrt(A)
    e = np.abs(residual)
    linear = A / (A + psi) * e
    with np.errstate(divide="ignore", invalid="ignore"):
        unbounded = e - k * psi / sigma
    large = np.where(sigma > s, np.maximum(linear, unbounded), np.minimum(linear, k * A / s))
    return np.sign(residual) * large


def _second_moment(k: float) -> float:
    """Return E psi(Z)^2 of Huber's psi and a standard normal Z."""
    tail = norm.sf(k)
    return float(1 - 2 * tail - 2 * k * norm.pdf(k) + 2 * k**2 * tail)


def _variance_of_squares(k: float) -> float:
    """Return Var psi(Z)^2 over the square of E Z^2 within k: 2 as k grows, the Gaussian case."""
    tail, density = norm.sf(k), norm.pdf(k)
    second = 1 - 2 * tail - 2 * k * density
    fourth = 3 * (1 - 2 * tail) - 2 * density * (k**3 + 3 * k)
    return float((fourth + 2 * k**4 * tail - _second_moment(k) ** 2) / second**2)

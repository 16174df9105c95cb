"""The area-level model of Fay and Herriot (1979), by weighted sums in O(m p^2), never m x m.

y_a = x_a' beta + v_a + e_a with v_a ~ N(0, A) and e_a ~ N(0, psi_a), psi_a known. The variance
between areas A is estimated by (restricted) maximum likelihood, or by adjusted likelihoods that
stay above zero when areas are few (Li & Lahiri 2010; Yoshimori & Lahiri 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NoReturn, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import brentq

from smallarea.errors import InputError

Array = NDArray[np.float64]
Method = Literal["reml", "ml", "amrl", "ampl", "amrl_yl", "ampl_yl"]

_BLOCK = 4096  # rows per block: products of a block stay in the processor's cache


@dataclass(frozen=True)
class FayHerriotFit:
    """A fitted area-level model; m areas, p coefficients.

    Attributes
    ----------
    method : how A was estimated.
    between_variance : A, the variance between areas that covariates leave unexplained.
    coefficients : beta, shape (p,); `coefficient_covariance` its covariance, (p, p).
    shrinkage : weight of each area's own estimate, A / (A + psi_a), shape (m,).
    estimate : empirical best linear unbiased predictor of each fitted area, shape (m,).
    mse : its second-order unbiased mean squared error, g1 + g2 + 2 g3 less the bias of A, (m,).
    log_likelihood : the maximised (restricted, adjusted) log-likelihood without m/2 log(2 pi).
    bias : leading bias of the estimator of A, subtracted in every mean squared error.
    """

    method: Method
    between_variance: float
    coefficients: Array
    coefficient_covariance: Array
    shrinkage: Array
    estimate: Array
    mse: Array
    log_likelihood: float
    bias: float

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Return estimate and mean squared error of areas outside the sample, each (rows,).

        The area effect of such an area comes from its prior, so its variance contains A, with
        the leading bias of A's estimator removed.
        """
        leverage = np.einsum("ij,jk,ik->i", X, self.coefficient_covariance, X)
        return X @ self.coefficients, self.between_variance - self.bias + leverage


def fit_fay_herriot(y: Array, X: Array, variance: Array, method: Method = "reml") -> FayHerriotFit:
    """Fit the area-level model.

    Parameters
    ----------
    y : direct estimates, shape (m,).
    X : covariates, shape (m, p), with a column of ones if an intercept is wanted.
    variance : known sampling variances of `y`, positive, shape (m,).
    method : ``reml``, ``ml``; Li-Lahiri ``amrl``, ``ampl``; Yoshimori-Lahiri ``amrl_yl``,
        ``ampl_yl`` (adjusted restricted and adjusted profile likelihood).

    Raises
    ------
    InputError : shapes that disagree, values that are not finite, a variance that is not
        positive, linearly dependent columns, or no more areas than coefficients.

    References
    ----------
    Prasad & Rao 1990; Datta & Lahiri 2000; Li & Lahiri 2010; Yoshimori & Lahiri 2014.
    """
    if method not in get_args(Method):
        raise InputError(
            f"unknown method {method!r}",
            where="fit_fay_herriot",
            remedy=f"use one of {get_args(Method)}",
        )
    profile = Profile(y, X, variance)
    A = _maximise(profile, method)
    at = profile.at(np.array([A]))
    psi, m = profile.psi, len(profile.psi)
    covariance_q = np.linalg.inv(at.xx[0])
    root = np.linalg.cholesky(covariance_q)
    leverage = ((profile.Q @ root) ** 2).sum(1)
    back = solve_triangular(profile.R, np.eye(X.shape[1]))

    w = 1 / (A + psi)
    residual = profile.residual - profile.Q @ at.beta[0]
    shrinkage = A * w
    g1 = shrinkage * psi
    g2 = (psi * w) ** 2 * leverage
    g3 = psi**2 * w**3 * (2 / at.sum_w2[0])
    trace = np.trace(covariance_q @ at.xx2[0])
    bias = {
        "ml": -trace,
        "ampl": (2 / A - trace) if A > 0 else np.inf,
        "ampl_yl": -trace,
        "amrl": 2 / A if A > 0 else np.inf,
    }.get(method, 0.0) / at.sum_w2[0]
    return FayHerriotFit(
        method=method,
        between_variance=A,
        coefficients=profile.start + back @ at.beta[0],
        coefficient_covariance=back @ covariance_q @ back.T,
        shrinkage=shrinkage,
        estimate=profile.y - (1 - shrinkage) * residual,
        mse=g1 + g2 + 2 * g3 - (psi * w) ** 2 * bias,
        log_likelihood=float(at.log_likelihood(method, m)[0] + profile.log_scale(method)),
        bias=bias,
    )


class Profile:
    """The likelihood with beta profiled or integrated out, for many values of A in one pass.

    Columns are orthonormalised and an ordinary least squares fit is taken off `y` first, so that
    sums of squares neither cancel nor depend on the units of the covariates.
    """

    def __init__(self, y: Array, X: Array, variance: Array) -> None:
        self.y, X, self.psi = (np.asarray(a, dtype=float) for a in (y, X, variance))
        _check(self.y, X, self.psi)
        self.Q, self.R = np.linalg.qr(X)
        if (np.abs(np.diag(self.R)) <= 1e-10 * np.linalg.norm(self.R, axis=0)).any():
            _fail("covariates are linearly dependent", "leave one of them out")
        self.start = solve_triangular(self.R, self.Q.T @ self.y)
        self.residual = self.y - X @ self.start

    def at(self, A: Array) -> Moments:
        """Return the weighted sums at each A, shape (G,)."""
        q = self.Q.shape[1] + 1
        i, j = np.triu_indices(q)
        first = np.zeros((len(A), len(i)))
        second = np.zeros_like(first)
        sums = np.zeros((3, len(A)))
        for begin in range(0, len(self.psi), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            D = np.column_stack([self.Q[rows], self.residual[rows]])
            products = D[:, i] * D[:, j]  # (block, q (q + 1) / 2)
            V = A[:, None] + self.psi[rows]  # (G, block)
            W = 1 / V
            first += W @ products
            second += (W * W) @ products
            sums += np.log(V).sum(1), W.sum(1), (W * W).sum(1)
        M, M2 = np.empty((2, len(A), q, q))
        M[:, i, j] = M[:, j, i] = first
        M2[:, i, j] = M2[:, j, i] = second
        return Moments(A, M, M2, *sums)

    def log_scale(self, method: Method) -> float:
        """Return what orthonormal columns leave out of log |X' W X| / 2 in restricted methods."""
        return -np.log(np.abs(np.diag(self.R))).sum() if "rl" in method or method == "reml" else 0.0


@dataclass(frozen=True)
class Moments:
    """Sums over areas weighted by 1 / (A + psi) and its square, at G values of A."""

    A: Array
    M: Array
    M2: Array
    sum_log: Array
    sum_w: Array
    sum_w2: Array

    @property
    def xx(self) -> Array:
        return self.M[:, :-1, :-1]

    @property
    def xx2(self) -> Array:
        return self.M2[:, :-1, :-1]

    @cached_property
    def beta(self) -> Array:
        return np.asarray(np.linalg.solve(self.xx, self.M[:, :-1, -1:])[..., 0], dtype=float)

    def log_likelihood(self, method: Method, m: int) -> Array:
        """Return the log-likelihood, shape (G,); -inf where an adjustment factor is zero."""
        quadratic = self.M[:, -1, -1] - np.einsum("gi,gi->g", self.M[:, :-1, -1], self.beta)
        value: Array = -0.5 * (self.sum_log + quadratic)
        if method in ("reml", "amrl", "amrl_yl"):
            value -= 0.5 * np.linalg.slogdet(self.xx)[1]
        with np.errstate(divide="ignore"):
            if method in ("amrl", "ampl"):
                value += np.log(self.A)
            if method in ("amrl_yl", "ampl_yl"):
                value += np.log(np.arctan(self.A * self.sum_w)) / m
        return value

    def score(self, method: Method, m: int) -> Array:
        """Return A times the derivative of the log-likelihood, shape (G,)."""
        b = np.concatenate([-self.beta, np.ones((len(self.A), 1))], axis=1)
        squares = np.einsum("gi,gij,gj->g", b, self.M2, b)
        value: Array = 0.5 * (squares - self.sum_w)
        if method in ("reml", "amrl", "amrl_yl"):
            value += 0.5 * np.trace(np.linalg.solve(self.xx, self.xx2), axis1=1, axis2=2)
        value *= self.A
        if method in ("amrl", "ampl"):
            value += 1
        if method in ("amrl_yl", "ampl_yl"):
            S = self.A * self.sum_w
            slope = self.sum_w - self.A * self.sum_w2
            value += self.A * slope / (m * np.arctan(S) * (1 + S**2))
        return value


def _maximise(profile: Profile, method: Method) -> float:
    """Return the A that maximises the likelihood: a grid in log A, then the root of the score."""
    m = len(profile.psi)
    spread = profile.residual @ profile.residual / m
    low = np.log(np.median(profile.psi)) - 16
    high = max(np.log(spread + profile.psi.mean()), low + 16) + 4
    grid = np.linspace(low, high, 40)
    best = int(np.argmax(profile.at(np.exp(grid)).log_likelihood(method, m)))
    if best == 0:
        return 0.0 if method in ("reml", "ml") else float(np.exp(grid[0]))

    def score(log_A: float) -> float:
        return float(profile.at(np.exp([log_A])).score(method, m)[0])

    return float(np.exp(brentq(score, grid[best - 1], grid[min(best + 1, 39)], xtol=1e-13)))


def _fail(what: str, remedy: str) -> NoReturn:
    raise InputError(what, where="Fay-Herriot model", remedy=remedy)


def _check(y: Array, X: Array, psi: Array) -> None:
    if X.ndim != 2 or y.shape != (len(X),) or psi.shape != y.shape:
        _fail(
            f"shapes disagree: y {y.shape}, X {X.shape}, variance {psi.shape}",
            "give y (m,), X (m, p) and variance (m,) of the same areas",
        )
    if not (np.isfinite(y).all() and np.isfinite(X).all() and np.isfinite(psi).all()):
        _fail("values are missing or infinite", "impute covariates, leave out areas without data")
    if (psi <= 0).any():
        _fail("a sampling variance is not positive", "smooth the variances first")
    if len(y) <= X.shape[1]:
        _fail(f"{len(y)} areas for {X.shape[1]} coefficients", "use fewer covariates")

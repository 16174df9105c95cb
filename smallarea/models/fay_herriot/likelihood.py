"""The likelihood of the variance between areas A, by weighted sums in O(m p^2), never m x m.

y_a = x_a' beta + v_a + e_a with v_a ~ N(0, A) and e_a ~ N(0, psi_a), psi_a known (Fay & Herriot
1979). A is estimated by (restricted) maximum likelihood, or by adjusted likelihoods that stay
above zero when areas are few (Li & Lahiri 2010; Yoshimori & Lahiri 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import brentq, minimize_scalar

from smallarea.models.fay_herriot.inputs import check_arrays, check_triangle

Array = NDArray[np.float64]
Method = Literal["reml", "ml", "amrl", "ampl", "amrl_yl", "ampl_yl"]

_BLOCK = 4096  # rows per block: products of a block stay in the processor's cache
_GRID = 40  # values of A among which the mode is looked for
_MANY = 4_000  # areas from which the mode is first looked for in every k-th area


class Profile:
    """The likelihood with beta profiled or integrated out, for many values of A in one pass.

    Columns are orthonormalised and an ordinary least squares fit is taken off `y` first, so that
    sums of squares neither cancel nor depend on the units of the covariates.

    Attributes
    ----------
    data : (m, p + 1), the orthonormal columns Q, then the least squares residuals of `y`.
    R : (p, p) with X = Q R. start : (p,) least squares coefficients. psi : (m,).
    """

    def __init__(self, y: Array, X: Array, variance: Array) -> None:
        self.y, X, self.psi = (np.asarray(a, dtype=float) for a in (y, X, variance))
        check_arrays(self.y, X, self.psi)
        Q, self.R = np.linalg.qr(X)
        check_triangle(self.R)
        self.start = solve_triangular(self.R, Q.T @ self.y)
        self.data = np.empty((len(Q), Q.shape[1] + 1))
        self.data[:, :-1] = Q
        self.data[:, -1] = self.y - X @ self.start

    @property
    def Q(self) -> Array:
        return self.data[:, :-1]

    @property
    def residual(self) -> Array:
        return self.data[:, -1]

    def at(self, A: Array, second: bool = True, step: int = 1) -> Moments:
        """Return the weighted sums at each A, shape (G,), over every `step`-th area.

        Without `second` the sums weighted by squares, which only a score needs, stay zero.
        """
        data, psi = self.data[::step], self.psi[::step]
        q = data.shape[1]
        M, M2 = np.zeros((2, len(A), q, q))
        sums = np.zeros((3, len(A)))
        block = max(_BLOCK // len(A), 256)
        for begin in range(0, len(psi), block):
            D = np.ascontiguousarray(data[begin : begin + block])
            V = A[:, None] + psi[begin : begin + block]  # (G, block)
            W = 1 / V
            weighted = W[:, :, None] * D
            across = weighted.transpose(0, 2, 1)
            M += across @ D
            if second:
                M2 += across @ weighted
            sums += np.log(V).sum(1), W.sum(1), (W * W).sum(1)
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
        sides = np.concatenate([self.M[:, :-1, -1:], self.xx2], axis=2)
        solved = np.linalg.solve(self.xx, sides)  # beta, then (X' W X)^-1 X' W^2 X
        b = np.concatenate([-solved[..., 0], np.ones((len(self.A), 1))], axis=1)
        squares = (b[:, None] @ self.M2 @ b[:, :, None])[:, 0, 0]
        value: Array = 0.5 * (squares - self.sum_w)
        if method in ("reml", "amrl", "amrl_yl"):
            value += 0.5 * np.trace(solved[..., 1:], axis1=1, axis2=2)
        value *= self.A
        if method in ("amrl", "ampl"):
            value += 1
        if method in ("amrl_yl", "ampl_yl"):
            S = self.A * self.sum_w
            slope = self.sum_w - self.A * self.sum_w2
            value += self.A * slope / (m * np.arctan(S) * (1 + S**2))
        return value


def maximise(profile: Profile, method: Method) -> float:
    """Return the A that maximises the likelihood: a grid in log A, then the root of the score."""
    m = len(profile.psi)
    grid = log_grid(float(profile.residual @ profile.residual) / m, profile.psi)
    best = _climb(profile, np.exp(grid), method)
    if best == 0:
        return at_the_edge(grid, method)
    low, high = grid[best - 1], grid[min(best + 1, _GRID - 1)]

    @cache
    def score(log_A: float) -> float:
        return float(profile.at(np.exp([log_A])).score(method, m)[0])

    def loss(log_A: float) -> float:
        at = profile.at(np.exp([log_A]), second=False)
        return -float(at.log_likelihood(method, m)[0])

    if score(low) > 0 > score(high):
        return float(np.exp(brentq(score, low, high, xtol=1e-13)))
    # Another mode within the bracket: the score has the same sign at both ends.
    return float(np.exp(minimize_scalar(loss, bounds=(low, high), method="bounded").x))


def log_grid(spread: float, psi: Array) -> Array:
    """Return values of log A that surely hold its mode; `spread` is the residuals' mean square."""
    low = np.log(np.median(psi)) - 16
    return np.linspace(low, max(np.log(spread + psi.mean()), low + 16) + 4, _GRID)


def at_the_edge(grid: Array, method: Method) -> float:
    """Return the A of a likelihood that falls from the left end of its grid on."""
    return 0.0 if method in ("reml", "ml") else float(np.exp(grid[0]))


def _climb(profile: Profile, grid: Array, method: Method) -> int:
    """Return the place on the grid where the likelihood is highest.

    Of very many areas every k-th is searched over the whole grid; from there all areas climb.
    """
    m = len(profile.psi)
    step = max(m // _MANY, 1)
    near = profile.at(grid, second=False, step=step).log_likelihood(method, -(-m // step))
    best = int(np.argmax(near))
    while step > 1:
        around = np.arange(max(best - 1, 0), min(best + 2, _GRID))
        values = profile.at(grid[around], second=False).log_likelihood(method, m)
        if around[np.argmax(values)] == best:
            break
        best = int(around[np.argmax(values)])
    return best

"""The area-level model with spatially autoregressive area effects (Petrucci & Salvati 2006).

v = rho W v + u with u ~ N(0, A I) and W the row-standardised neighbours, so Var v = A C(rho) with
C = [(I - rho W)' (I - rho W)]^-1. Areas of the graph without data borrow from their neighbours.
Mean squared errors after Singh, Shukla & Kundu (2005) and Molina, Salvati & Pratesi (2009).
Dense algebra in the number of areas of the graph: for thousands of areas, not for a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from smallarea.models.fay_herriot.inputs import (
    Array,
    Places,
    as_floats,
    check_arrays,
    check_rank,
    fail,
    identifiers,
    places,
)
from smallarea.models.fay_herriot.mse import Rows, leverage

_EDGE = 0.999  # largest |rho|


@dataclass(frozen=True)
class SpatialFit:
    """A spatial fit; N areas of the graph, m of them with data.

    Attributes
    ----------
    between_variance : A. correlation : rho.
    coefficients, coefficient_covariance : beta (p,) and its covariance.
    shrinkage : weight of each area's own estimate in its predictor, (m,).
    effects : area effects of the whole graph, (N,).
    log_likelihood : the maximised (restricted) log-likelihood without m/2 log(2 pi).
    g1, later, pull : by area of the graph: error with known parameters (N,), what estimating A
        and rho adds (N,), and what of X the data take back (N, p).
    prior : variance of the effect of an area outside the graph.
    X, variance : what was fitted.
    """

    between_variance: float
    correlation: float
    coefficients: Array
    coefficient_covariance: Array
    shrinkage: Array
    effects: Array
    log_likelihood: float
    g1: Array
    later: Array
    pull: Array
    prior: float
    X: Array
    variance: Array

    def rows(self, X: Array, position: Places) -> Rows:
        """Return predictions of rows; `position` is an area's place in the graph, or -1."""
        estimate, spread = X @ self.coefficients, np.full(len(X), self.prior)
        known = position >= 0
        at = position[known]
        estimate[known] += self.effects[at]
        spread[known] = self.g1[at]
        left = X.copy()
        left[known] -= self.pull[at]
        mse = spread + leverage(left, self.coefficient_covariance)
        mse[known] += self.later[at]
        return Rows(estimate, spread, mse)


@dataclass(frozen=True)
class _Point:
    """The likelihood at one (A, rho), its score and information, and the matrices behind."""

    value: float
    score: Array
    information: Array
    beta: Array
    covariance: Array
    V_inverse: Array
    C: Array
    C1: Array


class _Likelihood:
    def __init__(self, y: Array, X: Array, psi: Array, W: Array, data: Places, restricted: bool):
        self.y, self.X, self.psi, self.W, self.data = y, X, psi, W, data
        self.restricted = restricted
        self.WW = W.T @ W
        self.ordinary = np.linalg.lstsq(X, y)[0]
        self.observed = np.ix_(data, data)

    def covariance(self, rho: float) -> tuple[Array, Array]:
        """Return C and its derivative by rho, each (N, N)."""
        B = np.eye(len(self.W)) - rho * self.W
        root = np.linalg.inv(B)
        C: Array = np.asarray(root @ root.T, dtype=float)
        return C, -C @ (2 * rho * self.WW - self.W - self.W.T) @ C

    def value(self, A: float, rho: float) -> float:
        """Return the log-likelihood alone, for much less work."""
        root = np.linalg.inv(np.eye(len(self.W)) - rho * self.W)[self.data]
        V = A * root @ root.T + np.diag(self.psi)
        factor = cho_factor(V, lower=True, overwrite_a=True)
        both = np.column_stack([self.X, self.y])
        M = both.T @ cho_solve(factor, both)
        beta = np.linalg.solve(M[:-1, :-1], M[:-1, -1])
        value = -np.log(np.diag(factor[0])).sum() - 0.5 * (M[-1, -1] - M[-1, :-1] @ beta)
        if self.restricted:
            value -= 0.5 * np.linalg.slogdet(M[:-1, :-1])[1]
        return float(value)

    def at(self, A: float, rho: float) -> _Point:
        C, C1 = self.covariance(rho)
        factor = cho_factor(A * C[self.observed] + np.diag(self.psi), lower=True)
        Vi = cho_solve(factor, np.eye(len(self.psi)))
        ViX = Vi @ self.X
        covariance = np.linalg.inv(self.X.T @ ViX)
        beta = covariance @ (ViX.T @ self.y)
        P = Vi - ViX @ covariance @ ViX.T
        Py = Vi @ (self.y - self.X @ beta)
        value = -np.log(np.diag(factor[0])).sum() - 0.5 * self.y @ Py
        if self.restricted:
            value += 0.5 * np.linalg.slogdet(covariance)[1]
        slopes = C[self.observed], A * C1[self.observed]
        middle = P if self.restricted else Vi
        products = [middle @ slope for slope in slopes]
        score = [0.5 * (Py @ D @ Py - np.trace(MD)) for D, MD in zip(slopes, products, strict=True)]
        # The information that scoring and g3 use is that of P, as the peers' is.
        inner = products if self.restricted else [P @ slope for slope in slopes]
        information = [[0.5 * np.sum(a * b.T) for b in inner] for a in inner]
        return _Point(
            float(value), np.array(score), np.array(information), beta, covariance, Vi, C, C1
        )


def fit_spatial(
    y: Array,
    X: Array,
    variance: Array,
    neighbours: Array,
    data: Places,
    method: Literal["reml", "ml"] = "reml",
) -> SpatialFit:
    """Fit the area-level model with spatial area effects.

    Parameters
    ----------
    y, X, variance : as of `fit_fay_herriot`.
    neighbours : (N, N) weights of neighbours, not negative; rows are divided by their sum, and an
        area without neighbours stands alone.
    data : (m,) place of each fitted area in the graph.

    Raises
    ------
    InputError : as `fit_fay_herriot`, and a graph that is not square, or with negative or missing
        weights, or an area that is its own neighbour.
    """
    y, X, psi = (np.asarray(a, dtype=float) for a in (y, X, variance))
    check_arrays(y, X, psi)
    check_rank(X)
    if method not in ("reml", "ml"):
        fail(f"no spatial fit by method {method!r}", "use 'reml' or 'ml'")
    likelihood = _Likelihood(y, X, psi, row_standardised(neighbours), data, method == "reml")
    A, rho = _maximise(likelihood)
    at = likelihood.at(A, rho)
    G = A * at.C[:, data]  # covariance of all effects with those of areas with data
    pulled = G @ at.V_inverse
    g1 = A * np.diag(at.C) - np.einsum("ij,ij->i", pulled, G)
    return SpatialFit(
        between_variance=A,
        correlation=rho,
        coefficients=at.beta,
        coefficient_covariance=at.covariance,
        shrinkage=np.diag(pulled[data]),
        effects=pulled @ (y - X @ at.beta),
        log_likelihood=at.value,
        g1=g1,
        later=_later(likelihood, at, A, rho, pulled, g1),
        pull=pulled @ X,
        prior=A * float(np.diag(at.C).mean()),
        X=X,
        variance=psi,
    )


def row_standardised(neighbours: Array) -> Array:
    """Return weights of neighbours whose rows sum to one, or to zero where there are none."""
    W = np.asarray(neighbours, dtype=float)
    if W.ndim != 2 or W.shape[0] != W.shape[1]:
        fail(f"neighbours have shape {W.shape}", "give a square matrix of all areas")
    if not np.isfinite(W).all() or (W < 0).any() or np.diag(W).any():
        fail("neighbours are missing, negative or their own", "give weights with a zero diagonal")
    sums = W.sum(1, keepdims=True)
    return np.divide(W, sums, out=np.zeros_like(W), where=sums > 0)


def neighbourhood(
    neighbours: Any, areas: pd.Index | None, m: int
) -> tuple[pd.Index | None, Array, Places]:
    """Return the graph's identifiers, its weights (N, N), and where each fitted area stands (m,).

    A table is matched by identifier on both sides; an array has the `m` fitted areas in order.
    """
    if not isinstance(neighbours, pd.DataFrame):
        dense = neighbours.toarray() if hasattr(neighbours, "toarray") else neighbours
        W = as_floats(dense, "neighbours")
        if W.shape != (m, m):
            fail(f"neighbours have shape {W.shape} for {m} areas", "give a labelled table")
        return areas, W, np.arange(m)
    if areas is None:
        fail("neighbours with identifiers, areas without", "give areas= too")
    known = identifiers(neighbours.index, len(neighbours))
    if set(identifiers(neighbours.columns, neighbours.shape[1])) != set(known):
        fail("rows and columns of neighbours name other areas", "give a square table")
    data = places(known, areas)
    if (data < 0).any():
        unknown = ", ".join(map(str, areas[data < 0][:3]))
        fail(f"areas are not among the neighbours: {unknown}", "add them to the table")
    return known, as_floats(neighbours[known], "neighbours"), data


def _maximise(likelihood: _Likelihood) -> tuple[float, float]:
    """Return (A, rho): the best of a coarse grid, then Fisher scoring with halved steps."""
    psi = likelihood.psi
    floor = 1e-8 * float(np.median(psi))
    spread = float(np.var(likelihood.y - likelihood.X @ likelihood.ordinary))
    starts = [
        (A, rho)
        for A in np.geomspace(0.05 * np.median(psi), max(spread, np.median(psi)), 4)
        for rho in (-0.6, 0.0, 0.6)
    ]
    values = [likelihood.value(*start) for start in starts]
    start = starts[int(np.argmax(values))]
    theta, here = np.array(start), likelihood.at(*start)
    for _ in range(200):
        free = np.array([theta[0] > floor or here.score[0] > 0, abs(theta[1]) < _EDGE])
        step = np.linalg.pinv(here.information) @ (here.score * free)
        for halving in range(30):
            new = theta + step / 2**halving
            new = np.array([max(new[0], floor), np.clip(new[1], -_EDGE, _EDGE)])
            there = likelihood.at(*new)
            if there.value >= here.value - 1e-12 * abs(here.value):
                break
        moved = np.abs(new - theta)
        theta, here = new, there
        if moved[0] <= 1e-10 * theta[0] and moved[1] <= 1e-10:
            break
    return (float(theta[0]), float(theta[1])) if theta[0] > floor else (0.0, 0.0)


def _later(
    likelihood: _Likelihood, at: _Point, A: float, rho: float, pulled: Array, g1: Array
) -> Array:
    """Return 2 g3 - g4 less the bias of maximum likelihood, by area of the graph, (N,).

    With T = I - G V^-1 on the areas with data, every derivative of g1 is a quadratic form in T of
    a derivative of the effects' covariance A C(rho).
    """
    data, C, C1 = likelihood.data, at.C, at.C1
    T = np.eye(len(C))
    T[:, data] -= pulled
    turn = 2 * rho * likelihood.WW - likelihood.W - likelihood.W.T
    C2 = -2 * C1 @ turn @ C - 2 * C @ likelihood.WW @ C
    inverse = np.linalg.pinv(at.information)
    V = A * C[likelihood.observed] + np.diag(likelihood.psi)
    slopes = C, A * C1
    L = [T @ slope[:, data] @ at.V_inverse for slope in slopes]

    def form(inner: Array) -> Array:
        return np.einsum("ij,ij->i", T @ inner, T)

    g3 = sum(
        inverse[j, k] * np.einsum("ij,ij->i", L[j] @ V, L[k]) for j in range(2) for k in range(2)
    )
    g4 = 0.5 * (2 * inverse[0, 1] * form(C1) + inverse[1, 1] * form(A * C2))
    later = 2 * g3 - g4
    if not likelihood.restricted:
        ViX = at.V_inverse @ likelihood.X
        loss = [-np.trace(at.covariance @ ViX.T @ s[likelihood.observed] @ ViX) for s in slopes]
        bias = inverse @ np.array(loss) / 2
        later = later - sum(b * form(slope) for b, slope in zip(bias, slopes, strict=True))
    # As with one variance, corrections that would leave no error at all are not made.
    return np.where(g1 + later > 0, later, 2 * g3)

"""The area-level model with spatially correlated area effects: autoregressive, or BYM2.

Var v = A C(rho) on a graph of areas (`structures`). Areas of the graph without data borrow from
their neighbours. Mean squared errors after Singh, Shukla & Kundu (2005) and Molina, Salvati &
Pratesi (2009), whose formula needs no more of C than its derivatives. Dense algebra in the number
of areas of the graph: for thousands of areas, not for a million.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

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
from smallarea.models.fay_herriot.replicates import Replicates
from smallarea.models.fay_herriot.spatial_likelihood import Point, SpatialLikelihood
from smallarea.models.fay_herriot.structures import Spatial, structure_of


@dataclass(frozen=True)
class SpatialFit:
    """A spatial fit; N areas of the graph, m of them with data.

    likelihood : of the data. at : its maximum. pulled : (N, m), what each residual of the data
    adds to each area's effect.
    """

    likelihood: SpatialLikelihood
    at: Point
    pulled: Array

    @property
    def between_variance(self) -> float:
        """A."""
        return self.at.variance

    @property
    def correlation(self) -> float:
        """rho."""
        return self.at.rho

    @property
    def coefficients(self) -> Array:
        """beta, (p,)."""
        return self.at.beta

    @property
    def coefficient_covariance(self) -> Array:
        return self.at.covariance

    @property
    def log_likelihood(self) -> float:
        """The maximised (restricted) log-likelihood without m/2 log(2 pi)."""
        return self.at.value

    @property
    def X(self) -> Array:
        return self.likelihood.X

    @property
    def variance(self) -> Array:
        return self.likelihood.psi

    @property
    def shrinkage(self) -> Array:
        """Weight of each area's own estimate in its predictor, (m,)."""
        return np.diag(self.pulled[self.likelihood.data])

    @property
    def prior(self) -> float:
        """Variance of the effect of an area outside the graph."""
        return self.at.variance * float(np.diag(self.at.C).mean())

    @cached_property
    def effects(self) -> Array:
        """Area effects of the whole graph, (N,)."""
        return self.pulled @ (self.likelihood.y - self.X @ self.at.beta)

    @cached_property
    def g1(self) -> Array:
        """Error of each area of the graph with known parameters, (N,)."""
        C, data = self.at.C, self.likelihood.data
        return self.at.variance * (np.diag(C) - np.einsum("ij,ij->i", self.pulled, C[:, data]))

    @cached_property
    def later(self) -> Array:
        """What estimating A and rho adds to the error of each area of the graph, (N,)."""
        return _later(self)

    def rows(self, X: Array, position: Places) -> Rows:
        """Return predictions of rows; `position` is an area's place in the graph, or -1."""
        estimate, spread = X @ self.coefficients, np.full(len(X), self.prior)
        known = position >= 0
        at = position[known]
        estimate[known] += self.effects[at]
        spread[known] = self.g1[at]
        left = X.copy()
        left[known] -= self.pulled[at] @ self.X
        mse = spread + leverage(left, self.coefficient_covariance)
        mse[known] += self.later[at]
        return Rows(estimate, spread, mse)

    def replicate(self, n: int, rng: np.random.Generator) -> Replicates:
        """Draw `n` worlds from the fitted model and fit each anew, one after the other."""
        known, at = self.likelihood, self.at
        values, vectors = np.linalg.eigh(at.variance * at.C)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        v = root @ rng.standard_normal((len(at.C), n))
        e = np.sqrt(known.psi)[:, None] * rng.standard_normal((len(known.psi), n))
        Y = (known.X @ at.beta)[:, None] + v[known.data] + e
        fits = [_fitted(replace(known, y=y)) for y in Y.T]
        return Replicates(
            true_A=np.full(n, self.prior),
            v=v,
            A=np.array([fit.prior for fit in fits]),
            beta=np.column_stack([fit.coefficients for fit in fits]),
            effects=np.column_stack([fit.effects for fit in fits]),
            spread=np.column_stack([fit.g1 for fit in fits]),
        )


def fit_spatial(
    y: Array,
    X: Array,
    variance: Array,
    neighbours: Array,
    data: Places,
    method: Literal["reml", "ml"] = "reml",
    spatial: Spatial = "sar",
) -> SpatialFit:
    """Fit the area-level model with spatial area effects.

    Parameters
    ----------
    y, X, variance : as of `fit_fay_herriot`.
    neighbours : (N, N) weights of neighbours, not negative. spatial : see `structures`; in an
        autoregression an area without neighbours stands alone.
    data : (m,) place of each fitted area in the graph.

    Raises
    ------
    InputError : as `fit_fay_herriot` and `structure_of`.
    """
    y, X, psi = (np.asarray(a, dtype=float) for a in (y, X, variance))
    check_arrays(y, X, psi)
    check_rank(X)
    if method not in ("reml", "ml"):
        fail(f"no spatial fit by method {method!r}", "use 'reml' or 'ml'")
    structure = structure_of(neighbours, spatial)
    return _fitted(SpatialLikelihood(y, X, psi, structure, data, method == "reml"))


def _fitted(likelihood: SpatialLikelihood) -> SpatialFit:
    at = likelihood.maximum()
    return SpatialFit(likelihood, at, at.variance * at.C[:, likelihood.data] @ at.V_inverse)


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


def _later(fit: SpatialFit) -> Array:
    """Return 2 g3 - g4 less the bias of maximum likelihood, by area of the graph, (N,).

    With T = I - G V^-1 on the areas with data, every derivative of g1 is a quadratic form in T of
    a derivative of the effects' covariance A C(rho).
    """
    likelihood, at, g1 = fit.likelihood, fit.at, fit.g1
    data, A, C, C1 = likelihood.data, at.variance, at.C, at.C1
    observed = np.ix_(data, data)
    T = np.eye(len(C))
    T[:, data] -= fit.pulled
    C2 = likelihood.structure.second(at.rho, C, C1)
    inverse = np.linalg.pinv(at.information)
    V = A * C[observed] + np.diag(likelihood.psi)
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
        loss = [-np.trace(at.covariance @ ViX.T @ s[observed] @ ViX) for s in slopes]
        bias = inverse @ np.array(loss) / 2
        later = later - sum(b * form(slope) for b, slope in zip(bias, slopes, strict=True))
    # As with one variance, corrections that would leave no error at all are not made.
    return np.where(g1 + later > 0, later, 2 * g3)

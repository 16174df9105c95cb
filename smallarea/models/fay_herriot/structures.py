"""How area effects of neighbours are correlated: Var v = A C(rho) on the graph of areas.

Both structures need dense matrices in the number of areas N of the graph.
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from scipy.sparse import csr_array

from smallarea.models.bym2 import Icar
from smallarea.models.fay_herriot.inputs import Array, Places, fail

Spatial = Literal["sar", "bym2"]


class Structure(Protocol):
    """A family of covariances C(rho), (N, N), and its derivatives by rho."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the least and the largest rho."""

    @property
    def starts(self) -> tuple[float, ...]:
        """Return values of rho from which its best is looked for."""

    def at(self, rho: float) -> tuple[Array, Array]:
        """Return C and its first derivative."""

    def second(self, rho: float, C: Array, C1: Array) -> Array:
        """Return the second derivative of C."""

    def among(self, rho: float, data: Places) -> Array:
        """Return C of some of the areas alone."""


class Autoregressive:
    """v = rho W v + u with u ~ N(0, A I): C = [(I - rho W)' (I - rho W)]^-1.

    W are the weights of neighbours, rows divided by their sum (Petrucci & Salvati 2006).
    """

    bounds = (-0.999, 0.999)
    starts = (-0.6, 0.0, 0.6)

    def __init__(self, neighbours: Array) -> None:
        sums = neighbours.sum(1, keepdims=True)
        self.W = np.divide(neighbours, sums, out=np.zeros_like(neighbours), where=sums > 0)
        self.WW = self.W.T @ self.W

    def _root(self, rho: float) -> Array:
        return np.asarray(np.linalg.inv(np.eye(len(self.W)) - rho * self.W), dtype=float)

    def _slope(self, rho: float) -> Array:
        return np.asarray(2 * rho * self.WW - self.W - self.W.T, dtype=float)

    def at(self, rho: float) -> tuple[Array, Array]:
        root = self._root(rho)
        C: Array = root @ root.T
        return C, -C @ self._slope(rho) @ C

    def second(self, rho: float, C: Array, C1: Array) -> Array:
        return np.asarray(-2 * C1 @ self._slope(rho) @ C - 2 * C @ self.WW @ C, dtype=float)

    def among(self, rho: float, data: Places) -> Array:
        root = self._root(rho)[data]
        return np.asarray(root @ root.T, dtype=float)


class StructuredAndNot:
    """v = sqrt(rho) phi + sqrt(1 - rho) theta (BYM2): C = rho K + (1 - rho) I.

    phi is an intrinsic autoregression with correlations K, theta independent, rho the share of
    the variance that is spatial (Riebler et al. 2016). Weights must be symmetric and link all
    areas.
    """

    bounds = (0.0, 1.0)
    starts = (0.1, 0.5, 0.9)

    def __init__(self, neighbours: Array) -> None:
        if not np.array_equal(neighbours, neighbours.T):
            fail("neighbours are not mutual", "give symmetric weights, or spatial='sar'")
        self.K = Icar(csr_array(neighbours)).correlations(np.arange(len(neighbours)))

    def at(self, rho: float) -> tuple[Array, Array]:
        slope = self.K - np.eye(len(self.K))
        return np.eye(len(self.K)) + rho * slope, slope

    def second(self, rho: float, C: Array, C1: Array) -> Array:
        return np.zeros_like(C)

    def among(self, rho: float, data: Places) -> Array:
        return rho * self.K[np.ix_(data, data)] + (1 - rho) * np.eye(len(data))


def structure_of(neighbours: Array, spatial: Spatial) -> Structure:
    """Return a structure on a graph with weights of neighbours (N, N).

    Raises
    ------
    InputError : weights that are not square, missing or negative, an area that is its own
        neighbour; for ``bym2`` weights that are not symmetric, or a graph in pieces.
    """
    W = np.asarray(neighbours, dtype=float)
    if W.ndim != 2 or W.shape[0] != W.shape[1]:
        fail(f"neighbours have shape {W.shape}", "give a square matrix of all areas")
    if not np.isfinite(W).all() or (W < 0).any() or np.diag(W).any():
        fail("neighbours are missing, negative or their own", "give weights with a zero diagonal")
    return Autoregressive(W) if spatial == "sar" else StructuredAndNot(W)

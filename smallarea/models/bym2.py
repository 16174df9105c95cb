"""A spatial effect of areas: structured plus unstructured (BYM2), with few areas observed.

s = sqrt(rho) phi + sqrt(1 - rho) theta, phi an intrinsic autoregression on the neighbourhood
graph (Riebler et al. 2016), every area scaled to variance one. Only the m observed areas are ever
sampled: their covariance rho K + (1 - rho) I has the eigenvectors of K whatever rho is, so a
gradient costs one m x m product. All other areas are drawn afterwards, exactly, given those.
The graph is sparse and so is all that is done with it: nothing of the size areas x areas is formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array, triu
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.sparse.linalg import SuperLU, splu
from scipy.spatial import Delaunay, QhullError, cKDTree

from smallarea.errors import InputError

Array = NDArray[np.float64]
Pairs = NDArray[np.intp]

_BLOCK = 500  # columns solved for at once


def nearest_neighbours(places: pd.DataFrame, k: int = 6) -> csr_array:
    """Link each place to its k nearest, and all of them by a shortest tree (so: connected).

    Parameters
    ----------
    places : columns `lon`, `lat` in degrees.

    Returns
    -------
    Symmetric 0/1 matrix in the rows' order.
    """
    if not {"lon", "lat"} <= set(places.columns) or places[["lon", "lat"]].isna().any(axis=None):
        raise InputError(
            "areas without coordinates",
            where="spatial effect",
            remedy="give lon and lat of every area, or the graph of neighbours",
        )
    lat = places["lat"].to_numpy(float)
    xy = np.column_stack([places["lon"].to_numpy(float) * np.cos(np.radians(lat.mean())), lat])
    size = len(xy)
    near = cKDTree(xy).query(xy, min(k + 1, size))[1].reshape(size, -1)
    pairs = np.column_stack([np.repeat(np.arange(size), near.shape[1]), near.ravel()])
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    # Of places at one point one may be missing among its own nearest: then the first k others stay.
    first = pd.Series(np.arange(len(pairs))).groupby(pairs[:, 0]).cumcount() < k
    return _linked(np.vstack([pairs[first.to_numpy()], _shortest_tree(xy)]), size)


def _linked(pairs: Pairs, size: int) -> csr_array:
    both = np.vstack([pairs, pairs[:, ::-1]])
    linked = csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), (size, size))
    linked.data[:] = 1.0
    return linked


def _shortest_tree(xy: Array) -> Pairs:
    """Return the edges of a shortest tree through all points, (edges, 2).

    It is part of Delaunay's triangulation (Shamos & Hoey 1975). Points at one place hang together.
    """
    points, which = np.unique(xy, axis=0, return_inverse=True)
    first = np.full(len(points), -1)
    first[which[::-1]] = np.arange(len(xy))[::-1]
    same = np.column_stack([first[which], np.arange(len(xy))])
    same = same[same[:, 0] != same[:, 1]]
    try:
        corners = Delaunay(points, qhull_options="QJ Pp").simplices
        pairs = np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    except (QhullError, ValueError):  # too few, or on one line, along which they are sorted
        pairs = np.column_stack([np.arange(len(points) - 1), np.arange(1, len(points))])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    length = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    shape = (len(points), len(points))
    tree = minimum_spanning_tree(coo_array((length, (pairs[:, 0], pairs[:, 1])), shape).tocsr())
    edges = np.column_stack(tree.nonzero())
    return np.vstack([first[edges], same])


class Icar:
    """Correlations of a sum-to-zero intrinsic autoregression (ICAR) on a connected graph.

    Its variances are scaled to one area by area, not only on average (Sorbye & Rue 2014): at the
    end of a chain of islands they are ten times the mean, which says much about the graph and
    nothing about the islands, and would make the means of rates there explode.

    Raises
    ------
    InputError : the graph is not connected.
    """

    def __init__(self, neighbours: csr_array) -> None:
        pieces, _ = connected_components(neighbours, directed=False)
        if pieces > 1:
            raise InputError(
                f"the neighbourhood graph falls into {pieces} pieces",
                where="spatial effect",
                remedy="link islands to their nearest areas",
            )
        self.size = neighbours.shape[0]
        edges = triu(neighbours, k=1).tocoo()
        self._edges = np.column_stack([edges.row, edges.col])
        self._root = np.sqrt(edges.data)
        degree = neighbours.sum(axis=1)
        here = np.arange(self.size)
        laplacian = csc_array((degree, (here, here)), neighbours.shape) - neighbours.tocsc()
        self._factor: SuperLU = splu(
            laplacian[1:, 1:].tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    def _solve(self, b: Array) -> Array:
        """Return the Laplacian's pseudo-inverse times `b`, (areas, n); columns of b sum to 0."""
        x = np.zeros_like(b)
        x[1:] = self._factor.solve(b[1:])
        return np.asarray(x - x.mean(axis=0))

    @cached_property
    def sd(self) -> Array:
        """Standard deviations before scaling, (areas,): roots of the pseudo-inverse's diagonal."""
        rows = np.zeros(self.size)  # sums of rows of the inverse without the first area
        rows[1:] = self._factor.solve(np.ones(self.size - 1))
        own = np.append(0.0, inverse_diagonal(self._factor))
        return np.sqrt(own - 2 * rows / self.size + rows.sum() / self.size**2)

    def _covariance(self, areas: Pairs) -> Array:
        b = np.full((self.size, len(areas)), -1 / self.size)
        b[areas, np.arange(len(areas))] += 1
        return self._solve(b)

    def correlations(self, areas: Pairs) -> Array:
        """Return correlations of all areas with some of them, (all, some)."""
        return self._covariance(areas) / np.outer(self.sd, self.sd[areas])

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return draws of all areas' effects, (n, areas): differences along edges, solved for."""
        out = np.empty((n, self.size))
        for start in range(0, n, _BLOCK):
            part = out[start : start + _BLOCK]
            steps = self._root[:, None] * rng.standard_normal((len(self._edges), len(part)))
            pushed = np.zeros((self.size, len(part)))
            np.add.at(pushed, self._edges[:, 0], steps)
            np.subtract.at(pushed, self._edges[:, 1], steps)
            part[:] = (self._solve(pushed) / self.sd[:, None]).T
        return out


def inverse_diagonal(factor: SuperLU) -> Array:
    """Return the diagonal of a sparse positive definite matrix's inverse from its factors.

    Where the factor has entries, and only there, the inverse follows column by column from the last
    (Takahashi, Fagan & Chin 1973); a column's rows are among those of the next one it feeds.
    """
    lower, pivots = factor.L.tocsc().sorted_indices(), factor.U.diagonal()
    n = len(pivots)
    rows = [lower.indices[lower.indptr[j] + 1 : lower.indptr[j + 1]] for j in range(n)]
    feeds = np.array([each[0] if len(each) else -1 for each in rows])
    waiting = np.bincount(feeds[feeds >= 0], minlength=n)
    known: dict[int, Array] = {}
    diagonal = np.empty(n)
    for j in range(n - 1, -1, -1):
        entries = lower.data[lower.indptr[j] + 1 : lower.indptr[j + 1]]
        front = np.empty((len(entries) + 1,) * 2)
        if len(entries):
            parent = feeds[j]
            at = np.searchsorted(np.append(parent, rows[parent]), rows[j])
            front[1:, 1:] = known[parent][np.ix_(at, at)]
            front[1:, 0] = front[0, 1:] = -front[1:, 1:] @ entries
            waiting[parent] -= 1
            if not waiting[parent]:
                del known[parent]
        front[0, 0] = diagonal[j] = 1 / pivots[j] - front[0, 1:] @ entries
        if waiting[j]:
            known[j] = front
    out = np.empty(n)
    out[np.argsort(factor.perm_c)] = diagonal
    return out


@dataclass(frozen=True)
class SpatialField:
    """The spatial effect, with few areas observed.

    icar : of all A areas. observed : (m,) positions. across : (A, m), correlations of all areas
    with the observed ones. values : (m,), vectors : (m, m), eigenvalues and -vectors of the
    observed ones' own.
    """

    icar: Icar
    observed: NDArray[np.intp]
    across: Array
    values: Array
    vectors: Array

    @classmethod
    def at(cls, icar: Icar, observed: NDArray[np.intp]) -> SpatialField:
        across = icar.correlations(observed)
        values, vectors = np.linalg.eigh(across[observed])
        return cls(icar, observed, across, np.maximum(values, 0.0), vectors)

    def draw_given(self, s: Array, rho: Array, rng: np.random.Generator) -> Array:
        """Draw every area's effect given the observed areas'.

        Conditioning by kriging: a draw of the prior is corrected by the kriged difference between
        what was observed and what it had there.

        Parameters
        ----------
        s : (n, m) draws of the observed areas' effects. rho : (n,) their mixing parameter.

        Returns
        -------
        (n, A); at the observed areas it is `s`.
        """
        rho = rho[:, None]
        out = np.sqrt(rho) * self.icar.draw(len(s), rng)
        out += np.sqrt(1 - rho) * rng.standard_normal(out.shape)
        difference = (s - out[:, self.observed]) @ self.vectors
        weights = (difference / (rho * self.values + 1 - rho)) @ self.vectors.T
        out += rho * (weights @ self.across.T)
        out[:, self.observed] = s
        return out

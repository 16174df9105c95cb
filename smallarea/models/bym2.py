"""A spatial effect of areas: structured plus unstructured (BYM2), with few areas observed.

s = sqrt(rho) phi + sqrt(1 - rho) theta, phi an intrinsic autoregression on the neighbourhood
graph (Riebler et al. 2016), every area scaled to variance one. Only the m observed areas are ever
sampled: their covariance rho K + (1 - rho) I has the eigenvectors of K whatever rho is, so a
gradient costs one m x m product. All other areas are drawn afterwards, exactly, given those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import cholesky
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import cdist

from smallarea.errors import InputError

Array = NDArray[np.float64]


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
    # A place at distance zero would be no edge of the tree.
    distance = cdist(xy, xy) + 1e-9
    np.fill_diagonal(distance, np.inf)
    near = np.argsort(distance, axis=1)[:, : min(k, len(xy) - 1)]
    linked = np.zeros(distance.shape, bool)
    np.put_along_axis(linked, near, True, axis=1)
    np.fill_diagonal(distance, 0.0)
    linked |= minimum_spanning_tree(distance).toarray() > 0
    return csr_array((linked | linked.T).astype(float))


def icar_correlation(neighbours: csr_array) -> Array:
    """Correlations of a sum-to-zero intrinsic autoregression (ICAR), shape (areas, areas).

    Its variances are scaled to one area by area, not only on average (Sorbye & Rue 2014): at the
    end of a chain of islands they are ten times the mean, which says much about the graph and
    nothing about the islands, and would make the means of rates there explode.

    Raises
    ------
    InputError : the graph is not connected.
    """
    pieces, _ = connected_components(neighbours, directed=False)
    if pieces > 1:
        raise InputError(
            f"the neighbourhood graph falls into {pieces} pieces",
            where="spatial effect",
            remedy="link islands to their nearest areas",
        )
    n = neighbours.shape[0]
    laplacian = np.diag(neighbours.sum(axis=1)) - neighbours.toarray()
    covariance = np.linalg.inv(laplacian + 1 / n) - 1 / n
    sd = np.sqrt(covariance.diagonal())
    return covariance / np.outer(sd, sd)


@dataclass(frozen=True)
class SpatialField:
    """The correlation matrix K of all areas, and its eigenvalues and -vectors at the observed ones.

    K : (A, A). observed : (m,) positions. values : (m,). vectors : (m, m).
    """

    K: Array
    observed: NDArray[np.intp]
    values: Array
    vectors: Array

    @classmethod
    def at(cls, K: Array, observed: NDArray[np.intp]) -> SpatialField:
        values, vectors = np.linalg.eigh(K[np.ix_(observed, observed)])
        return cls(K, observed, np.maximum(values, 0.0), vectors)

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
        n, size = len(s), len(self.K)
        # K is singular (effects sum to zero): the jitter is a millionth of a variance.
        root = cholesky(self.K + 1e-6 * np.eye(size), lower=True)
        rho = rho[:, None]
        structured = np.sqrt(rho) * (rng.standard_normal((n, size)) @ root.T)
        prior = structured + np.sqrt(1 - rho) * rng.standard_normal((n, size))
        difference = (s - prior[:, self.observed]) @ self.vectors
        weights = (difference / (rho * self.values + 1 - rho)) @ self.vectors.T
        out = prior + rho * (weights @ self.K[self.observed])
        out[:, self.observed] = s
        return out

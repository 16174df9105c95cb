"""The spatial effect: scaled, connected, and exact where it is drawn given a few areas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from smallarea.errors import InputError
from smallarea.models.bym2 import SpatialField, icar_correlation, nearest_neighbours


def lattice(side: int) -> csr_array:
    step = np.arange(side * side)
    x, y = step % side, step // side
    distance = np.abs(x[:, None] - x) + np.abs(y[:, None] - y)
    return csr_array((distance == 1).astype(float))


def test_correlations_are_those_of_the_pseudo_inverse_of_the_laplacian():
    graph = lattice(6)
    laplacian = np.diag(graph.sum(axis=1)) - graph.toarray()
    reference = np.linalg.pinv(laplacian)
    sd = np.sqrt(reference.diagonal())
    assert np.allclose(icar_correlation(graph), reference / np.outer(sd, sd))


def test_a_graph_in_pieces_is_refused():
    pair = csr_array(np.kron(np.eye(2), 1 - np.eye(2)))
    with pytest.raises(InputError, match="2 pieces"):
        icar_correlation(pair)


def test_nearest_neighbours_link_far_islands():
    rng = np.random.default_rng(0)
    places = pd.DataFrame({"lon": rng.uniform(120, 121, 60), "lat": rng.uniform(10, 11, 60)})
    places.loc[57:] += 5.0  # three places on an island of their own
    graph = nearest_neighbours(places, 2)
    assert connected_components(graph, directed=False)[0] == 1
    assert (graph != graph.T).nnz == 0
    assert graph.diagonal().sum() == 0
    assert graph.sum(axis=1).min() >= 2
    twins = pd.DataFrame({"lon": [120.0, 120.0, 121.0], "lat": [10.0, 10.0, 10.0]})
    assert connected_components(nearest_neighbours(twins, 1), directed=False)[0] == 1


def test_areas_are_drawn_from_their_distribution_given_the_observed_ones():
    K = icar_correlation(lattice(5))
    observed = np.array([2, 7, 11, 20])
    field = SpatialField.at(K, observed)
    rng = np.random.default_rng(1)
    s, rho, n = np.array([1.0, -0.5, 0.3, 2.0]), 0.7, 40_000
    draws = field.draw_given(np.tile(s, (n, 1)), np.full(n, rho), rng)
    assert np.array_equal(draws[:, observed], np.tile(s, (n, 1)))
    cov = rho * K + (1 - rho) * np.eye(25)
    rest = np.setdiff1d(np.arange(25), observed)
    gain = np.linalg.solve(cov[np.ix_(observed, observed)], cov[np.ix_(observed, rest)]).T
    conditional = cov[np.ix_(rest, rest)] - gain @ cov[np.ix_(observed, rest)]
    error = np.sqrt(conditional.diagonal().max() / n)
    assert np.abs(draws[:, rest].mean(axis=0) - gain @ s).max() < 5 * error
    assert np.abs(np.cov(draws[:, rest].T) - conditional).max() < 0.03


def test_the_observed_covariance_keeps_its_eigenvectors_for_every_mixture():
    K = icar_correlation(lattice(5))
    field = SpatialField.at(K, np.array([0, 6, 12, 13]))
    for rho in (0.0, 0.4, 1.0):
        root = field.vectors * np.sqrt(rho * field.values + 1 - rho)
        here = K[np.ix_(field.observed, field.observed)]
        assert np.allclose(root @ root.T, rho * here + (1 - rho) * np.eye(4))

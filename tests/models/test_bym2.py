"""The spatial effect: scaled, connected, and exact where it is drawn given a few areas."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import cdist

from smallarea.errors import InputError
from smallarea.models.bym2 import Icar, SpatialField, _shortest_tree, nearest_neighbours


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
    assert np.allclose(Icar(graph).correlations(np.arange(36)), reference / np.outer(sd, sd))


def test_a_graph_in_pieces_is_refused():
    pair = csr_array(np.kron(np.eye(2), 1 - np.eye(2)))
    with pytest.raises(InputError, match="2 pieces"):
        Icar(pair)


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


@pytest.mark.parametrize("places", ["scattered", "line", "one point", "two", "clumps"])
def test_the_tree_is_the_shortest_of_all_pairs(places):
    rng = np.random.default_rng(2)
    xy = {
        "scattered": rng.uniform(size=(80, 2)),
        "line": np.column_stack([rng.uniform(size=9), np.full(9, 3.0)]),
        "one point": np.ones((12, 2)),
        "two": rng.uniform(size=(2, 2)),
        "clumps": np.repeat(rng.uniform(size=(6, 2)), 5, axis=0),
    }[places]
    table = pd.DataFrame(xy, columns=["lon", "lat"])
    assert connected_components(nearest_neighbours(table, 2), directed=False)[0] == 1
    distance = cdist(xy, xy) + 1e-7
    np.fill_diagonal(distance, 0.0)
    tree = minimum_spanning_tree(distance)
    edges = _shortest_tree(xy)
    assert len(edges) == len(xy) - 1
    assert np.linalg.norm(xy[edges[:, 0]] - xy[edges[:, 1]], axis=1).sum() == pytest.approx(
        tree.sum(), abs=1e-5
    )


def test_a_graph_of_many_areas_needs_no_matrix_of_all_pairs():
    """4,000 areas: a matrix of all pairs would be 128 MB."""
    rng = np.random.default_rng(3)
    places = pd.DataFrame(rng.uniform(size=(4000, 2)), columns=["lon", "lat"])
    tracemalloc.start()
    icar = Icar(nearest_neighbours(places))
    field = SpatialField.at(icar, np.arange(0, 4000, 200))
    draws = field.draw_given(np.zeros((20, 20)), np.full(20, 0.5), rng)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6
    assert draws.shape == (20, 4000)


def test_areas_are_drawn_from_their_distribution_given_the_observed_ones():
    icar = Icar(lattice(5))
    K = icar.correlations(np.arange(25))
    observed = np.array([2, 7, 11, 20])
    field = SpatialField.at(icar, observed)
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
    icar = Icar(lattice(5))
    K = icar.correlations(np.arange(25))
    field = SpatialField.at(icar, np.array([0, 6, 12, 13]))
    for rho in (0.0, 0.4, 1.0):
        root = field.vectors * np.sqrt(rho * field.values + 1 - rho)
        here = K[np.ix_(field.observed, field.observed)]
        assert np.allclose(root @ root.T, rho * here + (1 - rho) * np.eye(4))

"""BYM2 effects of areas: the likelihood's maximum, its limits, errors that are honest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.sparse import csr_array

from smallarea.errors import InputError
from smallarea.models import FayHerriot
from smallarea.models.bym2 import Icar


def grid(side: int) -> pd.DataFrame:
    """Areas of a square lattice and their neighbours."""
    at = np.stack(np.meshgrid(range(side), range(side)), -1).reshape(-1, 2)
    near = np.abs(at[:, None] - at).sum(-1) == 1
    names = [f"a{x}{y}" for x, y in at]
    return pd.DataFrame(near.astype(float), names, names)


def world(rng, graph, rho, A=1.0):
    """Covariates, truth, estimates, variances of all areas of the graph."""
    N = len(graph)
    K = Icar(csr_array(graph.to_numpy())).correlations(np.arange(len(graph)))
    values, vectors = np.linalg.eigh(rho * K + (1 - rho) * np.eye(N))
    v = vectors @ (np.sqrt(np.maximum(values, 0)) * rng.normal(size=N))
    X, psi = rng.normal(size=(N, 1)), rng.uniform(0.2, 1, N)
    truth = 2 + X[:, 0] + np.sqrt(A) * v
    return X, truth, truth + np.sqrt(psi) * rng.normal(size=N), psi


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_the_likelihood_is_at_its_maximum_and_predictors_are_the_best(method):
    """Against a generic search and the textbook formula with dense matrices."""
    rng, graph = np.random.default_rng(3), grid(8)
    X, _, y, psi = world(rng, graph, 0.6)
    seen = rng.uniform(size=64) < 0.8
    names = graph.index
    model = FayHerriot(method, spatial="bym2")
    model.fit(X[seen], y[seen], psi[seen], names[seen], neighbours=graph)
    K = Icar(csr_array(graph.to_numpy())).correlations(np.arange(len(graph)))
    Z = np.column_stack([np.ones(64), X])
    S = Z[seen]

    def parts(theta):
        G = np.exp(theta[0]) * (theta[1] * K + (1 - theta[1]) * np.eye(64))
        Vi = np.linalg.inv(G[np.ix_(seen, seen)] + np.diag(psi[seen]))
        beta = np.linalg.solve(S.T @ Vi @ S, S.T @ Vi @ y[seen])
        return G, Vi, beta

    def loss(theta):
        _, Vi, beta = parts(theta)
        r = y[seen] - S @ beta
        own = -np.linalg.slogdet(Vi)[1] + r @ Vi @ r
        return own + (np.linalg.slogdet(S.T @ Vi @ S)[1] if method == "reml" else 0)

    found = minimize(loss, [0.0, 0.5], bounds=[(-5, 5), (0, 1)], options={"ftol": 1e-14})
    assert_allclose(np.log(model.random_variance_), found.x[0], atol=1e-4)
    assert_allclose(model.spatial_correlation_, found.x[1], atol=1e-4)
    G, Vi, beta = parts([np.log(model.random_variance_), model.spatial_correlation_])
    best = Z @ beta + G[:, seen] @ Vi @ (y[seen] - S @ beta)
    assert_allclose(model.predict(X, names), best, rtol=1e-9)


def test_without_spatial_effects_it_is_the_plain_model():
    rng, graph = np.random.default_rng(0), grid(7)
    for _ in range(20):
        X, _, y, psi = world(rng, graph, 0.0)
        model = FayHerriot(spatial="bym2").fit(X, y, psi, graph.index, neighbours=graph)
        if model.spatial_correlation_ == 0:
            break
    plain = FayHerriot().fit(X, y, psi, graph.index)
    assert_allclose(model.random_variance_, plain.random_variance_, rtol=1e-6)
    assert_allclose(model.predict(X, graph.index), plain.predict(X, graph.index), rtol=1e-6)


def test_neighbours_help_and_errors_are_honest():
    """On a lattice: with and without data, by formula and by bootstrap.

    25 worlds of 100 areas, 70 with data: the mean squared error is known to about 6 % with data
    and, effects being correlated, 10 % without.
    """
    rng, graph = np.random.default_rng(5), grid(10)
    names, share, rows = graph.index, [], []
    for world_seed in range(25):
        X, truth, y, psi = world(rng, graph, 0.8)
        seen = rng.uniform(size=100) < 0.7
        data = X[seen], y[seen], psi[seen], names[seen]
        model = FayHerriot(spatial="bym2").fit(*data, neighbours=graph)
        estimate, formula = model.predict(X, names, return_mse=True)
        plain = (FayHerriot().fit(*data).predict(X, names) - truth) ** 2
        squared = (estimate - truth) ** 2
        bootstrap = np.full(100, np.nan)
        if world_seed < 3:
            model.set_params(mse="bootstrap", worlds=60)
            bootstrap = model.predict(X, names, return_mse=True)[1]
        share.append(model.spatial_correlation_)
        table = pd.DataFrame(
            {"ours": squared, "plain": plain, "formula": formula, "bootstrap": bootstrap}
        )
        table["ratio"] = table["bootstrap"] / table["formula"]
        rows.append(table.groupby(seen).mean())
    found = pd.concat(rows).groupby(level=0).mean()
    assert 0.55 < np.mean(share) < 0.95
    assert (found["ours"] < [0.8, 0.95] * found["plain"]).all()
    assert_allclose(found["formula"], found["ours"], rtol=0.2)
    assert_allclose(found["ratio"], 1, atol=0.15)  # three bootstraps of 60 worlds


def test_an_area_outside_the_graph_is_synthetic():
    rng, graph = np.random.default_rng(6), grid(6)
    X, _, y, psi = world(rng, graph, 0.8)
    model = FayHerriot(spatial="bym2").fit(X, y, psi, graph.index, neighbours=graph)
    estimate, mse = model.predict(X[:1], ["elsewhere"], return_mse=True)
    assert_allclose(estimate, model.intercept_ + X[0] @ model.coef_)
    assert mse > model.random_variance_


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda W: np.triu(W), "neighbours are not mutual"),
        (lambda W: W * (np.arange(25) != 0) * (np.arange(25) != 0)[:, None], "2 pieces"),
    ],
)
def test_graphs_that_have_no_intrinsic_autoregression_are_refused(change, message):
    rng, graph = np.random.default_rng(7), grid(5)
    X, _, y, psi = world(rng, graph, 0.5)
    with pytest.raises(InputError, match=message):
        FayHerriot(spatial="bym2").fit(X, y, psi, neighbours=change(graph.to_numpy()))

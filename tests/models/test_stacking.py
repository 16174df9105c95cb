"""Weights, the verdict on covariates, and pooled draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.impute import SimpleImputer
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from smallarea.models import (
    Candidate,
    NationalRate,
    Supervised,
    covariates_help,
    cross_validate,
    stack,
)
from smallarea.models.stacking import allocate, pool


def scores(seed: int, models: int = 4, count: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        rng.normal(-2, 1, (count, models)), columns=[f"m{i}" for i in range(models)]
    )


@pytest.mark.parametrize("seed", range(3))
def test_weights_reach_the_maximum_of_the_mixture(seed):
    table = scores(seed)

    def loss(free):
        w = np.exp(free) / np.exp(free).sum()
        return -np.log(np.exp(table) @ w).sum()

    best = minimize(loss, np.zeros(4), tol=1e-12)
    assert loss(np.log(stack(table) + 1e-12)) <= best.fun + 1e-4


@given(st.integers(0, 1000), st.floats(-1000, 1000))
@settings(max_examples=25, deadline=None)
def test_weights_are_shares_and_ignore_a_common_shift(seed, shift):
    table = scores(seed)
    weights = stack(table)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    by_row = shift * np.arange(len(table))[:, None]
    np.testing.assert_allclose(stack(table + by_row), weights, atol=1e-6)


def test_the_better_model_takes_all():
    table = scores(0, 2)
    table["m1"] = table["m0"] - 1
    assert stack(table)["m0"] > 0.999


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=8).filter(lambda w: sum(w) > 1e-3),
    st.integers(1, 2000),
)
def test_allocation_gives_every_draw_to_one_model(weights, n):
    shares = pd.Series(weights, [f"m{i}" for i in range(len(weights))])
    counts = allocate(shares, n)
    assert counts.sum() == n
    assert (counts > 0).all()
    exact = shares / shares.sum() * n
    assert ((counts - exact.loc[counts.index]).abs() < 1).all()


def test_pooled_draws_stay_together():
    """A pooled draw is one model's draw of all areas and components."""
    coords = {"component": ["c", "d"], "area_id": ["1", "2", "3"]}
    parts = [
        xr.DataArray(
            np.broadcast_to(base + np.arange(5), (2, 3, 5)),
            dims=("component", "area_id", "draw"),
            coords=coords,
        )
        for base in (10, 100)
    ]
    pooled = pool(parts, seed=0)
    assert pooled.sizes["draw"] == 10
    assert (pooled.std(("component", "area_id")) == 0).all()
    assert sorted(pooled[0, 0].values) == sorted([*range(10, 15), *range(100, 105)])


def candidates() -> dict[str, Candidate]:
    ridge = make_pipeline(SimpleImputer(), StandardScaler(), PoissonRegressor(alpha=3.0))
    return {
        "national_rate": Candidate("national_rate", NationalRate(), ()),
        "ridge": Candidate("ridge", Supervised(ridge, repeats=1), "all"),
    }


def verdicts(make_world, signal: float, seeds: range) -> list[bool]:
    found = []
    for seed in seeds:
        world = make_world(seed, signal=signal, n_areas=1000)
        cv = cross_validate(
            candidates(), world.X, world.direct, world.areas, folds=3, n=200, seed=seed
        )
        found.append(covariates_help(cv, ["national_rate"]).help)
    return found


def test_unrelated_features_are_found_out(make_world):
    assert sum(verdicts(make_world, 0.0, range(10))) <= 2


def test_strong_features_are_not_given_up(make_world):
    assert sum(verdicts(make_world, 0.8, range(3))) == 3


def test_the_verdict_is_said_in_one_sentence(make_world):
    world = make_world(1, signal=0.0, n_areas=300)
    cv = cross_validate(candidates(), world.X, world.direct, world.areas, n=100)
    decision = covariates_help(cv, ["national_rate"])
    assert decision.sentence.startswith("Covariates did not help, so the estimates do not use them")
    assert f"{decision.figures['gain']:+.1f}" in decision.sentence


def test_only_models_without_covariates(make_world):
    """With nothing to compare, covariates cannot have helped."""
    world = make_world(1, n_areas=200, surveyed=60)
    plain = {"national_rate": candidates()["national_rate"]}
    cv = cross_validate(plain, world.X, world.direct, world.areas, n=50)
    assert not covariates_help(cv, ["national_rate"]).help

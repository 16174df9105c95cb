"""Estimates of an area that have not seen its own answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline

from smallarea.models import Candidate, LatentGaussian, Supervised, fit_models
from smallarea.models.splits import deal

RIDGE = make_pipeline(SimpleImputer(), PoissonRegressor(alpha=3.0))
MODELS = {
    "place_alone": Candidate(
        "place_alone", LatentGaussian(components=0, points=1), (), stack=False
    ),
    "latent_gaussian": Candidate("latent_gaussian", LatentGaussian(points=8), "all"),
    "ridge": Candidate("ridge", Supervised(RIDGE, repeats=1), "all"),
}


@given(
    st.lists(st.integers(0, 30), min_size=2, max_size=80).filter(lambda g: len(set(g)) > 1),
    st.integers(2, 12),
    st.text(max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_folds_hold_whole_groups_and_hang_on_names_and_key_alone(groups, folds, key):
    group = pd.Series(groups, [f"a{i}" for i in range(len(groups))])
    fold = deal(group, folds, key)
    assert fold.groupby(group).nunique().max() == 1
    assert set(fold) == set(range(min(folds, group.nunique())))
    per_fold = group.groupby(fold).nunique()
    assert per_fold.max() - per_fold.min() <= 1
    pd.testing.assert_series_equal(deal(group[::-1], folds, key).sort_index(), fold.sort_index())


@pytest.fixture(scope="module")
def fitted(world):
    return fit_models(MODELS, world.X, world.direct, world.areas, n=400, seed=1)


@pytest.mark.parametrize(
    ("position", "factor"),
    [
        (3, 0.0),
        (77, 9.0),
        *(pytest.param(*p, marks=pytest.mark.slow) for p in ((3, 9.0), (77, 0.0))),
    ],
)
def test_an_areas_own_answers_move_no_bit_of_its_draws(world, fitted, position, factor):
    area = world.direct.reports.index[position]
    told = world.direct.reports.copy()
    told.loc[area] = factor * (1 + told.loc[area])
    changed = replace(world.direct, reports=told)
    again = fit_models(MODELS, world.X, changed, world.areas, n=400, seed=1)
    own = fitted.cross_fitted.sel(area_id=area).values
    assert own.tobytes() == again.cross_fitted.sel(area_id=area).values.tobytes()
    assert (fitted.cross_fitted != again.cross_fitted).any()
    assert (fitted.draws.sel(area_id=area) != again.draws.sel(area_id=area)).any()


def test_totals_keep_their_spread(world, fitted):
    """Within 10 % of the pooled ones; an sd from 400 draws errs by 3.5 %, the four are averaged."""
    weight = world.direct.exposure.mean(axis=1).reindex(world.X.index).fillna(3000.0)
    draws = fitted.draws.to_numpy()
    crossed = draws.copy()
    rows = fitted.draws.indexes["area_id"].get_indexer(fitted.cross_fitted["area_id"].to_numpy())
    crossed[:, rows] = fitted.cross_fitted.to_numpy()
    sds = [np.einsum("a,kan->kn", weight.to_numpy(), each).std(axis=1) for each in (crossed, draws)]
    assert np.mean(sds[0] / sds[1]) == pytest.approx(1.0, abs=0.1)

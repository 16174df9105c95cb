"""Cross-validation: folds of whole provinces, scores that are what they claim to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import BaseEstimator
from study import COMPONENTS

from smallarea.errors import InputError
from smallarea.models import Candidate, NationalRate, cross_validate
from smallarea.models.counts import rows
from smallarea.models.scores import clustered_sum, log_density, transform_to_uniform
from smallarea.models.validation import group_folds

BASELINE = {"national_rate": Candidate("national_rate", NationalRate(), ())}


class Oracle(BaseEstimator):
    """Draws that are the truth: what no model can beat."""

    def __init__(self, truth: pd.DataFrame) -> None:
        self.truth = truth

    def __sklearn_clone__(self) -> Oracle:
        return self

    def fit(self, X, direct, areas):
        self.seen_ = direct.reports.index
        return self

    def draws(self, X, areas, n, seed):
        if not X.index.equals(self.seen_):  # else all areas, on thinned reports
            province = areas["province_id"]
            assert not province.loc[X.index].isin(province.loc[self.seen_]).any()
        value = xr.DataArray(
            self.truth.loc[X.index].to_numpy().T,
            dims=("component", "area_id"),
            coords={"component": list(COMPONENTS), "area_id": X.index.to_numpy(object)},
        )
        return value.expand_dims(draw=n, axis=2)


@given(
    provinces=st.lists(st.integers(0, 12), min_size=2, max_size=80).filter(
        lambda p: len(set(p)) > 1
    ),
    folds=st.integers(2, 6),
    seed=st.integers(0, 99),
)
@settings(max_examples=50, deadline=None)
def test_folds_are_whole_provinces_and_none_is_empty(provinces, folds, seed):
    province = pd.Series(provinces)
    fold = group_folds(province, pd.Series(1.0, province.index), folds, seed)
    assert fold.groupby(province).nunique().max() == 1
    assert set(fold) == set(range(min(folds, province.nunique())))


def test_folds_have_like_exposure(world):
    exposure = world.direct.exposure.sum(axis=1)
    fold = group_folds(world.areas.loc[exposure.index, "province_id"], exposure, 5, seed=0)
    shares = exposure.groupby(fold).sum() / exposure.sum()
    assert shares.between(0.1, 0.3).all()


def test_one_province_cannot_be_held_out(world):
    areas = world.areas.assign(province_id="p")
    with pytest.raises(InputError, match="in one group"):
        cross_validate(BASELINE, world.X, world.direct, areas)


@pytest.mark.parametrize("deff", [1.0, 1.7])
def test_log_density_is_of_a_negative_binomial_mixture(world, deff):
    direct = replace(world.direct, deff=pd.Series(deff, list(COMPONENTS)))
    direct = rows(direct, direct.reports.index[:6])
    draws = (
        NationalRate()
        .fit(world.X, direct, world.areas)
        .draws(world.X.loc[direct.reports.index], world.areas, 50, seed=1)
    )
    mu = draws.to_numpy() * direct.exposure.to_numpy().T[:, :, None]
    y = direct.reports.to_numpy().T[:, :, None]
    density = (
        stats.poisson.pmf(y, mu) if deff == 1 else stats.nbinom.pmf(y, mu / (deff - 1), 1 / deff)
    )
    np.testing.assert_allclose(log_density(draws, direct).to_numpy().T, np.log(density.mean(2)))


def test_truth_scores_best_and_covers_exactly(make_world):
    world = make_world(3, n_areas=300, surveyed=200, reports=600.0)
    models = BASELINE | {"oracle": Candidate("oracle", Oracle(world.truth), ())}
    cv = cross_validate(models, world.X, world.direct, world.areas, n=100)
    oracle = cv.scores.loc["oracle"]
    assert (oracle["gain"] > 2 * oracle["gain_se"]).all()
    assert oracle.loc["all", "rmse_net"] < 0.4 * cv.scores.loc[("national_rate", "all"), "rmse_net"]
    for share in (50, 80, 95):
        error = np.sqrt(share * (100 - share) / 800) / 100
        assert abs(oracle.loc["all", f"cover_{share}"] - share / 100) < 4 * error


def test_transforms_are_uniform_under_the_truth(make_world):
    world = make_world(5, n_areas=500, surveyed=400, reports=300.0)
    draws = (
        Oracle(world.truth)
        .fit(world.X, rows(world.direct, world.X.index[:0]), world.areas)
        .draws(world.X.loc[world.direct.reports.index], world.areas, 2, seed=0)
    )
    uniform = transform_to_uniform(draws, world.direct, seed=0).to_numpy().ravel()
    assert stats.kstest(uniform, "uniform").pvalue > 0.001


def test_scores_do_not_depend_on_the_order_of_areas(world):
    shuffled = rows(world.direct, np.random.default_rng(0).permutation(world.direct.reports.index))
    straight = cross_validate(BASELINE, world.X, world.direct, world.areas, n=50)
    again = cross_validate(BASELINE, world.X[::-1], shuffled, world.areas, n=50)
    pd.testing.assert_series_equal(straight.fold.sort_index(), again.fold.sort_index())
    pd.testing.assert_frame_equal(straight.log_scores.sort_index(), again.log_scores.sort_index())


def test_areas_without_exposure_are_not_scored(world):
    area = world.direct.reports.index[0]
    tables = {name: getattr(world.direct, name).copy() for name in ("reports", "exposure")}
    for table in tables.values():
        table.loc[area, "victims_live"] = 0.0
    cv = cross_validate(BASELINE, world.X, replace(world.direct, **tables), world.areas, n=20)
    assert (area, "victims_live") not in cv.log_scores.index
    assert (area, "traffickers_live") in cv.log_scores.index


def test_clustered_error_grows_with_dependence():
    """Provinces that repeat one value have a larger error than independent areas of one mean."""
    rng = np.random.default_rng(0)
    ids = [f"a{i:03d}" for i in range(200)]
    index = pd.MultiIndex.from_product([ids, ["victims_live"]], names=["area_id", "component"])
    province = pd.Series(np.arange(200) // 10, ids)
    apart = pd.Series(rng.normal(size=200), index)
    together = pd.Series(np.repeat(rng.normal(size=20), 10), index)
    assert clustered_sum(together, province)[1] > 2 * clustered_sum(apart, province)[1]
    assert clustered_sum(apart, province)[0] == pytest.approx(apart.sum())


def test_progress_counts_every_fold(world):
    told = []
    cross_validate(
        BASELINE, world.X, world.direct, world.areas, n=10, folds=3,
        progress=lambda what, share: told.append((what, share)),
    )  # fmt: skip
    assert [what for what, _ in told] == [f"without part {k} of the survey" for k in (1, 2, 3)]
    assert [share for _, share in told] == pytest.approx([0, 1 / 3, 2 / 3])

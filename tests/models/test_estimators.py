"""What holds for every estimator: draws that are positive, reproducible and keyed by area."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from study import COMPONENTS

from smallarea.errors import InputError
from smallarea.models import (
    FayHerriotRates,
    LatentGaussian,
    NationalRate,
    PartialPooling,
    Supervised,
    model,
)
from smallarea.models.components import principal_components
from smallarea.models.counts import rows

N = 200


def ridge() -> Supervised:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    return Supervised(
        make_pipeline(SimpleImputer(), StandardScaler(), PoissonRegressor(alpha=3.0)), repeats=1
    )


ESTIMATORS = {
    "national": NationalRate(),
    "fay_herriot": FayHerriotRates(),
    "latent_gaussian": LatentGaussian(points=16),
    "supervised": ridge(),
    "pooling": PartialPooling(chains=1, tune=150, draws_per_chain=200),
}


SAMPLED_POOLING = pytest.param("pooling", marks=pytest.mark.slow)
SAMPLED = [SAMPLED_POOLING if n == "pooling" else n for n in ESTIMATORS]


@pytest.fixture(params=SAMPLED)
def estimator(request):
    return clone(ESTIMATORS[request.param])


def draw(estimator, world, X=None, direct=None, n=N) -> xr.DataArray:
    fitted = clone(estimator).fit(world.X if X is None else X, direct or world.direct, world.areas)
    return fitted.draws(world.X if X is None else X, world.areas, n, seed=0)


def test_draws_cover_every_area_and_are_positive(estimator, world):
    draws = draw(estimator, world)
    assert draws.dims == ("component", "area_id", "draw")
    assert draws.shape == (4, len(world.X), N)
    assert list(draws["component"].values) == list(COMPONENTS)
    assert np.isfinite(draws).all()
    assert (draws > 0).all()


def test_same_seed_same_draws(estimator, world):
    xr.testing.assert_identical(draw(estimator, world), draw(estimator, world))


def test_survives_pickling(estimator, world):
    fitted = clone(estimator).fit(world.X, world.direct, world.areas)
    again = pickle.loads(pickle.dumps(fitted))
    xr.testing.assert_identical(
        fitted.draws(world.X, world.areas, 20, seed=3),
        again.draws(world.X, world.areas, 20, seed=3),
    )


def test_order_of_rows_does_not_matter(estimator, world):
    order = np.random.default_rng(0).permutation(world.direct.reports.index)
    X = world.X.sample(frac=1, random_state=1)
    shuffled = draw(estimator, world, X=X, direct=rows(world.direct, order))
    assert list(shuffled["area_id"].values) == list(X.index)
    xr.testing.assert_allclose(draw(estimator, world), shuffled.sel(area_id=list(world.X.index)))


def test_own_reports_move_an_area(estimator, world):
    """An area with many more reports gets a higher rate, and only that area much so."""
    area = world.direct.reports.index[7]
    reports = world.direct.reports.copy()
    reports.loc[area] += 25
    more = draw(estimator, world, direct=replace(world.direct, reports=reports)).mean("draw")
    base = draw(estimator, world).mean("draw")
    ratio = (more / base).mean("component")
    assert ratio.sel(area_id=area) > 1.3
    assert ratio.sel(area_id=area) > 1.2 * float(ratio.drop_sel(area_id=area).median())


def test_areas_without_respondents_are_less_certain(estimator, world):
    spread = np.log(draw(estimator, world)).std("draw").mean("component")
    surveyed = list(world.direct.reports.index)
    assert spread.sel(area_id=surveyed).mean() < spread.drop_sel(area_id=surveyed).mean()


def test_useless_features_are_harmless(estimator, world):
    X = world.X.assign(empty=np.nan, constant=1.0)
    draws = draw(estimator, world, X=X)
    assert np.isfinite(draws).all()


def test_no_features_at_all(world):
    for estimator in (FayHerriotRates(), NationalRate()):
        assert np.isfinite(draw(estimator, world, X=world.X[[]])).all()


def test_fewer_areas_than_features(estimator, world):
    copies = [world.X.add_suffix(f" {i}") * (1 + i) for i in range(4)]
    wide = pd.concat(copies, axis=1)
    assert len(world.direct.reports) < wide.shape[1]
    assert np.isfinite(draw(estimator, world, X=wide)).all()


def test_a_component_nobody_reports(estimator, world):
    """No reports say the rate is low, not that it is zero, and not how low."""
    reports = world.direct.reports.assign(victims_live=0.0)
    variance = world.direct.variance.assign(victims_live=0.0)
    draws = draw(estimator, world, direct=replace(world.direct, reports=reports, variance=variance))
    none, some = draws.sel(component="victims_live"), draws.sel(component="victims_nonlive")
    assert (none > 0).all()
    assert none.median() < some.median() / 5


def test_an_area_without_exposure_counts_as_not_surveyed(estimator, world):
    area = world.direct.reports.index[3]
    tables = {
        name: getattr(world.direct, name).copy() for name in ("reports", "exposure", "variance")
    }
    tables["reports"].loc[area], tables["exposure"].loc[area] = 0.0, 0.0
    tables["variance"].loc[area] = np.nan
    draws = draw(estimator, world, direct=replace(world.direct, **tables))
    assert np.isfinite(draws.sel(area_id=area)).all()


def test_bad_input_is_refused(estimator, world):
    surveyed = world.direct.reports.index
    with pytest.raises(InputError, match=f"1 surveyed areas are missing: {surveyed[0]}"):
        estimator.fit(world.X.drop(surveyed[0]), world.direct, world.areas)
    with pytest.raises(InputError, match="stands there twice"):
        estimator.fit(pd.concat([world.X, world.X.iloc[:1]]), world.direct, world.areas)
    negative = replace(world.direct, reports=world.direct.reports - 1)
    with pytest.raises(InputError, match="negative"):
        estimator.fit(world.X, negative, world.areas)
    empty = replace(world.direct, exposure=0 * world.direct.exposure)
    with pytest.raises(InputError, match="no area has any exposure"):
        estimator.fit(world.X, empty, world.areas)


@pytest.mark.parametrize("name", ["fay_herriot", "latent_gaussian", "supervised", SAMPLED_POOLING])
def test_projection_needs_the_fitted_features(name, world):
    fitted = clone(ESTIMATORS[name]).fit(world.X, world.direct, world.areas)
    with pytest.raises(InputError, match="1 features the model was fitted with are missing"):
        fitted.draws(world.X.drop(columns="f03"), world.areas, 10, seed=0)
    reordered = world.X[world.X.columns[::-1]]
    xr.testing.assert_identical(
        fitted.draws(reordered, world.areas, 10, seed=0),
        fitted.draws(world.X, world.areas, 10, seed=0),
    )


def test_a_regressor_that_can_go_negative_is_refused(world):
    from sklearn.ensemble import ExtraTreesRegressor

    with pytest.raises(InputError, match="not positive"):
        Supervised(ExtraTreesRegressor(20)).fit(world.X.fillna(0), world.direct, world.areas)


def test_principal_components_ignore_order_and_outliers(world):
    Z = principal_components(world.X, 5).transform(world.X)
    np.testing.assert_allclose(Z.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(Z.std(0), 1, atol=1e-9)
    spoiled = world.X.copy()
    spoiled.iloc[0, 0] = 1e9
    again = principal_components(spoiled, 5).transform(spoiled)
    assert np.abs(np.corrcoef(Z[1:, 0], again[1:, 0])[0, 1]) > 0.999


def test_an_estimator_that_fails_is_one_sentence_with_the_models_name(world):
    class Fails(PoissonRegressor):
        def fit(self, X, y, sample_weight=None):
            raise ValueError("too few samples")

    made = model(features="all")(lambda: Supervised(make_pipeline(SimpleImputer(), Fails())))
    with pytest.raises(InputError, match=r"cannot be fitted to \d+ areas: ValueError: too few"):
        made.fit(world.X, world.direct, world.areas, 1)

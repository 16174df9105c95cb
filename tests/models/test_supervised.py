"""What a regressor's area effects know of distance between features, of slope and of binomials."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from smallarea.models import Supervised
from smallarea.models.area_effects import fit_area_effects
from smallarea.nsum.direct.estimates import Direct


class Flat(RegressorMixin, BaseEstimator):
    """Predicts the mean, whatever the features."""

    def fit(self, X, y, sample_weight):
        self.mean_ = float(np.average(y, weights=sample_weight))
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def counts(rng, share: float, spread: float, m: int = 150, asked: float = 200.0):
    """Draw yes of `asked` in m areas; their shares are beta, of a mean and relative spread."""
    size = (1 - share) / (share * spread**2) - 1
    p = rng.beta(share * size, (1 - share) * size, m)
    ids = pd.Index([f"{i:04d}" for i in range(m)], name="area_id")
    yes = pd.DataFrame({"k": rng.binomial(int(asked), p).astype(float)}, ids)
    exposure = pd.DataFrame({"k": np.full(m, asked)}, ids)
    direct = Direct(yes, exposure, yes / exposure**2, pd.Series({"k": 1.0}, name="deff"))
    groups = pd.DataFrame({"g_id": [f"g{i // 10}" for i in range(m)]}, ids)
    return direct, groups, ids


def widths(X: pd.DataFrame, direct: Direct, groups: pd.DataFrame) -> pd.Series:
    fitted = Supervised(Flat(), repeats=1).fit(X, direct, groups)
    draws = fitted.draws(X, groups, 4000, seed=1).sel(component="k")
    return np.log(draws).std("draw").to_series()


def test_an_area_far_from_the_surveyed_ones_is_less_certain():
    direct, groups, ids = counts(np.random.default_rng(0), 0.05, 0.5)
    rng = np.random.default_rng(1)
    away = [f"z{i}" for i in range(3)]
    X = pd.DataFrame(rng.normal(size=(len(ids) + 3, 4)), [*ids, *away], list("abcd"))
    X.loc[away[0]] = X.loc[ids].mean()
    X.loc[away[1]] = 3.0
    X.loc[away[2]] = 30.0
    groups = pd.concat([groups, pd.DataFrame({"g_id": "far"}, away)])
    found = widths(X.rename_axis("area_id"), direct, groups.rename_axis("area_id"))[away]
    assert found["z0"] < found["z1"] <= found["z2"]
    assert 1.1 < found["z2"] / found["z0"] < 2.0  # variances at most 4 to 1, plus those shared


def test_of_shares_the_spread_between_areas_is_found_only_as_binomials():
    """Taken for Poisson counts, shares of a half seem to vary by chance more than they do."""
    found = {"poisson": [], "binomial": []}
    for seed in range(10):
        direct, groups, ids = counts(np.random.default_rng(seed), 0.5, 0.12, asked=40.0)
        X = pd.DataFrame({"a": np.random.default_rng(99).normal(size=len(ids))}, ids)
        for family, cvs in found.items():
            fitted = Supervised(Flat(), repeats=1, family=family).fit(X, direct, groups)
            cvs.append(fitted.diagnostics_["cv k"])
    assert np.mean(found["binomial"]) == pytest.approx(0.12, abs=0.02)
    assert np.mean(found["poisson"]) < 0.1


def test_growth_is_told_apart_from_spread():
    """Half of the areas have four times the variance; cv is found as if all were alike."""
    rng, m = np.random.default_rng(4), 4000
    growth = np.where(np.arange(m) % 2, 4.0, 1.0)
    effect = rng.gamma(1 / (0.09 * growth), 0.09 * growth)
    exposure = np.full(m, 30.0)
    found = fit_area_effects(rng.poisson(exposure * effect), exposure, np.zeros(m), growth)
    assert found.mean("cv") == pytest.approx(0.3, abs=0.03)
    draws = found.draw(
        np.zeros(2), np.zeros(2), np.zeros(2), rng.normal(size=(2, 20000)), rng, np.array([1, 4.0])
    )
    assert draws.std(axis=1) == pytest.approx([0.3, 0.6], rel=0.08)


def test_slope_stays_near_one_without_reports_and_follows_many():
    rng, m = np.random.default_rng(5), 300
    f = rng.normal(0, 0.5, m)
    few = fit_area_effects(np.zeros(m), np.full(m, 0.001), f)
    assert few.mean("slope") == pytest.approx(1, abs=0.05)
    useless = fit_area_effects(rng.poisson(50, m).astype(float), np.full(m, 50.0), f)
    assert useless.mean("slope") < 0.1

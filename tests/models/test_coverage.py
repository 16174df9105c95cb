"""Intervals cover the truth as often as they say, over invented worlds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from smallarea.models import FayHerriotRates, NationalRate, PartialPooling, Supervised

RIDGE = make_pipeline(SimpleImputer(), StandardScaler(), PoissonRegressor(alpha=3.0))

# Each world has one truth of four components, so coverage varies from world to world by about
# 0.06: with 8 worlds a standard error of 0.02. Fay-Herriot is normal where the truth is skewed.
CASES = {
    "national_rate": (NationalRate(), 8, 0.06),
    "supervised": (Supervised(RIDGE, repeats=1), 8, 0.06),
    "fay_herriot": (FayHerriotRates(), 8, 0.09),
    "partial_pooling": (PartialPooling(chains=1, tune=250, draws_per_chain=300), 4, 0.08),
}


SAMPLED = [pytest.param(n, marks=pytest.mark.slow if n == "partial_pooling" else ()) for n in CASES]


@pytest.fixture(params=SAMPLED)
def case(request):
    return CASES[request.param]


def test_eighty_percent_intervals_cover_eighty_percent(case, make_world):
    estimator, worlds, tolerance = case
    covered = {"surveyed": [], "other": []}
    for seed in range(worlds):
        world = make_world(seed, n_areas=400)
        fitted = clone(estimator).fit(world.X, world.direct, world.areas)
        draws = fitted.draws(world.X, world.areas, 300, seed=0)
        low, high = draws.quantile([0.1, 0.9], "draw").transpose("quantile", "area_id", ...).values
        inside = (low < world.truth) & (world.truth < high)
        surveyed = inside.index.isin(world.direct.reports.index)
        covered["surveyed"].append(inside[surveyed].mean(axis=None))
        covered["other"].append(inside[~surveyed].mean(axis=None))
    assert np.mean(covered["surveyed"]) == pytest.approx(0.8, abs=tolerance)
    assert np.mean(covered["other"]) == pytest.approx(0.8, abs=tolerance)


@pytest.mark.parametrize("estimator", [NationalRate(), Supervised(RIDGE, repeats=1)])
def test_the_mean_rate_is_not_biased(estimator, make_world):
    """Projected over all areas, the draws' mean is the truth's, within its Monte Carlo error."""
    ratios = []
    for seed in range(8):
        world = make_world(seed, n_areas=400, reports=600.0)
        draws = (
            clone(estimator)
            .fit(world.X, world.direct, world.areas)
            .draws(world.X, world.areas, 200, seed=0)
        )
        ratios += list(draws.mean(("area_id", "draw")).values / world.truth.mean())
    error = np.std(ratios) / np.sqrt(8)
    assert np.mean(ratios) == pytest.approx(1, abs=3 * error)

"""Components of an area hang together in the draws as they do in the survey."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from scipy import stats

from smallarea.models import FayHerriot, NationalRate, Supervised
from smallarea.models.dependence import Exchangeable, exchangeable_correlation
from smallarea.nsum import Direct


def survey(rho: float, seed: int, areas: int = 400) -> tuple[pd.DataFrame, Direct, pd.DataFrame]:
    """Half of the areas are surveyed; four components, log-normal effects of correlation `rho`."""
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"{i:010d}" for i in range(areas)], name="area_id")
    names = list("abcd")
    common = np.sqrt(rho) * rng.normal(size=(areas, 1))
    effect = np.exp(0.7 * (common + np.sqrt(1 - rho) * rng.normal(size=(areas, 4))) - 0.245)
    exposure = pd.DataFrame(rng.uniform(500, 1500, (areas, 1)).repeat(4, 1), ids, names)
    reports = pd.DataFrame(rng.poisson(0.004 * exposure * effect), ids, names).astype(float)
    X = pd.DataFrame(rng.normal(size=(areas, 2)), ids, ["lights", "roads"])
    table = pd.DataFrame({"province_id": [f"p{i % 20}" for i in range(areas)]}, ids)
    seen = ids[: areas // 2]
    direct = Direct(
        reports.loc[seen],
        exposure.loc[seen],
        0.004 / exposure.loc[seen],
        pd.Series(1.0, names),
    )
    return X, direct, table


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_the_correlation_is_found(rho):
    found = []
    for seed in range(60):
        _, direct, _ = survey(rho, seed)
        expected = 0.004 * direct.exposure.to_numpy()
        cv = np.sqrt(np.exp(0.49) - 1)
        estimate = exchangeable_correlation(direct.reports.to_numpy() - expected, expected * cv)
        found.append((estimate.correlation, estimate.error))
    mean, error = np.mean(found, axis=0)
    log_normal = np.expm1(0.49 * rho) / np.expm1(0.49)  # of the effects, not of their logs
    spread = np.std([f[0] for f in found])
    assert mean == pytest.approx(log_normal, abs=0.05)  # at 0: the mean of what is cut at 0
    if rho:
        assert error == pytest.approx(spread, rel=0.35)


def test_nothing_observed_is_no_correlation():
    assert exchangeable_correlation(np.ones((3, 2)), np.zeros((3, 2))) == Exchangeable(0.0, 0.0)


def test_scores_are_standard_normal_with_the_correlation():
    scores = Exchangeable(0.6, 0.0).scores(3, 50, 4000, np.random.default_rng(0))
    assert scores.std() == pytest.approx(1, abs=0.01)
    by_component = np.corrcoef(scores.reshape(3, -1))
    assert by_component[np.triu_indices(3, 1)] == pytest.approx(0.6, abs=0.01)
    assert np.abs(np.corrcoef(scores[0, :2])[0, 1]) < 0.06


@pytest.mark.parametrize(
    "model",
    [
        NationalRate(),
        FayHerriot(components=2),
        Supervised(
            LGBMRegressor(objective="poisson", n_estimators=5, n_jobs=1, verbose=-1), repeats=1
        ),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_draws_of_an_area_are_as_dependent_as_the_survey_says(model, rho):
    X, direct, table = survey(rho, seed=3)
    draws = model.fit(X, direct, table).draws(X.iloc[-100:], table, 400, 5)
    by_area = draws.transpose("area_id", "draw", "component").to_numpy()
    each = [stats.spearmanr(area)[0][np.triu_indices(4, 1)].mean() for area in by_area]
    assert np.mean(each) == pytest.approx(0.75 * rho, abs=0.2)

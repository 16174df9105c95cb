"""Components of an area hang together in the draws as they do in the survey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from scipy import stats

from smallarea.models import FayHerriotRates, NationalRate, Supervised
from smallarea.models.dependence import Exchangeable, exchangeable_correlation
from smallarea.nsum import Direct, direct_estimates
from smallarea.survey import make_ard


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


AREAS = pd.DataFrame(index=pd.Index([f"{a:010d}" for a in range(150)], name="area_id"))
CV = np.sqrt(np.exp(0.49) - 1)


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_the_correlation_is_found(rho):
    found = []
    for seed in range(60):
        _, direct, _ = survey(rho, seed)
        expected = 0.004 * direct.exposure.to_numpy()
        estimate = exchangeable_correlation(
            direct.reports.to_numpy() - expected, expected * CV, expected**0.5, np.zeros(200)
        )
        found.append((estimate.correlation, estimate.error))
    mean, error = np.mean(found, axis=0)
    log_normal = np.expm1(0.49 * rho) / np.expm1(0.49)  # of the effects, not of their logs
    assert mean == pytest.approx(log_normal, abs=0.05)  # at 0: the mean of what is cut at 0
    assert error == pytest.approx(np.std([f[0] for f in found]), rel=0.5) or rho == 0


def test_what_respondents_and_their_psu_share_is_no_correlation_of_areas():
    """Independent area effects; PSUs (sd 0.3) and respondents' readiness move all components."""
    found, naive = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        areas, take, names = 150, 24, ["w", "x", "y", "z"]
        effect = np.exp(0.6 * rng.normal(size=(areas, 4)) - 0.18)
        psu = np.exp(0.3 * rng.normal(size=(areas, 1)) - 0.045)
        home = np.repeat(np.arange(areas), take)
        ready = rng.gamma(0.5, 2.0, (areas * take, 1))  # mean 1, variance 2
        degree = rng.uniform(30, 90, (areas * take, 1))
        counts = rng.poisson(0.003 * degree * ready * (effect * psu)[home])
        table = pd.DataFrame(counts, columns=names).assign(known=degree[:, 0].round())
        table["area"] = [f"{a:010d}" for a in home]
        groups = pd.DataFrame(
            {
                "group": ["known", *names],
                "kind": ["known"] + ["hidden"] * 4,
                "size": [1e6] + [np.nan] * 4,
                "population": 1e6,
                "network": "child",
            }
        )
        ard = make_ard(table, groups, area="area")
        direct = direct_estimates(ard, between=0.09)
        for with_noise, kept in ((direct, found), (replace(direct, covariance=None), naive)):
            model = NationalRate().fit(pd.DataFrame(index=direct.reports.index), with_noise, AREAS)
            kept.append(model.dependence_.correlation)
    assert np.mean(naive) > 0.3
    assert np.mean(found) < 0.15  # positive because each is cut at 0


def test_nothing_observed_is_no_correlation():
    none = np.zeros((3, 2))
    assert exchangeable_correlation(none, none, none, none[:, 0]) == Exchangeable(0.0, 0.0)


def test_scores_are_standard_normal_with_the_correlation():
    scores = Exchangeable(0.6, 0.0).scores(np.zeros(50), 3, 4000, np.random.default_rng(0))
    assert scores.std() == pytest.approx(1, abs=0.01)
    by_component = np.corrcoef(scores.reshape(3, -1))
    assert by_component[np.triu_indices(3, 1)] == pytest.approx(0.6, abs=0.01)
    assert np.abs(np.corrcoef(scores[0, :2])[0, 1]) < 0.06


@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_scores_of_interviewed_areas_correlate_as_the_posterior(noise):
    """Against the posterior of a normal model with both covariances written out."""
    rho, ratio, k = 0.8, 2.5, 4

    def exchangeable(correlation):
        return (1 - correlation) * np.eye(k) + correlation

    posterior = np.linalg.inv(
        np.linalg.inv(exchangeable(rho)) + ratio * np.linalg.inv(exchangeable(noise))
    )
    scores = Exchangeable(rho, 0.0, noise).scores(
        np.array([ratio]), k, 200_000, np.random.default_rng(1)
    )
    assert np.corrcoef(scores[:2, 0])[0, 1] == pytest.approx(
        posterior[0, 1] / posterior[0, 0], abs=0.01
    )


@pytest.mark.parametrize(
    "model",
    [
        NationalRate(),
        FayHerriotRates(components=2),
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
    effects = np.expm1(0.49 * rho) / np.expm1(0.49)
    assert np.mean(each) == pytest.approx(effects, abs=0.12)


def test_one_area_teaches_nothing_of_correlation():
    one = np.array([[0.4, 0.5]])
    assert exchangeable_correlation(one, one, one, np.zeros(1)) == Exchangeable(0.0, 0.0)

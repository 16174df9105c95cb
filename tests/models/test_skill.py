"""Scores against brute force, and against truths that a simulation knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from smallarea.models import skill
from smallarea.models.scores import pit_bounds
from smallarea.nsum.direct.estimates import Direct

IDS = [f"a{i:04d}" for i in range(400)]


def survey(seed: int, size: int = 150, sd: float = 0.8, reports: float = 200, deff: float = 1.4):
    """Return direct estimates of one component and the true rates."""
    rng = np.random.default_rng(seed)
    exposure = rng.lognormal(np.log(3000), 0.3, size)
    rate = np.exp(sd * rng.normal(size=size))
    rate *= reports / (rate * exposure).sum()
    mu = rate * exposure
    y = rng.negative_binomial(mu / (deff - 1), 1 / deff) if deff > 1 else rng.poisson(mu)
    columns = {"index": pd.Index(IDS[:size], name="area_id"), "columns": ["k"]}
    reported, known = (pd.DataFrame(v[:, None].astype(float), **columns) for v in (y, exposure))
    factor = pd.Series({"k": deff})
    variance = factor * reported.sum() / known.sum() / known
    return Direct(reported, known, variance, factor), pd.DataFrame(rate[:, None], **columns)


def as_draws(values: np.ndarray, direct: Direct) -> xr.DataArray:
    coords = {"component": list(direct.reports), "area_id": list(direct.reports.index)}
    return xr.DataArray(values, coords, ("component", "area_id", "draw"))


def one(size: int) -> np.ndarray:
    return np.ones((1, size))


@pytest.mark.parametrize("deff", [1.0, 1.6])
def test_crps_is_that_of_the_distribution(deff):
    """Against sum over counts of (F(x) - [y <= x])^2 with the exact mixture."""
    direct, truth = survey(0, size=12, deff=deff, reports=30)
    rng = np.random.default_rng(1)
    rates = truth.to_numpy().T[:, :, None] * rng.lognormal(0, 0.5, (1, 12, 6))
    x, mu = np.arange(400), rates * direct.exposure.to_numpy().T[:, :, None]
    if deff > 1:
        cdf = stats.nbinom.cdf(x[:, None, None, None], mu / (deff - 1), 1 / deff).mean(-1)
    else:
        cdf = stats.poisson.cdf(x[:, None, None, None], mu).mean(-1)
    step = x[:, None] >= direct.reports["k"].to_numpy()
    exact = ((cdf[:, 0] - step) ** 2).sum(axis=0)
    many = as_draws(np.repeat(rates, 20_000, axis=2), direct)
    np.testing.assert_allclose(skill.crps(many, direct, 3)["k"], exact, rtol=0.01, atol=0.01)


def test_crps_by_sorting_is_the_double_sum(monkeypatch):
    direct, truth = survey(2, size=20)
    draws = as_draws(np.repeat(truth.to_numpy().T[:, :, None], 40, axis=2), direct)
    kept = {}
    poisson = np.random.Generator.poisson

    class Kept(np.random.Generator):
        def poisson(self, rate):
            kept["x"] = poisson(self, rate)
            return kept["x"]

    monkeypatch.setattr(np.random, "default_rng", lambda seed: Kept(np.random.PCG64(seed)))
    found = skill.crps(draws, direct, 5)["k"].to_numpy()
    x, y = kept["x"][0].astype(float), direct.reports["k"].to_numpy()
    pairs = np.abs(x[:, :, None] - x[:, None, :]).sum((1, 2)) / (2 * 40 * 39)
    np.testing.assert_allclose(found, np.abs(x - y[:, None]).mean(1) - pairs)


def test_transforms_of_the_truth_are_uniform_and_of_too_sure_draws_are_not():
    direct, truth = survey(3, size=400, reports=900)
    right = as_draws(np.repeat(truth.to_numpy().T[:, :, None], 2, axis=2), direct)
    flat = as_draws(np.full((1, 400, 2), float(truth.mean().iloc[0])), direct)
    distance = {}
    for name, draws in {"right": right, "flat": flat}.items():
        bounds = pit_bounds(draws, direct)
        distance[name] = skill.pit_distance(skill.pit_curve(*bounds, one(400)))[0, 0]
        for share in (0.5, 0.8, 0.95):
            held = skill.covered(*bounds, share)["k"].mean()
            if name == "right":
                assert held == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 400))
            elif share > 0.5:
                assert held < share
    assert distance["right"] < 1.63 / np.sqrt(400)  # 1 % of uniform samples exceed it
    assert distance["flat"] > 2 * distance["right"]


def test_error_net_is_the_error_beyond_sampling():
    direct, truth = survey(4, size=400, reports=20_000)
    guess = truth * np.exp(0.3 * np.random.default_rng(0).normal(size=(400, 1)))
    weight = 1 / direct.variance
    national = direct.reports.sum() / direct.exposure.sum()
    true = np.sqrt(((guess - truth) ** 2 * weight).sum() / (weight * national**2).sum())
    found = skill.error_net(guess, direct, one(400))[0]
    np.testing.assert_allclose(found, true, rtol=0.1)
    assert abs(skill.error_net(truth, direct, one(400))[0, 0]) < 0.1


@pytest.mark.parametrize("quality", [0.5, 0.9])
def test_the_rank_correlation_with_the_truth_is_recovered(quality):
    """Predictions that know log rates with a given correlation; 150 areas, some 200 reports."""
    found, true = [], []
    for seed in range(40):
        direct, truth = survey(seed)
        rng = np.random.default_rng(100 + seed)
        log = np.log(truth["k"].to_numpy())
        log = (log - log.mean()) / log.std()
        guess = quality * log + np.sqrt(1 - quality**2) * rng.normal(size=150)
        predicted = pd.DataFrame({"k": np.exp(guess)}, truth.index)
        share = skill.reliability(direct, seed)["k"]
        observed = skill.rank_correlation(predicted, direct.rate, one(150))[0, 0]
        found.append(observed / np.sqrt(share))
        true.append(stats.spearmanr(guess, log)[0])
    assert np.isfinite(found).mean() > 0.9
    assert np.nanmean(found) == pytest.approx(np.mean(true), abs=0.05)


def test_without_differences_nobody_can_tell_how_ranks_are_predicted():
    unknown = [np.isnan(skill.reliability(survey(s, sd=0.0)[0], s)["k"]) for s in range(40)]
    assert np.mean(unknown) > 0.85
    nobody = replace(survey(0)[0], reports=survey(0)[0].reports * 0)
    assert np.isnan(skill.reliability(nobody, 0)["k"])


def test_ranks_and_weights_are_those_of_repeated_areas():
    rng = np.random.default_rng(0)
    values = pd.DataFrame({"k": rng.poisson(1.0, 30).astype(float)}, IDS[:30])
    other = values + rng.poisson(1.0, (30, 1))
    weights = rng.integers(0, 3, (5, 30)).astype(float)
    found = skill.rank_correlation(values, other, weights)[:, 0]
    for row, value in zip(weights.astype(int), found, strict=True):
        apart = (np.repeat(t["k"].to_numpy(), row) for t in (values, other))
        assert value == pytest.approx(stats.spearmanr(*apart)[0])


def test_the_top_fifth_holds_what_it_holds():
    ids = pd.Index(IDS[:10], name="area_id")
    predicted = pd.DataFrame({"k": np.arange(10.0)}, ids)
    reports = pd.DataFrame({"k": [0.0] * 7 + [2, 5, 3]}, ids)
    exposure = pd.DataFrame({"k": 1.0}, ids)
    weights = np.ones((2, 10))
    weights[1, 9] = 3  # 12 areas then: 2.4 of the best one
    found = skill.top_share(predicted, reports, exposure, weights)[:, 0]
    np.testing.assert_allclose(found, [0.8, 2.4 * 3 / 16])
    assert skill.top_share(predicted, exposure, exposure, weights)[0, 0] == pytest.approx(0.2)
    shuffled = predicted.sample(frac=1, random_state=0)
    again = skill.top_share(shuffled, reports, exposure, weights[:1])
    np.testing.assert_allclose(again[0, 0], 0.8)


def test_groups_are_drawn_whole_and_the_interval_covers():
    group = pd.Series(np.arange(60) // 3, IDS[:60])
    weights = skill.group_weights(group, 200, 1)
    assert (weights[0] == 1).all()
    assert (weights[:, ::3] == weights[:, 1::3]).all()
    assert (weights[1:].sum(axis=1) == 60).all()
    np.testing.assert_array_equal(weights, skill.group_weights(group, 200, 1))
    rng, held = np.random.default_rng(0), 0
    for _ in range(200):
        values = np.repeat(rng.normal(size=20), 3) + rng.normal(size=60)
        means = skill.mean(pd.DataFrame({"k": values}, group.index), weights)[1:, 0]
        low, high = np.quantile(means, [0.025, 0.975])
        held += low < 0 < high
    assert held / 200 > 0.85


def test_all_components_together_weigh_by_expected_reports():
    first, _ = survey(1)
    second, _ = survey(2, reports=50)
    both = {
        name: pd.concat([getattr(first, name), getattr(second, name)], axis=1, keys=["a", "b"])
        for name in ("reports", "exposure", "variance")
    }
    both = {name: table.droplevel(1, axis=1) for name, table in both.items()}
    direct = Direct(**both, deff=pd.Series({"a": 1.4, "b": 1.4}))
    total, value = skill.together(direct, direct.reports * 0 + 2.0)
    assert total.exposure.sum().item() == pytest.approx(direct.reports.sum().sum())
    assert total.deff["all"] == pytest.approx(1.4)
    np.testing.assert_allclose(value["all"], 2.0)

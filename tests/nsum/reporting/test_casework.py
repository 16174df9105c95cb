"""The casework bridge: calibrated when its model holds, honest about what drives it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smallarea.errors import InputError
from smallarea.nsum.reporting.casework import (
    Detection,
    casework_bridge,
    closest_beta,
    detection_sensitivity,
)

DETECTION = Detection.from_mean(0.02, 0.5, "invented for the test")
VICTIMS = ["live", "nonlive"]


def world(seed: int, tau: float, detection: float, areas: int = 150, operations: int = 50):
    """A survey and a casework table from the bridge's own model."""
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"{i:010d}" for i in range(areas)], name="area_id")
    population = rng.lognormal(10.3, 0.8, areas).round()
    true = rng.poisson(rng.gamma(3, 0.01 / 3, areas) * population)
    exposure = rng.lognormal(7, 0.3, areas)
    reports = rng.poisson(tau * true / population * exposure)
    live = rng.binomial(reports, 0.6)
    chosen = rng.choice(areas, operations, replace=False)
    effort = rng.gamma(1.0, 1.0, areas)  # police work differs more than cases do
    effort /= np.average(effort[chosen], weights=true[chosen])
    cases = rng.binomial(true, np.minimum(detection * effort, 1.0))
    direct = SimpleNamespace(
        reports=pd.DataFrame({"live": live, "nonlive": reports - live}, ids, dtype=float),
        exposure=pd.DataFrame({"live": exposure, "nonlive": exposure}, ids),
        deff=pd.Series({"live": 1.0, "nonlive": 1.0}),
    )
    cases = pd.Series(cases, ids, name="victims_known").iloc[chosen]
    return direct, cases, pd.Series(population, ids)


def test_tau_and_its_ratio_to_detection_are_calibrated():
    rng = np.random.default_rng(7)
    prior = (2.0, 6.0)
    inside = {"tau posterior": 0, "detection / tau": 0}
    ranks = []
    worlds = 80
    for seed in range(worlds):
        tau, detection = rng.beta(*prior), rng.beta(DETECTION.a, DETECTION.b)
        bridge = casework_bridge(
            *world(seed, tau, detection), VICTIMS, DETECTION, prior=prior, draws=1000, seed=seed
        )
        for row, truth in (("tau posterior", tau), ("detection / tau", detection / tau)):
            q025, q975 = bridge.summary.loc[row, ["q025", "q975"]]
            inside[row] += q025 <= truth <= q975
        ranks.append(stats.beta(bridge.tau.a, bridge.tau.b).cdf(tau))
    least = stats.binom(worlds, 0.95).ppf(0.005)
    assert inside["tau posterior"] >= least
    assert inside["detection / tau"] >= least
    assert stats.kstest(ranks, "uniform").pvalue > 0.01


def test_only_the_ratio_is_identified_so_tau_follows_the_prior_for_detection():
    data = world(3, tau=0.2, detection=0.02)
    table = detection_sensitivity(
        *data, VICTIMS, DETECTION, factors=(0.25, 0.5, 1.0), draws=3000, seed=1
    )
    assert table["tau_q50"].loc[0.5] / table["tau_q50"].loc[0.25] == pytest.approx(2, rel=0.15)
    bridge = casework_bridge(*data, VICTIMS, DETECTION, seed=1)
    cv = bridge.summary["sd"] / bridge.summary["mean"]
    assert cv["detection / tau"] < 0.2
    assert cv["detection posterior"] > 0.8 * cv["detection prior"]


def test_known_cases_are_a_ceiling_on_tau():
    direct, cases, population = world(5, tau=0.2, detection=0.02)
    half = (direct.reports.sum(axis=1) / direct.exposure["live"] * population).loc[cases.index]
    many = (half * 3 + 30).round()  # reported rate a third of what casework alone has seen
    sure = Detection.from_mean(0.8, 0.1, "invented")
    bridge = casework_bridge(direct, many, population, VICTIMS, sure, seed=2)
    assert bridge.summary.loc["tau ceiling", "q975"] < 0.5
    ceiling = bridge.summary.loc["tau ceiling", "q975"]
    assert bridge.summary.loc["tau posterior", "q975"] < ceiling


def test_overlap_of_live_and_nonlive_lowers_the_cases_behind_the_reports():
    data = world(4, tau=0.2, detection=0.02)
    apart = casework_bridge(*data, VICTIMS, DETECTION, seed=3)
    nested = casework_bridge(*data, VICTIMS, DETECTION, overlap=1.0, seed=3)
    share = 1 - data[0].reports.sum().min() / data[0].reports.sum().sum()
    ratio = (
        apart.summary.loc["detection / tau", "q50"],
        nested.summary.loc["detection / tau", "q50"],
    )
    assert ratio[0] / ratio[1] == pytest.approx(share, rel=0.05)


def test_areas_without_interviews_are_named():
    direct, cases, population = world(6, tau=0.2, detection=0.02)
    elsewhere = pd.concat([cases, pd.Series({"9999999999": 4})])
    bridge = casework_bridge(direct, elsewhere, population, VICTIMS, DETECTION, seed=1)
    assert bridge.left_out == ["9999999999"]
    with pytest.raises(InputError, match="function of tau"):
        casework_bridge(direct, elsewhere.tail(1), population, VICTIMS, DETECTION)


def test_bad_casework_is_refused():
    direct, cases, population = world(6, tau=0.2, detection=0.02)
    with pytest.raises(InputError, match="counts"):
        casework_bridge(direct, -cases - 1, population, VICTIMS, DETECTION)
    with pytest.raises(InputError, match="overlap"):
        casework_bridge(direct, cases, population, VICTIMS, DETECTION, overlap=1.2)
    with pytest.raises(InputError, match="distribution"):
        Detection.from_mean(0.9, 2.0, "impossible")


def test_closest_beta_recovers_a_beta():
    draws = np.random.default_rng(1).beta(4.0, 30.0, 200_000)
    assert closest_beta(draws) == pytest.approx((4.0, 30.0), rel=0.02)

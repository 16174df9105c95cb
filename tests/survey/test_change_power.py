"""Power of a second survey, per component: against the study of change, and where it must move."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study import SUMS, twin_settings

from smallarea.errors import InputError
from smallarea.findings.comparison import CLEAR
from smallarea.survey.change_power import (
    component_plans,
    overdispersion,
    plan_power,
    power_by_component,
    power_text,
    simulated_power,
)
from smallarea.survey.power import Plan, nsum_power

STUDY = Path(__file__).parents[2] / "benchmarks" / "results" / "change.json"
BASE = Plan(prevalence=0.01, tau=0.05, weight_effect=1.5)
CHILD = replace(BASE, degree=45.0)
PEOPLE = {"adult": 71.58e6, "child": 41.15e6}  # of the frame on which the study was made
TWIN = twin_settings()
DEGREES = {"adult": TWIN.adult_degree, "child": TWIN.child_degree}


def test_power_agrees_with_the_committed_study_of_change():
    """60 pairs: a share is known to 6.5 points. Each within 2, together within 2 of their mean."""
    sizes = {
        "victims": ("child", TWIN.totals["victims"]),
        "traffickers": ("adult", TWIN.totals["traffickers"]),
    }
    assert set(sizes) == set(SUMS)
    groups = pd.DataFrame(
        [(name, net, size / PEOPLE[net]) for name, (net, size) in sizes.items()],
        columns=["group", "network", "prevalence"],
    )
    base = replace(BASE, tau=TWIN.tau_mean, areas=TWIN.areas, take=TWIN.households)
    plans = component_plans(groups, DEGREES, base, barrier=TWIN.barrier)
    study = json.loads(STUDY.read_text())
    misses, variance = [], []
    for row in study["results"]:
        if not row["design"].endswith("other barangays"):
            continue
        decrease = 0.3 if row["design"].startswith("decline") else 0.0
        power, error = simulated_power(plans[row["indicator"]], decrease, level=CLEAR, seed=1)
        noise = power * (1 - power) / study["seeds"] + error**2
        misses.append(power - row["chance above 0.95"])
        variance.append(noise)
        assert abs(misses[-1]) < 2 * np.sqrt(noise), (row["design"], row["indicator"], power)
    assert len(misses) == 4
    assert abs(np.mean(misses)) < 2 * np.sqrt(np.sum(variance)) / len(misses)


def test_power_rises_with_the_fall_and_with_the_sample_and_is_5_percent_without_a_fall():
    power = [simulated_power(CHILD, d, seed=2)[0] for d in (0.0, 0.2, 0.4)]
    assert power[0] == pytest.approx(0.05, abs=0.03)
    assert power[0] + 0.1 < power[1] < power[2] - 0.2
    by_areas = [simulated_power(replace(CHILD, areas=n), 0.3, seed=3)[0] for n in (75, 150, 600)]
    assert by_areas[0] < by_areas[1] < by_areas[2] - 0.2
    by_take = [simulated_power(replace(CHILD, take=n), 0.3, seed=3)[0] for n in (6, 24, 96)]
    assert by_take[0] < by_take[1] < by_take[2]


def test_the_same_seed_gives_the_same_and_the_error_is_that_of_a_share():
    first = simulated_power(CHILD, 0.3, simulations=400, seed=4)
    assert first == simulated_power(CHILD, 0.3, simulations=400, seed=4)
    assert first != simulated_power(CHILD, 0.3, simulations=400, seed=5)
    assert first[1] == pytest.approx(np.sqrt(first[0] * (1 - first[0]) / 400), rel=0.01)


def test_each_component_is_seen_through_its_own_network(tmp_path):
    groups = pd.DataFrame(
        {
            "group": ["teachers", "a", "b", "c"],
            "kind": ["known", "hidden", "hidden", "hidden"],
            "network": ["adult", "adult", "child", "child"],
            "prevalence": [None, None, None, 0.02],
        }
    )
    groups.to_csv(tmp_path / "groups.csv", index=False)
    settings = {"barrier": 0.02, "seed": 6}
    power = plan_power(BASE, tmp_path / "groups.csv", DEGREES, **settings)
    assert list(power.index) == ["a", "b", "c"]
    mean = np.exp(BASE.degree_sd**2 / 2) * BASE.areas * BASE.take * 0.01 * 0.05
    expected = mean * np.array([230, 45, 90])
    assert power["reports"].to_numpy() == pytest.approx(expected, rel=0.05)
    assert power.loc["b", "power"] < power.loc["c", "power"] < power.loc["a", "power"]
    assert "97" in power_text(power)
    pd.testing.assert_frame_equal(plan_power(BASE, groups, DEGREES, **settings), power)


def test_weights_and_acquaintances_alike_add_variance():
    flat = Plan(0.01, 0.05, area_sd=0.0, psu_sd=0.0, overdispersion=1.2, weight_effect=1.5)
    assert nsum_power(flat, simulations=3000, seed=7)["deff"] == pytest.approx(1.8, rel=0.1)
    assert overdispersion(BASE, 0.0) == 1
    assert 1 < overdispersion(CHILD, 0.02) < overdispersion(BASE, 0.02)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"group": ["a"], "kind": ["known"]}, "no hidden group"),
        ({"group": ["a", "a"]}, "listed twice"),
        ({"group": ["a"], "network": ["both"]}, "no degree for the network both"),
        ({"group": ["a"], "prevalence": ["many"]}, "not a number"),
        ({"group": ["a"], "prevalence": [1.5]}, "survey plan"),
    ],
)
def test_what_cannot_be_planned_is_refused(groups, said):
    with pytest.raises(InputError, match=said):
        component_plans(pd.DataFrame(groups), DEGREES, BASE)


def test_a_rise_is_no_fall():
    with pytest.raises(InputError, match="decrease"):
        power_by_component({"a": CHILD}, decrease=-0.1, seed=1)

"""Power of a scale-up survey: closed forms where they exist, orders of magnitude of the study."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smallarea.errors import InputError
from smallarea.survey.power import Plan, nsum_power, power_of_change, simulate_plan

PLAN = Plan(prevalence=0.01, tau=0.05, degree=40.0)  # children: summation degrees, tau 5 %


def test_without_any_variation_the_error_is_poisson():
    flat = replace(PLAN, area_sd=0.0, psu_sd=0.0, overdispersion=1.0)
    result = nsum_power(flat, simulations=3000, seed=1)
    assert result["deff"] == pytest.approx(1.0, abs=0.1)
    assert result["national_cv"] == pytest.approx(result["reports"] ** -0.5, rel=0.06)


def test_overdispersion_and_places_multiply_the_variance():
    spread = replace(PLAN, area_sd=0.0, psu_sd=0.0, overdispersion=3.0)
    assert nsum_power(spread, simulations=3000, seed=2)["deff"] == pytest.approx(3.0, rel=0.1)
    study = nsum_power(PLAN, simulations=2000, seed=3)
    expected = study["reports"] / PLAN.areas  # reports per area
    between = np.exp(PLAN.area_sd**2 + PLAN.psu_sd**2) - 1
    within = np.exp(PLAN.degree_sd**2) / PLAN.take  # unequal exposure of the areas
    deff = PLAN.overdispersion + expected * between * (1 + within)
    assert study["deff"] == pytest.approx(deff, rel=0.1)


def test_estimated_degrees_cost_little_when_known_groups_are_large():
    exact = nsum_power(PLAN, simulations=2000, seed=4)["national_cv"]
    known = replace(PLAN, known_share=0.15)
    assert nsum_power(known, simulations=2000, seed=4)["national_cv"] == pytest.approx(
        exact, rel=0.05
    )


def test_more_areas_help_the_nation_and_more_interviews_help_the_area():
    base = nsum_power(PLAN, simulations=800, seed=5)
    wide = nsum_power(replace(PLAN, areas=600), simulations=400, seed=5)
    deep = nsum_power(replace(PLAN, take=96), simulations=800, seed=5)
    assert wide["national_cv"] == pytest.approx(base["national_cv"] / 2, rel=0.1)
    assert wide["area_error"] == pytest.approx(base["area_error"], rel=0.1)
    assert deep["area_error"] < 0.65 * base["area_error"]
    assert base["area_error_shrunk"] < base["area_error"]
    assert deep["national_cv"] > 0.5 * base["national_cv"]


def test_power_of_change_is_how_often_two_surveys_show_it():
    plan = replace(PLAN, prevalence=0.02)
    later = replace(plan, prevalence=0.02 * 0.7)
    nation = [simulate_plan(p, simulations=4000, seed=s) for p, s in ((plan, 6), (later, 7))]
    log = [np.log(w["reports"].sum(axis=1) / w["degrees"].sum(axis=1)) for w in nation]
    result = nsum_power(plan, simulations=4000, seed=6)
    sd = np.sqrt(2) * result["national_cv"]
    found = np.mean(log[1] - log[0] < -1.645 * sd)
    assert result["power_30"] == pytest.approx(found, abs=0.05)
    assert power_of_change(0.0, 0.1) == pytest.approx(0.05)
    assert power_of_change(0.2, 0.1, correlation=0.5) > power_of_change(0.2, 0.1)


def test_impossible_plans_are_refused():
    with pytest.raises(InputError, match="survey plan"):
        Plan(prevalence=0.0, tau=0.05)

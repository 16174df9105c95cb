"""The committed study says what the documents say, and a part of it, rerun, says the same."""

from __future__ import annotations

import json

import pytest
from scipy import stats

SURVEYS = 6


@pytest.fixture(scope="module")
def committed(study) -> dict:
    return json.loads(study.RESULT.read_text())


def test_a_hundred_surveys_of_each(committed, study):
    assert set(committed["steps"]) == set(study.STEPS)
    assert set(committed["recheck"]) == set(study.RECHECKS)
    assert set(committed["alarms"]) == set(study.ALARMS)
    ways = [
        way for part in ("steps", "recheck") for s in committed[part].values() for way in s.values()
    ]
    assert min(way["surveys"] for way in ways) >= 100
    assert (
        min(s["surveys"] for part in ("alarms", "shares") for s in committed[part].values()) >= 100
    )


def test_intervals_cover_where_nothing_is_wrong(committed):
    """Within Monte Carlo error, 99.9 %."""
    low = stats.binom.ppf(0.0005, 100, 0.95) / 100
    for scenario in ("nothing wrong", "15 % of units closed, like the others"):
        assert committed["steps"][scenario]["trimmed"]["cover95"] >= low
    for scenario in committed["recheck"].values():
        assert scenario["both"]["cover95"] >= low
        assert abs(scenario["both"]["bias"]) < 4 * scenario["both"]["bias_error"]
        assert scenario["first"]["bias"] < -0.2


def test_each_step_mends_what_it_is_for(committed):
    scant = committed["steps"]["20 % of units give a quarter, twice the rate"]
    assert scant["unweighted"]["bias"] < -0.08
    assert abs(scant["response"]["bias"]) < 0.04
    person = committed["steps"]["response by sex and age"]
    assert person["response"]["bias"] > 0.04
    assert abs(person["calibrated"]["bias"]) < 0.04
    for nobody in ("who would report answers 0.6 times as often",
                   "15 % of units closed, 1.5 times the rate"):  # fmt: skip
        assert committed["steps"][nobody]["trimmed"]["bias"] < -0.04  # nothing mends these


def test_false_alarms_are_kept(committed):
    most = stats.binom.ppf(0.9995, 100, 0.05) / 100
    for scenario in committed["alarms"].values():
        assert scenario["false_by_reports"] <= most
        assert scenario["false_by_short"] <= most


def test_a_part_rerun_says_the_same(committed, study):
    """The first surveys of a scenario, with their seeds: means within four standard errors."""
    name = "20 % of units give a quarter, twice the rate"
    found = study.bias_and_coverage({name: study.STEPS[name]}, study.steps, SURVEYS)[name]
    for way, was in committed["steps"][name].items():
        now = found[way]["bias"]
        assert abs(now - was["bias"]) < 4 * was["sd"] / SURVEYS**0.5
    alarm = "40 % of honest interviews report, honest sd 0.4"
    study_alarms, kept = study.ALARMS, {alarm: study.ALARMS[alarm]}
    try:
        study.ALARMS = kept
        again = study.alarms(2)[alarm]
    finally:
        study.ALARMS = study_alarms
    assert again["short_found"] >= 0.5
    assert again["false_by_reports"] + again["false_by_short"] == 0

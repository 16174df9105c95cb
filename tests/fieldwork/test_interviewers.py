"""The interviewer's part of the answers, and those who bring nothing but zeros."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from smallarea.fieldwork.interviewers import by_week, drift, same_sex, variance_shares
from smallarea.fieldwork.silence import beta_binomial, few_reports, holm, reporters, short_answers
from smallarea.fieldwork.words import on_shares


def test_balanced_components_are_those_of_the_textbook():
    """One factor, balanced: (MSB - MSW) / n and MSW."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(12), 10)
    y = rng.normal(0, 1, 12)[who] + rng.normal(0, 2, 120)
    groups = y.reshape(12, 10)
    within = groups.var(axis=1, ddof=1).mean()
    between = max((10 * groups.mean(axis=1).var(ddof=1) - within) / 10, 0)
    found = variance_shares(*map(pd.Series, (y, who, who)), permutations=19)
    assert found.high == pytest.approx(between / (between + within))
    assert found.design == "one"
    assert np.isnan(found.interviewer)


def test_one_interviewer_per_unit_is_said_to_be_the_place():
    who = np.repeat(np.arange(20), 8)
    y = np.random.default_rng(1).normal(size=160)
    row = vars(variance_shares(*map(pd.Series, (y, who, who)), permutations=19))
    shares = pd.DataFrame([{"of": "enumerator", "outcome": "reports anyone", **row}])
    (said,) = on_shares(shares)
    assert "what looks like the place may be the interviewer" in said


def test_interviewers_and_places_are_told_apart_where_they_cross():
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(80), 12)
    who = unit // 4 * 2 + np.arange(len(unit)) % 2
    places = rng.normal(0, 1, 80)[unit] + rng.normal(0, 1, len(unit))
    only = variance_shares(*map(pd.Series, (places, who, unit)), permutations=199)
    assert only.design == "crossed"
    assert only.p > 0.01
    assert only.interviewer < 0.05
    assert only.place == pytest.approx(0.5, abs=0.15)
    both = places + rng.normal(0, 1, 40)[who]
    found = variance_shares(*map(pd.Series, (both, who, unit)), permutations=199)
    assert found.p == pytest.approx(1 / 200)
    assert found.interviewer == pytest.approx(1 / 3, abs=0.15)
    assert found.interviewer + found.place + found.rest == pytest.approx(1)


def test_same_sex_and_drift():
    rng = np.random.default_rng(3)
    people = pd.DataFrame({"enumerator": np.repeat(np.arange(40), 20), "sex": ["F", "M"] * 400})
    people["enumerator_sex"] = np.where(people["enumerator"] % 2, "f", "male")
    people["date"] = pd.Timestamp("2022-11-01") + pd.to_timedelta(
        np.tile(np.arange(20), 40) * 3, "D"
    )
    same = people["sex"].str[0].str.lower() == people["enumerator_sex"].str[0]
    share = 0.5 + 0.2 * same - 0.006 * (people["date"] - people["date"].min()).dt.days
    told = (rng.random(800) < share).astype(float)
    design = pd.DataFrame({"weight": 1.0, "psu": "a", "stratum": None}, people.index)
    found = same_sex(told, people, design)
    assert found["low"] < 0.2 < found["high"]
    assert found["low"] > 0
    moved = drift(told, people, design)
    assert moved["within_low"] < -0.18 < moved["within_high"]
    assert moved["within_p"] < 0.05
    assert by_week(told, people)["interviews"].sum() == 800
    assert same_sex(told, people.drop(columns="enumerator_sex"), design) is None


@given(st.integers(1, 60), st.floats(0.05, 50), st.floats(0.05, 50))
def test_chances_of_reporters_sum_to_one(n, a, b):
    assert beta_binomial(n, a, b).sum() == pytest.approx(1)
    assert beta_binomial(n, a, b) == pytest.approx(stats.betabinom.pmf(range(n + 1), n, a, b))


def test_chances_over_units_are_those_of_a_simulation():
    where = pd.DataFrame(
        {"n": [10, 5], "rate": [0.2, 0.4], "others_y": [0.0, 6.0], "others_n": [0.0, 10.0]}
    )
    chances = reporters(where, tight=8.0, spread=0.0)
    rng = np.random.default_rng(4)
    a, b = np.array([1.6, 3.2 + 6]), np.array([6.4, 4.8 + 4])
    drawn = rng.binomial([10, 5], rng.beta(a, b, (200_000, 2))).sum(axis=1)
    seen = np.bincount(drawn, minlength=16) / 200_000
    assert chances == pytest.approx(seen, abs=0.005)  # four standard errors
    spread = reporters(where, tight=8.0, spread=0.6)
    assert spread.sum() == pytest.approx(1)
    assert spread[0] > chances[0]


def test_holm_is_that_of_the_paper():
    assert holm(np.array([0.01, 0.02, 0.03, 0.5])) == pytest.approx([0.04, 0.06, 0.06, 0.5])


def test_an_interviewer_with_only_zeros_is_named_and_an_idle_one_is_not(world):
    trouble = world.Trouble(rate=0.003, zeros=1, short=1, enumerator_sd=0.2, take=24)
    made = world.fieldwork(trouble, [11])
    people = made.respondents
    told = (people["hidden"] > 0).astype(float)
    told[people.index[-3:]] = 0.0
    who = people["enumerator"].copy()
    who.iloc[-3:] = "idle"  # three interviews, all zeros
    few = few_reports(told, who, people["psu"])
    short = short_answers(people[list(world.KNOWN)], who, people["psu"])
    bad = {kind: name for name, kind in made.bad.items()}
    assert few.loc[bad["zeros"], "named"]
    assert few.loc["idle", "only_zeros"]
    assert not few.loc["idle", ["named", "could_be_named"]].any()
    assert short.index[short["named"]].tolist() == [bad["short"]]
    assert set(few.index[few["named"]]) <= set(made.bad)

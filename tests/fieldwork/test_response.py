"""Households over their visits: outcomes, rates, callbacks, empty answers."""

from __future__ import annotations

import pandas as pd
import pytest

from smallarea.fieldwork.response import (
    by_visit,
    callbacks,
    effort,
    households,
    missing_rates,
    response_rates,
)

VISITS = pd.DataFrame(
    [
        ("a", "1", 1, "not_home", None), ("a", "1", 2, "completed", "r1"),
        ("a", "2", 1, "refused", None), ("a", "2", 2, "not_home", None),
        ("a", "3", 1, "not_home", None), ("a", "4", 1, "ineligible", None),
        ("b", "1", 1, "completed", "r2"), ("b", "2", 1, "unknown", None),
        ("b", None, 1, "saturated", None),
    ],
    columns=["psu", "household", "visit", "outcome", "respondent_id"],
).assign(date=pd.Timestamp("2022-11-07"))  # fmt: skip


def test_a_household_is_what_counted_over_its_visits():
    met = households(VISITS)
    assert met["outcome"].tolist() == [
        "completed", "refused", "not_home", "ineligible", "completed", "unknown",
    ]  # fmt: skip
    assert met["visits"].tolist() == [2, 2, 1, 1, 1, 1]
    assert effort(met) == {"per_household": 8 / 6, "per_interview": 4.0}


def test_rates_take_the_unknown_as_eligible_as_the_others():
    rates = response_rates(households(VISITS), pd.Series({"a": "north", "b": "south"}))
    asked = 2 + 1 + 1 + 4 / 5  # four of the five whose eligibility is known are eligible
    everyone = rates.loc["all"]
    assert everyone["response"] == pytest.approx(2 / asked)
    assert everyone["refusal"] == pytest.approx(1 / asked)
    assert everyone["contact"] == pytest.approx(3 / asked)
    assert everyone["cooperation"] == pytest.approx(2 / 3)
    assert rates.loc["north", "response"] == pytest.approx(1 / 3)


def test_callbacks_are_those_with_visits_left():
    met = households(VISITS)
    assert callbacks(met, 3)["left"].tolist() == [2]
    assert callbacks(met, 1).empty


def test_reporting_by_visit():
    told = pd.Series({"r1": 2.0, "r2": 0.0})
    table = by_visit(VISITS, told)
    assert table["interviews"].to_dict() == {1: 1, 2: 1}
    assert table["share_reporting"].to_dict() == {1: 0.0, 2: 1.0}


def test_empty_answers_name_who_leaves_most():
    table = pd.DataFrame({"age": [1, None] * 10, "sex": ["F"] * 20})
    found = missing_rates(table, ["age", "sex"], pd.Series(["x", "y"] * 10))
    assert found.index.tolist() == ["age"]
    assert found.loc["age", ["missing", "share", "worst", "worst_share"]].tolist() == [
        10, 0.5, "y", 1.0,
    ]  # fmt: skip

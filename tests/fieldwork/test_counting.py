"""Targets, slots, quotas, pace: what is left, and what became of the units drawn."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.fieldwork.counting import by_day, pace, quotas, units

SAMPLE = pd.DataFrame(
    {
        "role": ["main"] * 6 + ["expansion"] + ["replacement"] * 3,
        "replaces": [None] * 7 + ["a", "b", "c"],
        "interviews": 4,
        "population": [100, 100, 100, 100, 100, 100, 100, 50, 200, 100],
        "p_area": 0.5, "p_area_expanded": 0.6, "p_psu": 0.1,
    },
    index=pd.Index(list("abcdefxrst"), name="psu_id"),
)  # fmt: skip


def interviews(**numbers: int) -> pd.DataFrame:
    psu = [unit for unit, n in numbers.items() for _ in range(n)]
    return pd.DataFrame({"psu": psu})


def said(*rows: tuple[str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["psu", "outcome"])
    return table.assign(household=None, reason="why")


def test_every_unit_is_in_one_state_and_slots_share_their_target():
    told = said(("a", "replaced"), ("b", "saturated"), ("c", "saturated"), ("d", "dropped"))
    table = units(SAMPLE, interviews(r=4, b=1, s=2, c=1, e=4), told)
    want = {"a": "replaced", "b": "expanded", "c": "saturated", "d": "dropped", "e": "complete",
            "f": "not begun"}  # fmt: skip
    assert table.loc[list(want), "status"].to_dict() == want
    assert table.loc[list("abcdef"), "left"].tolist() == [0, 1, 3, 0, 0, 4]
    assert table.loc[["r", "s"], "slot"].tolist() == ["a", "b"]
    assert "t" not in table.index  # nobody went there
    assert "x" not in table.index  # expansion units count once one of them is used
    assert table.loc["a", "reason"] == "why"


def test_probabilities_after_replacement_follow_size():
    table = units(SAMPLE, interviews(r=4, s=2, e=4))
    assert table.loc["e", "p_used"] == pytest.approx(0.05)
    assert table.loc["r", "p_used"] == pytest.approx(0.025)  # half as large as the unit it replaces
    assert table.loc["s", "p_used"] == pytest.approx(0.1)
    assert table["p_drawn"].dropna().unique() == pytest.approx([0.05])
    assert table.loc["a", "status"] == "replaced"
    expanded = units(SAMPLE, interviews(x=1, e=1))
    assert expanded.loc["e", "p_used"] == pytest.approx(0.06)


@given(st.dictionaries(st.sampled_from(list("abcdefrst")), st.integers(0, 9)))
def test_what_is_done_and_left_adds_up(numbers):
    table = units(SAMPLE, interviews(**numbers))
    assert table["done"].sum() == sum(numbers.values())
    slots = table[table["target"] > 0]
    assert (slots["left"] >= 0).all()
    done = table.groupby("slot")["done"].sum().reindex(slots.index)
    assert (slots["left"] + done >= slots["target"]).all()


def test_a_pilot_needs_no_roles_or_probabilities():
    table = units(
        pd.DataFrame({"role": "main", "replaces": None, "interviews": 5}, ["p", "q"]),
        interviews(p=5),
    )
    assert table["status"].tolist() == ["complete", "not begun"]
    assert "p_used" not in table


def test_quotas_say_how_many_are_too_many():
    people = interviews(a=4, b=3).assign(sex=["F", "F", "F", "M", "F", "M", "M"])
    table = quotas(people, units(SAMPLE, people))
    assert table.loc["a", ["F", "M", "off"]].tolist() == [3, 1, 1]
    assert table.loc["b", "off"] == 0
    women = quotas(people, units(SAMPLE, people), {"F": 0.75, "M": 0.25})
    assert women["off"].tolist() == [0, 1]


def test_days_and_pace():
    day = pd.to_datetime(["2022-11-07"] * 2 + ["2022-11-08"] * 4 + [None])
    days = by_day(pd.DataFrame({"date": day}), 10)
    assert days["so_far"].tolist() == [2, 6]
    assert days["left"].tolist() == [7, 3]  # one interview has no date
    found = pace(days, 3, pd.Timestamp("2022-11-10"))
    assert found == {"recent": 3.0, "days_at_this_pace": 1.0, "needed_a_day": 1.5}
    assert pace(days, 3, pd.Timestamp("2022-11-08"))["needed_a_day"] == float("inf")

"""The best set under conditions, against every set there is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.projection.choosing import best_set, best_sets, bounds_of_best
from smallarea.projection.conditions import Conditions, Minimum, read_conditions

UNITS = np.array(list("aaabbbccc"), dtype=object)
ABOVE = np.array(list("xxxxxxyyy"), dtype=object)  # a and b lie in x, c in y
ACROSS = np.array(list("pqrpqrpqr"), dtype=object)  # lies across both
VALUES = st.lists(st.floats(0.01, 100), min_size=9, max_size=9).map(np.array)


def meets(some: tuple[int, ...], at: Conditions) -> bool:
    inside = list(some)
    return (
        (
            at.number is None
            or len(some) == at.number
            or (at.cost is not None and len(some) <= at.number)
        )
        and (at.cost is None or at.cost[inside].sum() <= at.budget + 1e-9)
        and all(
            (m.units[inside] == unit).sum() >= m.number
            for m in at.minimums
            for unit in set(m.units)
        )
    )


def brute(values: np.ndarray, at: Conditions) -> float:
    sets = (some for size in range(10) for some in combinations(range(9), size))
    return max((values[list(some)].sum() for some in sets if meets(some, at)), default=-1.0)


@settings(max_examples=50)
@given(VALUES, st.integers(5, 9), st.integers(0, 1), st.integers(0, 3))
def test_taking_the_largest_from_the_lowest_level_up_is_exact(values, number, low, high):
    at = Conditions(9, number, (Minimum("high", ABOVE, high), Minimum("low", UNITS, low)))
    try:
        at.check()
    except InputError:
        assert brute(values, at) < 0
        return
    assert at.simple
    chosen = best_set(values, at)
    assert meets(tuple(np.flatnonzero(chosen)), at)
    assert values[chosen].sum() == pytest.approx(brute(values, at))


@settings(max_examples=25)
@given(VALUES, st.lists(st.integers(1, 9), min_size=9, max_size=9), st.floats(5, 30), st.booleans())
def test_a_budget_is_spent_as_well_as_can_be(values, costs, budget, few):
    minimums = (Minimum("low", UNITS, 1),)
    at = Conditions(9, 4 if few else None, minimums, np.array(costs, float), budget)
    if brute(values, at) < 0:
        with pytest.raises(InputError, match="too small"):
            at.check()
        return
    at.check()
    chosen = best_set(values, at)
    assert meets(tuple(np.flatnonzero(chosen)), at)
    assert values[chosen].sum() == pytest.approx(brute(values, at), rel=1e-6)
    bound = bounds_of_best(values[:, None], at)[:, 0] @ values
    assert bound >= values[chosen].sum() * (1 - 1e-6)
    assert bound < values[chosen].sum() + 5 * values.max()


@settings(max_examples=10)
@given(VALUES)
def test_levels_that_cross_are_a_programme(values):
    at = Conditions(9, 4, (Minimum("low", UNITS, 1), Minimum("across", ACROSS, 1)))
    assert not at.simple
    assert values[best_set(values, at)].sum() == pytest.approx(brute(values, at), rel=1e-6)


@given(VALUES, st.permutations(range(9)))
def test_the_order_of_areas_is_irrelevant(values, order):
    values = values + np.arange(9) * 1e-6
    order = list(order)
    there = best_set(values, Conditions(9, 4, (Minimum("low", UNITS, 1),)))
    again = best_set(values[order], Conditions(9, 4, (Minimum("low", UNITS[order], 1),)))
    np.testing.assert_array_equal(again, there[order])


def test_every_draw_has_its_own_best_set():
    values = np.random.default_rng(0).random((9, 50))
    at = Conditions(9, 4, (Minimum("low", UNITS, 1),))
    sets = best_sets(values, at)
    for draw in range(50):
        np.testing.assert_array_equal(sets[:, draw], best_set(values[:, draw], at))


def table() -> pd.DataFrame:
    columns = {"shire_id": UNITS, "shire": "S" + pd.Series(UNITS, dtype=object)}
    return pd.DataFrame(columns).set_index(pd.Index([f"t{i}" for i in range(9)], name="area_id"))


COSTS = pd.Series(2.0, index=table().index)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "say how many areas"),
        ({"k": 10}, "10 areas are wanted of 9"),
        ({"k": 0}, "0 areas are wanted"),
        ({"budget": 0.5}, "0 areas are wanted"),
        ({"budget": -1.0}, "no budget"),
        ({"k": 3, "min_per": {"county": 1}}, "choose one of shire"),
        ({"k": 2, "min_per": {"shire": 1}}, "ask for 3 areas"),
        ({"k": 9, "min_per": {"shire": 4}}, r"Sa \(a\) has 3"),
        ({"k": 3, "costs": COSTS}, "costs without a budget"),
        ({"budget": 9.0, "costs": COSTS[1:]}, "1 areas have no cost, first t0"),
        ({"budget": 9.0, "costs": pd.concat([COSTS, COSTS[:1]])}, "two costs, first t0"),
        ({"budget": 9.0, "costs": COSTS.where(COSTS.index != "t4", -1)}, "first t4"),
        (
            {"budget": 5.0, "costs": COSTS + np.arange(9) / 10, "min_per": {"shire": 1}},
            "at least 6.9 is needed",
        ),
    ],
)
def test_what_no_set_can_meet_is_said(asked, said):
    wanted = {"k": None, "budget": None, "costs": None, "min_per": None} | asked
    with pytest.raises(InputError, match=said):
        read_conditions(table(), **wanted, own=())


def test_conditions_that_only_clash_together_are_said():
    at = Conditions(
        9, 3, (Minimum("low", UNITS, 1), Minimum("across", np.array(list("pqrpqrpsr")), 1))
    )
    at.check()
    with pytest.raises(InputError, match="all conditions together"):
        best_set(np.ones(9), at)


def test_one_cost_for_all_is_a_number_of_areas():
    conditions = read_conditions(table(), None, 7.0, COSTS, {"shire": 1}, ())
    assert conditions.simple
    assert conditions.number == 3
    assert read_conditions(table(), None, 4.0, None, None, ()).number == 4

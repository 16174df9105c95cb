"""Areas and levels as they were, and people where they live now."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.areas.censuses import read_censuses
from smallarea.areas.codes import Crosswalk
from smallarea.areas.history import (
    FormerUnit,
    Transfer,
    former_units_of,
    shares_then,
    still_to_divide,
    transfers_of,
)
from smallarea.areas.spec import Census
from smallarea.errors import InputError

IDS = [f"a{n}" for n in range(6)]
A, B, C, *_ = IDS


def moved(origin: str, to: str, before: int, people: float) -> Transfer:
    return Transfer.model_validate({"from": origin, "to": to, "before": before, "people": people})


def table(population=(100, 200, 300, 400, 500, 600)) -> pd.DataFrame:
    index = pd.Index(IDS, name="area_id")
    shire = ["North", "North", "South", "South", "South", "West"]
    columns = {"population": population, "shire": shire, "shire_id": shire}
    return pd.DataFrame(columns, index=index)


def test_land_counts_with_the_area_it_was_part_of():
    """50 of B's 200 came from A in 2020; all of C's from B and A in 2010."""
    told = [moved(A, B, 2020, 50), moved(A, C, 2010, 100), moved(B, C, 2010, 200)]
    moves = transfers_of(told, table())
    assert shares_then(table()["population"], moves, 2020).empty
    assert shares_then(table()["population"], moves, None).empty
    late = shares_then(table()["population"], moves, 2015).set_index(["origin", "area_id"])
    assert late["share"].to_dict() == pytest.approx({(A, A): 2 / 3, (A, B): 1 / 3, (B, B): 1})
    early = shares_then(table()["population"], moves, 2009).set_index(["origin", "area_id"])
    assert (C, C) not in early.index
    assert early["share"][A].to_dict() == pytest.approx({A: 0.4, B: 0.2, C: 0.4})


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([moved("a9", B, 2020, 5)], r"transfers\.0\.from: 'a9' is no area"),
        ([moved(A, "a9", 2020, 5)], r"transfers\.0\.to: 'a9' is no area"),
        ([moved(A, B, 2020, 150), moved(C, B, 2020, 60)], "210 people came to a1, where 200 live"),
    ],
)
def test_a_wrong_transfer_is_named(told, said):
    with pytest.raises(InputError, match=said):
        transfers_of(told, table())


@given(
    st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS), st.floats(0.1, 1)), max_size=5),
    st.sets(st.sampled_from(IDS)),
)
def test_shares_of_every_origin_add_up_to_one(pairs, present):
    people = table()["population"].astype(float)
    told = [moved(o, t, 2020, f * people[t] / 5) for o, t, f in pairs if o != t]
    shares = shares_then(people, transfers_of(told, table()), 2010)
    for part in (shares, still_to_divide(shares, present)):
        sums = part.groupby("origin")["share"].sum()
        assert sums.to_numpy() == pytest.approx([1.0] * len(sums), abs=1e-12)
    known = shares.groupby("area_id")["people"].sum()
    assert known.to_numpy() == pytest.approx(people[known.index].to_numpy())


def test_units_are_those_of_the_year(squares):
    told = [
        FormerUnit(level="shire", was="Old North", before=2020, of=("North",)),
        FormerUnit(level="shire", was="West", before=2010, of=(A, "South")),
    ]
    frame = replace(squares, table=table(), former_units=former_units_of(told, table()))
    now = ["North", "North", "South", "South", "South", "West"]
    assert frame.units_then("shire", None).tolist() == now
    assert frame.units_then("shire", 2020).tolist() == now
    assert frame.units_then("shire", 2019).tolist()[:2] == ["Old North", "Old North"]
    assert frame.units_then("shire", 2009).tolist() == ["West", "Old North", *["West"] * 4]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"level": "county", "of": (A,)}, r"former_units\.0\.level: there is no level 'county'"),
        ({"level": "shire", "of": ("East",)}, r"'East' is no area's code and no unit's name"),
    ],
)
def test_a_wrong_former_unit_is_named(told, said):
    with pytest.raises(InputError, match=said):
        former_units_of([FormerUnit(was="X", before=2000, **told)], table())


def test_rates_are_per_the_people_of_their_year(tmp_path, squares):
    """In 2010 A had 300, of whom the third that lives in B's new land counts there."""
    (tmp_path / "p.csv").write_text("code,people\na0,300\na1,75\na2,300\n")
    moves = transfers_of([moved(A, B, 2020, 50)], table())
    census = Census(file="p.csv", code="code", population="people", year=2010)
    codes = pd.DataFrame({"code": [i.upper() for i in IDS], "area_id": IDS, "vintage": "x"})
    read = read_censuses(
        [census], 2020, table()["population"], moves, Crosswalk(codes, pd.Index([])), [tmp_path]
    )
    frame = replace(squares, table=table(), censuses=read)
    assert frame.population_in(2010)[[A, B, C]].tolist() == pytest.approx([200, 175, 300])
    assert frame.population_in(2000)[A] == pytest.approx(200)
    assert frame.population_in(2015)[A] == pytest.approx((200 * 100) ** 0.5)
    assert frame.population_in(2015)["a5"] == pytest.approx(600)
    assert replace(frame, censuses=squares.censuses).population_in(2010)[A] == 100

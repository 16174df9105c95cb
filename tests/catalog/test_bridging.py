"""Tables of an earlier year on the areas of now: nothing is lost, nothing is made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.areas.history import shares_then
from smallarea.catalog.bridging import NO_ORIGIN, bridged, bridged_flows, undivided
from smallarea.reading.column import Column

IDS = [f"a{n}" for n in range(5)]
A, B, C, D, E = IDS
COLUMNS = {
    "n": Column(type="integer"),
    "rate": Column(min=0),
    "word": Column(type="text"),
}


def shares(pairs, population=(100, 200, 300, 400, 500)) -> pd.DataFrame:
    moves = pd.DataFrame(pairs, columns=["origin", "area_id", "people"]).assign(before=2020)
    people = pd.Series(population, index=pd.Index(IDS, name="area_id"))
    return shares_then(people, moves, 2010)


def rows(**columns) -> pd.DataFrame:
    told = {"area_id": IDS, "n": 1.0, "rate": 0.0, "word": "x"} | columns
    return pd.DataFrame(told, columns=["area_id", *COLUMNS])


def test_counts_are_divided_and_rates_are_weighted():
    """Half of B's 200 people live on land that was A's, whose other people are its own 100."""
    old = rows(area_id=[A, B, C], n=[60.0, 10.0, 7.0], rate=[0.4, 0.2, 0.1], word=["p", "q", "r"])
    now, missing = bridged(old, shares([(A, B, 100)]), COLUMNS)
    now = now.set_index("area_id")
    assert missing == {}
    assert now["n"].to_dict() == pytest.approx({A: 30, B: 40, C: 7})
    assert now["rate"].to_dict() == pytest.approx({A: 0.4, B: 0.3, C: 0.1})
    assert now["word"].fillna("").to_dict() == {A: "p", B: "", C: "r"}


def test_an_area_made_of_others_gets_its_part_and_what_is_unknown_stays_so():
    parts = shares([(A, C, 120), (B, C, 180)])
    now, missing = bridged(rows(area_id=[A, B, D], n=[11.0, 38.0, 5.0]), parts, COLUMNS)
    assert now.set_index("area_id")["n"].to_dict() == pytest.approx({A: 5, B: 20, C: 24, D: 5})
    now, missing = bridged(rows(area_id=[A, D], n=[11.0, 5.0]), parts, COLUMNS)
    assert now.set_index("area_id")["n"].dropna().to_dict() == pytest.approx({A: 5, D: 5})
    assert missing == {C: NO_ORIGIN}
    hidden, missing = bridged(rows(area_id=[A, B], n=[np.nan, 38.0]), parts, COLUMNS)
    assert hidden.set_index("area_id")["n"].dropna().to_dict() == pytest.approx({B: 20})
    assert missing == {}


def test_a_file_with_a_row_for_the_new_area_is_on_the_areas_of_now():
    parts = shares([(A, C, 300)])
    old = rows(area_id=[A, B, C], n=[11.0, 38.0, 5.0])
    now, _ = bridged(old, parts, COLUMNS)
    pd.testing.assert_frame_equal(now, old)


@given(
    st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS), st.floats(0.05, 1)), max_size=6),
    st.lists(st.floats(0, 1e9), min_size=10, max_size=10),
    st.sets(st.sampled_from([C, D, E])),
)
def test_totals_are_kept(pairs, numbers, absent):
    """Over two years and any transfers, if every origin has a row."""
    people = dict(zip(IDS, (100, 200, 300, 400, 500), strict=True))
    parts = shares([(o, t, f * people[t] / 6) for o, t, f in pairs if o != t])
    absent = absent - set(parts["origin"])
    old = pd.concat(
        rows(n=numbers[5 * k : 5 * k + 5], rate=numbers[:5]).assign(year=str(k)) for k in (0, 1)
    )
    old = old[~old["area_id"].isin(absent)]
    columns = COLUMNS | {"year": Column(type="text")}
    now, missing = bridged(old, parts, columns, ["year"])
    assert missing == {}
    sums = [table.groupby("year")["n"].sum() for table in (old, now)]
    assert sums[1].to_numpy() == pytest.approx(sums[0].to_numpy(), rel=1e-9, abs=1e-9)
    assert not now.duplicated(["area_id", "year"]).any()
    low, high = old["rate"].min(), old["rate"].max()
    assert now["rate"].dropna().between(low * (1 - 1e-9), high * (1 + 1e-9)).all()
    pairs_of = pd.DataFrame({"origin": IDS, "destination": IDS[::-1], "n": numbers[:5]})
    flows, _ = bridged_flows(pairs_of, parts, {"n": COLUMNS["n"]})
    assert flows["n"].sum() == pytest.approx(sum(numbers[:5]), rel=1e-9, abs=1e-9)


def test_flows_are_divided_at_both_ends_and_rates_of_them_are_not():
    flows = pd.DataFrame(
        {"origin": [A, C, A, C], "destination": [C, A, A, C], "n": [8, np.nan, 4, 2], "km": 3.0}
    )
    columns = {"n": COLUMNS["n"], "km": Column()}
    now, _ = bridged_flows(flows, shares([(A, B, 100)]), columns)
    now = now.set_index(["origin", "destination"])
    assert now["n"].dropna().to_dict() == {
        (C, C): 2, (A, C): 4, (B, C): 4, (A, A): 1, (A, B): 1, (B, A): 1, (B, B): 1
    }  # fmt: skip
    assert now["km"].dropna().to_dict() == {(C, C): 3}


def test_rows_that_are_things_are_not_divided():
    kept, missing = undivided(rows(area_id=[A, A, B, C]), shares([(A, B, 100)]))
    assert kept["area_id"].tolist() == [C]
    assert set(missing) == {A, B}

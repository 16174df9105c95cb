"""What a place rests on: sums that hold, streams that must not be told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from study import COMPONENTS, INDICATORS

from smallarea.publish.basis import STEPS, basis_table, closed_streams

IDS = [f"a{i}" for i in range(6)]
UNIT = pd.Series(["u0"] * 3 + ["u1"] * 3, IDS)


def made(seed: int, place: pd.Series | None = None, lumped=(), none=False) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [["trees", "smooth"], COMPONENTS, IDS], names=["model", "component", "area_id"]
    )
    columns = ["roads", "phones", "together", "space"]
    parts = pd.DataFrame(rng.normal(0, 0.3, (len(index), 4)), index, columns)
    parts = parts.iloc[:0, :0] if none else parts
    coords = {"component": list(COMPONENTS), "area_id": IDS}
    before = xr.DataArray(
        np.exp(rng.normal(-5, 0.5, (4, 6, 50))), coords, ("component", "area_id", "draw")
    )
    sizes = xr.DataArray(rng.uniform(1e3, 1e5, (4, 6)), coords, ("component", "area_id"))
    sizes[:] = sizes[0]
    places = IDS if place is None else sorted(set(place))
    rates = [
        {"area_id": p, "indicator": f"{t}_rate", "q50": rng.lognormal(1, 1)}
        for t in INDICATORS.totals
        for p in places
    ]
    estimates = pd.DataFrame(rates)
    estimates.loc[0, "q50"] = np.nan  # withheld
    return basis_table(parts, before, estimates, sizes, INDICATORS, place=place, lumped=lumped)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), units=st.booleans())
def test_parts_pooling_and_agreement_make_the_number(seed, units):
    table = made(seed, UNIT if units else None)
    assert table["effect"].dtype.kind == "i"
    for _, own in table.groupby(["area_id", "indicator"]):
        parts = own[own["model"] != ""]
        steps = own[own["model"] == ""].set_index("part")["effect"]
        assert list(steps.index) == list(STEPS)
        mean = parts.groupby("model")["effect"].sum().mean()
        assert abs(round(mean) + steps["pooling"] + steps["agreement"] - steps["number"]) <= 1


def test_models_that_cannot_be_taken_apart_leave_all_to_pooling():
    table = made(6, none=True)
    assert set(table["part"]) == set(STEPS)
    steps = table.pivot_table("effect", ["area_id", "indicator"], "part")
    assert (steps["pooling"] + steps["agreement"] == steps["number"]).all()


def test_a_withheld_place_has_no_row():
    table = made(1)
    first = INDICATORS.totals[0]
    assert "a0" not in set(table.loc[table["indicator"] == first, "area_id"])
    assert "a0" in set(table.loc[table["indicator"] != first, "area_id"])


def test_lumped_streams_cannot_be_told_apart():
    plain, lumped = made(2), made(2, lumped=["phones"])
    assert "phones" in set(plain["part"])
    assert "phones" not in set(lumped["part"])

    def sums(table: pd.DataFrame) -> pd.Series:
        return (
            table[table["model"] != ""].groupby(["area_id", "indicator", "model"])["effect"].sum()
        )

    assert (sums(plain) - sums(lumped)).abs().max() <= 2  # rounding


def test_streams_of_sources_not_known_to_be_open_are_closed():
    info = pd.DataFrame(
        {"stream": ["a", "b", "c", "d"], "source": ["roads", "roads, calls", "gone", "frame"]}
    )
    access = {"roads": "open", "calls": "agreement", "frame": "open"}
    assert closed_streams(info, access) == {"b", "c"}


def test_a_units_parts_are_means_weighted_by_cases():
    areas, units = made(3), made(3, UNIT)
    total = INDICATORS.totals[1]

    def of(table: pd.DataFrame, part: str) -> pd.Series:
        rows = (table["indicator"] == total) & (table["model"] == "trees") & (table["part"] == part)
        return table[rows].set_index("area_id")["effect"]

    for part in ("roads", "space"):
        for unit, members in UNIT.groupby(UNIT).groups.items():
            inside = of(areas, part).loc[members]
            assert inside.min() - 1 <= of(units, part).loc[unit] <= inside.max() + 1


@pytest.mark.parametrize("place", [None, UNIT])
def test_effects_are_over_a_typical_place(place):
    table = made(4, place)
    numbers = table[(table["part"] == "number") & (table["indicator"] == INDICATORS.totals[1])]
    assert abs(numbers["effect"].median()) <= 1

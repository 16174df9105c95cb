"""Positions: which are believed, and where the others go. Toy registers of one province."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smallarea.areas.places import APPROXIMATE, place
from smallarea.errors import InputError


def register(*rows: tuple[str, str, float, float], origin: dict[str, str] | None = None):
    """Return units (area, how its position was found, lon, lat), and their areas' province."""
    psus = pd.DataFrame(rows, columns=["area_id", "placed_by", "lon", "lat"])
    psus.index = pd.Index([f"u{i}" for i in range(len(psus))], name="psu_id")
    psus["area_km2"] = 1.0
    psus["origin"] = psus["area_id"].replace(origin or {})
    province = pd.Series("P", index=psus["area_id"].unique())
    return psus, province


def test_verified_positions_stay() -> None:
    psus, province = register(("A", "name", 1, 1), ("A", "code", 2, 1), ("B", "code", 5, 5))
    placed = place(psus, province, {})
    assert placed["note"].eq("").all()
    pd.testing.assert_frame_equal(placed[["lon", "lat"]], psus[["lon", "lat"]])


def test_unverified_unit_goes_to_the_middle_of_its_area() -> None:
    psus, province = register(
        ("A", "name", 1, 1), ("A", "name", 2, 1), ("A", "name", 3, 1), ("A", "unverified", 90, 9)
    )
    placed = place(psus, province, {})
    assert placed["note"].tolist() == ["", "", "", APPROXIMATE]
    assert placed.loc["u3", ["lon", "lat"]].tolist() == [2, 1]
    assert np.isnan(placed.loc["u3", "area_km2"])


def test_numbers_that_meant_other_areas_are_not_believed() -> None:
    # A's second unit sits, by its code, on a place that B has by name: so codes mean other areas
    # here, and A's third, contested by nobody, is not believed either.
    psus, province = register(
        ("A", "name", 1, 1), ("A", "code", 5, 5), ("A", "code", 6, 6), ("B", "name", 5, 5)
    )
    placed = place(psus, province, {})
    assert placed["note"].tolist() == ["", APPROXIMATE, APPROXIMATE, ""]
    assert (placed.loc[["u1", "u2"], ["lon", "lat"]] == 1).all(axis=None)


def test_two_units_of_one_area_may_share_a_place() -> None:
    psus, province = register(("A", "name", 1, 1), ("A", "code", 1, 1))
    assert place(psus, province, {})["note"].eq("").all()


def test_codes_are_believed_where_an_area_has_nothing_else() -> None:
    psus, province = register(
        ("A", "name", 1, 1), ("A", "code", 5, 5), ("B", "name", 5, 5), ("C", "code", 9, 9)
    )
    assert place(psus, province, {})["note"].tolist() == ["", APPROXIMATE, "", ""]


def test_declared_position_overrules_the_register() -> None:
    psus, province = register(("A", "code", 1, 1), ("B", "name", 5, 5))
    placed = place(psus, province, {"A": (7.0, 8.0)})
    assert placed.loc["u0", ["lon", "lat"]].tolist() == [7, 8]
    assert placed.loc["u0", "note"] == APPROXIMATE


def test_new_area_lies_amid_the_areas_it_was_carved_out_of() -> None:
    psus, province = register(
        ("A", "name", 0, 0),
        ("A", "name", 2, 2),
        ("N", "unverified", 50, 50),
        origin={"N": "A"},
    )
    placed = place(psus, province, {})
    assert placed.loc["u2", ["lon", "lat"]].tolist() == [1, 1]


def test_new_areas_of_one_origin_do_not_fall_on_one_spot() -> None:
    psus, province = register(
        ("A", "name", 0, 0),
        ("A", "name", 2, 2),
        *((f"N{i}", "unverified", 50.0, 50.0) for i in range(3)),
        origin={f"N{i}": "A" for i in range(3)},
    )
    new = place(psus, province, {}).iloc[2:]
    assert not new.duplicated(["lon", "lat"]).any()
    assert new[["lon", "lat"]].sub(1).abs().max(axis=None) < 1


def test_area_without_any_position_is_named() -> None:
    psus, province = register(("A", "unverified", 0, 0), ("B", "name", 1, 1))
    with pytest.raises(InputError, match=r"without any believable position \(1\): A"):
        place(psus, province, {})

"""Where units go whose position is not verified. Toy registers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smallarea.areas.registers.places import APPROXIMATE, place
from smallarea.errors import InputError


def register(
    *rows: tuple[str, bool, float, float], origin: dict[str, str] | None = None
) -> pd.DataFrame:
    """Return units (area, verified, lon, lat), and the areas that new areas came from."""
    psus = pd.DataFrame(rows, columns=["area_id", "verified", "lon", "lat"])
    psus.index = pd.Index([f"u{i}" for i in range(len(psus))], name="psu_id")
    psus["area_km2"] = 1.0
    psus["origin"] = psus["area_id"].replace(origin or {})
    return psus


def test_verified_positions_stay() -> None:
    psus = register(("A", True, 1, 1), ("A", True, 2, 1), ("B", True, 5, 5))
    placed = place(psus)
    assert placed["note"].eq("").all()
    pd.testing.assert_frame_equal(placed[["lon", "lat"]], psus[["lon", "lat"]])


def test_unverified_unit_goes_to_the_middle_of_its_area() -> None:
    psus = register(("A", True, 1, 1), ("A", True, 2, 1), ("A", True, 3, 1), ("A", False, 90, 9))
    placed = place(psus)
    assert placed["note"].tolist() == ["", "", "", APPROXIMATE]
    assert placed.loc["u3", ["lon", "lat"]].tolist() == [2, 1]
    assert np.isnan(placed.loc["u3", "area_km2"])


def test_new_area_lies_amid_the_areas_it_was_carved_out_of() -> None:
    psus = register(("A", True, 0, 0), ("A", True, 2, 2), ("N", False, 50, 50), origin={"N": "A"})
    assert place(psus).loc["u2", ["lon", "lat"]].tolist() == [1, 1]


def test_new_areas_of_one_origin_do_not_fall_on_one_spot() -> None:
    psus = register(
        ("A", True, 0, 0),
        ("A", True, 2, 2),
        *((f"N{i}", False, 50.0, 50.0) for i in range(3)),
        origin={f"N{i}": "A" for i in range(3)},
    )
    new = place(psus).iloc[2:]
    assert not new.duplicated(["lon", "lat"]).any()
    assert new[["lon", "lat"]].sub(1).abs().max(axis=None) < 1


def test_area_without_any_position_is_named() -> None:
    psus = register(("A", False, 0, 0), ("B", True, 1, 1))
    with pytest.raises(InputError, match=r"without any verified position \(1\): A"):
        place(psus)

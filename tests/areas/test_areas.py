"""The embedded frame: one row per area, every code of it, one connected map."""

from __future__ import annotations

import pandas as pd

from smallarea.areas import Frame


def test_frame_holds_every_city_and_municipality_once(frame: Frame) -> None:
    assert len(frame.table) == 1642
    assert frame.table.index.is_unique
    assert frame.table.index.is_monotonic_increasing
    assert frame.table["level"].value_counts().to_dict() == {"municipality": 1493, "city": 149}
    assert not frame.table.isna().any(axis=None)
    assert frame.geometry.index.equals(frame.table.index)


def test_sub_municipalities_are_folded_into_their_city(frame: Frame) -> None:
    districts = pd.Series(["1380601000", "1380614000", "133901000"])
    assert frame.match(districts, where="test").eq("1380600000").all()
    assert frame.table.loc["1380600000", "population"] == 1_902_590

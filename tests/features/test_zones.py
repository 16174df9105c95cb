"""Commuting zones, distances to lines, means over people: against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from smallarea.features import flows, lines, points

A, B, C, D, E, F = (f"01{p:03d}{n:02d}000" for p in (1, 2) for n in (1, 2, 3))


def trips(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["origin", "destination", "trips"])


def test_an_area_whose_people_leave_joins_where_they_go(squares):
    moves = [(A, A, 90), (A, B, 10), (B, A, 80), (B, B, 20), (C, C, 50), (C, D, 50), (D, D, 99)]
    zone = flows.zones(trips(moves), squares, "trips", least=0.6)
    assert zone[[A, B, C, D]].tolist() == [A, A, C, C]
    assert zone[[E, F]].isna().all()  # the file never names them
    apart = flows.zones(trips(moves), squares, "trips", least=0.1)
    assert apart[[A, B, C, D]].tolist() == [A, B, C, D]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=36, max_size=36), st.floats(0.1, 0.9))
def test_zones_keep_what_is_asked_or_have_nowhere_to_go(squares, sizes, least):
    ids = squares.table.index
    pairs = [(o, d) for o in ids for d in ids]
    moves = trips([(o, d, n) for (o, d), n in zip(pairs, sizes, strict=True)])
    zone = flows.zones(moves, squares, "trips", least=least)
    assert (zone.groupby(zone).transform(lambda z: min(z.index)) == zone).all()
    at, to = moves["origin"].map(zone), moves["destination"].map(zone)
    sent = moves.groupby(at)["trips"].sum()
    kept = moves[at == to].groupby(at)["trips"].sum().reindex(sent.index, fill_value=0)
    linked = moves[(at != to) & (moves["trips"] > 0)]
    tied = set(linked["origin"].map(zone)) | set(linked["destination"].map(zone))
    short = sent.index[(sent > 0) & (kept < least * sent - 1e-9)]
    assert not tied & set(short)


def test_the_nearest_road_is_measured_on_the_ellipsoid(squares):
    north = gpd.GeoDataFrame(geometry=[shapely.LineString([(121, 9), (121, 12)])], crs=4326)
    km = lines.nearest_km(north, squares)
    centre = squares.table.loc[A, ["lon", "lat"]].astype(float)
    latitudes = np.linspace(9.9, 10.2, 30001)
    n = len(latitudes)
    _, _, metres = Geod(ellps="WGS84").inv(
        np.full(n, centre["lon"]), np.full(n, centre["lat"]), np.full(n, 121.0), latitudes
    )
    assert km[A] == pytest.approx(metres.min() / 1000, rel=1e-4)
    assert lines.nearest_km(north.iloc[:0], squares).isna().all()
    through = shapely.LineString([centre - 0.01, centre + 0.01])
    here = gpd.GeoDataFrame(geometry=[through], crs=4326)
    assert lines.nearest_km(here, squares)[A] == pytest.approx(0, abs=1e-6)


def test_people_count_at_the_point_nearest_to_them(squares):
    units = pd.DataFrame(
        {"area_id": [A, A, B], "population": [100, 300, 50], "lon": [120.01, 120.09, 120.15],
         "lat": [10.01, 10.09, 10.05]}
    )  # fmt: skip
    grid = pd.DataFrame(
        {"area_id": A, "lon": [120.02, 120.09, 120.1], "lat": [10.01, 10.08, 10.09],
         "value": [1.0, 5.0, np.nan]}
    )  # fmt: skip
    found = points.mean_of_people(grid, replace(squares, psus=units), "value")
    assert found[[A, B]].tolist() == [(100 * 1 + 300 * 5) / 400, 5]
    assert found[[C, D]].isna().all()
    none = grid.iloc[:0]
    assert points.mean_of_people(none, replace(squares, psus=units), "value").isna().all()
    assert points.mean_of_people(grid, squares, "value").isna().all()

"""Operators on points, lines, tables and flows, against figures worked out by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from smallarea.errors import InputError
from smallarea.features import flows, lines, points, tables
from smallarea.features.lines import geodesic_km

A, B, C, D, E, F = (f"01{p:03d}{n:02d}000" for p in (1, 2) for n in (1, 2, 3))


def places(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["area_id", "lon", "lat", "value"])


def test_points_are_counted_and_averaged(squares):
    found = places([(A, 120.01, 10.01, 1.0), (A, 120.02, 10.02, 3.0), (B, 120.15, 10.05, np.nan)])
    assert points.count(found, squares).tolist() == [2, 1, 0, 0, 0, 0]
    assert points.mean(found, squares, "value").tolist()[0] == 2
    assert points.mean(found, squares, "value").isna().tolist() == [False] + [True] * 5
    assert points.total(found, squares, "value").tolist()[::2] == [4, 0, 0]
    assert np.isnan(points.total(found, squares, "value").iloc[1])


def test_distances_are_great_circles(squares):
    centre = places([(A, 120.05, 10.05, 0.0)])
    nearest = points.nearest_km(centre, squares)
    _, _, metres = Geod(a=6371008.8, b=6371008.8).inv(120.05, 10.05, 120.25, 10.15)
    assert nearest[A] == pytest.approx(0, abs=1e-6)
    assert nearest[F] == pytest.approx(metres / 1000, rel=1e-9)
    assert points.nearest_km(centre.iloc[:0], squares).isna().all()


def test_density_falls_with_distance_and_stops(squares):
    two = places([(A, 120.05, 10.05, 0.0), (B, 120.15, 10.05, 0.0)])
    km = points.nearest_km(two.iloc[:1], squares)
    within = points.density(two, squares, within_km=16)
    assert within[A] == pytest.approx(1 + 1 / km[B], rel=1e-9)
    assert within[F] == pytest.approx(1 / points.nearest_km(two.iloc[1:], squares)[F], rel=1e-9)
    assert points.density(two, squares, within_km=1)[C] == 0
    assert points.density(two.iloc[:0], squares).eq(0).all()


def test_roads_are_cut_at_boundaries(squares):
    across = shapely.LineString([(120.05, 10.05), (120.25, 10.05)])
    inside = shapely.LineString([(120.22, 10.12), (120.28, 10.18)])
    off = shapely.LineString([(120.05, 10.15), (119.95, 10.15)])
    roads = gpd.GeoDataFrame(
        {"fclass": ["primary", "tertiary", "primary"]}, geometry=[across, inside, off], crs=4326
    )
    km = lines.length_km(roads, squares, by="fclass")
    parallel = Geod(ellps="WGS84").inv(120.1, 10.05, 120.2, 10.05)[2] / 1000
    assert km["primary"].tolist()[:3] == pytest.approx(
        [parallel / 2, parallel, parallel / 2], rel=1e-6
    )
    assert km.loc[F].tolist() == pytest.approx([0, geodesic_km(np.array([inside]))[0]])
    assert km.loc[D, "primary"] == pytest.approx(parallel / 2, rel=1e-3)
    assert lines.length_km(roads, squares)["total"].to_numpy() == pytest.approx(km.sum(axis=1))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(120.0, 120.3), st.floats(10.0, 10.2)),
        min_size=2,
        max_size=6,
        unique=True,
    )
)
def test_no_road_is_lost_or_counted_twice(squares, places):
    road = shapely.LineString(places)
    assume(road.is_simple)  # ground that a line covers twice is one road
    km = lines.length_km(gpd.GeoDataFrame(geometry=[road], crs=4326), squares)["total"].sum()
    assert km == pytest.approx(geodesic_km(np.array([road]))[0], rel=1e-5, abs=1e-6)


def test_geodesic_length_matches_pyproj_geometry_by_geometry():
    shapes = [
        shapely.LineString([(120, 10), (120.1, 10.2), (121, 10)]),
        shapely.MultiLineString([[(0, 0), (1, 1)], [(5, 5), (5, 6)]]),
        shapely.Point(1, 1),
    ]
    expected = [Geod(ellps="WGS84").geometry_length(s) / 1000 for s in shapes]
    assert geodesic_km(np.array(shapes)) == pytest.approx(expected, rel=1e-12)


def test_tables_align_and_take_the_newest_year(squares):
    table = pd.DataFrame({"area_id": [B, B, C], "year": [1, 2, 1], "rate": [1.0, 2.0, 3.0]})
    assert tables.latest(table, squares)["rate"].tolist()[1] == 2
    assert tables.latest(table, squares)["rate"].isna().sum() == 5
    with pytest.raises(InputError, match=f"area {B} has several rows"):
        tables.align(table, squares)


def test_regions_hand_down_their_row(squares):
    regions = pd.DataFrame({"region_id": ["0200000000"], "share": [0.5]})
    shares = tables.join_down(regions, squares)["share"]
    assert shares.isna().tolist() == [True] * 3 + [False] * 3
    provinces = pd.DataFrame({"province_id": ["0100100000"], "share": [0.25]})
    assert tables.join_down(provinces, squares)["share"].dropna().index.tolist() == [A, B, C]


def test_rates_are_undefined_rather_than_infinite(squares):
    counts = pd.Series({A: 5.0, F: 6.0})
    assert tables.per_capita(counts, squares)[[A, F]].tolist() == [5, 1]
    assert tables.per_capita(counts, squares, 1, of="children")[A] == 5 / 400
    ratio = tables.ratio(pd.Series([1.0, 0.0, 1.0]), pd.Series([0.0, 0.0, 2.0]))
    assert ratio.isna().tolist() == [True, True, False]
    growth = tables.growth(pd.Series([np.e, 0.0]), pd.Series([1.0, 1.0]), years=2)
    assert growth.iloc[0] == pytest.approx(0.5)
    assert np.isnan(growth.iloc[1])


def test_a_year_from_its_months(squares):
    months = pd.DataFrame(
        {
            "area_id": [A] * 3 + [B] * 2,
            "month": ["1", "2", "3", "1", "2"],
            "n": [1.0, 2.0, 3.0, 4.0, np.nan],
        }
    )
    assert tables.annual(months, squares, "mean", least=2)["n"].dropna().to_dict() == {A: 2}
    assert tables.annual(months, squares, "mean", least=1)["n"].dropna().to_dict() == {A: 2, B: 4}
    assert tables.annual(months, squares, "sum", least=3)["n"].dropna().to_dict() == {A: 6}
    assert tables.annual(months, squares, "cv", least=3)["n"][A] == pytest.approx(0.5)
    with pytest.raises(InputError, match="'median'"):
        tables.annual(months, squares, "median", least=1)


def trips(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["origin", "destination", "trips"])


def test_flows_in_out_and_within(squares):
    balance = flows.balance(trips([(A, A, 6), (A, B, 2), (B, A, 1), (C, A, 3)]), squares, "trips")
    assert balance.loc[A, ["outflow", "inflow", "within"]].tolist() == [2, 4, 6]
    assert balance.loc[A, "self_containment"] == pytest.approx(0.75)
    assert balance.loc[A, "net_inflow"] == pytest.approx(1 / 3)
    assert balance.loc[B, "self_containment"] == 0
    assert balance.loc[[D, E, F]].isna().to_numpy().all()


def test_centrality_is_the_stationary_visit_rate(squares):
    found = trips([(A, B, 1), (B, C, 2), (C, A, 1), (C, B, 1), (A, A, 9), (D, A, 5)])
    rank = flows.centrality(found, squares, "trips").to_numpy() / 6
    ids = squares.table.index
    step = np.full((6, 6), 1 / 6)
    for origin in (A, B, C, D):
        sent = found[(found["origin"] == origin) & (found["destination"] != origin)]
        row = np.zeros(6)
        row[ids.get_indexer(sent["destination"])] = sent["trips"] / sent["trips"].sum()
        step[ids.get_loc(origin)] = row
    assert rank @ (0.85 * step + 0.15 / 6) == pytest.approx(rank, abs=1e-10)
    assert rank.sum() == pytest.approx(1)
    with pytest.raises(InputError, match="no flow"):
        flows.centrality(trips([(A, A, 1)]), squares, "trips")


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(8)))
def test_the_order_of_rows_is_irrelevant(squares, order):
    rows = trips(
        [
            (o, d, n + 1)
            for n, (o, d) in enumerate(zip([A, B, C, D] * 2, [B, C, A, A, D, F, E, B], strict=True))
        ]
    )
    again = rows.iloc[list(order)]
    pd.testing.assert_frame_equal(
        flows.balance(rows, squares, "trips"), flows.balance(again, squares, "trips")
    )

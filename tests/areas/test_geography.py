"""Polygons from points, and the graph of neighbours, on small inventions."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from shapely import MultiPolygon, Polygon, box

from smallarea.areas.geography import neighbours, repaired, voronoi_polygons
from smallarea.areas.spec import Coast

UTM = "EPSG:32651"


def units(lon: list[float], lat: list[float], area_id: list[str], km2: float) -> pd.DataFrame:
    return pd.DataFrame({"area_id": area_id, "lon": lon, "lat": lat, "area_km2": km2})


def grid(n: int, size: float = 0.01) -> tuple[list[float], list[float]]:
    east, north = np.meshgrid(np.arange(n), np.arange(n))
    return (122 + size * east.ravel()).tolist(), (10 + size * north.ravel()).tolist()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_polygons_hold_their_points_and_do_not_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(122, 122.3, 60), rng.uniform(10, 10.3, 60)
    points = units(lon.tolist(), lat.tolist(), rng.choice(list("ABCDE"), 60).tolist(), 4)
    shapes = voronoi_polygons(points, UTM, Coast())
    assert shapes.index.tolist() == sorted(set(points["area_id"]))
    own = shapes.loc[points["area_id"]].to_numpy()
    assert shapely.contains_xy(own, points["lon"], points["lat"]).all()
    assert shapes.is_valid.all()
    together = shapely.union_all(shapes.to_numpy())
    np.testing.assert_allclose(shapely.area(shapes.to_numpy()).sum(), together.area)


def test_land_has_no_holes_but_declared_lakes() -> None:
    lon, lat = grid(9)
    ring = [max(abs(i % 9 - 4), abs(i // 9 - 4)) >= 3 for i in range(81)]
    lon = [x for x, keep in zip(lon, ring, strict=True) if keep]
    lat = [y for y, keep in zip(lat, ring, strict=True) if keep]
    points = units(lon, lat, ["A" if x < 122.04 else "B" for x in lon], 1)
    middle = shapely.Point(122.04, 10.04)
    dry = voronoi_polygons(points, UTM, Coast())
    wet = voronoi_polygons(points, UTM, Coast(lakes={"Lake": (122.04, 10.04)}))
    assert shapely.union_all(dry.to_numpy()).contains(middle)
    assert not shapely.union_all(wet.to_numpy()).intersects(middle)


def test_coast_is_drawn_tightly_around_small_units() -> None:
    for km2 in (0.1, 3.0, 50.0):
        shape = voronoi_polygons(units([122.0, 123.0], [10.0, 10.0], ["A", "B"], km2), UTM, Coast())
        area = shape.to_crs("EPSG:6933").area / 1e6
        reach = max(0.5, 1.2 * (km2 / np.pi) ** 0.5)
        np.testing.assert_allclose(area, np.pi * reach**2, rtol=0.05)


def test_islands_stay_islands() -> None:
    points = units([122.0, 122.1], [10.0, 10.0], ["A", "A"], 1)
    assert isinstance(voronoi_polygons(points, UTM, Coast()).iloc[0], MultiPolygon)


def links(shapes: list[Polygon], contiguity_m: float = 100) -> np.ndarray:
    geometry = gpd.GeoSeries(shapes, crs="EPSG:4326")
    return neighbours(geometry, UTM, contiguity_m).toarray()


def test_overlap_sliver_and_gap_do_not_change_who_is_a_neighbour() -> None:
    for east in (122.0999, 122.1, 122.1001):  # 11 m of overlap, none, 11 m of gap
        matrix = links([box(122, 10, 122.1, 10.1), box(east, 10, 122.2, 10.1)])
        np.testing.assert_array_equal(matrix, [[0, 1], [1, 0]])


def test_island_joins_its_nearest_area_only() -> None:
    mainland = [box(122, 10, 122.1, 10.1), box(122.1, 10, 122.2, 10.1), box(122.2, 10, 122.3, 10.1)]
    matrix = links([*mainland, box(122.4, 10, 122.5, 10.1)])
    np.testing.assert_array_equal(matrix[3], [0, 0, 1, 0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_graph_is_connected_and_symmetric(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    west, south = rng.uniform(120, 125, size), rng.uniform(5, 10, size)
    matrix = links([box(w, s, w + 0.3, s + 0.3) for w, s in zip(west, south, strict=True)])
    np.testing.assert_array_equal(matrix, matrix.T)
    assert connected_components(matrix, directed=False)[0] == 1
    assert np.diag(matrix).sum() == 0


def test_repair_keeps_only_what_has_an_area() -> None:
    bow = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    mended = repaired(bow)
    assert mended.is_valid
    assert mended.area == 2
    spike = Polygon([(0, 0), (1, 0), (1, 1), (1, 5), (1, 1), (0, 1)])
    assert repaired(spike).equals(box(0, 0, 1, 1))

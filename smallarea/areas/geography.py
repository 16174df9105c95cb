"""Polygons and neighbours: read from a file, or built from the points of a register."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely import Geometry

from smallarea.areas.spec import Coast

WGS84 = "EPSG:4326"
TILE = 100_000.0  # metres, within which areas are clipped together


def voronoi_polygons(points: pd.DataFrame, crs: str, coast: Coast) -> gpd.GeoSeries:
    """Return one polygon per area: its points' Voronoi cells, up to the coast.

    Land is what lies near enough to some point. How near depends on the area of the point's own
    unit: a city's coast is drawn tightly, a wilderness's generously. Holes in the land are filled,
    but for declared lakes.

    Parameters
    ----------
    points : area_id, lon, lat, area_km2 (NaN: the median of its area's units, else of all).
    crs : a projection in metres.

    Returns
    -------
    Index area_id (sorted), EPSG:4326.
    """
    points = points.drop_duplicates(["lon", "lat"])
    xy = gpd.GeoSeries.from_xy(points["lon"], points["lat"], crs=WGS84).to_crs(crs)
    spots = xy.to_numpy()
    frame = shapely.box(*xy.total_bounds).buffer(50_000)
    cells = shapely.voronoi_polygons(shapely.multipoints(spots), extend_to=frame, ordered=True)
    cells = shapely.get_parts(cells)
    own = points.reset_index(drop=True).groupby("area_id").indices
    dissolved = [shapely.coverage_union_all(cells[rows]) for rows in own.values()]
    areas = gpd.GeoSeries(dissolved, index=list(own), crs=crs)
    lakes = np.array(list(coast.lakes.values())).reshape(-1, 2)
    lakes = gpd.GeoSeries.from_xy(*lakes.T, crs=WGS84).to_crs(crs).to_numpy()
    land = _land(spots, _reach(points, coast), lakes, 1000 * coast.smooth_km)
    clipped = _clipped(areas.to_numpy(), land)
    return gpd.GeoSeries(clipped, index=areas.index.rename("area_id"), crs=crs).to_crs(WGS84)


def _clipped(areas: np.ndarray, land: Geometry) -> np.ndarray:
    """Return what of each area is land.

    Clipping to a rectangle is cheap and leaves the costly intersection only local land to meet:
    first to the rectangle of areas that lie together, then to each one's own.
    """
    middle = shapely.get_coordinates(shapely.centroid(areas))
    tile = pd.DataFrame(np.floor(middle / TILE))
    made = np.empty(len(areas), dtype=object)
    for rows in tile.groupby([0, 1]).indices.values():
        nearby = shapely.clip_by_rect(land, *shapely.total_bounds(areas[rows]))
        for row in rows:
            local = shapely.clip_by_rect(nearby, *areas[row].bounds)
            made[row] = areas[row].intersection(local)
    return made


def _reach(points: pd.DataFrame, coast: Coast) -> np.ndarray:
    """Return how far land goes from each point, in metres."""
    size = points["area_km2"].where(points["area_km2"] > 0)
    size = size.fillna(size.groupby(points["area_id"]).transform("median")).fillna(size.median())
    radius = coast.reach * np.sqrt(size / np.pi)
    return 1000 * radius.clip(coast.nearest_km, coast.farthest_km).to_numpy()


def _land(spots: np.ndarray, reach: np.ndarray, lakes: np.ndarray, smooth: float) -> Geometry:
    """Return the union of discs, without gaps narrower than twice `smooth` or holes but lakes."""
    # Wider discs are the discs widened: one union, and of fewer outlines.
    wide = shapely.union_all(shapely.buffer(spots, reach + smooth, quad_segs=6))
    closed = wide.buffer(-smooth, quad_segs=4)
    lake = shapely.multipoints(lakes)
    filled = [
        shapely.Polygon(
            part.exterior,
            [hole for hole in part.interiors if shapely.Polygon(hole).intersects(lake)],
        )
        for part in shapely.get_parts(closed)
    ]
    return shapely.union_all(filled)


def repaired(polygon: Geometry) -> Geometry:
    """Return a valid polygon or multipolygon; stray lines and points left by the repair go."""
    valid = shapely.make_valid(polygon)
    parts = shapely.get_parts(shapely.get_parts(np.atleast_1d(valid)))
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def neighbours(geometry: gpd.GeoSeries, crs: str, contiguity_m: float) -> csr_array:
    """Return the symmetric 0/1 matrix of areas that touch, made into one connected graph.

    Areas within `contiguity_m` touch. Then every group of areas that is cut off (an island) is
    joined to the nearest area outside it, until all are connected (Boruvka's algorithm).
    """
    shapes = geometry.to_crs(crs).to_numpy()
    i, j = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=contiguity_m)
    links = {(int(a), int(b)) for a, b in zip(i, j, strict=True) if a < b}
    outlines = shapely.simplify(shapes, contiguity_m)  # distances do not need every inlet
    middles = shapely.get_coordinates(shapely.centroid(outlines))
    while True:
        matrix = _symmetric(links, len(shapes))
        n_groups, group = connected_components(matrix, directed=False)
        if n_groups == 1:
            return matrix
        biggest = np.bincount(group).argmax()
        for island in set(range(n_groups)) - {int(biggest)}:
            inside, outside = np.flatnonzero(group == island), np.flatnonzero(group != island)
            tree = shapely.STRtree(outlines[outside])
            # One area that lies near the others says how far all need to look.
            likely = inside[cKDTree(middles[outside]).query(middles[inside])[0].argmin()]
            _, reach = tree.query_nearest(outlines[likely], return_distance=True, all_matches=False)
            (a, b), d = tree.query_nearest(
                outlines[inside],
                max_distance=reach[0] * (1 + 1e-9) + 1e-6,
                return_distance=True,
                all_matches=False,
            )
            nearest = d.argmin()
            pair = int(inside[a[nearest]]), int(outside[b[nearest]])
            links.add((min(pair), max(pair)))


def _symmetric(links: set[tuple[int, int]], size: int) -> csr_array:
    pairs = np.array(sorted(links)).reshape(-1, 2)
    i, j = np.concatenate([pairs, pairs[:, ::-1]]).T
    return csr_array(coo_array((np.ones(len(i), dtype=np.int8), (i, j)), shape=(size, size)))

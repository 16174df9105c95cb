"""Lines per area: how many kilometres of each class run through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd

    from smallarea.areas import Frame


def length_km(lines: gpd.GeoDataFrame, areas: Frame, by: str | None = None) -> pd.DataFrame:
    """Return the kilometres of line within each area, on the WGS 84 ellipsoid.

    Only lines that cross or touch a boundary are cut; the others are measured whole. What runs
    along a boundary, or where polygons overlap, counts once, in the first of the areas by code.

    Parameters
    ----------
    lines : lines in longitude and latitude.
    by : a column of classes, each of which becomes a column of the result; without it the one
        column is "total".

    Returns
    -------
    area_id x class; 0 where an area has no such line (the file must be complete).
    """
    import shapely

    shapes, polygons = lines.geometry.to_numpy(), areas.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    area, line = tree.query(polygons, predicate="intersects")
    whole = _pairs(area, line, len(shapes))
    covering, covered = tree.query(polygons, predicate="covers")
    within = np.isin(whole, _pairs(covering, covered, len(shapes)))
    pieces = shapes[line]
    pieces[~within] = shapely.intersection(polygons[area[~within]], pieces[~within])
    ids = areas.geometry.index[area]
    pieces = _once(pieces, line, np.argsort(np.argsort(ids, kind="stable"), kind="stable"))
    classes = lines[by].to_numpy() if by else np.full(len(lines), "total")
    table = pd.DataFrame(
        {"area": areas.geometry.index[area], "class": classes[line], "km": geodesic_km(pieces)}
    )
    wide = table.pivot_table("km", "area", "class", aggfunc="sum", fill_value=0.0)
    return wide.reindex(areas.table.index, fill_value=0.0).rename_axis(columns=None)


def nearest_km(lines: gpd.GeoDataFrame, areas: Frame) -> pd.Series:
    """Return the distance from each area's centre (lon, lat) to the nearest line, in km.

    The nearest is found on a plane that is true at the centre's latitude to half a degree; the
    distance to it is that on the WGS 84 ellipsoid. NaN without lines.
    """
    import shapely
    from pyproj import Geod

    where = areas.table[["lon", "lat"]].astype(float)
    found = pd.Series(np.nan, index=where.index)
    if lines.empty:
        return found
    shapes = lines.geometry.to_numpy()
    band = where["lat"].round()
    for latitude in band.dropna().unique():
        scale = np.array([max(np.cos(np.radians(latitude)), 1e-6), 1.0])
        flat = shapely.transform(shapes, lambda xy, by=scale: xy * by)
        own = where[band == latitude]
        centres = shapely.points(own.to_numpy() * scale)
        line = shapely.STRtree(flat).nearest(centres)
        nearest = shapely.get_coordinates(shapely.shortest_line(centres, flat[line]))[1::2] / scale
        _, _, metres = Geod(ellps="WGS84").inv(own["lon"], own["lat"], *nearest.T)
        found[own.index] = metres / 1000
    return found


#: Degrees (a tenth of a millimetre) to which pieces of one line are compared.
SNAP = 1e-9


def _once(pieces: np.ndarray, line: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return pieces of lines without what a piece of the same line before it, by rank, has too."""
    import shapely

    pieces = pieces.copy()
    order = np.lexsort([rank, line])
    nth = np.arange(len(order)) - np.searchsorted(line[order], line[order])
    taken: dict[int, object] = {}
    shared = np.bincount(line, minlength=1)[line] > 1
    for number in range(int(nth.max(initial=0)) + 1):
        now = order[(nth == number) & shared[order]]
        before = np.array([taken.get(int(of)) for of in line[now]], dtype=object)
        again = shapely.intersects(pieces[now], before)  # False beside None
        cut = now[again]
        pieces[cut] = shapely.difference(pieces[cut], before[again], grid_size=SNAP)
        for of, piece, old in zip(line[now], pieces[now], before, strict=True):
            taken[int(of)] = piece if old is None else shapely.union(old, piece)
    return pieces


def _pairs(area: np.ndarray, line: np.ndarray, n: int) -> np.ndarray:
    return area.astype(np.int64) * n + line


def geodesic_km(shapes: np.ndarray) -> np.ndarray:
    """Return the length of each (multi)line on the WGS 84 ellipsoid (Karney 2013), in km."""
    import shapely
    from pyproj import Geod

    parts, owner = shapely.get_parts(shapes, return_index=True)
    is_line = shapely.get_dimensions(parts) == 1
    places, part = shapely.get_coordinates(parts[is_line], return_index=True)
    joined = part[1:] == part[:-1]
    start, end = places[:-1][joined], places[1:][joined]
    _, _, metres = Geod(ellps="WGS84").inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    of = owner[is_line][part[1:][joined]]
    return np.bincount(of, weights=metres, minlength=len(shapes)) / 1000

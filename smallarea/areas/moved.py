"""Polygons older than the register: land that has come to another area is cut off and goes along.

Counting points in the polygons of then and dividing by the people of now would be wrong by as much
as moved.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely


def with_moved_land(
    geometry: gpd.GeoSeries, psus: pd.DataFrame, crs: str
) -> tuple[gpd.GeoSeries, pd.Series]:
    """Return polygons with the land of units that have moved since, and a note per changed area.

    A unit has moved if its area's own polygon is not where it is, but that of its origin is. Its
    land is its Voronoi cell among all units in that polygon.

    Parameters
    ----------
    geometry : polygons, index area_id.
    psus : area_id, origin, lon, lat, verified; without a column `origin` nothing moves.
    crs : a projection in metres, for the cells.
    """
    notes = pd.Series("", index=geometry.index)
    if "origin" not in psus:
        return geometry, notes
    moved = psus[(psus["origin"] != psus["area_id"]) & psus["verified"]]
    moved = moved[moved["origin"].isin(geometry.index) & moved["area_id"].isin(geometry.index)]
    inside, there = (
        shapely.contains_xy(geometry.loc[moved[of]].to_numpy(), moved["lon"], moved["lat"])
        for of in ("area_id", "origin")
    )
    moved = moved[~inside & there]
    if moved.empty:
        return geometry, notes
    geometry = geometry.copy()
    flat = geometry.to_crs(crs)
    for origin, units in moved.groupby("origin"):
        old = flat[origin]
        cells = _cells(old, psus[psus["verified"]], crs)
        for area, gone in units.groupby("area_id"):
            land = shapely.union_all([cells[unit] for unit in gone.index if unit in cells])
            for changed, shape in (
                (origin, shapely.difference(flat[origin], land)),
                (area, shapely.union(flat[area], land)),
            ):
                flat[changed] = shape
                back = gpd.GeoSeries([shape], crs=crs).to_crs(geometry.crs)
                geometry[changed] = back.iloc[0]
            said = f"land of {len(gone)} units moved from {origin} to {area} since its polygon"
            for changed in (origin, area):
                notes[changed] = f"{notes[changed]}; {said}".removeprefix("; ")
    return geometry, notes


def _cells(polygon: shapely.Geometry, psus: pd.DataFrame, crs: str) -> dict[object, object]:
    """Return the part of a polygon that is nearest to each unit in it, by the unit's id."""
    spots = gpd.GeoSeries.from_xy(psus["lon"], psus["lat"], index=psus.index, crs=4326).to_crs(crs)
    spots = spots[shapely.contains(polygon, spots.to_numpy())]
    spots = spots[~spots.duplicated()]
    if len(spots) < 2:
        return dict.fromkeys(spots.index, polygon)
    several = shapely.multipoints(spots.to_numpy())
    diagram = shapely.voronoi_polygons(several, extend_to=polygon, ordered=True)
    parts = shapely.intersection(shapely.get_parts(diagram), polygon)
    return dict(zip(spots.index, np.asarray(parts), strict=True))

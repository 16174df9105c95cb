"""Points per area: how many, how far the nearest, how dense around.

Points come from `smallarea.catalog.read`: one row each, with `area_id`, `lon`, `lat` and the
columns the catalog declares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from sklearn.neighbors import BallTree

    from smallarea.areas import Frame

EARTH_KM = 6371.0088


def count(points: pd.DataFrame, areas: Frame) -> pd.Series:
    """Return how many points each area holds.

    Zero is a count, not a missing value: the file must be complete for the country.
    """
    return points["area_id"].value_counts().reindex(areas.table.index, fill_value=0).astype(float)


def total(points: pd.DataFrame, areas: Frame, value: str) -> pd.Series:
    """Return the sum of a column over each area's points; 0 without points, NaN if one is NaN."""
    sums = points.groupby("area_id")[value].sum(skipna=False)
    return sums.reindex(areas.table.index, fill_value=0.0)


def mean(points: pd.DataFrame, areas: Frame, value: str) -> pd.Series:
    """Return the mean of a column over each area's points that have it; NaN without any."""
    return points.groupby("area_id")[value].mean().reindex(areas.table.index)


def mean_of_people(points: pd.DataFrame, areas: Frame, value: str) -> pd.Series:
    """Return the mean over people of a column at the point nearest to where they live.

    The people of each sampling unit (`areas.psus`) count at the unit's position. NaN without points
    or without units of the area.
    """
    from scipy.spatial import KDTree

    known = points[points[value].notna()]
    if known.empty or areas.psus.empty:
        return pd.Series(np.nan, index=areas.table.index)
    units = areas.psus[["area_id", "population", "lat", "lon"]].dropna()
    _, nearest = KDTree(_on_sphere(known)).query(_on_sphere(units))
    people = units["population"].astype(float)
    sums = pd.DataFrame({"value": people * known[value].to_numpy()[nearest], "people": people})
    sums = sums.groupby(units["area_id"]).sum().reindex(areas.table.index)
    return sums["value"] / sums["people"].where(sums["people"] > 0)


def nearest_km(points: pd.DataFrame, areas: Frame) -> pd.Series:
    """Return the great-circle distance from each area's centre (lon, lat) to the nearest point."""
    where = areas.table.index
    if points.empty:
        return pd.Series(np.nan, index=where)
    distance, _ = _tree(points).query(_radians(areas.table), k=1)
    return pd.Series(distance[:, 0] * EARTH_KM, index=where)


def density(
    points: pd.DataFrame, areas: Frame, *, within_km: float = 50.0, nearest_km: float = 1.0
) -> pd.Series:
    """Return the inverse-distance density: the sum over points of 1 / distance in km.

    Points farther than `within_km` from the area's centre do not count; a distance below
    `nearest_km` counts as that, so that a point at the centre does not count infinitely.
    """
    where = areas.table.index
    if points.empty:
        return pd.Series(0.0, index=where)
    _, distances = _tree(points).query_radius(
        _radians(areas.table), within_km / EARTH_KM, return_distance=True
    )
    sums = [(1.0 / np.maximum(d * EARTH_KM, nearest_km)).sum() for d in distances]
    return pd.Series(sums, index=where)


def _tree(points: pd.DataFrame) -> BallTree:
    from sklearn.neighbors import BallTree

    return BallTree(_radians(points), metric="haversine")


def _on_sphere(table: pd.DataFrame) -> np.ndarray:
    lat, lon = _radians(table).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _radians(table: pd.DataFrame) -> np.ndarray:
    return np.radians(table[["lat", "lon"]].to_numpy(dtype=float))

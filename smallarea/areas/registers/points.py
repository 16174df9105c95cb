"""Points of a table's areas: no two in one place, and all near where the projection holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyproj import CRS

from smallarea.errors import InputError

#: Points may lie this many degrees outside the area of use of the frame's projection: countries
#: reach beyond the zone that serves them. Swapped columns and slips of the pen lie farther.
BEYOND = 10.0


def require_points(lon: pd.Series, lat: pd.Series, crs: str, where: str) -> None:
    """Refuse two areas on one point, and points far from where distances in `crs` mean anything.

    lon, lat : degrees, index row in the file. where : the file and its two columns, for messages.

    Raises
    ------
    InputError : the rows are named.
    """
    x, y, rows = lon.to_numpy(float), lat.to_numpy(float), lon.index.to_numpy()

    def slip(at: int, why: str, remedy: str) -> InputError:
        point = f"the point ({x[at]:g}, {y[at]:g}) {why}"
        return InputError(point, where=f"{where}, row {rows[at]}", remedy=remedy)

    again = pd.DataFrame({"x": x, "y": y}).duplicated().to_numpy()
    if again.any():
        at = int(again.argmax())
        first = int(((x == x[at]) & (y == y[at])).argmax())
        raise slip(at, f"stands in row {rows[first]} too", "give every area its own point")
    used = CRS(crs).area_of_use
    far = _outside(x, y, used.bounds) > BEYOND if used else np.zeros(len(x), dtype=bool)
    if used and far.any():
        more = f" (and {int(far.sum()) - 1} more)" if far.sum() > 1 else ""
        raise slip(
            int(far.argmax()),
            f"lies far from where {crs} is used, {used.west:g} to {used.east:g} degrees east, "
            f"{used.south:g} to {used.north:g} north{more}",
            "correct the point, see that longitude and latitude are not swapped, or name a "
            "projection made for these places in frame.crs",
        )


def _outside(x: np.ndarray, y: np.ndarray, bounds: tuple[float, ...]) -> np.ndarray:
    """Return how many degrees each point lies outside, the larger of both ways."""
    west, south, east, north = bounds
    width = (east - west) % 360 or 360.0  # a zone may cross the antimeridian, or go round
    past = (x - west) % 360
    across = np.where(past > width, np.minimum(past - width, 360 - past), 0.0)
    return np.maximum(across, np.maximum(south - y, y - north))

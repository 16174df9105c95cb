"""Find the area of every row, by code, by name or by place, and account for those without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.reading.cells import as_text, normalise

if TYPE_CHECKING:
    from smallarea.areas import Frame

#: Metres in a degree of latitude, near enough to tell whether a point is off the coast.
KM_PER_DEGREE = 111.2
NO_KEY = "without a key (sub-total, heading or footnote)"
UNKNOWN = "not in the frame"


def match_codes(cells: pd.Series, frame: Frame, where: str) -> pd.Series:
    """Return area ids for codes of any vintage, <NA> where unknown.

    Raises
    ------
    InputError : codes are numbers: their leading zeros are gone.
    """
    numbers = cells.map(lambda cell: isinstance(cell, (int, float)) and not pd.isna(cell))
    if numbers.any():
        raise InputError(
            f"the code {cells[numbers].iloc[0]} is a number, so leading zeros are lost",
            where=f"{where}, row {cells.index[numbers][0]}",
            remedy="store codes as text",
        )
    return frame.match(as_text(cells), where=where)


def match_units(cells: pd.Series, table: pd.DataFrame, level: str) -> pd.Series:
    """Return ids of a level for names, <NA> where no single unit bears the name.

    A unit called "District 4 (North Hills)" is found as such, as "District 4" and as "North Hills".
    """
    pairs = unit_names(table, level)
    known = pairs.drop_duplicates("alias", keep=False).set_index("alias")["unit"]
    return (
        as_text(cells)
        .map(lambda name: short(name, level), na_action="ignore")
        .map(known)
        .astype("string")
    )


def unit_names(table: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return alias, unit: every name that a unit of the level answers to, as `short` has it."""
    units = table.groupby(f"{level}_id")[level].first()
    aliases = [
        (alias, unit) for unit, name in units.items() for alias in _aliases(str(name), level)
    ]
    return pd.DataFrame(aliases, columns=["alias", "unit"]).drop_duplicates()


def _aliases(name: str, level: str) -> list[str]:
    outside, _, inside = name.partition("(")
    return [text for part in (name, outside, inside) if (text := short(part, level))]


def short(name: str, level: str) -> str:
    """Return a unit's name without case, punctuation and the word for its level."""
    words = [word for word in normalise(name).split() if word != level]
    return " ".join(words) or normalise(name)


def match_points(lon: np.ndarray, lat: np.ndarray, frame: Frame, snap_km: float) -> pd.Series:
    """Return the area each point lies in, or else the nearest within `snap_km`; <NA> otherwise.

    A point in several areas (overlapping polygons) goes to the first by code.
    """
    import shapely

    points = shapely.points(lon, lat)
    tree = shapely.STRtree(frame.geometry.to_numpy())
    ids = frame.geometry.index.to_numpy()
    at, inside = tree.query(points, predicate="intersects")
    pairs = pd.DataFrame({"at": at, "area": ids[inside]}).sort_values(["at", "area"])
    found = pairs.drop_duplicates("at").set_index("at")["area"]
    result = pd.Series(pd.NA, index=range(len(points)), dtype="string")
    result[found.index] = found
    lost = np.flatnonzero(result.isna())
    if snap_km and len(lost):
        at, near = tree.query_nearest(
            points[lost], max_distance=snap_km / KM_PER_DEGREE, all_matches=False
        )
        result[lost[at]] = ids[near]
    return result

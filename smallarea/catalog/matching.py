"""Find the area of every row, by code, by name or by place, and account for those without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.areas.names import canonical
from smallarea.errors import InputError
from smallarea.reading.cells import as_text

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
    InputError : a code is a number, and with leading zeros that may be lost it is another area's.
    """
    return frame.match(code_text(cells, frame, where), where=where)


def code_text(cells: pd.Series, frame: Frame, where: str) -> pd.Series:
    """Return codes as text; those stored as numbers too, if one area alone can be meant."""
    number = cells.map(lambda cell: isinstance(cell, (int, float)) and not pd.isna(cell))
    if not number.any():
        return as_text(cells)
    whole = cells[number].map(lambda cell: float(cell).is_integer())
    digits = cells[number][whole].map(lambda cell: str(int(cell)))
    known = frame.codes[frame.codes["code"].str.fullmatch(r"\d+")]
    longest = int(known["code"].str.len().max()) if len(known) else 0
    padded = {d: {d.zfill(n) for n in range(len(d), longest + 1)} for d in digits.unique()}
    wanted = known[known["code"].isin(set().union(*padded.values()))]
    area_of = dict(zip(wanted["code"], wanted["area_id"], strict=True))
    meant = {d: {area_of[code] for code in codes if code in area_of} for d, codes in padded.items()}
    bad = ~whole.reindex(cells.index, fill_value=True)
    bad |= digits.map(lambda d: len(meant[d]) > 1).reindex(cells.index, fill_value=False)
    if bad.any():
        raise InputError(
            f"the code {cells[bad].iloc[0]} is a number, so leading zeros are lost",
            where=f"{where}, row {cells.index[bad][0]}",
            remedy="store codes as text",
        )
    # The one known spelling there is: a lost zero put back.
    own = {d: next((c for c in sorted(codes) if c in area_of), d) for d, codes in padded.items()}
    text = as_text(cells.mask(number))
    return text.where(~number, digits.map(own).reindex(cells.index))


def are_parts(cells: pd.Series, frame: Frame, role: str) -> pd.Series:
    """Return which codes or names (`role`) are those of a part of an area, not of the whole."""
    known = {"code": frame.codes, "name": frame.names}[role]
    if "part" not in known or not (parts := known[known["part"].fillna(False).astype(bool)]).size:
        return pd.Series(False, index=cells.index)
    if role == "code":
        return as_text(cells).str.upper().isin(parts["code"]).fillna(False).astype(bool)

    def spelt(name: object) -> str:
        return canonical(name, frame.spelling) if isinstance(name, str) else ""

    whole = set(known["name"][~known["part"].fillna(False).astype(bool)].map(spelt))
    return as_text(cells).map(spelt).isin(set(parts["name"].map(spelt)) - whole).astype(bool)


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

"""Which area does a person mean? By code or by any known spelling of a name; never by likeness."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.areas.names import CITY, canonical
from smallarea.errors import InputError

#: How many areas are suggested for an unknown name.
MOST = 8


def find_area(
    text: str,
    table: pd.DataFrame,
    spelling: Mapping[str, str],
    *,
    names: pd.DataFrame | None = None,
    codes: pd.DataFrame | None = None,
) -> str:
    """Return the one area that answers to `text`; for the parameters, see `find_areas`.

    Raises
    ------
    InputError : several areas answer, which it lists; or none, and it lists names alike, if any.
    """
    found = find_areas(text, table, spelling, names=names, codes=codes)
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{len(found)} areas are called {text!r}: {_listed(found, table)}",
            where="AREA",
            remedy="give the code, or the name and what it lies in: 'NAME, PLACE'",
        )
    alike = nearest_areas(text, table, spelling, names=names)
    raise InputError(
        f"no area is called {text!r}"
        + (f"; names like it: {_listed(alike, table)}" if alike else ""),
        where="AREA",
        remedy="give a code or a name of the frame",
    )


def find_areas(
    text: str,
    table: pd.DataFrame,
    spelling: Mapping[str, str],
    *,
    names: pd.DataFrame | None = None,
    codes: pd.DataFrame | None = None,
) -> list[str]:
    """Return every area that `text` may stand for, sorted; empty if there is none.

    A code comes first, then a name in any spelling that `canonical` understands: present names,
    and those of cities called just by name; then former names. The first of these that finds any
    area decides. A name may be followed by its unit of the lowest level after a comma.

    Parameters
    ----------
    text : a code or a name, as a person types it.
    table : index area_id; name, levels above.
    spelling, names, codes : see `smallarea.areas.Frame`. Without `names` the table's are all that
        is known; without `codes` only the frame's own are.
    """
    code = text.strip().upper()
    if code in table.index:
        return [code]
    if codes is not None and (hit := codes.loc[codes["code"] == code, "area_id"]).size:
        return sorted(set(hit))
    keys = _keys(table, spelling, names)
    found = _called(keys, canonical(text, spelling))
    name, comma, place = text.rpartition(",")
    if comma and not found:
        within = keys[keys["within"] == canonical(place, spelling)]
        found = _called(within, canonical(name, spelling))
    return found


def nearest_areas(
    text: str,
    table: pd.DataFrame,
    spelling: Mapping[str, str],
    *,
    names: pd.DataFrame | None = None,
) -> list[str]:
    """Return a few areas with a name that contains `text` or resembles it: to suggest, no more."""
    keys = _keys(table, spelling, names)
    bare = keys["name"].str.removeprefix(CITY)
    wanted = canonical(text.partition(",")[0], spelling).removeprefix(CITY)
    if not wanted:
        return []
    within = sorted((key for key in set(bare) if wanted in key), key=lambda key: (len(key), key))
    alike = get_close_matches(wanted, sorted(set(bare)), n=MOST, cutoff=0.7)
    ordered = [area for key in [*within, *alike] for area in sorted(keys["area_id"][bare == key])]
    return list(dict.fromkeys(ordered))[:MOST]


def _keys(
    table: pd.DataFrame, spelling: Mapping[str, str], names: pd.DataFrame | None
) -> pd.DataFrame:
    """Return area_id, within, name, former, with canonical names."""
    if names is None:
        lowest = levels_of(table)[0]
        names = table[[lowest, "name"]].rename_axis("area_id").reset_index()
        names = names.rename(columns={lowest: "within"}).assign(former=False)
    names = names[names["area_id"].isin(table.index)]
    keys = names[["within", "name"]].map(lambda text: canonical(str(text), spelling))
    return keys.assign(area_id=names["area_id"], former=names["former"].astype(bool))


def _called(keys: pd.DataFrame, name: str) -> list[str]:
    if not name:
        return []
    same = (keys["name"] == name) | (~keys["former"] & (keys["name"] == CITY + name))
    present = keys["area_id"][same & ~keys["former"]]
    return sorted(set(present if present.size else keys["area_id"][same]))


def _listed(areas: list[str], table: pd.DataFrame) -> str:
    """Write each area as its name, the levels above it and its code."""
    above = ["name", *levels_of(table)]
    some = [", ".join(map(str, table.loc[area, above])) + f" ({area})" for area in areas]
    return "; ".join(some)

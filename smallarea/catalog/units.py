"""Find the units of a level that rows speak of, as they were in the year of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.areas.names import canonical
from smallarea.reading.cells import as_text, normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smallarea.areas import Frame

_CODE = "\0"  # between a name and the code that tells it from another of that name


@dataclass(frozen=True)
class Units:
    """What rows of a table of units are about.

    Parameters
    ----------
    ids : index row; the unit's code, its name if it is none of today's, "A + B" for several that
        share a name, or the code of an area that has a row of its own; <NA> where unknown.
    areas : id -> the areas that it is about.
    own : ids that are single areas.
    """

    ids: pd.Series
    areas: Mapping[str, tuple[str, ...]]
    own: frozenset[str]


def match_units(cells: pd.Series, frame: Frame, level: str, year: int | None = None) -> Units:
    """Return the unit of every row, by its name, its code or an alias.

    A unit called "District 4 (North Hills)" is found as such, as "District 4" and as "North Hills".
    A name that is no unit's of any level, but that of one area in the country, is the area's own
    row.

    Parameters
    ----------
    year : of the table; units had the areas then that the frame says. None: those of now.
    """
    then = unit_labels(frame, level, year)
    id_of = _ids(frame, level)
    names = unit_names(frame, level, year)
    by_alias: dict[str, set[str]] = {}
    for alias, unit, declared in names.itertuples(index=False):
        if declared or alias not in by_alias:
            by_alias.setdefault(alias, set()).add(unit)
    unclear = _unclear(names)
    elsewhere = {
        alias for other in levels_of(frame.table) for alias in unit_names(frame, other)["alias"]
    }
    areas = then.index.to_series().groupby(then).agg(tuple).to_dict()
    areas_of: dict[str, tuple[str, ...]] = {}
    own: set[str] = set()

    def find(text: str) -> str | None:
        alias = short(text, level)
        if alias in unclear:
            return None
        if units := sorted(by_alias.get(alias, ())):
            found = " + ".join(id_of.get(unit, unit) for unit in units)
            areas_of[found] = tuple(area for unit in units for area in areas[unit])
            return found
        area = None if alias in elsewhere else single.get(canonical(text, frame.spelling))
        if area is not None:
            areas_of[area] = (area,)
            own.add(area)
        return area

    single = _single_areas(frame)
    text = as_text(cells)
    known = {cell: find(cell) for cell in text.dropna().unique()}
    ids = text.map(known, na_action="ignore").astype("string")
    return Units(ids, areas_of, frozenset(own))


def unit_names(frame: Frame, level: str, year: int | None = None) -> pd.DataFrame:
    """Return alias, unit, declared: every name that a unit of the level answers to, as `short`
    has it, and whether the catalog's aliases say so; units by their names, as in `year`, those
    that share one by name and code.
    """
    units = list(dict.fromkeys(unit_labels(frame, level, year)))
    id_of = _ids(frame, level)
    rows = [(alias, unit, False) for unit in units for alias in _forms(unit.split(_CODE)[0], level)]
    rows += [(normalise(id_of[unit]), unit, False) for unit in units if unit in id_of]
    declared = frame.unit_aliases[frame.unit_aliases["unit"].isin(units)]
    plain = {alias for alias, *_ in rows}
    rows += [
        (alias, unit, True)
        for unit, text in declared[["unit", "alias"]].itertuples(index=False)
        if (alias := short(text, level)) not in plain
    ]
    return pd.DataFrame(rows, columns=["alias", "unit", "declared"]).drop_duplicates()


def short(name: str, level: str) -> str:
    """Return a unit's name without case, punctuation and the word for its level."""
    words = [word for word in normalise(name).split() if word != level]
    return " ".join(words) or normalise(name)


def _forms(name: str, level: str) -> list[str]:
    outside, _, inside = name.partition("(")
    return [text for part in (name, outside, inside) if (text := short(part, level))]


def unit_labels(frame: Frame, level: str, year: int | None = None) -> pd.Series:
    """Return each area's unit by its name; by name and code where two units of now share a name."""
    then, now = frame.units_then(level, year), frame.table[level]
    codes = frame.table[f"{level}_id"]
    shared = codes.groupby(now).nunique()
    twice = (then == now) & now.map(shared).gt(1)
    return then.where(~twice, now + _CODE + codes)


def _ids(frame: Frame, level: str) -> dict[str, str]:
    return dict(zip(unit_labels(frame, level), frame.table[f"{level}_id"], strict=True))


def _unclear(names: pd.DataFrame) -> set[str]:
    """Return what two units are called without that being declared."""
    plain = names[~names["declared"]]
    return set(plain["alias"][plain["alias"].duplicated()])


def _single_areas(frame: Frame) -> dict[str, str]:
    """Return the whole names that one area in the country has, now or before."""
    names = frame.names
    if "part" in names:
        names = names[~names["part"].fillna(False).astype(bool)]
    spelt = pd.DataFrame(
        {
            "name": names["name"].map(lambda name: canonical(name, frame.spelling)),
            "area_id": names["area_id"],
        }
    ).drop_duplicates()
    spelt = spelt[spelt["name"] != ""]
    alone = spelt.drop_duplicates("name", keep=False)
    return dict(zip(alone["name"], alone["area_id"], strict=True))

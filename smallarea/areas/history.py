"""Areas and levels as they were: which unit an area was in, and whose land it has got since.

A project declares both in its `frame:` block; the engine derives from them whose rows a table of an
earlier year speaks of.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from pydantic import Field

from smallarea.declared import Declared
from smallarea.errors import InputError


class Transfer(Declared):
    """Land that came to another area."""

    origin: str = Field(alias="from")
    """The code of the area that it was part of."""
    to: str
    """The code of the area that it is part of now."""
    before: int
    """In tables of earlier years than this it counts with the first."""
    people: float = Field(gt=0)
    """Who lives on it now, by the count that the frame's populations are from."""


class FormerUnit(Declared):
    """A unit of a level that held other areas than now."""

    level: str
    was: str
    """The unit's name then."""
    before: int
    """In tables of earlier years than this; where several such entries hold, the earliest does."""
    of: tuple[str, ...] = Field(min_length=1)
    """Areas (codes) or units of lower levels (names, as now) that were in it."""


def transfers_of(declared: Sequence[Transfer], table: pd.DataFrame) -> pd.DataFrame:
    """Return origin, area_id, before, people of every transfer, checked against the frame's table.

    Raises
    ------
    InputError : a code is no area's, or more people came to an area than live there.
    """
    rows = [(t.origin, t.to, t.before, t.people) for t in declared]
    moved = pd.DataFrame(rows, columns=["origin", "area_id", "before", "people"])
    for number, transfer in enumerate(declared):
        for field, code in (("from", transfer.origin), ("to", transfer.to)):
            if code not in table.index:
                raise _wrong(f"'{code}' is no area of the frame", f"transfers.{number}.{field}")
    for area, people in moved.groupby("area_id")["people"].sum().items():
        here = int(table["population"].loc[str(area)])
        if people > here * (1 + 1e-9):
            raise _wrong(f"{people:,.0f} people came to {area}, where {here:,} live", "transfers")
    return moved.astype({"origin": "str", "area_id": "str", "before": "int64", "people": "float"})


def former_units_of(declared: Sequence[FormerUnit], table: pd.DataFrame) -> pd.DataFrame:
    """Return level, before, was, area_id: one row per area that a former unit held.

    Raises
    ------
    InputError : a level, a code or a unit of a lower level is not in the frame.
    """
    levels = [str(c).removesuffix("_id") for c in table if str(c).endswith("_id")]
    rows = []
    for number, unit in enumerate(declared):
        if unit.level not in levels:
            raise _wrong(f"there is no level '{unit.level}'", f"former_units.{number}.level")
        for member in unit.of:
            rows += [
                (unit.level, unit.before, unit.was, area)
                for area in _held(member, table, levels, f"former_units.{number}.of")
            ]
    former = pd.DataFrame(rows, columns=["level", "before", "was", "area_id"])
    return former.astype({"level": "str", "before": "int64", "was": "str", "area_id": "str"})


def _held(member: str, table: pd.DataFrame, levels: Sequence[str], where: str) -> list[str]:
    if member in table.index:
        return [member]
    for level in levels:
        if (inside := table.index[table[level] == member]).size:
            return list(inside)
    raise _wrong(f"'{member}' is no area's code and no unit's name", where)


def units_then(
    table: pd.DataFrame, former: pd.DataFrame, level: str, year: int | None
) -> pd.Series:
    """Return the name of each area's unit of a level as it was in a year; None: as it is."""
    unit = table[level].astype("str").copy()
    if year is None:
        return unit
    held = former[(former["level"] == level) & (former["before"] > year)]
    for before in sorted(held["before"].unique(), reverse=True):
        then = held[held["before"] == before]
        unit.loc[then["area_id"]] = then["was"].to_numpy()
    return unit


def shares_then(population: pd.Series, transfers: pd.DataFrame, year: int | None) -> pd.DataFrame:
    """Return origin, area_id, share, people: where the people of an area of a year live now.

    Only areas that gave land since, and areas that got some, are in it. The shares of an origin
    add up to 1: people are taken to be spread over its parts as they are now. `people` live on
    the part. An area whose land all came from others did not exist then and is no origin.

    population : of today's areas, index area_id. transfers : see `Frame.transfers`.
    """
    moved = transfers[transfers["before"] > year] if year is not None else transfers.iloc[:0]
    parts = moved.groupby(["origin", "area_id"])["people"].sum().reset_index()
    came = parts.groupby("area_id")["people"].sum()
    touched = pd.Index(sorted({*parts["origin"], *parts["area_id"]}), dtype="str")
    own = population.reindex(touched).astype(float) - came.reindex(touched).fillna(0.0)
    own = own[own > 1e-9 * population.reindex(touched)]
    stayed = pd.DataFrame({"origin": own.index, "area_id": own.index, "people": own.to_numpy()})
    parts = pd.concat([stayed, parts], ignore_index=True)
    total = parts.groupby("origin")["people"].transform("sum")
    return parts.assign(share=parts["people"] / total)


def still_to_divide(shares: pd.DataFrame, present: set[str]) -> pd.DataFrame:
    """Return `shares_then` for a file that has rows for the areas `present`.

    What went to an area that did not exist then but has a row is left out: as far as that goes, the
    file is on the areas of now. The shares of what remains add up anew.
    """
    new = set(shares["area_id"]) - set(shares["origin"])
    kept = shares[~shares["area_id"].isin(new & present)]
    total = kept.groupby("origin")["people"].transform("sum")
    kept = kept.assign(share=kept["people"] / total)
    alone = kept.groupby("area_id")["origin"].transform("size").eq(1) & (kept["share"] == 1)
    return kept[~(alone & (kept["origin"] == kept["area_id"]))]


def _wrong(what: str, entry: str) -> InputError:
    return InputError(
        what, where=f"data_catalog.yaml, frame.{entry}", remedy="correct that entry of the catalog"
    )

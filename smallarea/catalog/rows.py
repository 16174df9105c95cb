"""From matched rows to one row per area: repeated ones, parts beside their whole, earlier areas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from smallarea.catalog.bridging import bridged, bridged_flows, undivided
from smallarea.catalog.declare import Column, Source
from smallarea.catalog.report import some
from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.areas import Frame
    from smallarea.catalog.units import Units

#: What a column's bounds are called after its name.
BOUNDS = ("_least", "_most")


def one_row_each(
    data: pd.DataFrame, by: list[str], source: Source, parts: pd.Series | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return one row per area (unit, pair) and `per`, and what is to be said about it.

    A row about the whole area wins over rows about its parts.

    parts : index as data's; which rows are about a part of their area.

    Raises
    ------
    InputError : several rows are about the same, and the catalog does not say what to do.
    """
    notes: tuple[str, ...] = ()
    if parts is not None and parts.any():
        whole = pd.MultiIndex.from_frame(data.loc[~parts, by])
        beside = parts & pd.MultiIndex.from_frame(data[by]).isin(whole)
        if beside.any():
            areas = data.loc[beside, by[0]].unique()
            said = f"{int(beside.sum())} rows about parts of areas with a row of their own left out"
            notes = (f"{said}: {some(areas)}",)
            data = data[~beside]
    repeated = data.duplicated(by, keep=False)
    if not repeated.any():
        return data, notes
    if source.aggregate is None:
        first = data.loc[repeated, by].iloc[0]
        rows = data.index[(data[by] == first).all(axis=1)]
        raise InputError(
            f"{' and '.join(map(str, first))} stands in rows {some(list(rows))}",
            where=f"{source.file}, {', '.join([*source.key.values(), *source.per])}",
            remedy="remove the rows that say the same twice; name what tells them apart in `per`; "
            "leave other rows out with `where`; or, if they are parts that make up the area, "
            "declare `aggregate: sum` or `mean`",
        )
    groups = data.groupby(by, sort=False, dropna=False)
    return groups.agg(source.aggregate, skipna=False).reset_index(), notes


def over_areas(data: pd.DataFrame, units: Units, source: Source) -> pd.DataFrame:
    """Return a row per area of every unit; an area's own row wins over that of its unit.

    Raises
    ------
    InputError : an area is in two of the units that rows speak of.
    """
    key = str(data.columns[0])
    area_id = data[key].map(lambda unit: units.areas[unit])
    rows = data.assign(area_id=area_id, own=data[key].isin(units.own)).explode("area_id")
    by = ["area_id", *source.per]
    rows = rows.sort_values("own", ascending=False, kind="stable")
    first = rows[~rows.duplicated([*by, "own"])]
    if len(first) < len(rows):
        twice = rows[rows.duplicated([*by, "own"], keep=False)]
        area = twice["area_id"].iloc[0]
        said = twice.loc[twice["area_id"] == area, key].unique()
        raise InputError(
            f"{area} lies in {' and in '.join(map(str, said))}, which both have a row",
            where=f"{source.file}, {', '.join(source.key.values())}",
            remedy="say in `areas_of` the year whose units these are, or leave one of them out "
            "with `where`",
        )
    rows = first[~first.duplicated(by)].drop(columns="own").sort_index(kind="stable")
    rest = [name for name in rows if name not in (key, "area_id")]
    return rows[[key, "area_id", *rest]].astype({"area_id": "string"})


def as_of_now(
    data: pd.DataFrame, source: Source, frame: Frame
) -> tuple[pd.DataFrame, tuple[str, ...], dict[str, str]]:
    """Return rows on the areas of now, what is to be said about it, and areas that became missing.

    Tables of the year of a transfer or of later ones stay as they are.
    """
    shares = frame.shares_then(source.year)
    if shares.empty:
        return data, (), {}
    columns: dict[str, Column] = dict(source.columns)
    for name, column in source.columns.items():
        columns |= {f"{name}{e}": column for e in BOUNDS if f"{name}{e}" in data}
    if source.kind == "flows":
        rows, missing = bridged_flows(data, shares, columns)
    elif not source.divisible:
        rows, missing = undivided(data, shares)
    else:
        rows, missing = bridged(data, shares, columns, source.per)
    if rows is data or len(rows) == len(data) == 0:
        return data, (), missing
    notes = []
    if source.divisible:
        touched = (set(shares["origin"]) | set(shares["area_id"])) - set(missing)
        names = frame.table["name"].reindex(sorted(touched & _areas_in(rows)))
        notes.append(
            f"areas of {source.year} carried to those of now, as people are: {some(names)}"
        )
    if missing:
        why = next(iter(missing.values()))
        names = frame.table["name"].reindex(sorted(missing))
        notes.append(f"{len(missing)} areas are missing ({why}): {some(names)}")
    return rows, tuple(notes), missing


def _areas_in(rows: pd.DataFrame) -> set[str]:
    keys = [key for key in ("area_id", "origin", "destination") if key in rows]
    return set(rows[keys].to_numpy().ravel())


def distinct(data: pd.DataFrame, source: Source) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return points or lines that are told apart by `per`, each once, and what is to be said.

    Without `per` nothing tells whether two that look alike are one: they stay, and that is said.

    Raises
    ------
    InputError : two have the same `per` and differ in something else.
    """
    by = list(source.per) or list(data.columns)
    again = data.duplicated(by)
    if not again.any():
        return data, ()
    number = int(again.sum())
    if not source.per:
        if source.kind == "points":
            said = f"{number:,} rows look like another in place and all columns and are counted too"
            return data, (f"{said}: name the column that tells them apart in `per`",)
        return data[~again], (f"{number:,} that are the same as another left out",)
    ways = data.drop_duplicates()
    differing = ways[ways.duplicated(by)]
    if len(differing):
        raise InputError(
            f"{' and '.join(map(str, differing[by].iloc[0]))} stands for different things",
            where=f"{source.file}, {', '.join(source.per)}, row {differing.index[0]}",
            remedy="correct the file, or name in `per` what else tells them apart",
        )
    return data[~again], (f"{number:,} repeated rows left out (the same {', '.join(by)})",)

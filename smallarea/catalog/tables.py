"""Tables, flows and points: rows whose key cells say which area they belong to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.catalog.declare import Column, Source
from smallarea.catalog.extent import unobserved
from smallarea.catalog.matching import NO_KEY, UNKNOWN, are_parts, match_codes, match_points
from smallarea.catalog.packs import unpacked
from smallarea.catalog.report import ReadReport, some
from smallarea.catalog.rows import BOUNDS, as_of_now, distinct, one_row_each, over_areas
from smallarea.catalog.snapshots import Snapshot
from smallarea.catalog.units import Units, match_units
from smallarea.errors import InputError
from smallarea.reading.bounds import bounds_of
from smallarea.reading.cells import (
    LABEL,
    as_text,
    as_values,
    find_columns,
    read_cells,
)
from smallarea.reading.workbook import sheets_of

if TYPE_CHECKING:
    from smallarea.areas import Frame

#: Rows of the second file or sheet of a source are numbered from this on, of the third from twice.
PAGE = 10_000_000
#: The least share of rows with a key that must match: below it, it is the wrong file or frame.
LEAST_MATCH = 0.5


def read_rows(source: Source, snapshot: Snapshot, frame: Frame) -> tuple[pd.DataFrame, ReadReport]:
    """Read a table, flows or points from CSV or a workbook; points without a key from GeoJSON.

    Returns
    -------
    data : one row per area (pair, point) and `per`, with the columns the catalog declares, after
        the key: `area_id` (for a table of a level's units also `<level>_id`, every area of the
        unit having its row; `origin` and `destination` for flows; `lon` and `lat` besides for
        points). A column with suppressed cells is followed by `<name>_least` and `<name>_most`.
    report : the account of all rows.

    Raises
    ------
    InputError : a column is missing, a cell breaks its declaration, codes are numbers, hardly a row
        matches, or an area has several rows and the catalog declares no `aggregate`.
    """
    body, left_out = _sheet(source, snapshot) if source.key else _points_layer(source, snapshot)
    key = _key(body)
    units = _units(source, key, frame)
    found = {f"{_level(source)}_id": units.ids} if units else _match(source, key, frame)
    ids = pd.DataFrame(found, index=body.index)
    report = _account(source, key, ids, body[LABEL])
    body, ids = body.loc[ids.notna().all(axis=1)], ids.dropna()
    data, suppressed = _values(source, body, ids)
    missing: dict[str, str] = {}
    if source.kind == "points":
        data, said = distinct(data, source)
        missing, more = unobserved(source, frame, data["area_id"])
        said += more
    else:
        by = [*ids.columns, *source.per]
        role = next((role for role in ("code", "name") if role in key), None)
        parts = are_parts(key.loc[data.index, role], frame, role) if role and not units else None
        data, said = one_row_each(data, by, source, parts)
        if units:
            data = over_areas(data, units, source)
        else:
            data, more, missing = as_of_now(data, source, frame)
            said += more
    data = data.reset_index(drop=True)
    return data, replace(report, suppressed=suppressed, notes=(*left_out, *said), missing=missing)


def _sheet(source: Source, snapshot: Snapshot) -> tuple[pd.DataFrame, tuple[str, ...]]:
    wanted = {f"key:{role}": header for role, header in source.key.items()}
    wanted |= {f"where:{header}": header for header in source.where}
    wanted |= {name: column.header or name for name, column in source.columns.items()}
    optional = {name for name, column in source.columns.items() if column.optional}
    pages: list[pd.DataFrame] = []
    with unpacked(snapshot.path, source.file) as files:
        for path, name in files:
            for sheet in sheets_of(path, source.layer, name):
                cells = read_cells(path, sheet, name)
                where = f"{name}, sheet {sheet}" if sheet != source.layer else name
                page = find_columns(cells, wanted, optional, where)
                pages.append(page.set_axis(page.index + len(pages) * PAGE))
    body = pd.concat(pages) if len(pages) > 1 else pages[0]
    body.attrs["separator"] = cells.attrs["separator"]
    kept = pd.Series(True, index=body.index)
    for header, said in source.where.items():
        column = as_text(body.pop(f"where:{header}"))
        if unheard := set(said) - set(column.dropna()):
            raise InputError(
                f"no row says '{min(unheard)}'; they say {some(column.dropna().unique())}",
                where=f"{source.file}, column '{header}'",
                remedy=f"correct `where` of source {source.name} in data_catalog.yaml",
            )
        kept &= column.isin(said).fillna(False).astype(bool)
    told = f"{int((~kept).sum()):,} rows left out by `where`"
    return body[kept], (told,) * bool(not kept.all())


def _values(
    source: Source, body: pd.DataFrame, ids: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return ids and values row by row, and how many cells of which columns are suppressed.

    A number column with suppressed cells has two more beside it, `<name>_least` and `<name>_most`:
    what such a cell may stand for, and the number itself elsewhere.
    """
    shown = "?" if body.attrs.get("separator") == ";" else None
    decimal = source.decimal or shown
    values, suppressed = dict[str, pd.Series](), {}
    for name, column in source.columns.items():
        where = f"{source.file}, column '{column.head(name)}'"
        values[name], hidden = as_values(body[name], column, where, decimal)
        if hidden:
            suppressed[name] = hidden
        if hidden or (column.withheld is not None and column.type != "text"):
            bounds = bounds_of(body[name], column)
            for end in BOUNDS:
                values[f"{name}{end}"] = bounds[end[1:]].fillna(values[name])
    return pd.concat([ids, pd.DataFrame(values, index=body.index)], axis=1), suppressed


def _points_layer(source: Source, snapshot: Snapshot) -> tuple[pd.DataFrame, tuple[str, ...]]:
    from smallarea.catalog.layers import read_layer

    layer = read_layer(source, snapshot, "Point")
    places = {"key:lat": layer.geometry.y, "key:lon": layer.geometry.x, LABEL: ""}
    body = pd.DataFrame(places, index=layer.index, dtype=object)
    for name in source.columns:
        body[name] = layer.get(name)
    return body, ()


def _key(body: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that find a row's area, one column per role."""
    roles = {name: name.removeprefix("key:") for name in map(str, body) if name.startswith("key:")}
    return body[list(roles)].rename(columns=roles)


def _match(source: Source, key: pd.DataFrame, frame: Frame) -> dict[str, pd.Series]:
    """Return the ids (for points also the coordinates) of every row, <NA> where unknown."""

    def where(role: str) -> str:
        return f"{source.file}, column '{source.key[role]}'"

    match sorted(map(str, key)):
        case ["code"]:
            return {"area_id": match_codes(key["code"], frame, where("code"))}
        case ["destination", "origin"]:
            return {r: match_codes(key[r], frame, where(r)) for r in ("origin", "destination")}
        case ["lat", "lon"]:
            return _locate(source, key, frame)
        case roles if "name" in roles:
            above = [role for role in roles if role != "name"]
            if above and above[0] != levels_of(frame.table)[0]:
                raise InputError(
                    f"names are looked for within {levels_of(frame.table)[0]}, not {above[0]}",
                    where=f"data_catalog.yaml, source {source.name}, key",
                    remedy="give the lowest level beside the name, or the name alone",
                )
            names = as_text(key["name"])
            within = as_text(key[above[0]]) if above else pd.Series("", names.index)
            return {"area_id": frame.match_names(within, names).where(names.notna())}
        case _:  # roles are checked where they are declared
            raise AssertionError(f"no key is made of {', '.join(map(str, key))}")


def _level(source: Source) -> str | None:
    """Return the level that the rows of a table are about, None if they are about areas."""
    roles = set(source.key)
    return roles.pop() if source.of_areas and not roles & {"code", "name"} else None


def _units(source: Source, key: pd.DataFrame, frame: Frame) -> Units | None:
    level = _level(source)
    return match_units(key[level], frame, level, source.year) if level else None


def _locate(source: Source, key: pd.DataFrame, frame: Frame) -> dict[str, pd.Series]:
    degrees = {
        role: as_values(
            key[role],
            Column(min=-limit, max=limit),
            f"{source.file}, column '{source.key.get(role, role)}'",
        )[0]
        for role, limit in (("lon", 180.0), ("lat", 90.0))
    }
    placed = pd.DataFrame(degrees).dropna()
    lon, lat = placed["lon"].to_numpy(), placed["lat"].to_numpy()
    found = match_points(lon, lat, frame, source.snap_km)
    found.index = placed.index
    return {"area_id": found.reindex(key.index), **degrees}


def _account(source: Source, key: pd.DataFrame, ids: pd.DataFrame, label: pd.Series) -> ReadReport:
    text = key.apply(as_text)
    needed = ["name"] if "name" in key else list(key)
    keyed = text[needed].notna().all(axis=1)
    lost = ids.isna().any(axis=1)
    rows = zip(text[lost].to_numpy(), label[lost], strict=True)
    unmatched = pd.DataFrame(
        {
            "row": key.index[lost],
            "key": [" / ".join(c for c in cells if not pd.isna(c)) or name for cells, name in rows],
            "reason": np.where(keyed[lost], UNKNOWN, NO_KEY),
        }
    )
    matched = int((~lost).sum())
    if matched < max(1, LEAST_MATCH * keyed.sum()):
        raise InputError(
            f"only {matched:,} of {keyed.sum():,} rows match an area; unknown: "
            + some(unmatched.loc[unmatched["reason"] == UNKNOWN, "key"]),
            where=f"{source.file}, key {', '.join(source.key.values()) or 'coordinates'}",
            remedy="give the frame's own codes as text, or correct the key in data_catalog.yaml",
        )
    return ReadReport(source.name, source.file, len(key), matched, unmatched)

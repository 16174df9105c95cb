"""Tables, flows and points: rows whose key cells say which area they belong to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.catalog.declare import Column, Source
from smallarea.catalog.matching import NO_KEY, UNKNOWN, match_codes, match_points, match_units
from smallarea.catalog.report import ReadReport, some
from smallarea.catalog.snapshots import Snapshot
from smallarea.errors import InputError
from smallarea.reading.cells import LABEL, as_text, as_values, find_columns, read_cells

if TYPE_CHECKING:
    from smallarea.areas import Frame

#: The least share of rows with a key that must match: below it, it is the wrong file or frame.
LEAST_MATCH = 0.5


def read_rows(source: Source, snapshot: Snapshot, frame: Frame) -> tuple[pd.DataFrame, ReadReport]:
    """Read a table, flows or points from CSV or a workbook; points without a key from GeoJSON.

    Returns
    -------
    data : one row per matched row of the file, with the columns the catalog declares, after the
        key: `area_id` (`<level>_id` for a table of a level's units; `origin` and
        `destination` for flows; `lon` and `lat` besides for points).
    report : the account of all rows.

    Raises
    ------
    InputError : a column is missing, a cell breaks its declaration, codes are numbers, hardly a row
        matches, or an area has several rows and the catalog declares no `aggregate`.
    """
    body = _sheet(source, snapshot) if source.key else _points_layer(source, snapshot)
    key = _key(body)
    ids = pd.DataFrame(_match(source, key, frame), index=body.index)
    report = _account(source, key, ids, body[LABEL])
    body, ids = body.loc[ids.notna().all(axis=1)], ids.dropna()
    values, suppressed = {}, {}
    for name, column in source.columns.items():
        where = f"{source.file}, column '{column.header or name}'"
        values[name], hidden = as_values(body[name], column, where)
        if hidden:
            suppressed[name] = hidden
    data = pd.concat([ids, pd.DataFrame(values, index=body.index)], axis=1)
    if source.kind != "points":
        data = _unique(data, list(ids.columns) + list(source.per), source)
    return data.reset_index(drop=True), replace(report, suppressed=suppressed)


def _sheet(source: Source, snapshot: Snapshot) -> pd.DataFrame:
    cells = read_cells(snapshot.path, source.layer, source.file)
    wanted = {f"key:{role}": header for role, header in source.key.items()}
    wanted |= {name: column.header or name for name, column in source.columns.items()}
    optional = {name for name, column in source.columns.items() if column.optional}
    return find_columns(cells, wanted, optional, source.file)


def _points_layer(source: Source, snapshot: Snapshot) -> pd.DataFrame:
    from smallarea.catalog.layers import read_layer

    layer = read_layer(source, snapshot, "Point")
    places = {"key:lat": layer.geometry.y, "key:lon": layer.geometry.x, LABEL: ""}
    body = pd.DataFrame(places, index=layer.index, dtype=object)
    for name, column in source.columns.items():
        body[name] = layer.get(column.header or name)
    return body


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
        case _:
            level = str(key.columns[0])
            return {f"{level}_id": match_units(key[level], frame.table, level)}


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


def _unique(data: pd.DataFrame, by: list[str], source: Source) -> pd.DataFrame:
    """Return one row per area (and `per`), or say which has several."""
    repeated = data.duplicated(by, keep=False)
    if not repeated.any():
        return data
    if source.aggregate is None:
        first = data.loc[repeated, by].iloc[0]
        rows = data.index[(data[by] == first).all(axis=1)]
        raise InputError(
            f"{' and '.join(map(str, first))} stands in rows {some(list(rows))}",
            where=f"{source.file}, {', '.join([*source.key.values(), *source.per])}",
            remedy="remove the duplicates, or declare `per` or `aggregate: sum|mean`",
        )
    groups = data.groupby(by, sort=False, dropna=False)
    return groups.agg(source.aggregate, skipna=False).reset_index()

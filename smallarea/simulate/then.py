"""The twin's tables on the areas of their year: what a publisher of that year could know."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.simulate.world import World


def as_then(world: World, rows: pd.DataFrame, at: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows and their areas' positions as the source's year had them.

    What land brought to another area goes back to the area it came from: totals by the share of
    the area's people who live on it, other numbers as means over people, text with its row. Areas
    that did not exist have no row.

    rows : columns of the source. at : position of each row's area in the frame.
    """
    frame, source = world.frame, world.source
    shares = frame.shares_then(source.year)
    if shares.empty:
        return rows, at
    ids = frame.table.index
    part = pd.DataFrame(
        {
            "at": ids.get_indexer(pd.Index(shares["area_id"])),
            "to": ids.get_indexer(pd.Index(shares["origin"])),
            "people": shares["people"],
        }
    )
    if not source.divisible or source.kind == "flows":
        return rows, _back(part, len(ids))[at]
    touched = np.isin(at, part[["at", "to"]].to_numpy())
    moved = rows[touched].assign(at=at[touched]).merge(part, on="at")
    by = ["to", *source.per]
    result = {}
    for name, column in source.columns.items():
        if name in source.per:
            continue
        if column.type == "text":
            result[name] = moved.sort_values("people").groupby(by)[name].last()
            continue
        weight = moved["people"] / (world.people[moved["at"]] if column.is_total else 1)
        total = (moved[name] * weight).groupby([moved[b] for b in by]).sum()
        if not column.is_total:
            total = total / moved["people"].groupby([moved[b] for b in by]).sum()
        result[name] = total.round().astype("int64") if column.type == "integer" else total
    back = pd.DataFrame(result).reset_index()
    where = np.concatenate([at[~touched], back.pop("to").to_numpy()])
    all_rows = pd.concat([rows[~touched], back[list(rows)]], ignore_index=True)
    order = np.argsort(where, kind="stable")
    return all_rows.iloc[order].reset_index(drop=True), where[order]


def _back(part: pd.DataFrame, areas: int) -> np.ndarray:
    """Return, per area, itself, or for a new one the area that most of it came from."""
    to = np.arange(areas)
    new = part[~part["at"].isin(part["to"])].sort_values("people")
    to[new["at"]] = new["to"]
    return to


def joined_flows(world: World, rows: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    """Return ends (origin, destination: positions) and values, pairs that became one added up.

    Columns that do not add up are averaged.
    """
    columns = world.source.columns
    _, origin = as_then(world, rows, ends["origin"].to_numpy())
    _, destination = as_then(world, rows, ends["destination"].to_numpy())
    now = rows.assign(origin=origin, destination=destination)
    if not now.duplicated(["origin", "destination"]).any():
        return now
    how = {
        name: "first" if c.type == "text" else "sum" if c.is_total else "mean"
        for name, c in columns.items()
    }
    return now.groupby(["origin", "destination"], sort=False).agg(how).reset_index()

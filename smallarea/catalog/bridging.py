"""Carry a table of an earlier year to the areas of now: what land was divided, and what with it.

Counts are divided as people are now (areal interpolation with a population weight, Flowerdew &
Green 1992), and their sum over the country stays what it was. Numbers that do not add up (rates,
indices) hold on every part of the old area alike; an area made of several has their mean, weighted
by people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from smallarea.areas.history import still_to_divide
from smallarea.reading.column import Column

#: Why an area has no value: the reason that reports and tables give.
NO_ORIGIN = "an area whose land it has got has no value"
DIVIDED = "its land changed, and rows of this source cannot be divided"


def bridged(
    data: pd.DataFrame,
    shares: pd.DataFrame,
    columns: Mapping[str, Column],
    per: Sequence[str] = (),
    area: str = "area_id",
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the rows on today's areas, and the areas that have lost a value, with the reason.

    A file that has a row for an area that did not exist then is on today's areas already, as far
    as that area goes.

    Parameters
    ----------
    data : one row per area and `per`, with all of `columns`.
    shares : as `Frame.shares_then` returns them.
    area : the column with the area's code.
    """
    shares = still_to_divide(shares, set(data[area]))
    touched = set(shares["origin"]) | set(shares["area_id"])
    old = data[data[area].isin(touched)]
    if old.empty:
        return data, {}
    parts = shares.rename(columns={"area_id": "to:", "origin": area})
    steps = old[list(per)].drop_duplicates() if per else None
    wanted = parts.merge(steps, how="cross") if steps is not None else parts
    joined = wanted.merge(old, on=[area, *per], how="left", indicator="row:")
    by = [joined["to:"], *(joined[name] for name in per)]
    absent = (joined["row:"] == "left_only").groupby(by, dropna=False)
    result = {}
    for name, column in columns.items():
        if name not in per:
            result[name] = _carried(joined, name, column, by)
    rows = pd.DataFrame(result, index=absent.any().index)
    rows = rows[~absent.all()]
    partly = absent.any() & ~absent.all()
    lost = [key[0] if isinstance(key, tuple) else key for key in partly.index[partly]]
    rows.index = rows.index.set_names([area, *per])
    rows = rows.reset_index().reindex(columns=data.columns)
    kept = data[~data[area].isin(touched)]
    return pd.concat([kept, rows], ignore_index=True), dict.fromkeys(lost, NO_ORIGIN)


def _carried(joined: pd.DataFrame, name: str, column: Column, by: list[pd.Series]) -> pd.Series:
    """Return one column by area of now; NaN where a part of it is unknown."""
    if column.type == "text":
        said = joined[name].groupby(by, dropna=False)
        return said.first().where(said.first() == said.last())
    values = joined[name].astype(float)
    if column.is_total:
        return (values * joined["share"]).groupby(by, dropna=False).sum(skipna=False)
    weighted = (values * joined["people"]).groupby(by, dropna=False).sum(skipna=False)
    return weighted / joined["people"].groupby(by, dropna=False).sum()


def undivided(data: pd.DataFrame, shares: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the rows of areas that are what they were, and why the others are missing."""
    shares = still_to_divide(shares, set(data["area_id"]))
    touched = set(shares["origin"]) | set(shares["area_id"])
    return data[~data["area_id"].isin(touched)], dict.fromkeys(sorted(touched), DIVIDED)


def bridged_flows(
    flows: pd.DataFrame, shares: pd.DataFrame, columns: Mapping[str, Column]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return flows between today's areas: both ends are divided as people are.

    Columns that do not add up are missing where an end was divided.
    """
    present = set(flows["origin"]) | set(flows["destination"])
    shares = still_to_divide(shares, present)
    touched = set(shares["origin"]) | set(shares["area_id"])
    moved = flows["origin"].isin(touched) | flows["destination"].isin(touched)
    if not moved.any():
        return flows, {}
    same = pd.Index(sorted(present - set(shares["origin"])))
    stay = pd.DataFrame({"origin": same, "area_id": same, "share": 1.0})
    ends = pd.concat([shares[["origin", "area_id", "share"]], stay])
    rows = flows[moved]
    for end in ("origin", "destination"):
        part = ends.set_axis([end, f"{end}:", f"{end}:share"], axis=1)
        rows = rows.merge(part, on=end).drop(columns=end).rename(columns={f"{end}:": end})
    weight = rows.pop("origin:share") * rows.pop("destination:share")
    for name, column in columns.items():
        if column.type != "text":
            rows[name] = rows[name] * weight if column.is_total else np.nan
    pairs = rows.groupby(["origin", "destination"], sort=False)
    joined = pairs[[n for n, c in columns.items() if c.type != "text"]].sum(min_count=1)
    ends_of = [rows["origin"], rows["destination"]]
    hidden = rows[list(joined)].isna().groupby(ends_of, sort=False).any()
    joined = joined.mask(hidden).reset_index()
    return pd.concat([flows[~moved], joined], ignore_index=True).reindex(columns=list(flows)), {}

"""The twin's tables and flows: every declared column, for areas or units of a level."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from smallarea.areas.levels import levels_of
from smallarea.catalog import Source
from smallarea.simulate.cells import cells, listed
from smallarea.simulate.then import as_then, joined_flows
from smallarea.simulate.world import World


def table_rows(world: World) -> pd.DataFrame:
    """Return a table as its publisher heads it: key columns first, then all that is declared."""
    rows, people = _periods(world)
    at = rows.pop("at").to_numpy()
    for name, column in world.source.columns.items():
        if name not in rows:
            rows[name] = cells(world, name, column, at, people)
    rows = rows[list(world.source.columns)]
    if set(world.source.key) & {"code", "name"}:
        rows, at = as_then(world, rows, at)
    keys = _keys(world, at)
    roles = set(world.source.key) - {"code", "name"}
    if roles and "name" not in world.source.key:
        rows = _of_level(world, rows, keys, at)
        keys = rows[list(keys)]
        rows = rows[list(world.source.columns)]
    return _headed(world.source, keys, _withheld(world.source, rows))


def _periods(world: World) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the columns of `per` and `at`, the area's position; and the people behind each row.

    Values that can be listed (months, years) go through for every area. Where a column holds names
    of things (schools), an area has several of them, which share its people.
    """
    source = world.source
    steps = {name: listed(source.columns[name], source.vintage) for name in source.per}
    at, people = np.arange(len(world.people)), world.people
    if things := [name for name, values in steps.items() if not values]:
        size = people / people.mean() * np.exp(0.3 * world.measure("number"))
        number = 1 + world.rng.poisson(np.minimum(0.3 * world.settings.points * size, 60))
        at = np.repeat(at, number)
        rows = pd.DataFrame({"at": at})
        for name in things:
            column = source.columns[name]
            if column.type == "text":
                rows[name] = [f"SYNTHETIC-{i:06d}" for i in range(1, len(at) + 1)]
            else:
                rows[name] = np.arange(1, len(at) + 1) + int(column.min or 0)
        return rows, people[at] / number[at]
    product = list(itertools.product(*steps.values()))
    rows = pd.DataFrame({"at": np.repeat(at, len(product))})
    for number, name in enumerate(steps):
        rows[name] = np.tile(np.array([values[number] for values in product]), len(at))
    return rows, people[rows["at"]]


def _keys(world: World, at: np.ndarray) -> pd.DataFrame:
    """Return the key's columns, by role, one row per row of the file."""
    table = world.frame.table
    columns = {}
    for role in world.source.key:
        column = {"code": pd.Series(table.index), "name": table["name"]}.get(role)
        if column is None:
            alone = len(world.source.key) == 1
            year = world.source.year if alone else None
            column = world.frame.units_then(role, year)
        columns[role] = column.to_numpy(object)[at]
    return pd.DataFrame(columns)


def _of_level(world: World, rows: pd.DataFrame, keys: pd.DataFrame, at: np.ndarray) -> pd.DataFrame:
    """Add areas up to a level's units: totals summed, other numbers averaged over people."""
    people = world.people[at]
    by = [*keys, *world.source.per]
    both = pd.concat([keys, rows], axis=1)
    together = {}
    for name, column in world.source.columns.items():
        if name in world.source.per:
            continue
        if column.type == "text":
            together[name] = both.groupby(by)[name].first()
        elif column.is_total:
            together[name] = both.groupby(by)[name].sum()
        else:
            weighted = (both[name] * people).groupby([both[b] for b in by]).sum()
            mean = weighted / pd.Series(people, both.index).groupby([both[b] for b in by]).sum()
            together[name] = mean.round().astype("int64") if column.type == "integer" else mean
    return pd.DataFrame(together).round(5).reset_index()


def _withheld(source: Source, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a mark in place of small counts and of all that stands beside them."""
    measures = [name for name in source.columns if name not in source.per]
    for name, column in source.columns.items():
        if column.withheld is not None:
            small = pd.to_numeric(rows[name], errors="coerce") < column.withheld
            marked = rows[measures].astype(object).mask(small, f"<{column.withheld}")
            rows = rows.assign(**{measure: marked[measure] for measure in measures})
    return rows


def flow_rows(world: World) -> pd.DataFrame:
    """Return flows between areas: within, to near ones, and to the largest of the lowest level."""
    table, people = world.frame.table, world.people
    near = csr_array(world.frame.neighbours)
    origin, destination = (near + near @ near).nonzero()
    largest = table.groupby(f"{levels_of(table)[0]}_id")["population"].idxmax()
    hub = table.index.get_indexer(pd.Index(table[f"{levels_of(table)[0]}_id"].map(largest)))
    all_areas = np.arange(len(table))
    pairs = pd.DataFrame(
        {
            "origin": np.concatenate([origin, all_areas, all_areas]),
            "destination": np.concatenate([destination, hub, all_areas]),
        }
    ).drop_duplicates(ignore_index=True)
    o, d = pairs["origin"].to_numpy(), pairs["destination"].to_numpy()
    pull = people * np.exp(0.5 * world.measure("pull"))
    lat, lon = table["lat"].to_numpy(float), table["lon"].to_numpy(float)
    km = 111.2 * np.hypot(lat[o] - lat[d], (lon[o] - lon[d]) * np.cos(np.radians(lat[o])))
    weight = pull[d] * np.exp(-km / (2 * max(float(np.median(km[km > 0], keepdims=False)), 1e-6)))
    behind = people[o] * weight / np.maximum(np.bincount(o, weight, len(table)), 1e-300)[o]
    values = {n: cells(world, n, c, o, behind) for n, c in world.source.columns.items()}
    codes = table.index.to_numpy(object)
    rows = joined_flows(world, pd.DataFrame(values), pairs)
    keys = pd.DataFrame({end: codes[rows.pop(end)] for end in ("origin", "destination")})
    return _headed(world.source, keys, rows)


def _headed(source: Source, keys: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Put the file's headers on the key's roles and the columns' names."""
    headers = {name: column.head(name) for name, column in source.columns.items()}
    return pd.concat([keys.rename(columns=dict(source.key)), rows.rename(columns=headers)], axis=1)

"""Totals of units above the areas, given from elsewhere: read and drawn.

Each is drawn from the lognormal distribution with the mean and standard error given, or with the
ends given as its 95 % interval: it is positive, and on a logit scale it is close to normal.
"""

from __future__ import annotations

import zlib
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.catalog.units import match_units
from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.reading.cells import as_text, as_values, find_columns, read_cells, refuse_rows
from smallarea.reading.column import Column

if TYPE_CHECKING:
    from smallarea.areas import Frame

#: What a row may hold, one of these pairs; `low` and `high` are the ends of a 95 % interval.
FORMS = (("total", "se"), ("low", "high"))
_END = 1.959964
_KEYS = ("level", "unit", "component")
_NUMBER = Column(min=0)


def read_given(path: Path, frame: Frame, indicators: Indicators) -> pd.DataFrame:
    """Read a table of totals: columns level, unit, component, and one pair of `FORMS`.

    Parameters
    ----------
    frame : a unit is named by its code or, if that is unique, by its name; a component
        may be a sum. Totals are people as reported, like the nation's, of all areas of a unit.

    Returns
    -------
    Index row (in the file); level, unit_id, unit, component, log_mean and log_sd (of the lognormal
    distribution that the total is drawn from); highest level first.

    Raises
    ------
    InputError : a column or cell is not as it should be, a level, unit or component is unknown, a
        unit has two rows of a component, a total is not below the unit's population; the row is
        named. Or levels cross: a unit lies in two units of a higher level that has totals.
    """
    name, where, table = path.name, f"{path.name}, column '{{}}'", frame.table
    cells = read_cells(path, None, name)
    every = [*_KEYS, *(column for form in FORMS for column in form)]
    body = find_columns(cells, {key: key for key in every}, set(every) - set(_KEYS), name)
    given = pd.DataFrame({key: as_text(body[key]) for key in _KEYS})
    for column in (column for form in FORMS for column in form):
        given[column], _ = as_values(body[column], _NUMBER, where.format(column))
    levels = levels_of(table)
    for key, known in (("level", levels), ("component", list(indicators.counts))):
        unknown = f"no such {key}; there are {', '.join(known)}"
        refuse_rows(~given[key].isin(known), unknown, where.format(key), "correct the row")
    given["unit_id"] = _units(given, frame, where.format("unit"))
    twice = given.duplicated(["level", "unit_id", "component"])
    refuse_rows(
        twice, "the unit has another row for this component", where.format("unit"), "keep one"
    )
    given = _as_lognormal(given, name)
    _refuse_crowds(given, table, indicators, where)
    used = [level for level in levels if given["level"].eq(level).any()]
    for low, high in ((a, b) for i, a in enumerate(used) for b in used[i + 1 :]):
        if table.groupby(f"{low}_id")[f"{high}_id"].nunique().gt(1).any():
            raise InputError(
                f"units of level {low} lie across those of level {high}",
                where=where.format("level"),
                remedy="give totals of one of the two",
            )
    names = {lev: table.groupby(f"{lev}_id")[lev].first() for lev in used}
    pairs = zip(given["level"], given["unit_id"], strict=True)
    given["unit"] = [str(names[level][unit]) for level, unit in pairs]
    order = {level: -number for number, level in enumerate(levels)}
    given = given.sort_values("level", key=lambda column: column.map(order), kind="stable")
    return given[["level", "unit_id", "unit", "component", "log_mean", "log_sd"]].rename_axis("row")


def draw_given(given: pd.DataFrame, draws: int, seed: int) -> np.ndarray:
    """Draw the totals of `read_given` in people, shape (rows, draws).

    A row's draws hang on what it says, not on where it stands in the file.
    """
    drawn = np.empty((len(given), draws))
    keys = given[["level", "unit_id", "component"]].agg("/".join, axis=1)
    for row, key in enumerate(keys):
        rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
        mean, sd = given[["log_mean", "log_sd"]].iloc[row]
        drawn[row] = np.exp(mean + sd * rng.standard_normal(draws))
    return drawn


def _units(given: pd.DataFrame, frame: Frame, where: str) -> pd.Series:
    """Return the code of each row's unit."""
    table = frame.table
    found = pd.Series(pd.NA, given.index, dtype="object")
    for level, rows in given.groupby("level"):
        codes = set(table[f"{level}_id"])
        named = match_units(rows["unit"], frame, str(level)).ids
        named = named.where(named.isin(codes))
        found[rows.index] = rows["unit"].where(rows["unit"].isin(codes), named).astype(object)
    unknown = found.isna()
    if unknown.any():
        first = given[unknown].iloc[0]
        names = table[first["level"]].astype(str)
        cell = "" if pd.isna(first["unit"]) else str(first["unit"])
        alike = get_close_matches(cell, sorted(set(names)), n=1)
        several = len(set(table.loc[names == cell, f"{first['level']}_id"])) > 1
        why = "is the name of several units" if several else "is no code or name of a unit"
        hint = f"; did you mean {alike[0]}?" if alike and not several else ""
        remedy = "give the unit's code" if several else "correct the row"
        refuse_rows(unknown, f"{cell!r} {why} of level {first['level']}{hint}", where, remedy)
    return found


def _as_lognormal(given: pd.DataFrame, name: str) -> pd.DataFrame:
    """Add log_mean and log_sd; refuse rows without one pair of numbers that can be."""
    filled = pd.DataFrame({form: given[list(form)].notna().all(axis=1) for form in FORMS})
    some = pd.DataFrame({form: given[list(form)].notna().any(axis=1) for form in FORMS})
    pairs = " or ".join(" and ".join(form) for form in FORMS)
    one = (filled.sum(axis=1) == 1) & (some.sum(axis=1) == 1)
    where = f"{name}, column '{{}}'"
    refuse_rows(~one, f"a row holds {pairs}, one pair", where.format("..."), "correct the row")
    for column in ("total", "se", "low"):
        refuse_rows(given[column] == 0, "it is 0", where.format(column), "give a positive number")
    wrong = given["low"] >= given["high"]
    refuse_rows(wrong, "low is not below high", where.format("low"), "correct the row")
    sd = pd.Series(np.sqrt(np.log1p((given["se"] / given["total"]) ** 2)), given.index)
    low, high = np.log(given["low"]), np.log(given["high"])
    middle, half = (low + high) / 2, (high - low) / 2
    return given.assign(
        log_mean=(np.log(given["total"]) - sd**2 / 2).fillna(middle), log_sd=sd.fillna(half / _END)
    )


def _refuse_crowds(
    given: pd.DataFrame, table: pd.DataFrame, indicators: Indicators, where: str
) -> None:
    people = pd.Series(np.nan, given.index)
    for (level, component), rows in given.groupby(["level", "component"]):
        size = table[indicators.reference[str(component)]].groupby(table[f"{level}_id"]).sum()
        people[rows.index] = rows["unit_id"].map(size).astype(float)
    for column in ("total", "high"):
        crowd = given[column] >= people
        most = f"{people[crowd].iloc[0]:,.0f}" if crowd.any() else ""
        refuse_rows(
            crowd,
            f"it is not below the {most} people of the unit's reference population",
            where.format(column),
            "check that total and reference population count the same people",
        )

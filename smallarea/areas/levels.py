"""The levels above the areas, as the project names them: a column each, and one for its codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from smallarea.areas.spec import Level
from smallarea.errors import InputError


def levels_of(table: pd.DataFrame) -> list[str]:
    """Return the names of the levels in a frame's table, the lowest first.

    A level called `x` has two columns: `x`, the names, and `x_id`, the codes.
    """
    ids = [str(column) for column in table.columns if str(column).endswith("_id")]
    return [column.removesuffix("_id") for column in ids if column != "area_id"]


def level_ids(table: pd.DataFrame, number: int = 0) -> pd.Series:
    """Return each area's code at a level, counted from the lowest; one code for all beyond the top.

    table : the frame's, index area_id.
    """
    levels = levels_of(table)
    if number < len(levels):
        return table[f"{levels[number]}_id"]
    return pd.Series("all", index=table.index, dtype="str")


def unit_aliases(aliases: Mapping[str, Sequence[str]], areas: pd.Index) -> pd.DataFrame:
    """Return unit, alias of what the catalog's aliases say of units, whose names its keys are.

    areas : codes of areas, which the other keys are.
    """
    pairs = [(unit, alias) for unit, more in aliases.items() if unit not in areas for alias in more]
    return pd.DataFrame(pairs, columns=["unit", "alias"]).astype("str")


def with_groups(table: pd.DataFrame, levels: Sequence[Level]) -> pd.DataFrame:
    """Return the frame's table with the levels that the catalog makes of others' units.

    Raises
    ------
    InputError : a level is neither in the table nor made of one that is, a unit is in several
        groups or in none, or a group names a unit that is not there.
    """
    known = levels_of(table)
    last = list(table.columns).index(known[-1]) + 1
    for number, level in enumerate(levels):
        where = f"data_catalog.yaml, frame.levels.{number} ({level.name})"
        if level.of is None:
            if level.name not in known:
                raise InputError(
                    "the register has no such level",
                    where=where,
                    remedy=f"it has {', '.join(known)}; give `of` and `groups` to make another",
                )
            continue
        if level.of not in known:
            raise InputError(
                f"there is no level '{level.of}'", where=where, remedy=f"use {', '.join(known)}"
            )
        units = set(table[level.of])
        listed = [unit for members in level.groups.values() for unit in members]
        for what, wrong in (
            ("is listed twice", {unit for unit in listed if listed.count(unit) > 1}),
            (f"is no {level.of} of the frame", set(listed) - units),
            ("is in no group", units - set(listed)),
        ):
            if wrong:
                raise InputError(f"'{min(wrong)}' {what}", where=where, remedy="correct the groups")
        group_of = {unit: name for name, members in level.groups.items() for unit in members}
        names = table[level.of].map(group_of).astype("str")
        table = table.copy()
        table.insert(last, f"{level.name}_id", names)
        table.insert(last + 1, level.name, names)
        last, known = last + 2, [*known, level.name]
    return table

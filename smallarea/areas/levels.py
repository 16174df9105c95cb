"""The levels above the areas, as the project names them: a column each, and one for its codes."""

from __future__ import annotations

import pandas as pd


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

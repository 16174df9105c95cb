"""Units of the levels as a table tells them, row by row: one name each, and one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pandas as pd

from smallarea.errors import InputError


def require_units(
    table: pd.DataFrame, levels: Sequence[str], headers: Mapping[str, str], file: str
) -> None:
    """Refuse a code with two names, and a unit that lies in two units of the next level.

    Parameters
    ----------
    table : index row in the file; for each level `x` its names, `x`, and its codes, `x_id`.
    levels : lowest first. headers : level -> what heads its names in the file.

    Raises
    ------
    InputError : the column, and the first row that says otherwise than one before it.
    """
    for level in levels:
        if row := _second(table, f"{level}_id", level):
            code, name = table.loc[row, [f"{level}_id", level]].astype(str)
            raise InputError(
                f"code '{code}' has a second name, '{name}'",
                where=f"{file}, column '{headers[level]}', row {row}",
                remedy="give every unit one name, or another code",
            )
    for below, above in pairwise(levels):
        if row := _second(table, f"{below}_id", f"{above}_id"):
            unit, second = table.loc[row, [below, above]].astype(str)
            raise InputError(
                f"'{unit}' lies in a second {above}, '{second}'",
                where=f"{file}, column '{headers[above]}', row {row}",
                remedy="a unit lies in one unit of the next level: correct the table, name a "
                f"column of codes if units of level {below} share a name, or list the levels "
                "lowest first",
            )


def _second(table: pd.DataFrame, key: str, value: str) -> int:
    """Return the first row in which a key stands with another value than before; 0 if none does."""
    pairs = table[[key, value]].drop_duplicates()
    again = pairs.index[pairs[key].duplicated()]
    return int(again[0]) if len(again) else 0

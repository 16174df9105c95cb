"""Reading casework: how many people of an area are known to have been found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.reading.cells import as_text, as_values, find_columns, read_cells, refuse_rows
from smallarea.reading.column import Column

if TYPE_CHECKING:
    from smallarea.areas import Frame

_COUNT = Column(type="integer", min=0)


def read_cases(path: Path, column: str, frame: Frame) -> pd.Series:
    """Read the counts of one column of casework by area, from CSV or a workbook.

    Parameters
    ----------
    path : a table with `area_id`, a code of any vintage, and `column`.

    Returns
    -------
    People known, index area_id of the frame; areas without a row had no operations.

    Raises
    ------
    InputError : the file cannot be read, lacks a column or has it twice; a code is not the frame's
        or stands twice; a cell is not a count. Column and row are named.
    """
    cells = read_cells(path, None, path.name)
    body = find_columns(cells, {"area_id": "area_id", "cases": column}, set(), path.name)
    where = f"{path.name}, column '{{}}'"
    codes, at = as_text(body["area_id"]), where.format("area_id")
    found = frame.match(codes, where=at)

    def refuse(wrong: pd.Series, why: str, place: str) -> None:
        refuse_rows(wrong, why, place, "correct the row, or leave it out")

    refuse(codes.isna(), "the cell is empty", at)
    lost = found.isna()
    code = codes[lost].iloc[0] if lost.any() else ""
    refuse(lost, f"{code!r} is not in the frame", at)
    refuse(found.duplicated(), "the area has another row", at)
    cases, _ = as_values(body["cases"], _COUNT, where.format(column))
    refuse(cases.isna(), "the cell says no number", where.format(column))
    index = pd.Index(found.astype("str"), name="area_id")
    return pd.Series(cases.to_numpy(), index, name=column)

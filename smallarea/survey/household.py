"""Reading the household roster: one row per member, each with the respondent who listed them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from smallarea.reading.cells import as_text, find_columns, read_cells, refuse_rows

COLUMNS = ("respondent_id", "age_group", "occupation")


def read_roster(path: Path) -> pd.DataFrame:
    """Read a roster from CSV or a workbook: text columns `COLUMNS`, NaN where nothing is said.

    Raises
    ------
    InputError : the file cannot be read, lacks a column or has it twice, or a row says no
        respondent; the row is named.
    """
    body = find_columns(
        read_cells(path, None, path.name), {c: c for c in COLUMNS}, set(), path.name
    )
    roster = pd.DataFrame({name: as_text(body[name]).astype("str") for name in COLUMNS})
    where = f"{path.name}, column 'respondent_id'"
    refuse_rows(
        roster["respondent_id"].isna(), "the cell is empty", where, "say who listed the member"
    )
    return roster.reset_index(drop=True)

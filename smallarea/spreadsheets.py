"""Text that a spreadsheet takes for text: a name that begins with = or @ must not run there."""

from __future__ import annotations

from typing import Any

import pandas as pd

#: A spreadsheet runs a cell of a CSV file that begins with one of these, spaces aside.
RUNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
#: Some programs drop one of these and run what follows.
DROPPED = ("\t", "\r", "\n")


def harmless(cell: Any) -> Any:
    """Return a cell with an apostrophe before it if it is text that would run.

    The reader of tables (`smallarea.reading.cells.as_text`) takes the apostrophe away again.
    """
    if not isinstance(cell, str) or len(cell) < 2:
        return cell
    runs = cell.startswith(DROPPED) or cell.lstrip().startswith(RUNS)
    return f"'{cell}" if runs else cell


def as_meant(cell: Any) -> Any:
    """Return a cell without the apostrophe that `harmless` put before it.

    >>> as_meant("'=1+1"), as_meant("'s-Hertogenbosch")
    ('=1+1', "'s-Hertogenbosch")
    """
    guarded = isinstance(cell, str) and cell.startswith("'") and harmless(cell[1:]) == cell
    return cell[1:] if guarded else cell


def harmless_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table to be written as CSV: text, names of columns and of rows cannot run."""
    texts = [i for i, kind in enumerate(table.dtypes) if not _plain(kind)]
    out = table.copy()
    for i in texts:
        out.isetitem(i, table.iloc[:, i].map(harmless).array)
    out.columns = table.columns.map(harmless)
    if not _plain(table.index.dtype):
        out.index = table.index.map(_harmless_label)
    return out


def _plain(kind: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind))


def _harmless_label(label: Any) -> Any:
    return tuple(map(harmless, label)) if isinstance(label, tuple) else harmless(label)

"""Interviews before the reference period was over, within it, and after it: told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.errors import InputError


def parse_period(text: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Read `2022` or `2022-01-01:2022-12-31`, both days included.

    >>> [str(day.date()) for day in parse_period("2022")]
    ['2022-01-01', '2022-12-31']
    """
    first, colon, last = text.strip().partition(":")
    if not colon and first.isdigit() and len(first) == 4:
        first, last = f"{first}-01-01", f"{first}-12-31"
    start, end = (pd.to_datetime(d, format="%Y-%m-%d", errors="coerce") for d in (first, last))
    if pd.isna(start) or pd.isna(end) or start > end:
        raise InputError(
            f"{text!r} is no period",
            where="--period",
            remedy="write a year, or FIRST:LAST as YYYY-MM-DD:YYYY-MM-DD",
        )
    return start, end


def label(dates: pd.Series, start: pd.Timestamp, end: pd.Timestamp) -> pd.Series:
    """Return `unfinished` (the period was not over), `after`, `before` (it had not begun), None."""
    words = np.select(
        [dates.isna(), dates < start, dates <= end], ["", "before", "unfinished"], "after"
    )
    return pd.Series(words, dates.index, dtype=object).replace("", None)


def period_table(
    dates: pd.Series, start: pd.Timestamp, end: pd.Timestamp, told: pd.Series | None
) -> pd.DataFrame:
    """Interviews by where they fall; index `unfinished`, `after`, `before`.

    first, last (dates), `seen` (mean share of the period that was over at the interview) and, with
    `told` (1, 0, NaN), `share_reporting`.
    """
    where = label(dates, start, end)
    length = (end - start).days + 1
    seen = (((dates - start).dt.days + 1) / length).clip(0, 1)
    grouped = dates.groupby(where)
    table = pd.DataFrame(
        {"interviews": grouped.size(), "first": grouped.min(), "last": grouped.max(),
         "seen": seen.groupby(where).mean()}
    )  # fmt: skip
    if told is not None:
        table["share_reporting"] = told.groupby(where).mean()
    return table.rename_axis("period")

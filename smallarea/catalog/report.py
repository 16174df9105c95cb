"""What became of a source's rows when it was read: nothing is dropped without a trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

#: The file of a finished run that lists every row without an area.
UNMATCHED = "unmatched.csv"


def _none_unmatched() -> pd.DataFrame:
    return pd.DataFrame({"row": [], "key": [], "reason": []}).astype({"row": int, "key": "str"})


@dataclass(frozen=True)
class ReadReport:
    """The account of one read.

    Parameters
    ----------
    source, file : the catalog's entry, and the name of its file.
    rows, matched : rows of data in the file, and how many of them found their area.
    unmatched : one line per other row: `row` (its number in the file, the first being 1), `key`
        (its code, name or coordinates), `reason`.
    suppressed : column -> number of cells such as "<5", which are missing, never 0.
    notes : anything else worth knowing, one sentence each.
    missing : area -> why nothing can be said of it from this file, other than that no row is its.
    """

    source: str
    file: str
    rows: int = 0
    matched: int = 0
    unmatched: pd.DataFrame = field(default_factory=_none_unmatched)
    suppressed: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{self.source} ({self.file})"]
        if self.rows:
            parts.append(f"{self.matched:,} of {self.rows:,} rows matched")
        for reason, lost in self.unmatched.groupby("reason", sort=False):
            parts.append(f"{len(lost)} {reason}: {some(lost['key'].unique())}")
        if len(self.unmatched):
            parts.append(f"all of these rows are in {UNMATCHED}")
        if self.suppressed:
            cells = ", ".join(f"{n:,} in {column}" for column, n in self.suppressed.items())
            parts.append(f"suppressed cells kept missing: {cells}")
        return "; ".join([*parts, *self.notes])


def some(names: Iterable[str], most: int = 5) -> str:
    """Return the first few names and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more

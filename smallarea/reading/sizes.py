"""Rows counted while they are read: a table beyond the limits is refused before it fills memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from smallarea.limits import most, require

Row = TypeVar("Row", bound=Sequence)


def within_limits(rows: Iterable[Row], name: str) -> Iterator[Row]:
    """Yield rows; raise InputError naming the file once they are too many or one is too wide.

    A table is as wide as its widest row: that is what it takes in memory.
    """
    columns, cells = most("columns"), most("cells")
    widest = 0
    for number, row in enumerate(rows, start=1):
        if len(row) > widest:
            widest = len(row)
            if widest > columns:
                require("columns", widest, name)
        if number * widest > cells:
            require("cells", number * widest, name)
        yield row

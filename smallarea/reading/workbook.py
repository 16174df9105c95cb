"""Workbooks: opened within limits, and asked whether their formulas were ever computed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from smallarea.errors import InputError
from smallarea.limits import require
from smallarea.reading.sizes import within_limits

EXCEL = frozenset({".xlsx", ".xlsm"})
_LAST_ROW = 1 << 20

#: A cell with a formula and no value: a program wrote it, and no spreadsheet program computed it.
#: Where a formula gave empty text, the cell says that its value is text (t="str").
_UNCOMPUTED = re.compile(
    rb'<(?:\w+:)?c\b(?![^>]*\bt="str")[^>]*\br="([A-Z]{1,3})(\d{1,7})"[^>]*>'
    rb"\s*<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


class Uncomputed(str):
    """The text of a formula whose value is not in the file."""

    __slots__ = ()


def sheet_rows(path: Path, sheet: str | None, name: str) -> list[list]:
    """Return the rows of a workbook's sheet: text, numbers, None; formulas as their values.

    A cell whose formula was never computed is an `Uncomputed`. Rows differ in length; nothing
    filled stands below the last. `sheet` : the first where None. `name` : the file's in messages.

    Raises
    ------
    InputError : it is no workbook, is damaged or too large, or has no such sheet.
    """
    import openpyxl

    require_room(path, name)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl lets its zip and XML errors through
        raise _no_workbook(name, error) from error
    try:
        sheets = [one.title for one in book.worksheets]
        if (sheet is not None and sheet not in sheets) or not sheets:
            raise InputError(
                f"it has no sheet '{sheet}', only {', '.join(sheets)}",
                where=name,
                remedy="name a sheet that it has",
            )
        chosen = book[sheet or sheets[0]]
        chosen.reset_dimensions()  # a file's own word on its size may be wrong
        rows = _filled(within_limits(chosen.iter_rows(values_only=True), name))
        for column, row, formula in _uncomputed(path, chosen._worksheet_path):
            _put(rows, row, column, formula)
    except InputError:
        raise
    except Exception as error:
        raise _no_workbook(name, error) from error
    finally:
        book.close()
    return rows


def sheets_of(path: Path, sheet: str | None, name: str) -> list[str | None]:
    """Return the sheets of a workbook that `sheet` stands for, where it is a pattern with `*`."""
    if path.suffix.lower() not in EXCEL or sheet is None or "*" not in sheet:
        return [sheet]
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True)
    except Exception:  # what is wrong is said by whoever reads it
        return [sheet]
    there = book.sheetnames
    book.close()
    found: list[str | None] = [title for title in there if fnmatchcase(title, sheet)]
    return found or [sheet]


def require_room(path: Path, name: str) -> None:
    """Raise InputError if a zipped file would unzip to more than is allowed, or is damaged."""
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
    except Exception as error:  # zipfile's own, and struct's
        raise _no_workbook(name, error) from error
    require("unzipped", size, name)


def _filled(rows: Iterable[tuple]) -> list[list]:
    """Return the rows up to the last filled one."""
    found: list[list] = []
    filled = 0
    for row in rows:
        found.append(list(row))
        if any(cell is not None for cell in row):
            filled = len(found)
    return found[:filled]


def _put(rows: list[list], row: int, column: int, formula: Uncomputed) -> None:
    rows += [[] for _ in range(row - len(rows))]
    cells = rows[row - 1]
    cells += [None] * (column - len(cells))
    cells[column - 1] = formula


def _uncomputed(path: Path, part: str) -> Iterator[tuple[int, int, Uncomputed]]:
    """Yield column, row (from 1) and formula of every cell without its value."""
    from openpyxl.utils import column_index_from_string

    with zipfile.ZipFile(path) as parts:
        content = parts.read(part.lstrip("/"))
    if b"<f" not in content and b":f" not in content:
        return
    for column, row, formula in _UNCOMPUTED.findall(content):
        if 0 < int(row) <= _LAST_ROW:
            said = Uncomputed("=" + formula.decode("utf-8", "replace"))
            yield column_index_from_string(column.decode()), int(row), said


def uncomputed_error(formula: str, where: str) -> InputError:
    """Return the error of a cell whose formula was never computed."""
    return InputError(
        f"the formula {formula[:60]} was never computed, so that the cell has no value",
        where=where,
        remedy="open the workbook in a spreadsheet program and save it there",
    )


def _no_workbook(name: str, error: Exception) -> InputError:
    return InputError(
        f"it cannot be read: not a workbook ({error})",
        where=name,
        remedy="save it as CSV (UTF-8) or .xlsx",
    )

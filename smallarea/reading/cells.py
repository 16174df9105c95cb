"""From a file as people make them to clean columns: title rows, messy headers, marked cells.

A file's rows keep their number in the file (the first being 1), so that a report can name them.
"""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.reading.column import Column
from smallarea.reading.sizes import within_limits
from smallarea.reading.workbook import EXCEL, Uncomputed, sheet_rows, uncomputed_error

#: How statistical offices write "no value".
MISSING = frozenset({"", "-", "--", "–", "—", ".", "..", "...", "na", "n/a", "nan", "nil", "null"})
#: A small count withheld to protect people: "<5", "< 15", "≤10".
SUPPRESSED = r"[<≤]\s*=?\s*\d+"
THOUSANDS = r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?"
HEADER_WITHIN = 30
#: The column that holds the first filled cells of a row with gaps, to name it if it has no key.
LABEL = "label:"


def read_cells(path: Path, sheet: str | None, name: str) -> pd.DataFrame:
    """Return all cells of a CSV file or a workbook's sheet; index: row number in the file.

    Cells of a CSV file are text; those of a workbook text, numbers or None. `name` is the file's
    name in messages.
    """
    try:
        excel = path.suffix.lower() in EXCEL
        rows = sheet_rows(path, sheet, name) if excel else _text(path, name)
    except (UnicodeDecodeError, csv.Error, OSError, KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"it cannot be read: {error}", where=name, remedy="save it as CSV (UTF-8) or .xlsx"
        ) from None
    cells = pd.DataFrame(rows, dtype=object)
    cells.index += 1
    return cells


def _text(path: Path, name: str) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(within_limits(csv.reader(stream), name))


def blank(cells: pd.DataFrame) -> pd.DataFrame:
    """Which cells hold nothing."""
    return cells.isna() | cells.apply(lambda column: column.astype("str").str.strip() == "")


def normalise(header: object) -> str:
    """Return a header in lower case with runs of other signs as one space.

    Letters of every script count, and so do their marks: vowel signs make other words.
    """
    text = unicodedata.normalize("NFC", str(header).lower())
    words = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text).split()
    return " ".join(words)


def find_columns(
    cells: pd.DataFrame, wanted: dict[str, str], optional: set[str], name: str
) -> pd.DataFrame:
    """Return the rows below the header row: the wanted columns under their own names, and `LABEL`.

    Parameters
    ----------
    cells : as `read_cells` returns them.
    wanted : name -> header, compared without case and punctuation; a header in the file may go on
        after it ("Active HH" finds "Active HH (as of Dec 2022)").
    optional : names that may be absent.

    Raises
    ------
    InputError : there are no data, or no row has all headers; a missing one is named.
    """
    header_row, columns = _find_header(cells, wanted, optional, name)
    body = cells.loc[header_row + 1 :]
    body = body[~blank(body).all(axis=1)]
    if body.empty:
        raise _empty(name)
    picked = {key: body[columns[key]] if key in columns else None for key in wanted}
    rows = pd.DataFrame(picked, index=body.index)
    _refuse_uncomputed(rows, wanted, name)
    gaps = body[blank(rows).any(axis=1)]
    label = gaps.apply(lambda row: " / ".join(as_text(row).dropna().head(3)), axis=1)
    return rows.assign(**{LABEL: label.astype("str").reindex(body.index, fill_value="")})


def _refuse_uncomputed(rows: pd.DataFrame, wanted: dict[str, str], name: str) -> None:
    for key, cells in rows.items():
        for row, cell in zip(cells.index, cells.to_numpy(), strict=True):
            if type(cell) is Uncomputed:
                raise uncomputed_error(cell, f"{name}, column '{wanted[str(key)]}', row {row}")


def _empty(name: str) -> InputError:
    return InputError("it holds no data", where=name, remedy="supply the complete file")


def _find_header(
    cells: pd.DataFrame, wanted: dict[str, str], optional: set[str], name: str
) -> tuple[int, dict[str, int]]:
    """Return the first row with all headers that are needed, and where each wanted column is."""
    if cells.empty:
        raise _empty(name)
    needed = [key for key in wanted if key not in optional]
    top = cells.head(HEADER_WITHIN)
    rows = {
        row: [normalise(v) if v is not None else "" for v in values]
        for row, values in zip(top.index, top.to_numpy(), strict=True)
    }
    found = {row: _positions(headers, wanted) for row, headers in rows.items()}
    header_row = max(found, key=lambda row: len(found[row].keys() & needed))  # the first of equals
    for key in (k for k in needed if k not in found[header_row]):
        twice = rows[header_row].count(normalise(wanted[key])) > 1
        raise InputError(
            f"{'several columns' if twice else 'no column'} '{wanted[key]}'",
            where=f"{name}, header row {header_row}",
            remedy="restore the column, or declare its header in data_catalog.yaml",
        )
    return header_row, found[header_row]


def _positions(headers: list[str], wanted: dict[str, str]) -> dict[str, int]:
    """Find each wanted header: the one that equals it, or else the one that begins with it."""
    found = {}
    for key, header in wanted.items():
        text = normalise(header)
        equal = [i for i, h in enumerate(headers) if h == text]
        begun = [i for i, h in enumerate(headers) if h.startswith(text + " ")]
        if len(equal or begun) == 1:
            found[key] = (equal or begun)[0]
    return found


def as_text(cells: pd.Series) -> pd.Series:
    """Return trimmed text, <NA> where the cell says nothing."""
    text = cells.astype("string").str.replace("\u00a0", " ").str.strip().str.lstrip("'")
    return text.mask(text.str.lower().isin(MISSING))


def as_values(cells: pd.Series, column: Column, where: str) -> tuple[pd.Series, int]:
    """Return a column held to its declaration, and how many of its cells are suppressed.

    Numbers may have thousands separators. A suppressed cell ("<5") is NaN, as is a missing one.

    Raises
    ------
    InputError : a cell is not of the declared type, or outside its range; its row is named.
    """
    text = as_text(cells)
    if column.type == "text":
        if column.values:
            said = f"is none of {', '.join(column.values)}"
            _refuse(text.notna() & ~text.isin(column.values), text, said, where)
        return text, 0
    suppressed = text.str.fullmatch(SUPPRESSED).fillna(False).astype(bool)
    plain = text.mask(suppressed)
    separated = plain.str.fullmatch(THOUSANDS).fillna(False).astype(bool)
    plain = plain.mask(separated, plain.str.replace(",", ""))
    values = pd.to_numeric(plain.astype(object), errors="coerce").astype(float)
    values = values.where(np.isfinite(values))
    _refuse(values.isna() & plain.notna(), text, "is not a number", where)
    if column.type == "integer":
        _refuse(values.notna() & (values % 1 != 0), text, "is not a whole number", where)
    if column.min is not None:
        low = "is negative" if column.min == 0 else f"is below {column.min:g}"
        _refuse(values < column.min, text, low, where)
    if column.max is not None:
        _refuse(values > column.max, text, f"is above {column.max:g}", where)
    return values, int(suppressed.sum())


def _refuse(wrong: pd.Series, text: pd.Series, why: str, where: str) -> None:
    remedy = "correct the cell (empty if unknown), or its range in data_catalog.yaml"
    refuse_rows(wrong, f"'{text[wrong].iloc[0]}' {why}" if wrong.any() else why, where, remedy)


def refuse_rows(wrong: pd.Series, why: str, where: str, remedy: str) -> None:
    """Raise InputError naming the first row that is wrong, if any is, and how many more are.

    wrong : index row in the file.
    """
    if wrong.any():
        more = f" (and {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
        raise InputError(why + more, where=f"{where}, row {wrong.index[wrong][0]}", remedy=remedy)

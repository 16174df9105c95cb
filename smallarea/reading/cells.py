"""From a file as people make them to clean columns: title rows, messy headers, marked cells.

A file's rows keep their number in the file (the first being 1), so that a report can name them.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.reading.column import Column
from smallarea.reading.dialect import read_text
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
    name in messages. What separates the cells of a CSV file is found out, and said in
    `attrs["separator"]`.
    """
    separator = ""
    try:
        if path.suffix.lower() in EXCEL:
            rows: list = sheet_rows(path, sheet, name)
        else:
            rows, separator = read_text(path, name)
    except (UnicodeDecodeError, csv.Error, OSError, KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"it cannot be read: {error}", where=name, remedy="save it as CSV (UTF-8) or .xlsx"
        ) from None
    cells = pd.DataFrame(rows, dtype=object)
    cells.index += 1
    cells.attrs["separator"] = separator
    return cells


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
    wanted : name -> header, compared without case and punctuation. One that ends in `*` finds the
        header that begins so ("Active HH*" finds "Active HH (as of Dec 2022)"); nothing else goes
        by its beginning.
    optional : names that may be absent.

    Raises
    ------
    InputError : there are no data, or no row has all headers; a missing one is named, with what
        in the file is nearest to it.
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
    found = {row: positions(headers, wanted) for row, headers in rows.items()}
    header_row = max(found, key=lambda row: len(found[row].keys() & needed))  # the first of equals
    for key in (k for k in needed if k not in found[header_row]):
        raise no_column(wanted[key], list(top.loc[header_row]), f"{name}, header row {header_row}")
    return header_row, found[header_row]


def no_column(header: str, headers: Sequence[object], where: str) -> InputError:
    """Return the error of a header that is not among those of a file, or is there twice."""
    said = [str(h).strip() for h in headers if h is not None and str(h).strip()]
    if len(_at([normalise(h) for h in said], header)) > 1:
        return InputError(
            f"several columns '{header}'",
            where=where,
            remedy="rename all but one, or declare its whole header in data_catalog.yaml",
        )
    near = nearest_header(header, said)
    meant = f"; the nearest is '{near}'" if near else ""
    whole = f"`header: {near}`" if near else "its header"
    return InputError(
        f"no column '{header}'{meant}",
        where=where,
        remedy=f"restore the column, or declare {whole} in data_catalog.yaml if that is meant",
    )


def nearest_header(header: str, headers: list[str]) -> str | None:
    """Return the header in a file that looks most like one that is not there, if any does."""
    text = normalise(header)
    plain = {normalise(h): h for h in reversed(headers)}
    begun = [h for h in plain if h.startswith(text + " ") or text.startswith(h + " ")]
    near = begun or get_close_matches(text, plain, n=1, cutoff=0.6)
    return plain[near[0]] if near else None


def positions(headers: list[str], wanted: dict[str, str]) -> dict[str, int]:
    """Return where each wanted header is, of those that are there once."""
    found = {key: _at(headers, header) for key, header in wanted.items()}
    return {key: at[0] for key, at in found.items() if len(at) == 1}


def _at(headers: list[str], header: str) -> list[int]:
    """Return where a header is; one that ends in `*` is one that begins so."""
    text = normalise(header)
    if not header.rstrip().endswith("*"):
        return [i for i, h in enumerate(headers) if h == text]
    return [i for i, h in enumerate(headers) if h == text or h.startswith(text + " ")]


def as_text(cells: pd.Series) -> pd.Series:
    """Return trimmed text, <NA> where the cell says nothing."""
    text = cells.astype("string").str.replace("\u00a0", " ").str.strip().str.lstrip("'")
    return text.mask(text.str.lower().isin(MISSING))


def as_values(
    cells: pd.Series, column: Column, where: str, decimal: str | None = None
) -> tuple[pd.Series, int]:
    """Return a column held to its declaration, and how many of its cells are suppressed.

    Numbers may have thousands separators. A suppressed cell ("<5") is NaN, as is a missing one.
    Numbers come out in the column's unit: each in the file counts `column.times`.

    decimal : the decimal sign, "." or ","; "?" if the file has to show it; by default ".".

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
    written = cells.map(lambda cell: isinstance(cell, str))  # a workbook's numbers have no sign
    plain = plain.where(~written, _pointed(plain[written], decimal, where))
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
    return values * column.times, int(suppressed.sum())


def _pointed(text: pd.Series, decimal: str | None, where: str) -> pd.Series:
    """Return numbers with a point before their decimals, whatever the file writes."""
    if decimal in (None, "."):
        return text
    comma = text.str.contains(",", regex=False).fillna(False).astype(bool)
    if decimal == "?":
        if not comma.any():
            return text
        if text[comma].str.fullmatch(THOUSANDS).all():
            raise InputError(
                f"'{text[comma].iloc[0]}' may have thousands or decimals after its comma",
                where=where,
                remedy="declare `decimal: ','` or `decimal: '.'` for the source",
            )
    grouped = text.str.fullmatch(r"-?\d{1,3}(?:\.\d{3})+(?:,\d+)?").fillna(False).astype(bool)
    text = text.mask(grouped, text.str.replace(".", "", regex=False))
    return text.mask(comma, text.str.replace(",", ".", regex=False))


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

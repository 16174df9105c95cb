"""Tables as survey programs write them: CSV, Excel, Stata, SPSS, with the labels of their codes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.limits import most, require
from smallarea.reading.workbook import Uncomputed, sheet_rows, uncomputed_error
from smallarea.survey.validation import listed

#: column -> code -> what the file says that the code means
Labels = Mapping[str, Mapping[float, str]]

FORMATS = (".csv", ".xlsx", ".dta", ".sav")
#: What pandas reads as no value in a CSV file: the same in a workbook.
NO_CELL = frozenset({
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
})  # fmt: skip


def read_table(path: Path, **how: str | None) -> pd.DataFrame:
    """Read a table as `read_labelled` does, without the labels."""
    return read_labelled(path, **how)[0]


def read_labelled(
    path: Path,
    *,
    sep: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> tuple[pd.DataFrame, Labels]:
    """Read a .csv, .xlsx, .dta or .sav table; text cells stay text, empty cells are NaN.

    Spaces around column names are dropped, and rows without any cell.

    Parameters
    ----------
    sep, encoding : of a CSV file; a comma and UTF-8 where none is given.
    sheet : of a workbook, by name; the first where none is given.

    Returns
    -------
    The table, and the value labels of Stata's and SPSS's columns.

    Raises
    ------
    InputError : a file that cannot be read, or two columns of one name.
    """
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise InputError(
            f"'{path.suffix}' is not a survey format",
            where=path.name,
            remedy=f"save it as one of {', '.join(FORMATS)}",
        )
    if not path.is_file():
        raise no_file(path)
    labels: Labels = {}
    try:
        if kind == ".csv":
            table = _csv(path, sep or ",", encoding or "utf-8-sig")
        elif kind == ".xlsx":
            table = _headed(_workbook(path, sheet))
        else:
            table, labels = _stata(path) if kind == ".dta" else _spss(path)
    except (UnicodeDecodeError, LookupError) as error:
        raise InputError(
            f"it is not text in {encoding or 'UTF-8'} ({error})",
            where=path.name,
            remedy="save it as CSV UTF-8, or name its encoding (--encoding latin-1)",
        ) from error
    except InputError:
        raise
    except Exception as error:  # every format's library has errors of its own
        raise _unreadable(path, error) from error
    return _named_once(table, path.name).dropna(how="all").reset_index(drop=True), labels


def _csv(path: Path, sep: str, encoding: str) -> pd.DataFrame:
    """Read a CSV file; pandas would give a second column of a name a new one, unsaid."""
    how: dict[str, Any] = {"sep": sep, "encoding": encoding, "header": None, "dtype": str}
    header = pd.read_csv(path, nrows=1, keep_default_na=False, **how).iloc[0]
    other = next((s for s in ";\t|" if s in str(header[0])), None)
    if len(header) == 1 and other is not None:
        raise InputError(
            f"its columns are separated by {other!r}, not by {sep!r}",
            where=path.name,
            remedy=f"name the separator (--sep {other!r})",
        )
    require("columns", len(header), path.name)
    rows = int(most("cells") // len(header)) + 1
    body = pd.read_csv(path, nrows=rows, **how)
    require("cells", body.size, path.name)
    return _headed(body, header)


def _workbook(path: Path, sheet: str | None) -> pd.DataFrame:
    """Return a sheet's cells as text, whole numbers without a decimal point."""
    rows = sheet_rows(path, sheet, path.name)
    for number, row in enumerate(rows, start=1):
        for cell in row:
            if type(cell) is Uncomputed:
                raise uncomputed_error(cell, f"{path.name}, row {number}")
    return pd.DataFrame([[_spelt(cell) for cell in row] for row in rows], dtype=object)


def _spelt(cell: object) -> object:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return np.nan if cell is None or str(cell) in NO_CELL else str(cell)


def _headed(cells: pd.DataFrame, header: pd.Series | None = None) -> pd.DataFrame:
    """Take the first row as the names of the columns."""
    if cells.empty:
        raise ValueError("it is empty")
    names = cells.iloc[0] if header is None else header
    table = cells.iloc[1:].reset_index(drop=True)
    table.columns = pd.Index(
        [f"Unnamed: {i}" if pd.isna(n) or not str(n).strip() else n for i, n in enumerate(names)]
    )
    return table


def _named_once(table: pd.DataFrame, where: str) -> pd.DataFrame:
    exact = pd.Index([str(name) for name in table.columns])
    names = pd.Index([name.strip() for name in exact])
    twice = names[names.duplicated()].unique()
    if len(twice):
        spaces = not exact.has_duplicates
        raise InputError(
            f"columns that differ by spaces only: {listed(twice)}"
            if spaces
            else f"several columns of one name: {listed(twice)}",
            where=where,
            remedy="give every column a name of its own",
        )
    return table.set_axis(names, axis=1)


def _stata(path: Path) -> tuple[pd.DataFrame, Labels]:
    opened: Any = pd.read_stata(path, iterator=True)
    with opened as reader:
        columns = len(reader.variable_labels())
        _require_size(reader._nobs, columns, path)
        table = reader.read(convert_categoricals=False)
        names = dict(zip(getattr(reader, "_varlist", []), getattr(reader, "_lbllist", []),
                         strict=False))  # fmt: skip
        given = reader.value_labels()
    return table, {c: _codes(given[name]) for c, name in names.items() if name in given}


def _spss(path: Path) -> tuple[pd.DataFrame, Labels]:
    try:
        import pyreadstat
    except ImportError:
        raise InputError(
            "reading SPSS files needs the package pyreadstat",
            where=path.name,
            remedy="pip install 'smallarea[survey-formats]'",
        ) from None
    try:
        _, about = pyreadstat.read_sav(str(path), metadataonly=True)
        _require_size(about.number_rows or 0, about.number_columns or 0, path)
        table, about = pyreadstat.read_sav(str(path))
    except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError) as error:
        raise _unreadable(path, error) from error
    return table, {c: _codes(given) for c, given in about.variable_value_labels.items()}


def _require_size(rows: int, columns: int, path: Path) -> None:
    require("columns", columns, path.name)
    require("cells", rows * columns, path.name)


def _codes(given: Mapping[Any, str]) -> dict[float, str]:
    numbers = pd.to_numeric(pd.Series(list(given), dtype=object), errors="coerce")
    said = zip(numbers, given.values(), strict=True)
    return {float(code): str(label).strip() for code, label in said if pd.notna(code)}


def no_file(path: Path) -> InputError:
    return InputError("no such file", where=str(path), remedy="check the path")


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"cannot be read as {path.suffix.lower()} ({error})",
        where=path.name,
        remedy="check that it is what its name says, open it and save it again",
    )

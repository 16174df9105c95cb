"""The workbook of a run. Rows are written as text, several times faster than cell by cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd

from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.publish.disclosure import check_columns
from smallarea.publish.estimates import COLUMNS, levels_in
from smallarea.publish.sidecar import SCHEMA
from smallarea.publish.tables import NO_TIME, wide_table
from smallarea.publish.words import FLAG_WORDS, MEANING, number

if TYPE_CHECKING:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

#: Said first in the workbook.
DO_NOT_ADD = (
    "Medians and ends of ranges of several places must not be added: a sum of medians is no "
    "median, and a sum of upper ends is an end that can hardly be. The levels above have their "
    "own totals, and the map adds up any choice of places."
)
_END = "</sheetData>"
_WRITTEN = f"{NO_TIME:%Y-%m-%dT%H:%M:%SZ}".encode()


def write_excel(
    estimates: pd.DataFrame,
    path: Path,
    indicators: Indicators,
    notes: Sequence[str] = (),
    meaning: Sequence[str] = MEANING,
    people: pd.Series | None = None,
) -> None:
    """Write a workbook: README, `overview` (an area a row), `estimates` (the long table).

    Numbers are rounded to four significant digits; Parquet has them in full.
    people : population of each area, for the overview.
    notes : further sentences for the README sheet, such as where the numbers come from.
    meaning : what the numbers mean.
    """
    from openpyxl import Workbook

    check_columns(estimates)
    notice = sorted(set(estimates["notice"]) - {""})
    book = Workbook(write_only=True)
    readme = book.create_sheet("README")
    readme.column_dimensions["A"].width = 30
    readme.column_dimensions["B"].width = 110
    lines = [(text, "these numbers describe no real place") for text in notice]
    lines += [("Do not add", DO_NOT_ADD)]
    lines += [("What the numbers mean", text) for text in (*meaning, *indicators.meaning)]
    lines += [("Notes", text) for text in notes]
    lines += [(f"column {name}", text) for name, text in COLUMNS.items() if name in estimates]
    lines += [
        (f"indicator {name}", f"{indicators.labels[name]} ({unit})")
        for name, unit in indicators.units.items()
    ]
    lines += [(f"flag {name}", text) for name, text in FLAG_WORDS.items()]
    lines += [("Columns", f"version {SCHEMA} of their names and meanings")]
    tables = {"overview": overview(estimates, indicators, people), "estimates": estimates}
    sheets = {name: book.create_sheet(name) for name in tables}
    formats = {
        name: [_format(str(column), table[column], indicators) for column in table]
        for name, table in tables.items()
    }
    for name, sheet in sheets.items():
        _head(sheet, tables[name])
    for line in lines:
        readme.append(_texts(readme, line))
    styles = {name: [_style(sheets[name], each) for each in formats[name]] for name in tables}
    bare = BytesIO()
    book.save(bare)
    rows = {
        sheet.path.lstrip("/"): _rows(tables[name], styles[name]) for name, sheet in sheets.items()
    }
    with (
        writing(path) as temporary,
        ZipFile(bare) as source,
        ZipFile(temporary, "w", ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename in rows:
                body = rows[entry.filename] + _END
                content = content.replace(_END.encode(), body.encode(), 1)
            if entry.filename == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", _WRITTEN, content)
            timeless = ZipInfo(entry.filename, NO_TIME.timetuple()[:6])
            timeless.compress_type = ZIP_DEFLATED
            target.writestr(timeless, content)


def overview(
    estimates: pd.DataFrame, indicators: Indicators, people: pd.Series | None = None
) -> pd.DataFrame:
    """Range in words, median, 80 % interval and p_top of the main indicators, one row per area."""
    wide = wide_table(estimates)
    numbers = []
    for indicator in indicators.headlines:
        ends = [wide[f"{indicator}_{end}"].map(number) for end in ("q10", "q90")]
        told = wide[f"{indicator}_q50"].notna()
        wide[f"{indicator}_range"] = (ends[0] + " to " + ends[1]).where(told, "not published")
        numbers += [f"{indicator}_{n}" for n in ("range", "q10", "q50", "q90", "p_top")]
    keys = ["name", *levels_in(estimates), *(["surveyed"] if "surveyed" in estimates else [])]
    if people is not None:
        wide["population"] = people.reindex(wide.index).round()
        keys.append("population")
    return wide[[*keys, *numbers, "flags", "notice"]].reset_index()


def _head(sheet: WriteOnlyWorksheet, table: pd.DataFrame) -> None:
    """Give a sheet the table's header, frozen and with a filter over all of its rows to come."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "C2"
    last = get_column_letter(table.shape[1])
    sheet.auto_filter.ref = f"A1:{last}{table.shape[0] + 1}"
    for i, (name, column) in enumerate(table.items(), start=1):
        text = not pd.api.types.is_numeric_dtype(column.dtype)
        sheet.column_dimensions[get_column_letter(i)].width = (
            24 if text else max(11, len(str(name)))
        )
    header = _texts(sheet, list(map(str, table.columns)))
    for cell in header:
        cell.font = Font(bold=True)
    sheet.append(header)


def _format(name: str, column: pd.Series, indicators: Indicators) -> str:
    """Return the number format of a column; "" for text."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return ""
    if name.endswith("p_top"):
        return "0%"
    of_people = any(name.startswith(f"{count}_q") for count in indicators.counts)
    whole = name == "population" or name.startswith("rank") or "_rank_" in name
    return "#,##0" if whole or of_people else "#,##0.##"


def _style(sheet: WriteOnlyWorksheet, number_format: str) -> int:
    """Return the workbook's number for cells of a format."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, 0)
    if number_format:
        cell.number_format = number_format
    return int(cell.style_id)


def _texts(sheet: WriteOnlyWorksheet, values: Iterable[str]) -> list[WriteOnlyCell]:
    """Return cells that hold text, whatever it begins with."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cells = [WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value)) for value in values]
    for cell in cells:
        cell.data_type = "s"
    return cells


def _rows(table: pd.DataFrame, styles: Sequence[int]) -> str:
    """Return the table's rows below the header as SpreadsheetML; missing values have no cell."""
    from openpyxl.utils import get_column_letter

    numbers = range(2, len(table) + 2)
    columns = []
    for i, (style, (_, column)) in enumerate(zip(styles, table.items(), strict=True), start=1):
        start, styled = f'<c r="{get_column_letter(i)}', f's="{style}" ' if style else ""
        cells = zip(numbers, _cells(column), strict=True)
        columns.append([f'{start}{n}" {styled}{cell}' if cell else "" for n, cell in cells])
    rows = zip(numbers, zip(*columns, strict=True), strict=True)
    return "".join(f'<row r="{n}">{"".join(cells)}</row>' for n, cells in rows)


def _cells(column: pd.Series) -> list[str]:
    """Return type and value of each cell, floats to four significant digits, missing as ''."""
    if pd.api.types.is_float_dtype(column.dtype):
        return [
            f't="n"><v>{float(f"{x:.4g}"):.16g}</v></c>' if x == x else ""
            for x in column.to_numpy(dtype=float).tolist()
        ]
    values = column.astype(object).tolist()
    made = {value: "" if pd.isna(value) else _cell(value) for value in dict.fromkeys(values)}
    return [made[value] for value in values]


def _cell(value: str | float) -> str:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, bool):
        return f't="b"><v>{value:d}</v></c>'
    if not isinstance(value, str):
        return f't="n"><v>{value}</v></c>'
    text = ILLEGAL_CHARACTERS_RE.sub("", value)
    if not text:
        return 't="inlineStr" />'
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f't="inlineStr"><is><t{space}>{escape(text)}</t></is></c>'

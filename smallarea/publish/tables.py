"""Tables for the tools planners have: Parquet, CSV, Excel, GeoPackage; each all or nothing."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.publish.disclosure import check_columns
from smallarea.publish.estimates import COLUMNS, levels_in
from smallarea.publish.words import FLAG_WORDS, MEANING

if TYPE_CHECKING:
    import geopandas as gpd
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

#: The time that files give as that of their writing; the manifest has the true one.
NO_TIME = datetime(1980, 1, 1)

#: What a GIS user joins and styles by: `<indicator>_<one of these>`.
WIDE = ("q50", "q10", "q90", "q025", "q975", "rank_low", "rank_high", "p_top")


def write_parquet(estimates: pd.DataFrame, path: Path) -> None:
    """Write the long table in full precision."""
    check_columns(estimates)
    with writing(path) as temporary:
        estimates.to_parquet(temporary, index=False)


def write_csv(estimates: pd.DataFrame, path: Path) -> None:
    """Write the long table, numbers to six significant digits, UTF-8 with the codes as text."""
    check_columns(estimates)
    with writing(path) as temporary:
        estimates.to_csv(temporary, index=False, float_format="%.6g", encoding="utf-8")


def wide_table(estimates: pd.DataFrame) -> pd.DataFrame:
    """One row per area: names, surveyed, flags, notice, then `<indicator>_<number>` of `WIDE`."""
    check_columns(estimates)
    keys = ["name", *levels_in(estimates), "surveyed", "flags", "notice"]
    wide = estimates.drop_duplicates("area_id").set_index("area_id")[keys]
    parts = [wide]
    for indicator, rows in estimates.groupby("indicator", sort=False):
        numbers = rows.set_index("area_id")[list(WIDE)]
        parts.append(numbers.add_prefix(f"{indicator}_"))
    return pd.concat(parts, axis=1)


def write_geopackage(
    estimates: pd.DataFrame, geometry: gpd.GeoSeries, path: Path, indicators: Indicators
) -> None:
    """Write one layer `areas`, one row per area, columns as `wide_table`.

    geometry : index area_id, any CRS. What the numbers mean stands in the layer's description.
    """
    import geopandas as gpd
    import pyogrio

    wide = wide_table(estimates)
    shapes = geometry.loc[wide.index]
    layer = gpd.GeoDataFrame(wide.reset_index(), geometry=shapes.to_numpy(), crs=geometry.crs)
    notice = " ".join([*wide["notice"].unique(), *MEANING, *indicators.meaning]).strip()
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{NO_TIME:%Y-%m-%dT%H:%M:%SZ}"})
    try:
        with writing(path) as temporary:
            layer.to_file(
                temporary,
                layer="areas",
                driver="GPKG",
                engine="pyogrio",
                layer_metadata={"DESCRIPTION": notice},
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_excel(
    estimates: pd.DataFrame, path: Path, indicators: Indicators, notes: Sequence[str] = ()
) -> None:
    """Write a workbook: README, `overview` (an area a row), `estimates` (the long table).

    Numbers are rounded to four significant digits; Parquet has them in full.
    notes : further sentences for the README sheet, such as where the numbers come from.
    """
    from openpyxl import Workbook

    check_columns(estimates)
    notice = sorted(set(estimates["notice"]) - {""})
    book = Workbook(write_only=True)
    readme = book.create_sheet("README")
    readme.column_dimensions["A"].width = 30
    readme.column_dimensions["B"].width = 110
    lines = [(text, "these numbers describe no real place") for text in notice]
    lines += [("What the numbers mean", text) for text in (*MEANING, *indicators.meaning)]
    lines += [("Notes", text) for text in notes]
    lines += [(f"column {name}", text) for name, text in COLUMNS.items()]
    lines += [
        (f"indicator {name}", f"{indicators.labels[name]} ({unit})")
        for name, unit in indicators.units.items()
    ]
    lines += [(f"flag {name}", text) for name, text in FLAG_WORDS.items()]
    for line in lines:
        readme.append(line)
    _fill(book.create_sheet("overview"), _overview(estimates, indicators))
    _fill(book.create_sheet("estimates"), estimates)
    with writing(path) as temporary:
        book.save(temporary)
        _timeless(temporary)


def _timeless(path: Path) -> None:
    """Take the time of writing out of a workbook: the same numbers are the same bytes."""
    with zipfile.ZipFile(path) as book:
        parts = [(part, book.read(part)) for part in book.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for part, content in parts:
            if part.filename == "docProps/core.xml":
                written = f"{NO_TIME:%Y-%m-%dT%H:%M:%SZ}".encode()
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", written, content)
            entry = zipfile.ZipInfo(part.filename, NO_TIME.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            book.writestr(entry, content)


def _overview(estimates: pd.DataFrame, indicators: Indicators) -> pd.DataFrame:
    """Median, 80 % interval and p_top of the main indicators, one row per area."""
    wide = wide_table(estimates)
    numbers = [
        f"{indicator}_{number}"
        for indicator in indicators.headlines
        for number in ("q10", "q50", "q90", "p_top")
    ]
    keys = ["name", *levels_in(estimates), "surveyed"]
    return wide[[*keys, *numbers, "flags", "notice"]].reset_index()


def _fill(sheet: WriteOnlyWorksheet, table: pd.DataFrame) -> None:
    """Append a table with frozen header and filter; missing values become empty cells."""
    from openpyxl.utils import get_column_letter

    sheet.freeze_panes = "C2"
    last = get_column_letter(table.shape[1])
    sheet.auto_filter.ref = f"A1:{last}{table.shape[0] + 1}"
    columns = []
    for i, (name, column) in enumerate(table.items(), start=1):
        text = not pd.api.types.is_numeric_dtype(column.dtype)
        sheet.column_dimensions[get_column_letter(i)].width = (
            24 if text else max(11, len(str(name)))
        )
        columns.append(_cells(column))
    sheet.append(list(map(str, table.columns)))
    for row in zip(*columns, strict=True):
        sheet.append(row)


def _cells(column: pd.Series) -> list:
    """Plain Python values, floats to four significant digits, missing as None."""
    if pd.api.types.is_float_dtype(column.dtype):
        return [None if np.isnan(x) else float(f"{x:.4g}") for x in column.to_numpy(dtype=float)]
    return [None if pd.isna(x) else x for x in column.astype(object)]

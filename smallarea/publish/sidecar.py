"""What stands beside a table: its columns in words, for programmes (CSVW) and for aid data (HXL).

Column names are promised: a table of the same `SCHEMA` has the same names, meanings and units.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.publish.estimates import COLUMNS
from smallarea.spreadsheets import harmless_table

#: Version of the tables' columns; it changes when one is renamed, removed or means another thing.
SCHEMA = "1"
#: A code with this before it stays text in a spreadsheet, zeros at its start and all.
KEY = "id:"
_TEXT = ("area_id", "name", "indicator", "flags", "notice")
#: HXL hashtags of columns; a number's attribute is its column.
_TAGS = {
    "key": "#adm+code+text", "area_id": "#adm+code", "name": "#adm+name", "flags": "#meta+flags",
    "notice": "#meta+notice", "population": "#population",
}  # fmt: skip


def write_csvw(estimates: pd.DataFrame, path: Path, indicators: Indicators, title: str) -> None:
    """Write the metadata of estimates.csv as CSV on the Web has them (W3C 2015).

    path : `estimates.csv-metadata.json` beside the table.
    """
    columns = [
        {
            "name": name,
            "titles": name,
            "dc:description": COLUMNS.get(name, f"name of the {name} it lies in"),
            "datatype": _datatype(estimates[name]),
            "required": name in ("area_id", "indicator"),
        }
        for name in map(str, estimates.columns)
    ]
    about: dict[str, Any] = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": "estimates.csv",
        "dc:title": title,
        "dc:hasVersion": f"columns of schema {SCHEMA}",
        "notes": [
            {"indicator": name, "label": indicators.labels[name], "unit": unit}
            for name, unit in indicators.units.items()
        ],
        "dialect": {"encoding": "utf-8", "header": True},
        "tableSchema": {"columns": columns, "primaryKey": ["area_id", "indicator"]},
    }
    with writing(path) as temporary:
        temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")


def write_hxl(overview: pd.DataFrame, path: Path) -> None:
    """Write one row per place with a second row of HXL hashtags, and codes that stay text.

    overview : as `workbook.overview` makes it, `area_id` first.
    """
    table = overview.copy()
    table.insert(0, "key", KEY + table["area_id"].astype(str))
    table = harmless_table(table.astype(object).where(table.notna(), ""))
    tags = pd.DataFrame([[hashtag(str(name), overview) for name in table]], columns=table.columns)
    with writing(path) as temporary:
        pd.concat([tags, table]).to_csv(temporary, index=False, encoding="utf-8")


def hashtag(name: str, overview: pd.DataFrame) -> str:
    """Return the HXL hashtag of a column of an overview."""
    if name in _TAGS:
        return _TAGS[name]
    if name == "surveyed":
        return "#meta+surveyed"
    if name in overview and not pd.api.types.is_numeric_dtype(overview[name]):
        return f"#meta+{name}" if name.endswith("_range") else f"#adm+{name}+name"
    indicator, _, number = name.rpartition("_")
    if number == "top":
        return f"#value+{indicator.removesuffix('_p')}+p_top"
    return f"#value+{indicator}+{number}"


def _datatype(column: pd.Series) -> Any:
    if str(column.name) in _TEXT or not pd.api.types.is_numeric_dtype(column):
        return "boolean" if pd.api.types.is_bool_dtype(column) else "string"
    return "integer" if str(column.name).startswith("rank") else "number"

"""A GeoPackage opens coloured in QGIS: a default style of the layer, kept inside the file.

Five classes of the headline rate, from its quantiles; grey where it is not published; aliases for
every column, since `NAME_rate_q50` says little to whoever opens the attribute table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd

from smallarea.indicators import Indicators
from smallarea.publish.estimates import COLUMNS

#: Light to dark, safe for the colour-blind (Brewer's YlGnBu).
COLOURS = ("255,255,204", "161,218,180", "65,182,196", "44,127,184", "37,52,148")
GREY = "200,200,200"
_TABLE = """
create table if not exists layer_styles (
id integer primary key autoincrement not null, f_table_catalog text(256), f_table_schema text(256),
f_table_name text(256), f_geometry_column text(256), styleName text(30), styleQML text,
styleSLD text, useAsDefault boolean, description text, owner text(30), ui text(30),
update_time datetime default '1980-01-01T00:00:00Z')
"""


def add_style(
    path: Path, layer: str, wide: pd.DataFrame, indicators: Indicators, words: Mapping[str, str]
) -> None:
    """Put a default style for a layer into a GeoPackage.

    wide : the layer's columns, see `tables.wide_table`. words : what they are, see `aliases`.
    """
    column = next(f"{name}_q50" for name in indicators.rates)
    style = qml(column, wide[column], words)
    with sqlite3.connect(path) as book:
        geometry = book.execute(
            "select column_name from gpkg_geometry_columns where table_name = ?", (layer,)
        ).fetchone()[0]
        book.execute(_TABLE)
        book.execute(
            "insert or ignore into gpkg_contents (table_name, data_type, identifier, last_change) "
            "values ('layer_styles', 'attributes', 'layer_styles', '1980-01-01T00:00:00.000Z')"
        )
        book.execute(
            "insert into layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description) "
            "values ('', '', ?, ?, 'default', ?, '', 1, ?)",
            (layer, geometry, style, words[column]),
        )
    book.close()


def aliases(
    wide: pd.DataFrame, indicators: Indicators, about: Mapping[str, str] = COLUMNS
) -> dict[str, str]:
    """Return what each column of a wide table is, in words and with its unit.

    about : what a column is without its indicator.
    """
    found = {}
    for column in map(str, wide.columns):
        own = [name for name in indicators.units if column.startswith(f"{name}_")]
        name = max(own, key=len, default="")
        number = column.removeprefix(f"{name}_") if name else column
        text = about.get(number, f"name of the {number} it lies in")
        if name:
            text = f"{indicators.labels[name]} ({indicators.units[name]}): {text}"
        found[column] = text
    return found


def qml(column: str, values: pd.Series, words: Mapping[str, str]) -> str:
    """Return a QGIS style with classes of one column and aliases of all."""
    known = values.dropna()
    pairs = _classes(known) if len(known) else []
    shades = np.linspace(0, len(COLOURS) - 1, len(pairs)).round().astype(int)
    symbols = [_symbol(str(i), COLOURS[shade]) for i, shade in enumerate(shades)]
    symbols.append(_symbol(str(len(pairs)), GREY))
    rules = [
        _rule(f'"{column}" >= {low!r} AND "{column}" <= {high!r}', f"{low:.3g} to {high:.3g}", i)
        for i, (low, high) in enumerate(pairs)
    ]
    rules.append(_rule("ELSE", "not published", len(pairs)))
    told = "".join(
        f"<alias field={quoteattr(name)} name={quoteattr(text)}/>" for name, text in words.items()
    )
    return (
        '<!DOCTYPE qgis><qgis version="3.28.0" styleCategories="Symbology|Fields">'
        '<renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0">'
        f'<rules key="all">{"".join(rules)}</rules><symbols>{"".join(symbols)}</symbols>'
        f"</renderer-v2><aliases>{told}</aliases></qgis>"
    )


def _classes(known: pd.Series) -> list[tuple[float, float]]:
    """Return lower and upper ends of classes, each with a value in it."""
    number = min(len(COLOURS), known.nunique())
    if number == 1:
        return [(float(known.min()), float(known.max()))]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, number + 1)))
    return list(pairwise(edges.tolist()))


def _rule(expression: str, label: str, symbol: int) -> str:
    return (
        f'<rule filter={quoteattr(expression)} label={quoteattr(label)} symbol="{symbol}" '
        f'key="class{symbol}"/>'
    )


def _symbol(name: str, colour: str) -> str:
    options = {
        "color": f"{colour},255", "outline_color": "90,90,90,255", "outline_width": "0.1",
        "outline_width_unit": "MM", "outline_style": "solid", "style": "solid",
    }  # fmt: skip
    given = "".join(f'<Option type="QString" name="{k}" value="{v}"/>' for k, v in options.items())
    return (
        f'<symbol type="fill" name="{name}" alpha="1"><layer class="SimpleFill" enabled="1">'
        f'<Option type="Map">{given}</Option></layer></symbol>'
    )

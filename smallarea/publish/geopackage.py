"""The GeoPackage: a layer of the places and one of every level above, each with style and words."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.areas.boundaries import drawn_from_points, from_points, united
from smallarea.areas.levels import level_ids, levels_of
from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.publish.estimates import COLUMNS
from smallarea.publish.styles import add_style, aliases
from smallarea.publish.tables import NO_TIME, WIDE, wide_table
from smallarea.publish.words import MEANING, cells

if TYPE_CHECKING:
    import geopandas as gpd

#: The layer of the places.
AREAS = "areas"
#: What columns of a level's layer are, where it is not what `COLUMNS` says of areas.
OF_UNITS = COLUMNS | {
    "unit_id": "code of the unit, text",
    "name": "name of the unit",
    "rank_low": "90 % interval of the rank among the level's units, 1 = largest, lower end",
}
ADDED = (
    "Of units, numbers of their places added up within every draw; the layer of places has flags "
    "and p_top."
)
_COLUMNS = """
create table gpkg_data_columns (
table_name text not null, column_name text not null, name text, title text, description text,
mime_type text, constraint_name text, constraint pk_gdc primary key (table_name, column_name),
constraint gdc_tn unique (table_name, name));
create table gpkg_data_column_constraints (
constraint_name text not null, constraint_type text not null, value text, min numeric,
min_is_inclusive boolean, max numeric, max_is_inclusive boolean, description text,
constraint gdcc_ntv unique (constraint_name, constraint_type, value));
"""
_SCHEMA = "http://www.geopackage.org/spec121/#extension_schema"


def wide_units(levels: pd.DataFrame, level: str) -> pd.DataFrame:
    """One row per unit of a level, index unit_id: name, notice, then columns as `wide_table`'s.

    levels : a row per unit and indicator: level, unit_id, name, indicator, numbers, notice. There
    is no chance of being among the k highest.
    """
    own = levels[levels["level"] == level]
    parts = [own.drop_duplicates("unit_id").set_index("unit_id")[["name", "notice"]]]
    numbers = [name for name in WIDE if name in own]
    for indicator, rows in own.groupby("indicator", sort=False):
        parts.append(rows.set_index("unit_id")[numbers].add_prefix(f"{indicator}_"))
    return pd.concat(parts, axis=1)


def write_geopackage(
    estimates: pd.DataFrame,
    geometry: gpd.GeoSeries,
    path: Path,
    indicators: Indicators,
    places: pd.DataFrame,
    levels: pd.DataFrame,
    meaning: Sequence[str] = MEANING,
) -> None:
    """Write the layer `areas`, columns as `wide_table`, and one per level, as `wide_units`.

    Parameters
    ----------
    estimates : the long table of places. geometry : theirs, index area_id, any CRS.
    places : their table, with the units they lie in. levels : numbers of these units, see
        `wide_units`; a level that it does not have gets no layer, nor does the nation.
    meaning : what the numbers mean; it stands in every layer's description, with what the shapes
        are and, if so, that the survey was invented.
    """
    import pyogrio

    wide = wide_table(estimates)
    drawn = cells(drawn_from_points(places), len(wide))
    shapes = geometry.loc[wide.index]
    said = [*meaning, *indicators.meaning]
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{NO_TIME:%Y-%m-%dT%H:%M:%SZ}"})
    try:
        with writing(path) as temporary:
            _add(temporary, AREAS, wide, shapes, indicators, said, drawn, COLUMNS)
            for number, level in enumerate(levels_of(places)):
                if level == "nation" or level not in set(levels["level"]):
                    continue
                unit = level_ids(places, number)
                table = wide_units(levels, level)
                borders = united(geometry, unit).loc[table.index]
                cut = unit[from_points(places)].nunique()
                about = _approximate(cut, len(table))
                _add(temporary, level, table, borders, indicators, [ADDED, *said], about, OF_UNITS)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _approximate(cut: int, units: int) -> str:
    if not cut:
        return ""
    which = "all" if cut == units else f"{cut:,} of {units:,}"
    return f"Boundaries are approximate: {which} enclose cells drawn around points, not borders."


def _add(
    path: Path,
    layer: str,
    wide: pd.DataFrame,
    shapes: gpd.GeoSeries,
    indicators: Indicators,
    said: Sequence[str],
    drawn: str,
    about: Mapping[str, str],
) -> None:
    """Add a layer with its metadata, style and columns in words.

    said : sentences of its description. drawn : what the shapes are, '' if borders are borders.
    """
    import geopandas as gpd

    told = gpd.GeoDataFrame(wide.reset_index(), geometry=shapes.to_numpy(), crs=shapes.crs)
    notice = max(wide["notice"])
    units = "; ".join(f"{name}: {unit}" for name, unit in indicators.units.items())
    known = {
        "DESCRIPTION": " ".join(text for text in (notice and f"{notice}.", *said, drawn) if text),
        "UNITS": units,
        "BOUNDARIES": drawn or "as the source of boundaries has them",
        **({"NOTICE": notice} if notice else {}),
    }
    told.to_file(path, layer=layer, driver="GPKG", engine="pyogrio", layer_metadata=known)
    words = aliases(told.drop(columns="geometry"), indicators, about)
    add_style(path, layer, wide, indicators, words)
    _add_columns(path, layer, words)


def _add_columns(path: Path, layer: str, words: Mapping[str, str]) -> None:
    """Say what the columns of a layer are, as GeoPackage's schema extension does."""
    with sqlite3.connect(path) as book:
        tables = ("gpkg_data_columns", "gpkg_data_column_constraints")
        if not book.execute("select 1 from sqlite_master where name = ?", tables[:1]).fetchone():
            book.executescript(_COLUMNS)
            book.executemany(
                "insert into gpkg_extensions values (?, null, 'gpkg_schema', ?, 'read-write')",
                [(table, _SCHEMA) for table in tables],
            )
        taken: set[str] = set()
        for column, text in words.items():
            name = f"{text} ({column})" if text in taken else text
            taken.add(name)
            book.execute(
                "insert into gpkg_data_columns (table_name, column_name, name, title, description) "
                "values (?, ?, ?, ?, ?)",
                (layer, column, name, name, text),
            )
    book.close()

"""Files that hold persons are refused before a copy of them is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smallarea.catalog.declare import Source
from smallarea.errors import InputError
from smallarea.reading.cells import read_cells
from smallarea.reading.persons import (
    CELLS,
    Looks,
    persons_in,
    persons_in_cells,
    refuse_persons,
)
from smallarea.reading.workbook import EXCEL, sheets_of

TABLES = (".csv", ".tsv", ".txt", *EXCEL)
LAYERS = (".geojson", ".json", ".gpkg", ".shp", ".fgb")


def refuse_persons_in(source: Source, files: Sequence[Path]) -> None:
    """Raise InputError if a file of a source has a column that looks like persons.

    Every column and sheet is looked at, declared or not: the file is kept as a whole. Columns that
    find a place by its name are spared, and those of `no_persons`. A file that cannot be read is
    left to its reader. Of a layer the first `CELLS` things are looked at.
    """
    places = [header for role, header in source.key.items() if role not in ("lat", "lon")]
    spared = [*places, *source.no_persons]
    for path in files:
        declare = f"; if it is none of that, say so: `no_persons` of source {source.name}"
        refuse_persons(_found(path, spared), path.name, declare=declare)


def refuse_persons_in_table(path: Path) -> None:
    """Raise the same of a table of areas that no source declares."""
    refuse_persons(_found(path, ()), path.name)


def _found(path: Path, spared: Sequence[str]) -> list[Looks]:
    suffix = path.suffix.lower()
    if suffix in LAYERS:
        return persons_in(_attributes(path), survey=False, spared=spared)
    found: list[Looks] = []
    if suffix in TABLES:
        try:
            for sheet in sheets_of(path, "*", path.name):
                sheet = None if sheet == "*" else sheet
                found += persons_in_cells(read_cells(path, sheet, path.name), spared=spared)
        except InputError:
            return found
    return found


def _attributes(path: Path) -> pd.DataFrame:
    import pyogrio

    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        read = (
            pyogrio.read_dataframe(path, layer=name, read_geometry=False, max_features=CELLS)
            for name in layers
        )
        return pd.concat(read, axis=1)
    except Exception:  # what is wrong is said by whoever reads it
        return pd.DataFrame()

"""Reading a tier's GeoPackage back: its layers say what the tier's tables say, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from smallarea.publish.estimates import levels_in
from smallarea.publish.geopackage import AREAS
from smallarea.release.tables import Tables

#: The table of styles, which programmes list as a layer without shapes.
STYLES = "layer_styles"


def odd_layers(path: Path, tables: Tables) -> list[str]:
    """Say which layer, column, unit or number of a GeoPackage is not in the tables of its tier."""
    import pyogrio

    told = tables.estimates
    known = {AREAS: told} | {str(name): own for name, own in tables.levels.groupby("level")}
    words = {"area_id", "unit_id", "name", *levels_in(told), "flags", "notice"}
    odd = []
    for layer in map(str, pyogrio.list_layers(path)[:, 0]):
        if layer in known:
            table = pyogrio.read_dataframe(path, layer=layer, read_geometry=False)
            odd += [f"layer {layer}, {said}" for said in _differs(table, known[layer], words)]
        elif layer != STYLES:
            odd.append(f"layer {layer} is of no table")
    return odd


def _differs(layer: pd.DataFrame, table: pd.DataFrame, words: set[str]) -> Iterator[str]:
    """Tell columns of a layer that are no words and not in the long table, or differ from it."""
    key = str(layer.columns[0])
    if key not in table:
        yield f"{key} is no code of its table"
        return
    told = {
        f"{indicator}_{name}": rows.set_index(key)[name]
        for indicator, rows in table.groupby("indicator")
        for name in rows.columns
        if name not in words
    }
    texts = table.drop_duplicates(key).set_index(key)
    units = layer[key]
    if not units.is_unique or not units.isin(texts.index).all():
        yield "it has units that its table does not have"
        return
    for name in map(str, layer.columns[1:]):
        if name in told:
            there, here = (
                pd.to_numeric(column).to_numpy(float, na_value=np.nan)
                for column in (told[name].reindex(units), layer[name])
            )
            if not np.array_equal(there, here, equal_nan=True):
                yield f"{name} is not what its table says"
        elif name not in words or name not in texts:
            yield f"{name} is no column of its table"
        elif not (layer[name].fillna("").to_numpy() == texts[name].loc[units].to_numpy()).all():
            yield f"{name} is not what its table says"

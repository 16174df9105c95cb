"""Tables for the tools planners have: Parquet and CSV; each all or nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.files import writing
from smallarea.publish.disclosure import check_columns
from smallarea.publish.estimates import levels_in
from smallarea.spreadsheets import harmless_table

if TYPE_CHECKING:
    import geopandas as gpd

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
    """Write the long table, numbers to six significant digits, UTF-8; no text of it can run."""
    check_columns(estimates)
    with writing(path) as temporary:
        table = harmless_table(estimates)
        table.to_csv(temporary, index=False, float_format="%.6g", encoding="utf-8")


def wide_table(estimates: pd.DataFrame) -> pd.DataFrame:
    """One row per area: names, surveyed, flags, notice, then `<indicator>_<number>` of `WIDE`.

    Without `surveyed` where the long table has none: a tier does not tell it.
    """
    check_columns(estimates)
    told = ["surveyed"] if "surveyed" in estimates else []
    keys = ["name", *levels_in(estimates), *told, "flags", "notice"]
    wide = estimates.drop_duplicates("area_id").set_index("area_id")[keys]
    parts = [wide]
    for indicator, rows in estimates.groupby("indicator", sort=False):
        numbers = rows.set_index("area_id")[list(WIDE)]
        parts.append(numbers.add_prefix(f"{indicator}_"))
    return pd.concat(parts, axis=1)


def write_geoparquet(estimates: pd.DataFrame, geometry: gpd.GeoSeries, path: Path) -> None:
    """Write what the GeoPackage's layer has as GeoParquet 1.1, for what reads it faster."""
    import geopandas as gpd

    wide = wide_table(estimates)
    shapes = geometry.loc[wide.index].to_numpy()
    layer = gpd.GeoDataFrame(wide.reset_index(), geometry=shapes, crs=geometry.crs)
    with writing(path) as temporary:
        layer.to_parquet(temporary, index=False, schema_version="1.1.0")

"""Layers of geometries, read within limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallarea.errors import InputError
from smallarea.limits import require

if TYPE_CHECKING:
    import geopandas as gpd

#: Formats that hold geometries themselves; others are a list of files or servers elsewhere.
FORMATS = frozenset({
    "GPKG", "GeoJSON", "GeoJSONSeq", "TopoJSON", "ESRI Shapefile", "FlatGeobuf", "Parquet",
    "Arrow", "OSM", "GML", "KML", "LIBKML", "OpenFileGDB", "SQLite", "MapInfo File",
})  # fmt: skip


def read_shapes(path: Path, name: str, **options: Any) -> gpd.GeoDataFrame:
    """Read a layer of geometries from any of `FORMATS`, or GeoParquet.

    Raises
    ------
    InputError : it is of another format, has no geometries or more points than is allowed.
    Whatever the format's library raises.
    """
    import geopandas as gpd
    import pyogrio
    import shapely

    if path.suffix == ".parquet":
        layer = gpd.read_parquet(path)
    else:
        about = pyogrio.read_info(path, **options)
        if about["driver"] not in FORMATS:
            raise InputError(
                f"its format is {about['driver']}",
                where=name,
                remedy="supply a GeoPackage or GeoJSON",
            )
        require("points", max(about["features"], 0), name)
        require("columns", len(about["fields"]), name)
        layer = gpd.read_file(path, **options)
    if not isinstance(layer, gpd.GeoDataFrame):
        raise InputError(
            "it holds no geometries", where=name, remedy="supply a layer with its geometries"
        )
    require("points", float(shapely.get_num_coordinates(layer.geometry.to_numpy()).sum()), name)
    return layer

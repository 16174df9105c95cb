"""Vector layers: points and lines in longitude and latitude, over at least some of the areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from smallarea.catalog.declare import Source
from smallarea.catalog.extent import unobserved
from smallarea.catalog.report import ReadReport
from smallarea.catalog.rows import distinct
from smallarea.catalog.snapshots import Snapshot
from smallarea.errors import InputError
from smallarea.reading.cells import as_values, no_column, normalise, positions
from smallarea.reading.shapes import read_shapes

if TYPE_CHECKING:
    from smallarea.areas import Frame

CRS = "EPSG:4326"
#: Longitude and latitude on WGS 84, without and with heights, which are dropped.
DEGREES = (4326, 4979)


def read_lines(
    source: Source, snapshot: Snapshot, frame: Frame
) -> tuple[gpd.GeoDataFrame, ReadReport]:
    """Read a layer of lines with its declared columns; lines that touch no area are reported.

    Raises
    ------
    InputError : as `read_layer`, or a column breaks its declaration, or no line touches an area.
    """
    import shapely

    layer = read_layer(source, snapshot, "Line")
    for name, column in source.columns.items():
        where = f"{source.file}, column '{column.head(name)}'"
        cells = layer.get(name, default=pd.Series(pd.NA, index=layer.index))
        layer[name], _ = as_values(cells, column, where)
    rows = len(layer)
    shapes = pd.Series(layer.geometry.to_wkb(), index=layer.index)
    alike = layer[list(source.columns)].assign(shape=shapes)
    once, notes = distinct(alike, source)
    layer = layer.loc[once.index]
    tree = shapely.STRtree(layer.geometry.to_numpy())
    touching = np.zeros(len(layer), dtype=bool)
    area, line = tree.query(frame.geometry.to_numpy(), predicate="intersects")
    touching[np.unique(line)] = True
    if not touching.any():
        raise InputError(
            "no line touches an area",
            where=source.file,
            remedy="supply the lines of the frame's country",
        )
    off = layer.index[~touching]
    unmatched = pd.DataFrame({"row": off, "key": off.astype(str), "reason": "outside every area"})
    matched = int(touching.sum())
    seen = pd.Series(frame.geometry.index[np.unique(area)])
    missing, more = unobserved(source, frame, seen)
    report = ReadReport(
        source.name, source.file, rows, matched, unmatched, notes=notes + more, missing=missing
    )
    return layer.loc[touching, [*source.columns, "geometry"]].reset_index(drop=True), report


def read_layer(source: Source, snapshot: Snapshot, kind: str) -> gpd.GeoDataFrame:
    """Read a GeoPackage or GeoJSON layer of one kind of geometry ("Point", "Line"); index from 1.

    Raises
    ------
    InputError : it cannot be read, is empty, in a CRS other than EPSG:4326, lacks a column, or
        holds other geometries.
    """
    options: dict[str, Any] = {"layer": source.layer} if source.layer else {}
    try:
        layer = read_shapes(snapshot.path, source.file, **options)
    except InputError:
        raise
    except Exception as error:  # the drivers' own errors
        raise InputError(
            f"it cannot be read: {error}", where=source.file, remedy="supply a valid file and layer"
        ) from None
    if layer.empty:
        raise InputError("it holds no data", where=source.file, remedy="supply the complete file")
    require_degrees(layer.crs, source, f"ogr2ogr -t_srs {CRS} converted.gpkg {source.file}")
    layer = _named(layer, source)
    layer.index += 1
    single = layer.geom_type.eq("MultiPoint") & (layer.geometry.count_coordinates() == 1)
    layer.loc[single, "geometry"] = layer.loc[single, "geometry"].map(lambda shape: shape.geoms[0])
    kinds = (kind,) if kind == "Point" else (kind, f"{kind}String", f"Multi{kind}String")
    wrong = ~layer.geom_type.isin(kinds)
    if wrong.any():
        row = wrong.idxmax()
        raise InputError(
            f"feature {row} is {layer.geom_type[row] or 'nothing'}, not a {kind.lower()}",
            where=source.file,
            remedy=f"supply a layer of {kind.lower()}s, one to a feature",
        )
    return layer


def _named(layer: gpd.GeoDataFrame, source: Source) -> gpd.GeoDataFrame:
    """Return the declared columns under their names in the catalog, and the shapes."""
    headers = [str(header) for header in layer.columns if header != layer.geometry.name]
    wanted = {name: column.header or name for name, column in source.columns.items()}
    at = positions(list(map(normalise, headers)), wanted)
    for name, column in source.columns.items():
        if name not in at and not column.optional:
            raise no_column(wanted[name], headers, source.file)
    found = {name: layer[headers[number]] for name, number in at.items()}
    shapes = layer.geometry.force_2d()
    return gpd.GeoDataFrame(found, geometry=shapes, index=layer.index)


def require_degrees(crs: Any, source: Source, remedy: str) -> None:
    if not crs:
        raise InputError(
            "it does not say its coordinate reference system",
            where=source.file,
            remedy=f"add it ({CRS} is needed)",
        )
    if crs.to_epsg() not in DEGREES:
        name = crs.to_string() if len(crs.to_string()) < 40 else getattr(crs, "name", "another CRS")
        raise InputError(
            f"its coordinate reference system is {name}, but {CRS} is needed",
            where=source.file,
            remedy=f"convert it with: {remedy}",
        )

"""Vector layers and rasters: in longitude and latitude, over at least some of the areas."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.catalog.declare import Source
from smallarea.catalog.report import ReadReport, some
from smallarea.catalog.snapshots import Snapshot
from smallarea.errors import InputError
from smallarea.limits import require
from smallarea.reading.cells import as_values
from smallarea.reading.shapes import read_shapes

if TYPE_CHECKING:
    import geopandas as gpd

    from smallarea.areas import Frame

CRS = "EPSG:4326"
#: Formats that are a list of other files, anywhere on the machine or the network.
POINTERS = frozenset({"VRT", "WMS", "WCS", "WMTS", "GTI", "DERIVED"})


@dataclass(frozen=True)
class Raster:
    """A grid in longitude and latitude, north up, read when it is needed.

    Parameters
    ----------
    path : the file; its first band counts.
    transform : (west, pixel width, north, pixel height) in degrees.
    shape : rows, columns.
    nodata : the value that stands for missing, if any.
    cache : a folder where weights computed for this grid may be kept, or None.
    """

    path: Path
    transform: tuple[float, float, float, float]
    shape: tuple[int, int]
    nodata: float | None
    cache: Path | None = None

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        west, width, north, height = self.transform
        return west, north - height * self.shape[0], west + width * self.shape[1], north

    def covers(self, geometry: gpd.GeoSeries) -> pd.Series:
        """Which areas lie wholly within the grid (index area_id)."""
        west, south, east, north = self.bounds
        box, slack = geometry.bounds, 1e-9
        return (
            (box["minx"] >= west - slack)
            & (box["miny"] >= south - slack)
            & (box["maxx"] <= east + slack)
            & (box["maxy"] <= north + slack)
        )


def read_raster(source: Source, snapshot: Snapshot, frame: Frame) -> tuple[Raster, ReadReport]:
    """Open a raster; areas not wholly within it are named in the report and will be missing.

    Raises
    ------
    InputError : not a raster, no CRS, a CRS other than EPSG:4326, a rotated grid, or one that
        covers no area.
    """
    import rasterio

    try:
        with rasterio.open(snapshot.path) as file:
            crs, affine, shape, nodata = file.crs, file.transform, file.shape, file.nodata
            driver = file.driver
    except Exception as error:  # GDAL's own, and those of what it makes of a damaged file
        raise InputError(
            f"it is not a raster ({error})", where=source.file, remedy="supply a GeoTIFF"
        ) from None
    if driver in POINTERS:
        raise InputError(
            f"it only points to other files (format {driver})",
            where=source.file,
            remedy="supply the pixels themselves, as a GeoTIFF",
        )
    _require_degrees(crs, source, f"gdalwarp -t_srs {CRS} {source.file} warped.tif")
    if affine.b or affine.d or affine.e > 0:
        raise InputError(
            "its grid is rotated or upside down",
            where=source.file,
            remedy=f"lay it straight with: gdalwarp -t_srs {CRS} {source.file} straight.tif",
        )
    raster = Raster(
        snapshot.path,
        (affine.c, affine.a, affine.f, -affine.e),
        shape,
        nodata,
        snapshot.store / "weights",
    )
    covered = raster.covers(frame.geometry)
    require("pixels", _pixels_over(raster, frame), source.file)
    if not covered.any():
        extent = ", ".join(f"{edge:g}" for edge in raster.bounds)
        raise InputError(
            f"it covers no area (its extent is {extent}: west, south, east, north)",
            where=source.file,
            remedy="supply a raster of the frame's country",
        )
    outside = frame.table["name"].reindex(covered.index[~covered])
    notes = (
        f"{len(outside)} areas not wholly within the raster are missing: {some(outside)}",
    ) * bool(len(outside))
    return raster, ReadReport(source.name, source.file, notes=notes)


def _pixels_over(raster: Raster, frame: Frame) -> float:
    """Return how many pixels lie in the box around all areas."""
    west, width, north, height = raster.transform
    low_x, low_y, high_x, high_y = frame.geometry.total_bounds
    edges = raster.bounds
    across = max(0.0, min(high_x, edges[2]) - max(low_x, west)) / width
    down = max(0.0, min(high_y, north) - max(low_y, edges[1])) / height
    return across * down


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
        where = f"{source.file}, column '{column.header or name}'"
        cells = layer.get(column.header or name, default=pd.Series(pd.NA, index=layer.index))
        layer[name], _ = as_values(cells, column, where)
    tree = shapely.STRtree(layer.geometry.to_numpy())
    touching = np.zeros(len(layer), dtype=bool)
    touching[np.unique(tree.query(frame.geometry.to_numpy(), predicate="intersects")[1])] = True
    if not touching.any():
        raise InputError(
            "no line touches an area",
            where=source.file,
            remedy="supply the lines of the frame's country",
        )
    off = layer.index[~touching]
    unmatched = pd.DataFrame({"row": off, "key": off.astype(str), "reason": "outside every area"})
    report = ReadReport(source.name, source.file, len(layer), int(touching.sum()), unmatched)
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
    _require_degrees(layer.crs, source, f"ogr2ogr -t_srs {CRS} converted.gpkg {source.file}")
    for name, column in source.columns.items():
        if (column.header or name) not in layer and not column.optional:
            raise InputError(
                f"no column '{column.header or name}'",
                where=source.file,
                remedy="restore the column, or declare its header in data_catalog.yaml",
            )
    layer.index += 1
    wrong = ~layer.geom_type.fillna("nothing").str.contains(kind)
    if wrong.any():
        row = wrong.idxmax()
        raise InputError(
            f"feature {row} is {layer.geom_type[row] or 'nothing'}, not a {kind.lower()}",
            where=source.file,
            remedy=f"supply a layer of {kind.lower()}s",
        )
    return layer


def _require_degrees(crs: Any, source: Source, remedy: str) -> None:
    if not crs:
        raise InputError(
            "it does not say its coordinate reference system",
            where=source.file,
            remedy=f"add it ({CRS} is needed)",
        )
    if crs.to_epsg() != 4326:
        name = crs.to_string() if len(crs.to_string()) < 40 else getattr(crs, "name", "another CRS")
        raise InputError(
            f"its coordinate reference system is {name}, but {CRS} is needed",
            where=source.file,
            remedy=f"convert it with: {remedy}",
        )

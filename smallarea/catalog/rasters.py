"""Rasters: one band in longitude and latitude, with all that the file says of its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.catalog.declare import Source
from smallarea.catalog.layers import CRS, require_degrees
from smallarea.catalog.report import ReadReport, some
from smallarea.catalog.snapshots import Snapshot
from smallarea.errors import InputError
from smallarea.limits import require

if TYPE_CHECKING:
    import geopandas as gpd

    from smallarea.areas import Frame

#: Formats that are a list of other files, anywhere on the machine or the network.
POINTERS = frozenset({"VRT", "WMS", "WCS", "WMTS", "GTI", "DERIVED"})


@dataclass(frozen=True)
class Raster:
    """A grid in longitude and latitude, north up, read when it is needed.

    Parameters
    ----------
    path : the file.
    transform : (west, pixel width, north, pixel height) in degrees.
    shape : rows, columns.
    nodata : the value in the file that stands for missing, if any.
    cache : a folder where weights computed for this grid may be kept, or None.
    band : which band counts, from 1.
    scale, offset : what is in the file times `scale` plus `offset` is the value.
    least, most : the range that every value must be in, as the catalog declares it.
    least_observed : the least share of an area that must have values.
    name : what the file is called in messages.
    observed : filled when the raster is summarised: the share of each area with values.
    """

    path: Path
    transform: tuple[float, float, float, float]
    shape: tuple[int, int]
    nodata: float | None
    cache: Path | None = None
    band: int = 1
    scale: float = 1.0
    offset: float = 0.0
    least: float | None = None
    most: float | None = None
    least_observed: float = 0.9
    name: str = "raster"
    observed: dict[str, float] = field(default_factory=dict, compare=False)

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

    def values(self, raw: np.ma.MaskedArray) -> np.ndarray:
        """Return numbers read from the file as values, NaN where a pixel has none.

        Raises
        ------
        InputError : a value is outside the declared range.
        """
        cells = np.ma.getdata(raw)
        missing = np.ma.getmaskarray(raw).copy()
        if self.nodata is not None and not np.isnan(self.nodata):
            missing |= cells == np.asarray(self.nodata).astype(cells.dtype)
        if (self.scale, self.offset) == (1.0, 0.0):
            values = cells.astype(float)
        else:
            values = cells * self.scale + self.offset
        values[missing] = np.nan
        self._require_range(values, cells)
        return values

    def _require_range(self, values: np.ndarray, cells: np.ndarray) -> None:
        wrong = np.zeros(values.shape, dtype=bool)
        if self.least is not None:
            wrong |= values < self.least
        if self.most is not None:
            wrong |= values > self.most
        if wrong.any():
            first = values[wrong][0]
            low = self.least is not None and first < self.least
            limit = f"below {self.least:g}" if low else f"above {self.most:g}"
            raise InputError(
                f"{int(wrong.sum()):,} pixels of areas are {limit}, the first {first:g}",
                where=f"{self.name}, band {self.band}",
                remedy=f"declare `nodata: {cells[wrong][0]:g}` if that stands for no value, or "
                "correct the range in data_catalog.yaml",
            )


def read_raster(source: Source, snapshot: Snapshot, frame: Frame) -> tuple[Raster, ReadReport]:
    """Open a raster; areas not wholly within it are named in the report and will be missing.

    Raises
    ------
    InputError : not a raster, several bands and none declared, no CRS, a CRS other than EPSG:4326,
        a rotated grid, or one that covers no area.
    """
    import rasterio

    try:
        with rasterio.open(snapshot.path) as file:
            driver = file.driver
            band = _band(source, file)
            crs, affine, shape = file.crs, file.transform, file.shape
            nodata = file.nodatavals[band - 1] if source.nodata is None else source.nodata
            scale, offset = file.scales[band - 1], file.offsets[band - 1]
    except InputError:
        raise
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
    require_degrees(crs, source, f"gdalwarp -t_srs {CRS} {source.file} warped.tif")
    if affine.b or affine.d or affine.e > 0:
        raise InputError(
            "its grid is rotated or upside down",
            where=source.file,
            remedy=f"lay it straight with: gdalwarp -t_srs {CRS} {source.file} straight.tif",
        )
    value = source.columns.get("value")
    raster = Raster(
        snapshot.path,
        (affine.c, affine.a, affine.f, -affine.e),
        shape,
        nodata,
        snapshot.store / "weights",
        band,
        scale,
        offset,
        value.min if value else None,
        value.max if value else None,
        source.least_observed,
        source.file,
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


def _band(source: Source, file: Any) -> int:
    said = [f"{n} ({text})" if text else str(n) for n, text in enumerate(file.descriptions, 1)]
    if source.band is None and file.count > 1:
        raise InputError(
            f"it has {file.count} bands: {', '.join(said)}",
            where=source.file,
            remedy=f"say in data_catalog.yaml which counts: `band: 1` under source {source.name}",
        )
    if (source.band or 1) > file.count:
        raise InputError(
            f"it has no band {source.band}, only {', '.join(said)}",
            where=source.file,
            remedy=f"correct `band` of source {source.name} in data_catalog.yaml",
        )
    return source.band or 1


def _pixels_over(raster: Raster, frame: Frame) -> float:
    """Return how many pixels lie in the box around all areas."""
    west, width, north, height = raster.transform
    low_x, low_y, high_x, high_y = frame.geometry.total_bounds
    edges = raster.bounds
    across = max(0.0, min(high_x, edges[2]) - max(low_x, west)) / width
    down = max(0.0, min(high_y, north) - max(low_y, edges[1])) / height
    return across * down

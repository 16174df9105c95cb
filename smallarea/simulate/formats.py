"""Writing the twin's rows, lines and grids in the format of each source's file."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea.catalog import Source
from smallarea.errors import InputError
from smallarea.simulate.settings import LABEL
from smallarea.simulate.shapes import grid, line_rows, point_rows
from smallarea.simulate.tables import flow_rows, table_rows
from smallarea.simulate.world import World

NOTICE = "notice"


def write_stream(world: World, path: Path) -> None:
    """Write the file of one source, as its kind and its columns say, under the name declared.

    Raises
    ------
    InputError : the twin cannot write files of this format for this kind of source.
    """
    source = world.source
    match source.kind:
        case "table" | "flows":
            rows = table_rows(world) if source.kind == "table" else flow_rows(world)
            _write(source, path, {".csv": _csv, ".xlsx": _workbook})(rows)
        case "points" if source.key:
            rows = point_rows(world).rename(columns={r: source.key[r] for r in ("lat", "lon")})
            _write(source, path, {".csv": _csv, ".xlsx": _workbook})(rows)
        case "points" | "lines":
            _write(source, path, {".geojson": _geojson, ".gpkg": _geopackage})(*_features(world))
        case "raster":
            _write(source, path, {".tif": _geotiff, ".tiff": _geotiff})(*grid(world))


def _write(source: Source, path: Path, formats: dict[str, Callable]) -> Callable[..., None]:
    writer = formats.get(path.suffix.lower())
    if writer is None:
        raise InputError(
            f"the twin cannot write a {path.suffix or 'nameless'} file",
            where=f"data_catalog.yaml, source {source.name}, file {source.file}",
            remedy=f"it writes {' and '.join(formats)} for such a source",
        )
    return lambda *what: writer(source, path, *what)


def _noticed(rows: pd.DataFrame) -> pd.DataFrame:
    """Say in every row that it is invented."""
    return rows if NOTICE in rows else rows.assign(**{NOTICE: LABEL})


def _csv(_: Source, path: Path, rows: pd.DataFrame) -> None:
    _noticed(rows).to_csv(path, index=False)


def _workbook(source: Source, path: Path, rows: pd.DataFrame) -> None:
    """Write a workbook as offices do: a title, then the header, a note at the end.

    Its bytes depend on its content only, not on the clock.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.title = LABEL
    page = book.create_sheet(source.layer or "Sheet1")
    page.append([f"{source.title} ({LABEL})"])
    page.append([])
    rows = _noticed(rows)
    page.append(["No.", *rows])
    for number, row in enumerate(rows.astype(object).to_numpy().tolist(), start=1):
        page.append([number, *row])
    page.append([f"Note: {LABEL}, invented."])
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    clock = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    parts["docProps/core.xml"] = clock.sub(b"2023-01-01T00:00:00Z", parts["docProps/core.xml"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2023, 1, 1, 0, 0, 0)), content)


def _features(world: World) -> tuple[pd.DataFrame, np.ndarray]:
    import shapely

    if world.source.kind == "lines":
        return line_rows(world)
    rows = point_rows(world)
    return rows.drop(columns=["lat", "lon"]), shapely.points(rows["lon"], rows["lat"])


def _geojson(_: Source, path: Path, rows: pd.DataFrame, shapes: np.ndarray) -> None:
    import shapely

    geometries = map(json.loads, shapely.to_geojson(shapes))
    properties = json.loads(_noticed(rows).to_json(orient="records"))
    features = [
        {"type": "Feature", "properties": told, "geometry": shape}
        for told, shape in zip(properties, geometries, strict=True)
    ]
    collection = {"type": "FeatureCollection", "name": LABEL, "features": features}
    path.write_text(json.dumps(collection), encoding="utf-8")


def _geopackage(source: Source, path: Path, rows: pd.DataFrame, shapes: np.ndarray) -> None:
    import geopandas as gpd
    import pyogrio

    layer = gpd.GeoDataFrame(_noticed(rows), geometry=shapes, crs="EPSG:4326")
    now = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2023-01-01T00:00:00.000Z"})
    try:
        pyogrio.write_dataframe(
            layer, path, layer=source.layer or source.name, driver="GPKG",
            layer_metadata={"description": LABEL},
        )  # fmt: skip
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": now})


def _geotiff(
    _: Source, path: Path, pixels: np.ndarray, place: tuple[float, float, float], nodata: float
) -> None:
    import rasterio

    west, north, step = place
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "count": 1,
        "dtype": pixels.dtype,
        "crs": "EPSG:4326",
        "transform": rasterio.transform.from_origin(west, north, step, step),
        "nodata": nodata,
        "compress": "deflate",
    }
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(pixels, 1)
        raster.update_tags(description=LABEL)

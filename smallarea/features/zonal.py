"""Exact zonal statistics: every pixel counts by the share of it that lies in the area.

The shares form a sparse matrix, area x pixel, computed once per grid and set of polygons by
exactextract (Baston 2024) and kept; every statistic is then a product with it. The same idea
serves atlite's indicator matrices (Hofmann et al. 2021).
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp

from smallarea.catalog.layers import CRS
from smallarea.catalog.rasters import Raster
from smallarea.errors import InputError
from smallarea.executors import spread
from smallarea.files import sha256, writing

if TYPE_CHECKING:
    import geopandas as gpd

    from smallarea.areas import Frame

#: Pixels read at a time: what a raster of any size adds to memory stays below 200 MB.
BLOCK = 1 << 24
#: Polygons covered at a time, by whichever worker.
POLYGONS = 2000


def zonal(
    raster: Raster, areas: Frame, statistics: Sequence[str] | Mapping[str, str]
) -> pd.DataFrame:
    """Summarise a raster over every area.

    Parameters
    ----------
    raster : as `smallarea.catalog.read` returns it.
    areas : the frame; the polygons are its `geometry`.
    statistics : column -> statistic, or statistics that also name their columns:
        "mean"; "sum" (of value x share of the pixel inside); "share_above(t)", the share of the
        area with values above t; "share(a, b, ...)", the share whose class is one of these. All
        are over pixels that hold a value; shares and means are of the area with values.

    Returns
    -------
    area_id x column; NaN for an area not wholly within the raster, or of which less than the
    source's `least_observed` has values. The share that has is kept in `raster.observed`.

    Raises
    ------
    InputError : a statistic is not one of these, or a value is outside the declared range.
    """
    if not isinstance(statistics, Mapping):
        statistics = dict(zip(statistics, statistics, strict=True))
    asked = {name: _parse(text) for name, text in statistics.items()}
    weights = pixel_weights(raster, areas.geometry)
    values = _values(raster, weights.pixels)
    valid = ~np.isnan(values)
    inside = weights.shares @ valid.astype(float)
    whole = weights.shares @ np.ones(len(valid))
    covered = raster.covers(areas.geometry).to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.where((whole > 0) & covered, inside / whole, 0.0)
    raster.observed.update(zip(areas.geometry.index, observed.tolist(), strict=True))
    known = (inside > 0) & (observed >= raster.least_observed - 1e-9)
    columns = {}
    for name, (statistic, numbers) in asked.items():
        total = weights.shares @ _summand(values, statistic, numbers)
        with np.errstate(invalid="ignore", divide="ignore"):
            result = total if statistic == "sum" else total / inside
        columns[name] = np.where(known, result, np.nan)
    return pd.DataFrame(columns, index=areas.geometry.index).reindex(areas.table.index)


def _parse(text: str) -> tuple[str, list[float]]:
    parsed = re.fullmatch(r"(mean|sum)|(share_above|share)\((.+)\)", text.replace(" ", ""))
    try:
        if parsed is None:
            raise ValueError
        numbers = [float(n) for n in parsed[3].split(",")] if parsed[3] else []
        if parsed[2] == "share_above" and len(numbers) != 1:
            raise ValueError
    except ValueError:
        raise InputError(
            f"'{text}' is not a statistic",
            where="zonal",
            remedy="use mean, sum, share_above(t) or share(a, b, ...)",
        ) from None
    return parsed[1] or parsed[2], numbers


def _summand(values: np.ndarray, statistic: str, numbers: list[float]) -> np.ndarray:
    """What is summed over pixels; a pixel without a value adds nothing."""
    match statistic:
        case "share_above":
            return (values > numbers[0]).astype(float)
        case "share":
            return np.isin(values, numbers).astype(float)
        case _:
            return np.nan_to_num(values)


@dataclass(frozen=True)
class PixelWeights:
    """Shares of pixels inside areas: `shares` (area x used pixel), `pixels` (their flat index)."""

    shares: sp.csr_array
    pixels: np.ndarray


def pixel_weights(raster: Raster, geometry: gpd.GeoSeries) -> PixelWeights:
    """Return the share of every pixel inside every area, from the raster's cache if it has it."""
    if raster.cache is None:
        return _cover(raster, geometry)
    grid = _digest(raster, geometry)
    kept_at = next((p for p in sorted(raster.cache.glob(f"{grid}-*.npz")) if _sound(p)), None)
    if kept_at is None:
        kept_at = _save(_cover(raster, geometry), raster.cache, grid)
    with np.load(kept_at) as kept:
        pixels, indptr = kept["pixels"], kept["indptr"]
        shape = (len(indptr) - 1, len(pixels))
        return PixelWeights(
            sp.csr_array((kept["data"], kept["indices"], indptr), shape=shape), pixels
        )


def _cover(raster: Raster, geometry: gpd.GeoSeries) -> PixelWeights:
    blocks = [geometry.iloc[at : at + POLYGONS] for at in range(0, len(geometry), POLYGONS)]
    parts = spread(_cover_block, blocks, raster.shape, raster.bounds)
    counts = np.concatenate([part[0] for part in parts])
    pixels, columns = np.unique(np.concatenate([part[1] for part in parts]), return_inverse=True)
    shares = np.concatenate([part[2] for part in parts])
    pointers = np.concatenate([[0], np.cumsum(counts)])
    matrix = sp.csr_array((shares, columns, pointers), shape=(len(geometry), len(pixels)))
    return PixelWeights(matrix, pixels)


def _cover_block(
    geometry: gpd.GeoSeries, shape: tuple[int, int], bounds: tuple[float, float, float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how many pixels each polygon touches, their flat indices, and their shares inside."""
    import geopandas as gpd
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    polygons = gpd.GeoDataFrame(geometry=geometry.to_numpy(), crs=CRS)
    grid = NumPyRasterSource(  # a stand-in without memory: only the places of its pixels matter
        np.broadcast_to(np.zeros((1, 1), dtype=np.uint8), shape),
        *bounds,
        srs_wkt=polygons.crs.to_wkt(),
    )
    table = exact_extract(grid, polygons, ["cell_id", "coverage"], output="pandas")
    return (
        np.array([len(cells) for cells in table["cell_id"]]),
        np.concatenate(table["cell_id"]),
        np.concatenate(table["coverage"]).astype(np.float32),
    )


def _save(weights: PixelWeights, cache: Path, grid: str) -> Path:
    """Write `<grid>-<sha256 of the file>.npz`: whoever reads it can tell whether it is whole."""
    matrix, file = weights.shares, io.BytesIO()
    np.savez(
        file,
        data=matrix.data,
        indices=matrix.indices.astype(np.int32),
        indptr=matrix.indptr,
        pixels=weights.pixels,
    )
    path = cache / f"{grid}-{hashlib.sha256(file.getbuffer()).hexdigest()}.npz"
    with writing(path) as temporary:
        temporary.write_bytes(file.getbuffer())
    return path


def _sound(path: Path) -> bool:
    """Whether kept weights are what was written; they are removed if not."""
    if sha256(path) == path.stem.rpartition("-")[2]:
        return True
    path.unlink()
    return False


def _digest(raster: Raster, geometry: gpd.GeoSeries) -> str:
    digest = hashlib.sha256(f"{CRS} {raster.transform} {raster.shape}".encode())
    for area_id, shape in zip(geometry.index, geometry.to_wkb(), strict=True):
        digest.update(f"{area_id}\0".encode() + shape)
    return digest.hexdigest()


def _values(raster: Raster, pixels: np.ndarray) -> np.ndarray:
    """Return the values of pixels given by flat index (sorted), NaN where they have none."""
    import rasterio
    from rasterio.windows import Window

    rows, width = raster.shape
    step = max(1, BLOCK // width)
    parts = []
    with rasterio.open(raster.path) as file:
        for top in range(0, rows, step):
            first, last = np.searchsorted(pixels, [top * width, (top + step) * width])
            if first == last:
                continue
            window = Window(0, top, width, min(step, rows - top))
            block = file.read(raster.band, window=window, masked=True)
            parts.append(block.ravel()[pixels[first:last] - top * width])
    return raster.values(np.ma.concatenate(parts)) if parts else np.empty(0)

"""Exact zonal statistics: every pixel counts by the share of it that lies in the area.

The shares are found once per grid and set of polygons (`smallarea.features.weights`); a statistic
is then a weighted sum over the pixels, taken some rows at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.catalog.rasters import Raster
from smallarea.errors import InputError
from smallarea.features.weights import PixelWeights, pixel_weights

if TYPE_CHECKING:
    from smallarea.areas import Frame

#: Pixels read at a time: what a raster of any size adds to memory stays below 200 MB.
BLOCK = 1 << 22
#: Bytes of tiles that GDAL keeps: every row of them is read once.
CACHE = 1 << 26


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
    whole = weights.sizes()
    sums = np.zeros((1 + len(asked), len(whole)))
    for part, pixels, values in _blocks(raster, weights):
        seen = ~np.isnan(values)
        filled = np.where(seen, values, 0.0)
        summands = [_summand(filled, seen, *one) for one in asked.values()]
        sums += part.sums(np.array([seen, *summands], dtype=float), pixels)
    inside, totals = sums[0], dict(zip(asked, sums[1:], strict=True))
    covered = raster.covers(areas.geometry).to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.where((whole > 0) & covered, inside / whole, 0.0)
    raster.observed.update(zip(areas.geometry.index, observed.tolist(), strict=True))
    known = (inside > 0) & (observed >= raster.least_observed - 1e-9)
    columns = {}
    for name, (statistic, _) in asked.items():
        with np.errstate(invalid="ignore", divide="ignore"):
            result = totals[name] if statistic == "sum" else totals[name] / inside
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


def _summand(
    values: np.ndarray, known: np.ndarray, statistic: str, numbers: list[float]
) -> np.ndarray:
    """What is summed over pixels; a pixel without a value adds nothing."""
    match statistic:
        case "share_above":
            return known & (values > numbers[0])
        case "share":
            return known & np.isin(values, numbers)
        case _:
            return values


def _blocks(
    raster: Raster, weights: PixelWeights
) -> Iterator[tuple[PixelWeights, np.ndarray, np.ndarray]]:
    """Yield the weights of some rows at a time, the pixels of these in any area, their values."""
    import rasterio
    from rasterio.windows import Window

    rows, width = raster.shape
    with rasterio.Env(GDAL_CACHEMAX=CACHE), rasterio.open(raster.path) as file:
        tile = file.block_shapes[raster.band - 1][0]
        step = max(1, BLOCK // width // tile) * tile
        for top in range(0, rows, step):
            height = min(step, rows - top)
            part = weights.between(top * width, (top + height) * width)
            pixels = part.pixels(height * width)
            if len(pixels):
                of_row = np.diff(np.searchsorted(pixels, np.arange(height + 1) * width))
                column = pixels - np.repeat(np.arange(height) * width, of_row)
                left, right = column.min(), column.max() + 1
                window = Window(left, top, right - left, height)
                block = file.read(raster.band, window=window, masked=True)
                at = pixels - np.repeat(np.arange(height) * (width - right + left) + left, of_row)
                yield part, pixels, raster.values(block.ravel()[at])

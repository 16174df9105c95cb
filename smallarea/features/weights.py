"""The share of every pixel inside every area: found once per grid and polygons, and kept.

Most pixels of an area lie wholly inside it, side by side, so they are kept as runs; only those that
a boundary cuts have shares of their own, found by exactextract (Baston 2024).
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from smallarea.catalog.layers import CRS
from smallarea.catalog.rasters import Raster
from smallarea.executors import spread
from smallarea.files import sha256, writing

if TYPE_CHECKING:
    import geopandas as gpd

#: Polygons covered at a time, by whichever worker.
POLYGONS = 100


@dataclass(frozen=True)
class PixelWeights:
    """What of a grid lies in which area; pixels are counted row by row from the upper left.

    areas : their number.
    cut, cut_area, share : pixels that a boundary cuts, sorted; the area; the share inside it.
    run, run_area, length : first pixels of runs of whole pixels in one row, sorted; the area; how
        many pixels.
    """

    areas: int
    cut: np.ndarray
    cut_area: np.ndarray
    share: np.ndarray
    run: np.ndarray
    run_area: np.ndarray
    length: np.ndarray

    def between(self, first: int, last: int) -> PixelWeights:
        """Return the part in whole rows, from pixel `first` to before `last`; pixels from there."""
        cut = slice(*np.searchsorted(self.cut, [first, last]))
        run = slice(*np.searchsorted(self.run, [first, last]))
        return PixelWeights(
            self.areas,
            self.cut[cut] - first, self.cut_area[cut], self.share[cut],
            self.run[run] - first, self.run_area[run], self.length[run],
        )  # fmt: skip

    def pixels(self, size: int) -> np.ndarray:
        """Return which of the first `size` pixels are in any area, sorted."""
        before = np.cumsum(self.length) - self.length
        inside = np.zeros(size, dtype=bool)
        inside[np.repeat(self.run - before, self.length) + np.arange(self.length.sum())] = True
        inside[self.cut] = True
        return np.flatnonzero(inside)

    def sums(self, values: np.ndarray, pixels: np.ndarray) -> np.ndarray:
        """Return the sums over each area of value x share, (rows, areas).

        values : (rows, pixels), of `pixels`, which are all that are in any area, sorted.
        """
        at = np.searchsorted(pixels, self.cut)
        parts = [self._by_area(self.cut_area, self.share * row[at]) for row in values]
        if len(self.run):
            start = np.searchsorted(pixels, self.run)  # the pixels of a run stand side by side
            ends = np.column_stack([start, start + self.length]).ravel()
            ends = ends[: -1 if ends[-1] == len(pixels) else None]
            runs = np.add.reduceat(values, ends, axis=1)[:, ::2]
            parts = [
                part + self._by_area(self.run_area, row)
                for part, row in zip(parts, runs, strict=True)
            ]
        return np.array(parts)

    def sizes(self) -> np.ndarray:
        """Return how many pixels each area has, parts of pixels as parts."""
        return self._by_area(self.cut_area, self.share) + self._by_area(self.run_area, self.length)

    def _by_area(self, area: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.bincount(area, values, self.areas).astype(float)  # whole numbers if it is empty


def pixel_weights(raster: Raster, geometry: gpd.GeoSeries) -> PixelWeights:
    """Return the share of every pixel inside every area, from the raster's cache if it has it."""
    if raster.cache is None:
        return _cover(raster, geometry)
    grid = _digest(raster, geometry)
    kept_at = next((p for p in sorted(raster.cache.glob(f"{grid}-*.npz")) if _sound(p)), None)
    if kept_at is None:
        kept_at = _save(_cover(raster, geometry), raster.cache, grid)
    with np.load(kept_at) as kept:
        return PixelWeights(**{name: kept[name] for name in kept.files if name != "areas"},
                            areas=int(kept["areas"]))  # fmt: skip


def _cover(raster: Raster, geometry: gpd.GeoSeries) -> PixelWeights:
    starts = range(0, len(geometry), POLYGONS)
    blocks = [geometry.iloc[at : at + POLYGONS] for at in starts]
    parts = spread(_cover_block, blocks, raster.shape, raster.bounds)
    cut, cut_area, share, run, run_area, length = (
        np.concatenate([part[n] + at if n in (1, 4) else part[n]
                        for at, part in zip(starts, parts, strict=True)])
        for n in range(6)
    )  # fmt: skip
    by_cut, by_run = np.argsort(cut, kind="stable"), np.argsort(run, kind="stable")
    return PixelWeights(
        len(geometry),
        cut[by_cut], cut_area[by_cut], share[by_cut], run[by_run], run_area[by_run], length[by_run],
    )  # fmt: skip


def _cover_block(
    geometry: gpd.GeoSeries, shape: tuple[int, int], bounds: tuple[float, float, float, float]
) -> tuple[np.ndarray, ...]:
    """Return the fields of `PixelWeights` for some polygons, areas counted from 0."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource
    from pyproj import CRS as System

    from smallarea.features.shapes import Shapes

    crs = System(CRS).to_wkt()
    grid = NumPyRasterSource(  # a stand-in without memory: only the places of its pixels matter
        np.broadcast_to(np.zeros((1, 1), dtype=np.uint8), shape),
        *bounds,
        srs_wkt=crs,
    )
    shapes = Shapes(geometry.to_numpy(), crs)
    table = exact_extract(grid, shapes, ["cell_id", "coverage"], output="pandas")
    area = np.repeat(np.arange(len(table)), [len(cells) for cells in table["cell_id"]])
    cells = np.concatenate(table["cell_id"]).astype(np.int64)
    share = np.concatenate(table["coverage"]).astype(np.float32)
    whole = share == 1
    run, run_area, length = _runs(cells[whole], area[whole], shape[1])
    return cells[~whole], area[~whole], share[~whole], run, run_area, length


def _runs(cells: np.ndarray, area: np.ndarray, width: int) -> tuple[np.ndarray, ...]:
    """Join pixels that follow each other in a row of the grid and in one area."""
    begins = np.ones(len(cells), dtype=bool)
    begins[1:] = (np.diff(cells) != 1) | (np.diff(area) != 0) | (cells[1:] % width == 0)
    at = np.flatnonzero(begins)
    return cells[at], area[at], np.diff(np.append(at, len(cells)))


def _save(weights: PixelWeights, cache: Path, grid: str) -> Path:
    """Write `<grid>-<sha256 of the file>.npz`: whoever reads it can tell whether it is whole."""
    file = io.BytesIO()
    np.savez(file, **vars(weights))
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
    digest = hashlib.sha256(f"runs {CRS} {raster.transform} {raster.shape}".encode())
    for area_id, shape in zip(geometry.index, geometry.to_wkb(), strict=True):
        digest.update(f"{area_id}\0".encode() + shape)
    return digest.hexdigest()

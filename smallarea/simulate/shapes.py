"""The twin's points, lines and grids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array, triu
from scipy.sparse.csgraph import minimum_spanning_tree

from smallarea.simulate.cells import cells
from smallarea.simulate.world import World

#: A raster has no more pixels than this.
MOST_PIXELS = 4_000_000


def point_rows(world: World) -> pd.DataFrame:
    """Return points with their declared columns under the file's headers, `lat` and `lon` first."""
    places = world.places()
    rows = _attributes(world, places["at"].to_numpy())
    return pd.concat([places[["lat", "lon"]], rows], axis=1)


def _attributes(world: World, at: np.ndarray) -> pd.DataFrame:
    columns = world.source.columns.items()
    return pd.DataFrame({c.head(n): cells(world, n, c, at, None) for n, c in columns})


def line_rows(world: World) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a network's declared columns and its lines: between neighbours, and within areas."""
    table, rng = world.frame.table, world.rng
    towns = table[["lon", "lat"]].to_numpy(float)
    a, b = triu(csr_array(world.frame.neighbours)).nonzero()
    length = np.maximum(np.hypot(*(towns[a] - towns[b]).T), 1e-6)
    tree = minimum_spanning_tree(csr_array((length, (a, b)), shape=(len(towns),) * 2)).nonzero()
    busy = world.measure("lines")
    trunk = np.isin(a * len(towns) + b, tree[0] * len(towns) + tree[1])
    kept = trunk | (busy[a] + busy[b] + rng.normal(0, 1, len(a)) > 0)
    local = np.repeat(np.arange(len(towns)), rng.poisson(3 * np.exp(0.4 * busy)))
    side = np.sqrt(np.maximum(table["area_km2"].fillna(1).to_numpy(float), 0.01)) / 111.2
    ends = towns[local] + 0.3 * side[local, None] * rng.normal(size=(len(local), 2))
    start, end = (
        np.concatenate([towns[a[kept]], towns[local]]),
        np.concatenate([towns[b[kept]], ends]),
    )
    bends = np.linspace(0, 1, 7)[None, :, None]  # (lines, 7 bends, lon and lat)
    line = start[:, None, :] * (1 - bends) + end[:, None, :] * bends
    along = end - start
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)[:, None, :]
    jitter = rng.normal(0, 0.08, (len(start), 7, 1)) * (bends * (1 - bends) * 4)
    at = np.concatenate([a[kept], local])
    return _attributes(world, at), shapely.linestrings((line + jitter * across).round(5))


def grid(world: World) -> tuple[np.ndarray, tuple[float, float, float], float]:
    """Return pixels (rows from north, columns), (west, north, degrees per pixel) and no-data.

    Land is where an area is. Classes, if they are declared, or else numbers above 0.
    """
    from rasterio.features import rasterize
    from rasterio.transform import from_origin

    west, south, east, north = world.frame.geometry.total_bounds
    middle = float(np.nanmedian(world.frame.table["area_km2"]))
    step = max(np.sqrt(middle / world.settings.pixels) / 111.2, 1e-4)
    step = max(step, np.sqrt((east - west) * (north - south) / MOST_PIXELS))
    west, north = west - step, north + step
    shape = int((north - south) / step) + 2, int((east - west) / step) + 2
    areas = world.frame.geometry.reindex(world.frame.table.index)
    at = rasterize(
        [(shape, number) for number, shape in enumerate(areas, start=1)],
        out_shape=shape, transform=from_origin(west, north, step, step), all_touched=True,
        dtype="int32",
    )  # fmt: skip
    inside = np.flatnonzero(at)
    draw = _classes if world.source.classes else _numbers
    values, nodata = draw(world, at.ravel()[inside] - 1)
    pixels = np.full(at.size, nodata, dtype=values.dtype)
    pixels[inside] = values
    return pixels.reshape(shape), (float(west), float(north), float(step)), nodata


def _numbers(world: World, at: np.ndarray) -> tuple[np.ndarray, float]:
    noise = world.rng.normal(0, 0.3, len(at))
    middle = world.typical("value", 1.0)
    values = middle * np.exp(0.6 * world.measure("value")[at] + noise)
    return values.round(3).astype("float32"), -9999.0


def _classes(world: World, at: np.ndarray) -> tuple[np.ndarray, float]:
    codes = np.array(world.source.classes)
    small = codes.min() >= 0 and codes.max() < 255
    best, chosen = np.full(len(at), -np.inf), np.zeros(len(at), dtype=int)
    for number, code in enumerate(codes):
        score = world.measure(f"class {code}")[at] + world.rng.gumbel(size=len(at))
        chosen = np.where(score > best, number, chosen)
        best = np.maximum(best, score)
    return codes[chosen].astype("uint8" if small else "int32"), 255 if small else -(2**31)

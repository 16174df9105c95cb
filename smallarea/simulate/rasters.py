"""The twin's GeoTIFFs: night lights and land cover."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from smallarea.simulate.settings import LABEL
from smallarea.simulate.world import World

#: West, south, east, north in degrees; pixels per degree.
LIGHTS = (114.0, 4.0, 127.0, 21.5, 240)
LAND = (116.0, 4.0, 127.5, 21.5, 20)

#: IGBP classes.
WATER, FOREST, WOODY, SAVANNA, GRASS, WETLAND, CROPS, URBAN, MOSAIC = 0, 2, 8, 9, 10, 11, 12, 13, 14


def night_lights(world: World, path: Path) -> None:
    """Radiance in nW/cm2/sr: towns glow by people and connection, with a wide faint halo."""
    psus = world.frame.psus
    per_person = np.exp(0.5 * world.measure(urbanicity=0.5, connectivity=0.5, deprivation=-0.4))
    light = psus["population"].to_numpy() * per_person[world.psu_areas]
    source = _binned(psus["lat"].to_numpy(), psus["lon"].to_numpy(), light, LIGHTS)
    glow = 0.75 * gaussian_filter(source, 1.5, truncate=3)
    glow += 0.25 * gaussian_filter(source, 5, truncate=3)
    glow = 0.04 * glow**0.75  # crowded places are darker per head
    lit = glow > 0.05
    glow[lit] *= np.exp(world.rng.normal(0, 0.15, int(lit.sum()))).astype("float32")
    glow[~lit] = 0  # as in the masked annual composites
    stray = world.rng.integers(0, glow.size, glow.size // 2_000)  # boats and fires
    glow.ravel()[stray] += world.rng.gamma(1, 0.1, len(stray)).astype("float32")
    _write(path, np.round(glow, 2), LIGHTS, nodata=-999.9)


def land_cover(world: World, path: Path) -> None:
    """IGBP classes on a coarse grid: land is where a barangay is near, and follows its area."""
    west, south, east, north, per_degree = LAND
    lon, lat = np.meshgrid(
        np.arange(west, east, 1 / per_degree) + 0.5 / per_degree,
        np.arange(north, south, -1 / per_degree) - 0.5 / per_degree,
    )
    psus, rng = world.frame.psus, world.rng
    distance, nearest = cKDTree(psus[["lon", "lat"]]).query(
        np.column_stack([lon.ravel(), lat.ravel()])
    )
    area = world.psu_areas[nearest]
    size = psus["population"].to_numpy(float)
    people = _binned(psus["lat"].to_numpy(), psus["lon"].to_numpy(), size, LAND)
    wild = world.measure(remoteness=0.7, urbanicity=-0.5)[area] + rng.normal(0, 0.8, len(area))
    open_land = rng.choice([WOODY, SAVANNA, GRASS, WETLAND], len(area), p=[0.55, 0.25, 0.12, 0.08])
    crops = np.where(rng.random(len(area)) < 0.5, CROPS, MOSAIC)
    classes = np.select(
        [distance > 0.08, people.ravel() > 60_000, wild > 0.9, wild > -0.1],
        [WATER, URBAN, FOREST, open_land],
        crops,
    )
    _write(path, classes.reshape(lon.shape).astype("uint8"), LAND, nodata=255)


def _binned(lat: np.ndarray, lon: np.ndarray, weight: np.ndarray, grid: tuple) -> np.ndarray:
    """Sum point weights per pixel, (rows from north, columns), float32; points outside are lost."""
    west, south, east, north, per_degree = grid
    shape = round((north - south) * per_degree), round((east - west) * per_degree)
    row = np.floor((north - lat) * per_degree).astype(int)
    column = np.floor((lon - west) * per_degree).astype(int)
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    flat = row[inside] * shape[1] + column[inside]
    total = np.bincount(flat, weight[inside], shape[0] * shape[1])
    return total.reshape(shape).astype("float32")


def _write(path: Path, pixels: np.ndarray, grid: tuple, nodata: float) -> None:
    import rasterio

    west, _, _, north, per_degree = grid
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "count": 1,
        "dtype": pixels.dtype,
        "crs": "EPSG:4326",
        "transform": rasterio.transform.from_origin(west, north, 1 / per_degree, 1 / per_degree),
        "nodata": nodata,
        "compress": "deflate",
    }
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(pixels, 1)
        raster.update_tags(description=LABEL)

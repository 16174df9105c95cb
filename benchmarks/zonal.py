"""Zonal means and sums beside exactextract, rasterstats and xvec: CPU seconds, memory, agreement.

    python benchmarks/zonal.py --polygons FILE [--grid 0.0041667] [--peers NAME ...] [--json FILE]

A raster of noise is written over the polygons' extent, of float32, tiled and deflated as published
ones are; each contender runs in a process of its own that reads polygons and raster and gives the
mean and sum of every polygon. `warm` is ours with the weights kept from `cold`; `of_it_storing` are
the seconds of ours in which the raster is hashed and, if it is new, copied. Peers that are not
installed are said to be absent.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

#: Degrees: 15 arc-seconds, as VIIRS has; about 100 m is 0.00083333.
GRID = 1 / 240
NAMES = ("cold", "warm", "exactextract", "rasterstats", "xvec")
ROWS = 512  # of a block, when the raster is written


def write_raster(bounds: np.ndarray, grid: float, path: Path) -> tuple[int, int]:
    """Write lognormal noise over the bounds, and return the shape."""
    import rasterio

    west, south, east, north = bounds
    rows, columns = int((north - south) / grid) + 2, int((east - west) / grid) + 2
    rng = np.random.default_rng(1)
    place = rasterio.transform.from_origin(west - grid / 2, north + grid / 2, grid, grid)
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": 1, "dtype": "float32",
               "crs": "EPSG:4326", "transform": place, "nodata": -9999.0, "tiled": True,
               "compress": "deflate"}  # fmt: skip
    with rasterio.open(path, "w", **profile) as raster:
        for top in range(0, rows, ROWS):
            height = min(ROWS, rows - top)
            block = rng.lognormal(0, 1, (height, columns)).round(2).astype("float32")
            window = rasterio.windows.Window(0, top, columns, height)
            raster.write(block, 1, window=window)
    return rows, columns


def ours(polygons, path: Path, cache: Path) -> pd.DataFrame:
    """Mean and sum by `smallarea.features.zonal`, the raster stored and read included."""
    from types import SimpleNamespace

    from smallarea.catalog import Source, read, take_snapshots
    from smallarea.features import zonal

    papers = dict.fromkeys(("title", "publisher", "licence", "cadence", "vintage"), "x")
    source = Source(name="r", file=path.name, kind="raster", access="open", **papers)
    before = time.process_time()
    kept = take_snapshots({"r": source}, [path.parent], cache)["r"]
    stored = round(time.process_time() - before, 2)
    areas = SimpleNamespace(
        geometry=polygons, table=pd.DataFrame({"name": polygons.index}, index=polygons.index)
    )
    raster, _ = read(source, kept, areas)
    found = zonal(raster, areas, ["mean", "sum"])
    found.attrs["of_it_storing"] = stored
    return found


def exactextract(polygons, path: Path, cache: Path) -> pd.DataFrame:
    import geopandas as gpd
    from exactextract import exact_extract

    frame = gpd.GeoDataFrame(geometry=polygons)
    return exact_extract(str(path), frame, ["mean", "sum"], output="pandas")


def rasterstats(polygons, path: Path, cache: Path) -> pd.DataFrame:
    from rasterstats import zonal_stats

    return pd.DataFrame(zonal_stats(polygons, str(path), stats=["mean", "sum"]))


def xvec(polygons, path: Path, cache: Path) -> pd.DataFrame:
    import rioxarray
    import xvec as _  # noqa: F401

    cube = rioxarray.open_rasterio(path, masked=True).squeeze("band", drop=True)
    means = cube.xvec.zonal_stats(
        polygons, x_coords="x", y_coords="y", stats=["mean", "sum"], method="exactextract"
    )
    return pd.DataFrame(means.values.T.reshape(2, -1).T, columns=["mean", "sum"])


RUN: dict[str, Callable[..., pd.DataFrame]] = {
    "cold": ours, "warm": ours, "exactextract": exactextract, "rasterstats": rasterstats,
    "xvec": xvec,
}  # fmt: skip


#: What is loaded before the clock starts.
MODULES = {
    "cold": ["smallarea.catalog", "smallarea.features", "rasterio", "exactextract"],
    "exactextract": ["exactextract", "rasterio"],
    "rasterstats": ["rasterstats"],
    "xvec": ["rioxarray", "xvec", "exactextract"],
}


def one(name: str, polygons: Path, raster: Path, folder: Path) -> None:
    """Run one contender in this process; write what it gave, and print its cost."""
    import geopandas as gpd

    shapes = gpd.read_parquet(polygons).geometry.to_crs(4326)
    shapes.index = shapes.index.astype(str)
    for module in MODULES.get(name, MODULES["cold"]):
        importlib.import_module(module)
    before = time.process_time()
    found = RUN[name](shapes, raster, folder / "cache")
    cpu = time.process_time() - before
    found.reset_index(drop=True).to_parquet(folder / f"{name}.parquet")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"cpu_seconds": round(cpu, 2), "peak_gb": round(peak, 2)} | found.attrs))


def study(polygons: Path, grid: float, names: list[str]) -> dict[str, object]:
    """Run all contenders on one raster, one after the other."""
    import geopandas as gpd

    bounds = gpd.read_parquet(polygons).to_crs(4326).total_bounds
    with tempfile.TemporaryDirectory() as folder:
        raster = Path(folder) / "in" / "noise.tif"
        raster.parent.mkdir()
        rows, columns = write_raster(bounds, grid, raster)
        found: dict[str, object] = {"pixels": rows * columns, "grid": round(grid, 8)}
        for name in names:
            words = [sys.executable, __file__, "--one", name, "--polygons", str(polygons)]
            words += ["--raster", str(raster), "--folder", folder]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode:
                found[name] = done.stderr.strip().splitlines()[-1]
                continue
            cost = json.loads(done.stdout.splitlines()[-1])
            found[name] = cost | _apart(Path(folder), name)
            print(name, found[name], flush=True)
    return found


def _apart(folder: Path, name: str) -> dict[str, float]:
    """Return how far means are from ours: median and largest relative difference."""
    if name == "cold":
        return {}
    mine, theirs = (pd.read_parquet(folder / f"{n}.parquet")["mean"] for n in ("cold", name))
    apart = (theirs.astype(float) / mine - 1).abs()
    return {
        "median_apart": float(f"{apart.median():.2g}"),
        "most_apart": float(f"{apart.max():.2g}"),
    }


def main() -> None:
    """Run the benchmark, print it and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--polygons", type=Path, required=True, help="GeoParquet")
    parser.add_argument("--grid", type=float, nargs="*", default=[GRID])
    parser.add_argument("--peers", nargs="*", default=list(NAMES[2:]))
    parser.add_argument("--json", type=Path, default=None)
    for hidden in ("--one", "--raster", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one, asked.polygons, Path(asked.raster), Path(asked.folder))
        return
    found = {
        f"{round(g * 3600, 2):g}_arcsec": study(asked.polygons, g, ["cold", "warm", *asked.peers])
        for g in asked.grid
    }
    text = json.dumps(found, indent=1)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")


if __name__ == "__main__":
    main()

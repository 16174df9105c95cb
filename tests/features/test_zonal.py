"""Zonal statistics against sums done by hand, and their cached weights."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import from_origin

from smallarea.catalog.rasters import Raster
from smallarea.errors import InputError
from smallarea.features import zonal
from smallarea.features.weights import pixel_weights


def grid(path, values, *, west=120.0, north=10.2, size=0.1, nodata=-1.0, cache=None) -> Raster:
    values = np.asarray(values, dtype=np.float32)
    height, width = values.shape
    transform = from_origin(west, north, size, size)
    with rasterio.open(
        path, "w", driver="GTiff", count=1, dtype="float32", nodata=nodata, crs="EPSG:4326",
        transform=transform, height=height, width=width,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return Raster(path, (west, size, north, size), (height, width), nodata, cache)


def damages(path):
    """Yield the three ways in which a kept file may be wrong, each done to `path`."""
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for damaged in (b"", content[:-9], flipped):
        assert damaged != content
        path.write_bytes(damaged)
        yield damaged


def test_kept_weights_are_checked_before_they_are_used(tmp_path, squares):
    raster = grid(tmp_path / "a.tif", [[4, 5, 6], [1, 2, 3]], cache=tmp_path / "weights")
    expected = zonal(raster, squares, ["mean"])["mean"].tolist()
    (kept,) = raster.cache.iterdir()
    for _ in damages(kept):
        assert zonal(raster, squares, ["mean"])["mean"].tolist() == expected
        assert [path.name for path in raster.cache.iterdir()] == [kept.name]


def test_a_pixel_per_area_gives_back_the_pixels(tmp_path, squares):
    raster = grid(tmp_path / "r.tif", [[4, 5, 6], [1, 2, 3]])
    found = zonal(raster, squares, ["mean", "sum", "share_above(3)", "share(1, 6)"])
    assert found["mean"].to_numpy() == pytest.approx([1, 2, 3, 4, 5, 6])
    assert found["sum"].to_numpy() == pytest.approx([1, 2, 3, 4, 5, 6])
    assert found["share_above(3)"].tolist() == pytest.approx([0, 0, 0, 1, 1, 1])
    assert found["share(1, 6)"].tolist() == pytest.approx([1, 0, 0, 0, 0, 1])
    assert found.index.equals(squares.table.index)


def test_pixels_count_by_the_share_inside(tmp_path, squares):
    # Pixels of 0.2 degree from (119.95, 10.25) meet at 10.05: half of the first area, 0.1 wide,
    # lies in the upper left pixel and half in the lower left one.
    raster = grid(tmp_path / "r.tif", [[8, 1], [2, 1]], west=119.95, north=10.25, size=0.2)
    first = zonal(raster, squares, ["mean", "sum"]).iloc[0]
    upper, lower = 0.05 * 0.1, 0.05 * 0.1
    assert first["sum"] == pytest.approx((8 * upper + 2 * lower) / 0.04, rel=1e-5)
    assert first["mean"] == pytest.approx(5, rel=1e-5)


def test_missing_pixels_do_not_count_and_uncovered_areas_are_missing(tmp_path, squares):
    values = np.full((4, 6), 2.0)
    values[2:, :2] = [[-1, 6], [-1, -1]]  # the first area has one pixel of four
    values[2:, 2:4] = -1  # the second has none
    asked = {"m": "mean", "s": "sum"}
    raster = grid(tmp_path / "r.tif", values, size=0.05)
    assert zonal(raster, squares, asked).iloc[:2].isna().all(axis=None)
    assert list(raster.observed.values())[:3] == pytest.approx([0.25, 0, 1])
    found = zonal(replace(raster, least_observed=0.2), squares, asked)
    assert found["m"].iloc[[0, 2]].tolist() == pytest.approx([6, 2])
    assert found["s"].iloc[[0, 2]].tolist() == pytest.approx([6, 8])
    assert found.iloc[1].isna().all()
    part = zonal(grid(tmp_path / "p.tif", values[:, 2:], west=120.1, size=0.05), squares, ["mean"])
    assert part["mean"].isna().tolist() == [True, True, False, True, False, False]


def test_weights_are_kept_and_serve_the_next_raster_of_the_grid(tmp_path, squares):
    cache = tmp_path / "weights"
    first = grid(tmp_path / "a.tif", [[4, 5, 6], [1, 2, 3]], cache=cache)
    second = grid(tmp_path / "b.tif", [[0, 0, 0], [7, 8, 9]], cache=cache)
    zonal(first, squares, ["mean"])
    kept = {p: p.stat().st_mtime_ns for p in cache.iterdir()}
    assert zonal(second, squares, ["mean"])["mean"].tolist() == pytest.approx([7, 8, 9, 0, 0, 0])
    assert {p: p.stat().st_mtime_ns for p in cache.iterdir()} == kept
    moved = dataclasses.replace(squares, geometry=squares.geometry.translate(0.01, 0))
    zonal(first, moved, ["mean"])
    assert len(list(cache.iterdir())) == 2


@settings(max_examples=25, deadline=None)
@given(west=st.floats(120.001, 120.15), south=st.floats(10.001, 10.1), width=st.floats(0.01, 0.14))
def test_shares_of_pixels_add_up_to_the_polygon(west, south, width):
    polygon = shapely.Point(west + width / 2, south + width / 3).buffer(width / 3)
    raster = Raster(None, (119.0, 0.03, 11.0, 0.03), (60, 70), None)
    weights = pixel_weights(raster, gpd.GeoSeries([polygon], crs=4326))
    assert weights.sizes().sum() * 0.03**2 == pytest.approx(polygon.area, rel=1e-5)
    assert (weights.share > 0).all()
    assert (weights.share < 1).all()


@pytest.mark.parametrize("statistic", ["median", "share_above()", "share_above(1,2)", "share(x)"])
def test_an_unknown_statistic_is_refused(tmp_path, squares, statistic):
    raster = grid(tmp_path / "r.tif", [[4, 5, 6], [1, 2, 3]])
    with pytest.raises(InputError, match="is not a statistic"):
        zonal(raster, squares, [statistic])


def test_runs_are_what_exactextract_says_pixel_by_pixel(tmp_path, monkeypatch):
    """Shapes that overlap and have holes, over several blocks: its means and sums themselves."""
    import importlib

    from exactextract import exact_extract

    module = importlib.import_module("smallarea.features.zonal")
    monkeypatch.setattr(module, "BLOCK", 500)  # ten rows at a time
    rng = np.random.default_rng(5)
    values = rng.lognormal(0, 2, (40, 50)).round(3)
    values[rng.random(values.shape) < 0.1] = -1
    raster = grid(tmp_path / "r.tif", values, size=0.01, west=120.0, north=10.4)
    ring = shapely.Point(120.25, 10.2).buffer(0.15) - shapely.Point(120.25, 10.2).buffer(0.07)
    whole = [
        shapely.box(120.02, 10.02, 120.3, 10.3),
        ring,
        shapely.box(120.1, 10.1, 120.1001, 10.3),
    ]
    many = gpd.GeoSeries(whole, index=list("abc"), crs=4326)
    table = pd.DataFrame({"name": many.index}, index=many.index)
    areas = SimpleNamespace(geometry=many, table=table)
    found = zonal(replace(raster, least_observed=0.1), areas, ["mean", "sum", "share_above(1)"])
    truth = exact_extract(
        str(tmp_path / "r.tif"), gpd.GeoDataFrame(geometry=many), ["mean", "sum"], output="pandas"
    )
    for name in ("mean", "sum"):
        np.testing.assert_allclose(found[name], truth[name], rtol=1e-12)
    assert found["share_above(1)"].between(0, 1).all()

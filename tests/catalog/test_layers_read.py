"""Points, lines and rasters: where they are, and what is said when they are elsewhere."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from smallarea.errors import InputError

PLACE = {"lat": "lat", "lon": "lon"}
FIRST, SECOND = "0100101000", "0100102000"


def write_raster(path, *, crs="EPSG:4326", west=120.0, north=10.2, size=0.1, shape=(2, 3)):
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    options = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": -1}
    transform = from_origin(west, north, size, size)
    height, width = shape
    with rasterio.open(
        path, "w", crs=crs, transform=transform, height=height, width=width, **options
    ) as file:
        file.write(values, 1)


def test_points_find_their_area_and_lost_ones_are_named(tmp_path, reading):
    rows = "id,lat,lon\na,10.05,120.05\nb,10.05,120.15\nc,9.99,120.05\nd,0,0\ne,,120.05\n"
    (tmp_path / "p.csv").write_text(rows)
    columns = {"id": {"type": "text"}}
    data, report = reading("p.csv", "points", key=PLACE, columns=columns, snap_km=2)
    assert data["area_id"].tolist() == [FIRST, SECOND, FIRST]
    assert data[["id", "lon"]].iloc[0].tolist() == ["a", 120.05]
    assert report.unmatched["row"].tolist() == [5, 6]
    data, _ = reading("p.csv", "points", key=PLACE, columns=columns)
    assert data["id"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("lat,lon\n120.05,10.05\n", "'120.05' is above 90"),
        ("lat,long\n10.05,120.05\n", "no column 'lon'"),
        ("lat,lon\n50,8\n51,8\n", "0 of 2 rows match"),
        ("lat,lon\nnorth,8\n", "'north' is not a number"),
    ],
)
def test_broken_points_end_in_one_clear_sentence(tmp_path, reading, rows, said):
    (tmp_path / "p.csv").write_text(rows)
    with pytest.raises(InputError, match=rf"p\.csv.*{said}"):
        reading("p.csv", "points", key=PLACE)


def test_geojson_points(tmp_path, reading):
    places = gpd.GeoDataFrame(
        {"kind": ["clinic", "hospital"]}, geometry=gpd.points_from_xy([120.05, 5], [10.05, 5])
    ).set_crs(4326)
    places.to_file(tmp_path / "p.geojson")
    data, report = reading("p.geojson", "points", columns={"kind": {"type": "text"}})
    assert data[["area_id", "kind"]].to_numpy().tolist() == [[FIRST, "clinic"]]
    assert report.unmatched["row"].tolist() == [2]
    with pytest.raises(InputError, match=r"p\.geojson: no column 'level'"):
        reading("p.geojson", "points", columns={"level": {}})
    with pytest.raises(InputError, match="feature 1 is Point, not a line"):
        reading("p.geojson", "lines")


def test_lines_must_be_in_degrees_and_touch_an_area(tmp_path, reading):
    shapes = [
        shapely.LineString([(120.01, 10.05), (120.09, 10.05)]),
        shapely.LineString([(0, 0), (1, 1)]),
    ]
    roads = gpd.GeoDataFrame({"fclass": ["primary"] * 2}, geometry=shapes, crs=4326)
    columns = {"fclass": {"type": "text"}, "lanes": {"type": "integer", "optional": True}}
    options = {"layer": "roads", "columns": columns}
    roads.to_file(tmp_path / "r.gpkg", layer="roads")
    data, report = reading("r.gpkg", "lines", **options)
    assert (len(data), report.rows, report.matched) == (1, 2, 1)
    assert data["fclass"].tolist() == ["primary"]
    assert data["lanes"].isna().all()
    roads.to_crs(32651).to_file(tmp_path / "r.gpkg", layer="roads")
    with pytest.raises(InputError, match=r"EPSG:32651, but EPSG:4326.*ogr2ogr"):
        reading("r.gpkg", "lines", **options)
    roads.iloc[1:].to_file(tmp_path / "s.gpkg", layer="roads")
    with pytest.raises(InputError, match="no line touches"):
        reading("s.gpkg", "lines", **options)
    with pytest.raises(InputError, match=r"s\.gpkg: it cannot be read"):
        reading("s.gpkg", "lines", layer="rivers")


def test_a_raster_reports_the_areas_it_does_not_cover(tmp_path, reading):
    write_raster(tmp_path / "full.tif")
    raster, report = reading("full.tif", "raster")
    assert report.notes == ()
    assert raster.bounds == pytest.approx((120, 10, 120.3, 10.2))
    write_raster(tmp_path / "part.tif", west=120.1)
    _, report = reading("part.tif", "raster")
    assert report.notes == ("2 areas not wholly within the raster are missing: San Jose, San Jose",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"crs": "EPSG:32651", "west": 5e5, "north": 1e6, "size": 10}, "EPSG:32651.*gdalwarp"),
        ({"crs": None}, "does not say its coordinate reference system"),
        ({"west": 0.0}, "covers no area"),
    ],
)
def test_a_raster_elsewhere_ends_in_one_clear_sentence(tmp_path, reading, options, said):
    write_raster(tmp_path / "r.tif", **options)
    with pytest.raises(InputError, match=rf"r\.tif: .*{said}"):
        reading("r.tif", "raster")


def test_a_file_that_is_no_raster(tmp_path, reading):
    (tmp_path / "r.tif").write_text("not a raster")
    with pytest.raises(InputError, match=r"r\.tif: it is not a raster"):
        reading("r.tif", "raster")

"""The declared boundary file, with everything such files have been seen to contain."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Polygon, box

from smallarea.areas.boundaries import EMBEDDED, polygons
from smallarea.areas.codes import Crosswalk
from smallarea.areas.spec import FrameSpec, read_spec
from smallarea.errors import InputError

IDS = ["0100101000", "0100102000", "0100103000"]
CODES = Crosswalk(
    pd.DataFrame({"code": [*IDS, "010101000"], "area_id": [*IDS, IDS[0]], "vintage": "x"}),
    below=pd.Index([]),
)
AREAS = pd.DataFrame(index=pd.Index(IDS, name="area_id"))
PSUS = pd.DataFrame(
    {
        "area_id": [IDS[0], IDS[1], IDS[1], IDS[2]],
        "lon": [122.05, 122.15, 122.16, 122.25],
        "lat": 10.05,
        "area_km2": [100.0, 60.0, 60.0, 110.0],
        "note": ["", "", "", "approximate position"],
    }
)


@pytest.fixture
def spec() -> FrameSpec:
    return read_spec(
        {
            "connector": "psgc",
            "publisher": "nobody",
            "licence": "none",
            "vintage": "2026",
            "crs": "EPSG:32651",
            "area_crs": "EPSG:6933",
            "code_prefix": "PH",
            "boundaries": {"file": "shapes.parquet", "code": "psgc", "source": "the office"},
            "ages": {"children": 0.4, "source": "guess"},
        }
    )


def write(folder: Path, codes: list[str], shapes: list[Polygon]) -> None:
    table = gpd.GeoDataFrame({"psgc": codes}, geometry=shapes, crs="EPSG:4326")
    table.to_crs("EPSG:3857").to_parquet(folder / "shapes.parquet")


SQUARES = [box(122 + i / 10, 10, 122.1 + i / 10, 10.1) for i in range(3)]


def test_file_is_used_whatever_its_vintage_order_and_projection(
    spec: FrameSpec, tmp_path: Path
) -> None:
    write(tmp_path, [IDS[2], IDS[1], "010101000"], SQUARES[::-1])
    geometry, drawn = polygons(AREAS, PSUS, CODES, spec, [tmp_path])
    assert geometry.index.tolist() == IDS
    assert geometry.crs == "EPSG:4326"
    assert geometry.geom_equals_exact(gpd.GeoSeries(SQUARES, IDS, crs=4326), 1e-9).all()
    assert drawn["geometry_source"].eq("the office").all()
    assert drawn["geometry_note"].eq("").all()
    assert drawn["area_km2"].between(119, 123).all()


def test_area_missing_in_the_file_is_drawn_from_points_and_said_to_be(
    spec: FrameSpec, tmp_path: Path
) -> None:
    write(tmp_path, IDS[:2], SQUARES[:2])
    geometry, drawn = polygons(AREAS, PSUS, CODES, spec, [tmp_path])
    assert drawn["geometry_source"].tolist() == ["the office", "the office", EMBEDDED]
    assert drawn.loc[IDS[2], "geometry_note"] == "not in the boundary file; approximate position"
    assert not geometry.is_empty.any()
    assert drawn.loc[IDS[2], "area_km2"] == 110


def test_without_a_file_polygons_are_drawn_and_areas_are_the_registers(
    spec: FrameSpec, tmp_path: Path
) -> None:
    _, drawn = polygons(AREAS, PSUS, CODES, spec, [tmp_path])
    assert drawn["geometry_source"].eq(EMBEDDED).all()
    assert drawn["geometry_note"].tolist() == ["", "", "approximate position"]
    assert drawn["area_km2"].tolist() == [100, 120, 110]


def test_invalid_polygon_is_repaired_and_said_to_be(spec: FrameSpec, tmp_path: Path) -> None:
    bow = Polygon([(122, 10), (122.1, 10.1), (122.1, 10), (122, 10.1)])
    write(tmp_path, IDS, [bow, *SQUARES[1:]])
    geometry, drawn = polygons(AREAS, PSUS, CODES, spec, [tmp_path])
    assert geometry.is_valid.all()
    assert drawn["geometry_note"].tolist() == ["repaired", "", ""]


def test_parts_of_one_area_are_put_together(spec: FrameSpec, tmp_path: Path) -> None:
    write(tmp_path, [*IDS, IDS[2]], [*SQUARES, box(122.3, 10, 122.4, 10.1)])
    geometry, _ = polygons(AREAS, PSUS, CODES, spec, [tmp_path])
    assert geometry[IDS[2]].symmetric_difference(box(122.2, 10, 122.4, 10.1)).area < 1e-9


def test_file_without_the_code_column_is_refused(spec: FrameSpec, tmp_path: Path) -> None:
    table = gpd.GeoDataFrame({"id": IDS}, geometry=SQUARES, crs="EPSG:4326")
    table.to_parquet(tmp_path / "shapes.parquet")
    with pytest.raises(InputError, match=r"shapes\.parquet: column 'psgc' is missing"):
        polygons(AREAS, PSUS, CODES, spec, [tmp_path])


def test_file_that_fits_no_area_is_refused(spec: FrameSpec, tmp_path: Path) -> None:
    write(tmp_path, ["ZZ1", "ZZ2", "ZZ3"], SQUARES)
    with pytest.raises(InputError, match="none of its 3 codes is an area's"):
        polygons(AREAS, PSUS, CODES, spec, [tmp_path])


def test_first_directory_that_has_the_file_counts(spec: FrameSpec, tmp_path: Path) -> None:
    for name, shapes in (("first", SQUARES), ("second", SQUARES[::-1])):
        (tmp_path / name).mkdir()
        write(tmp_path / name, IDS, shapes)
    geometry, _ = polygons(AREAS, PSUS, CODES, spec, [tmp_path / "first", tmp_path / "second"])
    assert geometry[IDS[0]].centroid.x == pytest.approx(122.05)

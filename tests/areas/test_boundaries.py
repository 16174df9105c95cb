"""The declared boundary file, with everything such files have been seen to contain."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Polygon, box

from smallarea.areas.boundaries import EMBEDDED, draw
from smallarea.areas.codes import Crosswalk
from smallarea.areas.registers.psgc_spec import PsgcSpec as FrameSpec
from smallarea.areas.spec import read_spec
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
        "verified": [True, True, True, False],
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
            "levels": [{"name": "province"}],
            "boundaries": {"file": "shapes.parquet", "code": "psgc", "source": "the office"},
            "ages": {"children": 0.4, "source": "guess"},
        },
        FrameSpec,
    )


def write(folder: Path, codes: list[str], shapes: list[Polygon]) -> None:
    table = gpd.GeoDataFrame({"psgc": codes}, geometry=shapes, crs="EPSG:4326")
    table.to_crs("EPSG:3857").to_parquet(folder / "shapes.parquet")


SQUARES = [box(122 + i / 10, 10, 122.1 + i / 10, 10.1) for i in range(3)]


def test_file_is_used_whatever_its_vintage_order_and_projection(
    spec: FrameSpec, tmp_path: Path
) -> None:
    write(tmp_path, [IDS[2], IDS[1], "010101000"], SQUARES[::-1])
    drawing = draw(AREAS, PSUS, CODES, spec, [tmp_path])
    assert drawing.geometry.index.tolist() == IDS
    assert drawing.geometry.crs == "EPSG:4326"
    assert drawing.geometry.geom_equals_exact(gpd.GeoSeries(SQUARES, IDS, crs=4326), 1e-9).all()
    assert drawing.notes["geometry_source"].eq("the office").all()
    assert drawing.notes["geometry_note"].eq("").all()
    assert drawing.notes["area_km2"].between(119, 123).all()


def test_area_missing_in_the_file_is_drawn_from_points_and_said_to_be(
    spec: FrameSpec, tmp_path: Path
) -> None:
    write(tmp_path, IDS[:2], SQUARES[:2])
    drawing = draw(AREAS, PSUS, CODES, spec, [tmp_path])
    assert drawing.notes["geometry_source"].tolist() == ["the office", "the office", EMBEDDED]
    assert (
        drawing.notes.loc[IDS[2], "geometry_note"]
        == "not in the boundary file; approximate position"
    )
    assert not drawing.geometry.is_empty.any()
    assert drawing.notes.loc[IDS[2], "area_km2"] == 110


def test_without_a_file_polygons_are_drawn_and_areas_are_the_registers(
    spec: FrameSpec, tmp_path: Path
) -> None:
    drawing = draw(AREAS, PSUS, CODES, spec, [tmp_path])
    assert drawing.notes["geometry_source"].eq(EMBEDDED).all()
    assert drawing.notes["geometry_note"].tolist() == ["", "", "approximate position"]
    assert drawing.notes["area_km2"].tolist() == [100, 120, 110]


def test_invalid_polygon_is_repaired_and_said_to_be(spec: FrameSpec, tmp_path: Path) -> None:
    bow = Polygon([(122, 10), (122.1, 10.1), (122.1, 10), (122, 10.1)])
    write(tmp_path, IDS, [bow, *SQUARES[1:]])
    drawing = draw(AREAS, PSUS, CODES, spec, [tmp_path])
    assert drawing.geometry.is_valid.all()
    assert drawing.notes["geometry_note"].tolist() == ["repaired", "", ""]


def test_parts_of_one_area_are_put_together(spec: FrameSpec, tmp_path: Path) -> None:
    write(tmp_path, [*IDS, IDS[2]], [*SQUARES, box(122.3, 10, 122.4, 10.1)])
    drawing = draw(AREAS, PSUS, CODES, spec, [tmp_path])
    assert drawing.geometry[IDS[2]].symmetric_difference(box(122.2, 10, 122.4, 10.1)).area < 1e-9


def test_file_without_the_code_column_is_refused(spec: FrameSpec, tmp_path: Path) -> None:
    table = gpd.GeoDataFrame({"id": IDS}, geometry=SQUARES, crs="EPSG:4326")
    table.to_parquet(tmp_path / "shapes.parquet")
    with pytest.raises(InputError, match=r"shapes\.parquet: column 'psgc' is missing"):
        draw(AREAS, PSUS, CODES, spec, [tmp_path])


def test_file_that_fits_no_area_is_refused(spec: FrameSpec, tmp_path: Path) -> None:
    write(tmp_path, ["ZZ1", "ZZ2", "ZZ3"], SQUARES)
    with pytest.raises(InputError, match="none of its 3 codes is an area's"):
        draw(AREAS, PSUS, CODES, spec, [tmp_path])


def test_first_directory_that_has_the_file_counts(spec: FrameSpec, tmp_path: Path) -> None:
    for name, shapes in (("first", SQUARES), ("second", SQUARES[::-1])):
        (tmp_path / name).mkdir()
        write(tmp_path / name, IDS, shapes)
    drawing = draw(AREAS, PSUS, CODES, spec, [tmp_path / "first", tmp_path / "second"])
    assert drawing.geometry[IDS[0]].centroid.x == pytest.approx(122.05)


def test_codes_that_are_no_areas_are_named(spec: FrameSpec, tmp_path: Path) -> None:
    write(tmp_path, [*IDS, "ZZ"], [*SQUARES, box(130, 10, 131, 11)])
    assert draw(AREAS, PSUS, CODES, spec, [tmp_path]).unmatched == ["ZZ"]


def test_empty_polygon_counts_as_missing(spec: FrameSpec, tmp_path: Path) -> None:
    write(tmp_path, IDS, [SQUARES[0], Polygon(), None])
    drawing = draw(AREAS, PSUS, CODES, spec, [tmp_path])
    assert drawing.notes["geometry_note"].str.startswith("not in").tolist() == [False, True, True]
    assert not drawing.geometry.is_empty.any()


def test_file_that_cannot_be_read_is_refused(spec: FrameSpec, tmp_path: Path) -> None:
    (tmp_path / "shapes.parquet").write_text("not parquet")
    with pytest.raises(InputError, match=r"shapes\.parquet: the file cannot be read"):
        draw(AREAS, PSUS, CODES, spec, [tmp_path])


def test_file_without_a_reference_system_is_refused(spec: FrameSpec, tmp_path: Path) -> None:
    gpd.GeoDataFrame({"psgc": IDS}, geometry=SQUARES).to_parquet(tmp_path / "shapes.parquet")
    with pytest.raises(InputError, match="does not say its coordinate reference system"):
        draw(AREAS, PSUS, CODES, spec, [tmp_path])


def test_integer_codes_are_refused(spec: FrameSpec, tmp_path: Path) -> None:
    write(tmp_path, [int(i) for i in IDS], SQUARES)
    with pytest.raises(InputError, match="read as numbers"):
        draw(AREAS, PSUS, CODES, spec, [tmp_path])

"""A frame made from a plain table: points or polygons, any levels, any reference populations."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from smallarea.areas import build_frame, frame_inputs, load_frame, save_frame
from smallarea.areas.levels import levels_of
from smallarea.areas.spec import RESERVED
from smallarea.errors import InputError
from smallarea.publish.estimates import COLUMNS
from smallarea.run.said import drawn_borders

TABLE = pd.DataFrame(
    {
        "code": ["07", "01", "03", "02", "05", "04"],
        "town": ["Gama", "Alba", "Beta", "Beta", "Dunes", "Cliff"],
        "district": ["North", "North", "North", "South", "South", "South"],
        "people": [500, 1000, 2000, 3000, 4000, 5000],
        "grown": [300, 600, 1200, 1800, 2400, 3000],
        "x": [10.0, 10.1, 10.2, 10.0, 10.1, 10.2],
        "y": [50.1, 50.1, 50.1, 50.0, 50.0, 50.0],
        "asked": ["yes", "yes", "no", "yes", "yes", "yes"],
    }
)
BLOCK = {
    "connector": "table",
    "publisher": "nobody",
    "licence": "none",
    "vintage": "2020",
    "crs": "EPSG:32632",
    "area_crs": "EPSG:6933",
    "file": "towns.csv",
    "code": "code",
    "name": "town",
    "population": "people",
    "populations": {"adults": "grown"},
    "lon": "x",
    "lat": "y",
    "covered": "asked",
    "levels": [
        {"name": "district"},
        {"name": "half", "of": "district", "groups": {"All": ["North", "South"]}},
    ],
    "labels": {"area": "Town", "areas": "towns"},
    "aliases": {"South": ["Meridional"], "01": ["Old Alba"]},
}


class Catalog:
    def __init__(self, **changed):
        self.frame = {k: v for k, v in (BLOCK | changed).items() if v is not None}


@pytest.fixture
def folder(tmp_path):
    TABLE.to_csv(tmp_path / "towns.csv", index=False)
    return tmp_path


def test_points_become_cells_and_that_is_said(folder):
    frame = build_frame(Catalog(), [folder])
    table = frame.table
    assert list(table.index) == ["01", "02", "03", "04", "05", "07"]
    assert levels_of(table) == ["district", "half"]
    assert set(table["half"]) == {"All"}
    assert table.loc["04", "adults"] == 3000
    assert not table.loc["03", "covered"]
    assert table["covered"].sum() == 5
    assert table["geometry_source"].str.contains("drawn from points").all()
    points = shapely.points(table["lon"], table["lat"])
    assert shapely.contains(frame.geometry.to_numpy(), points).all()
    assert frame.neighbours.shape == (6, 6)
    assert frame.words["area"] == "Town"
    assert frame.words["half"] == "Half"


def test_polygons_of_a_file_win_and_the_lacking_are_drawn(folder):
    ids = ["01", "02", "03"]
    boxes = [shapely.box(10 + i / 10, 50, 10.1 + i / 10, 50.2) for i in range(3)]
    shapes = gpd.GeoDataFrame({"id": ids}, geometry=boxes, crs="EPSG:4326")
    shapes.to_file(folder / "shapes.gpkg")
    boundaries = {"file": "shapes.gpkg", "code": "id", "source": "the office"}
    frame = build_frame(Catalog(boundaries=boundaries), [folder])
    assert (frame.table.loc[ids, "geometry_source"] == "the office").all()
    assert (frame.table["geometry_source"] == "the office").sum() == 3
    with pytest.raises(InputError, match="3 areas have neither polygon nor point, the first 04"):
        build_frame(Catalog(boundaries=boundaries, lon=None, lat=None), [folder])


def test_names_and_codes_are_matched(folder):
    frame = build_frame(Catalog(), [folder])
    names = pd.Series(["Beta", "beta", "Old Alba", "Beta"])
    within = pd.Series(["Meridional", "North", "", ""])
    found = frame.match_names(within, names)
    assert found[:3].tolist() == ["02", "03", "01"]
    assert pd.isna(found[3])
    assert frame.match(pd.Series(["07", "99"]), where="t").tolist()[0] == "07"


def test_codes_in_small_letters_are_found(folder):
    TABLE.assign(code="n" + TABLE["code"]).to_csv(folder / "towns.csv", index=False)
    frame = build_frame(Catalog(), [folder])
    assert frame.match(pd.Series(["n07", "N01"]), where="t").tolist() == ["n07", "n01"]


def test_it_is_saved_whole_and_traced(folder, tmp_path):
    frame = build_frame(Catalog(), [folder])
    save_frame(frame, tmp_path / "frame")
    again = load_frame(tmp_path / "frame")
    pd.testing.assert_frame_equal(again.table, frame.table)
    assert again.words == frame.words
    assert list(frame_inputs(Catalog(), [folder])) == ["towns.csv"]


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("code", "01", "stands in another row too"),
        ("town", "", "column 'town', row 2"),
        ("people", -3, "is negative"),
        ("people", 2.5, "not a whole number"),
        ("people", "many", "not a number"),
        ("x", 370, "above 180"),
        ("asked", "maybe", "neither yes nor no"),
        ("district", "", "column 'district', row 2"),
    ],
)
def test_a_bad_cell_is_named(folder, column, cell, words):
    table = TABLE.astype(object)
    table.loc[0, column] = cell
    table.to_csv(folder / "towns.csv", index=False)
    with pytest.raises(InputError, match=words) as error:
        build_frame(Catalog(), [folder])
    assert "towns.csv" in str(error.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"connector": "tabel"}, "no connector 'tabel'.*use psgc or table"),
        ({"connector": None}, "no connector is named"),
        ({"lon": None}, "data_catalog.yaml, frame: lon and lat go together"),
        ({"lon": None, "lat": None}, "areas need a place"),
        ({"name": "city"}, "no column 'city'"),
        ({"file": "cities.csv"}, "cities.csv"),
        ({"colour": "red"}, "frame.colour"),
        ({"levels": []}, "frame.levels"),
        ({"levels": [{"name": "district"}, {"name": "h", "of": "state", "groups": {}}]},
         "no level 'state'"),
        ({"levels": [{"name": "district"}, {"name": "h", "of": "district",
          "groups": {"A": ["North"]}}]}, "'South' is in no group"),
        ({"levels": [{"name": "district"}, {"name": "h", "of": "district",
          "groups": {"A": ["North", "South"], "B": ["North"]}}]}, "'North' is listed twice"),
        ({"levels": [{"name": "district"}, {"name": "district"}]}, "two levels are called"),
        ({"levels": [{"name": "district_id", "column": "district"}]}, "choose another name"),
        ({"populations": {"adults_id": "grown"}}, "choose another name"),
        ({"populations": {"district": "grown"}}, "a level and a reference population are both"),
    ],
)  # fmt: skip
def test_a_bad_declaration_is_named(folder, changed, words):
    with pytest.raises(InputError, match=words) as error:
        build_frame(Catalog(**changed), [folder])
    assert "data_catalog.yaml" in str(error.value) or "towns.csv" in str(error.value)


@pytest.mark.parametrize(
    ("columns", "changed", "words"),
    [
        ({"x": [10.0, 10.1, 10.0, 10.0, 10.1, 10.2], "y": [50.1, 50.1, 50.1, 50.0, 50.0, 50.0]},
         {}, r"columns 'x' and 'y', row 4: the point \(10, 50.1\) stands in row 2 too"),
        ({"x": [10.0, -170, 10.2, 10.0, 10.1, 10.2]}, {}, r"row 3: the point \(-170, 50.1\) .*far"),
        ({}, {"lon": "y", "lat": "x"}, r"row 2: .*and 5 more.*are not swapped"),
        ({}, {"crs": "EPSG:999999"}, "frame.crs: no coordinate reference system is called"),
        ({}, {"crs": "EPSG:4326"}, r"frame.crs: 'EPSG:4326' \(WGS 84\) is no projection in metres"),
        ({}, {"crs": "EPSG:2263"}, "frame.crs: .* is no projection in metres"),
        ({}, {"area_crs": "EPSG:4326"}, "frame.area_crs: .* is no projection in metres"),
    ],
)  # fmt: skip
def test_points_and_projections_that_make_no_map_are_refused(folder, columns, changed, words):
    TABLE.assign(**columns).to_csv(folder / "towns.csv", index=False)
    with pytest.raises(InputError, match=words):
        build_frame(Catalog(**changed), [folder])


def test_a_zone_across_the_antimeridian_and_the_whole_world_hold_their_points(folder):
    fiji = TABLE.assign(x=[177.5, 178, 179, -179.9, -179.5, -178], y=-17.0)
    fiji.to_csv(folder / "towns.csv", index=False)
    build_frame(Catalog(crs="EPSG:3460"), [folder])
    build_frame(Catalog(crs="EPSG:6933"), [folder])


def test_a_boundary_file_that_is_not_there_is_told(folder):
    boundaries = {"file": "shapes.gpkg", "code": "id", "source": "the office"}
    frame = build_frame(Catalog(boundaries=boundaries), [folder])
    assert "shapes.gpkg was not found" in drawn_borders(frame)[0]
    assert drawn_borders(build_frame(Catalog(), [folder])) == []


TWO = {"levels": [{"name": "district", "code": "d"}, {"name": "land"}]}


@pytest.mark.parametrize(
    ("columns", "changed", "words"),
    [
        ({"code": ["a7", "1", "A7", "2", "5", "4"]}, {},
         r"column 'code', row 4: .* in capitals only"),
        ({"d": list("112222"), "land": ["L"] * 6}, TWO,
         r"column 'district', row 6: code '2' has a second name, 'South'"),
        ({"d": list("nnnsss"), "land": ["L", "M", *"LLLL"]}, TWO,
         r"column 'land', row 3: 'North' lies in a second land, 'M'"),
    ],
)  # fmt: skip
def test_areas_and_units_have_one_name_and_one_place(folder, columns, changed, words):
    table = TABLE.assign(**columns)
    if "d" in columns and columns["d"][2] == "2":
        table["district"] = ["North", "North", "Mid", "Mid", "South", "South"]
    table.to_csv(folder / "towns.csv", index=False)
    with pytest.raises(InputError, match=words):
        build_frame(Catalog(aliases=None, **changed), [folder])


def test_units_of_one_name_may_lie_apart_if_codes_tell_them(folder):
    columns = {"d": list("123456"), "land": list("LLLMMM"), "district": "Centre"}
    TABLE.assign(**columns).to_csv(folder / "towns.csv", index=False)
    assert build_frame(Catalog(aliases=None, **TWO), [folder]).table["district_id"].is_unique


@pytest.mark.parametrize(
    "name", ["name", "area", "code", "population", "covered", "indicator", "flags", *COLUMNS]
)
def test_a_name_that_tables_use_is_no_level_and_no_population(folder, name):
    for changed in (
        {"levels": [{"name": name, "column": "district"}]},
        {"populations": {name: "grown"}},
    ):
        with pytest.raises(InputError, match=f"'{name}' is what tables call a column") as error:
            build_frame(Catalog(**changed), [folder])
        assert "data_catalog.yaml, frame." in str(error.value)


def test_the_frames_own_columns_are_reserved(folder):
    table = build_frame(Catalog(urban_share=None), [folder]).table.reset_index()
    assert set(table.columns) - {"district", "district_id", "half", "half_id", "adults"} <= RESERVED

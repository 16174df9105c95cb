"""Files as offices write them: separators, letters, decimals, headers, filters, units, bounds."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.reading.bounds import bounds_of
from smallarea.reading.cells import as_values
from smallarea.reading.column import Column
from smallarea.reading.dialect import separator_of

CODE = {"code": "psgc"}
RATE = {"rate": {"min": 0}}
FIRST, SECOND, THIRD = "0100101000", "0100102000", "0100103000"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_and_title_rows(tmp_path, reading, separator):
    lines = [
        "Rates, by town; of 2020",
        "",
        separator.join(["psgc", "rate", "note"]),
        separator.join([FIRST, "1.5", '"a, b; c"']),
        separator.join([SECOND, "..", ""]),
        separator.join([THIRD, "-", ""]),
        "Source: the office, 2021",
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    data, report = reading("t.csv", "table", key=CODE, columns=RATE)
    assert data["area_id"].tolist() == [FIRST, SECOND, THIRD]
    assert data["rate"].fillna(-9).tolist() == [1.5, -9, -9]
    assert report.unmatched["row"].tolist() == [7]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_letters(tmp_path, reading, encoding):
    (tmp_path / "t.csv").write_bytes(f"psgc,señal\n{FIRST},Ñ\n".encode(encoding))
    columns = {"said": {"header": "SEÑAL", "type": "text"}}
    data, _ = reading("t.csv", "table", key=CODE, columns=columns)
    assert data["said"].tolist() == ["Ñ"]


@given(
    st.sampled_from(",;\t|"),
    st.lists(st.lists(st.integers(0, 999), min_size=3, max_size=3), min_size=2, max_size=9),
)
def test_the_separator_is_found(separator, rows):
    assert separator_of("\n".join(separator.join(map(str, row)) for row in rows)) == separator


def test_decimals_that_may_be_thousands_are_asked_for(tmp_path, reading):
    (tmp_path / "t.csv").write_text(f"psgc;rate\n{FIRST};1,234\n{SECOND};2,345\n")
    with pytest.raises(InputError, match=r"'1,234' may have thousands or decimals.*`decimal"):
        reading("t.csv", "table", key=CODE, columns=RATE)
    for decimal, first in ((",", 1.234), (".", 1234)):
        data, _ = reading("t.csv", "table", key=CODE, columns=RATE, decimal=decimal)
        assert data["rate"][0] == first
    where = "t.csv, column 'rate'"
    values, _ = as_values(pd.Series(["1.234,5", "-3", "0,25"]), Column(), where, ",")
    assert values.tolist() == [1234.5, -3, 0.25]


@pytest.mark.parametrize(
    ("header", "nearest"),
    [
        ("births registered late", "births registered late"),
        ("birhts", "birhts"),
        ("Births (total)", r"Births \(total\)"),
    ],
)
def test_a_header_that_only_begins_alike_is_not_taken(tmp_path, reading, header, nearest):
    (tmp_path / "t.csv").write_text(f"psgc,{header},x\n{FIRST},3,1\n")
    with pytest.raises(InputError, match=rf"no column 'births'; the nearest is '{nearest}'"):
        reading("t.csv", "table", key=CODE, columns={"births": {}})
    columns = {"births": {"header": header.upper()}}
    data, _ = reading("t.csv", "table", key=CODE, columns=columns)
    assert data["births"].tolist() == [3]


def test_a_header_may_be_declared_by_how_it_begins(tmp_path, reading):
    (tmp_path / "t.csv").write_text(f"psgc,Active HH (as of June),Active HH in May\n{FIRST},3,1\n")
    columns = {"n": {"header": "Active HH as of*"}}
    assert reading("t.csv", "table", key=CODE, columns=columns)[0]["n"].tolist() == [3]
    with pytest.raises(InputError, match=r"several columns 'Active HH\*'"):
        reading("t.csv", "table", key=CODE, columns={"n": {"header": "Active HH*"}})


def test_rows_can_be_chosen_by_what_a_column_says(tmp_path, reading):
    rows = f"psgc,kind,rate\n{FIRST},Total,5\n{FIRST},Men,2\n{SECOND},Total,7\n{THIRD},Men,1\n"
    (tmp_path / "t.csv").write_text(rows)
    data, report = reading("t.csv", "table", key=CODE, columns=RATE, where={"Kind": "Total"})
    assert data.set_index("area_id")["rate"].to_dict() == {FIRST: 5, SECOND: 7}
    assert "2 rows left out by `where`" in str(report)
    with pytest.raises(InputError, match=r"column 'kind'.*no row says 'All'; they say Total, Men"):
        reading("t.csv", "table", key=CODE, columns=RATE, where={"kind": ["All"]})


def test_numbers_come_in_their_unit(tmp_path, reading):
    (tmp_path / "t.csv").write_text(f"psgc,rate\n{FIRST},1.5\n{SECOND},<2\n")
    columns = {"rate": {"times": 1_000_000, "unit": "PHP", "max": 10}}
    data, _ = reading("t.csv", "table", key=CODE, columns=columns)
    assert data["rate"][0] == data["rate_least"][0] == data["rate_most"][0] == 1_500_000
    assert data[["rate_least", "rate_most"]].iloc[1].tolist() == [0, 2_000_000]


def test_suppressed_cells_carry_their_bounds():
    cells = pd.Series(["<5", "≤10", "<= 3", "7", None, "< 1"])
    whole = bounds_of(cells, Column(type="integer", min=1))
    assert whole["most"].dropna().tolist() == [4, 10, 3, 0]
    assert whole["least"].dropna().tolist() == [1, 1, 1, 0]
    assert bounds_of(cells, Column())["most"].tolist()[0] == 5
    assert whole.loc[[3, 4]].isna().all(axis=None)


def test_names_alone_find_areas_where_they_are_unique(tmp_path, reading):
    (tmp_path / "t.csv").write_text("town,rate\nBINALONAN,1\nSan Jose,2\nDagat,3\nCapas,3\n")
    data, report = reading("t.csv", "table", key={"name": "town"}, columns=RATE)
    assert data["area_id"].tolist() == [SECOND, "0100202000", THIRD]
    assert report.unmatched["key"].tolist() == ["San Jose"]


def test_points_with_heights_and_points_in_multipoints(tmp_path, reading):
    shapes = [
        shapely.Point(120.05, 10.05, 30),
        shapely.MultiPoint([(120.15, 10.05)]),
        shapely.Point(120.25, 10.05),
    ]
    places = gpd.GeoDataFrame({"Kind": list("abc")}, geometry=shapes, crs=4326)
    places.to_file(tmp_path / "p.geojson")
    columns = {"kind": {"type": "text"}}
    data, _ = reading("p.geojson", "points", columns=columns)
    assert dict(zip(data["area_id"], data["kind"], strict=True)) == {
        FIRST: "a", SECOND: "b", THIRD: "c"
    }  # fmt: skip
    high = '{"type":"FeatureCollection","features":[' + ",".join(
        f'{{"type":"Feature","properties":{{"kind":"a"}},"geometry":{{"type":"Point",'
        f'"coordinates":[120.05,10.05{z}]}}}}' for z in (",0", "")
    ) + "]}"  # fmt: skip
    (tmp_path / "z.geojson").write_text(high)
    assert len(reading("z.geojson", "points", columns=columns)[0]) == 2
    several = gpd.GeoDataFrame(
        {"kind": ["a"]}, geometry=[shapely.MultiPoint([(120, 10), (120.1, 10)])], crs=4326
    )
    several.to_file(tmp_path / "m.geojson")
    with pytest.raises(InputError, match="feature 1 is MultiPoint, not a point"):
        reading("m.geojson", "points", columns=columns)


def test_a_point_told_three_times_counts_once(tmp_path, reading):
    rows = "id,lat,lon,n\n" + "a,10.05,120.05,1\n" * 3 + "b,10.05,120.05,1\n"
    (tmp_path / "p.csv").write_text(rows)
    columns = {"id": {"type": "text"}, "n": {"type": "integer"}}
    options = {"key": {"lat": "lat", "lon": "lon"}, "columns": columns, "extent": "all"}
    data, report = reading("p.csv", "points", per=["id"], **options)
    assert data["id"].tolist() == ["a", "b"]
    assert "2 repeated rows left out (the same id)" in str(report)
    data, report = reading("p.csv", "points", **options)
    assert len(data) == 4
    assert "2 rows look like another" in str(report)
    (tmp_path / "p.csv").write_text(rows + "a,10.05,120.15,1\n")
    with pytest.raises(InputError, match="a stands for different things"):
        reading("p.csv", "points", per=["id"], **options)


def test_lines_told_twice_count_once(tmp_path, reading):
    line = shapely.LineString([(120.01, 10.05), (120.09, 10.05)])
    roads = gpd.GeoDataFrame({"fclass": list("aab")}, geometry=[line] * 3, crs=4326)
    roads.to_file(tmp_path / "r.gpkg")
    data, report = reading("r.gpkg", "lines", columns={"fclass": {"type": "text"}}, extent="all")
    assert data["fclass"].tolist() == ["a", "b"]
    assert "1 that are the same as another left out" in str(report)


def test_what_only_some_kinds_of_source_have(reading):
    wrong = {"table": {"band": 1}, "raster": {"extent": "all"}, "flows": {"divisible": False}}
    for kind, field in wrong.items():
        key = {"table": CODE, "flows": {"origin": "o", "destination": "d"}}.get(kind, {})
        with pytest.raises(ValueError, match=f"'{next(iter(field))}' is for"):
            reading("t.csv", kind, key=key, **field)
    with pytest.raises(ValueError, match="the column of a raster is 'value', not 'lights'"):
        reading("t.tif", "raster", columns={"lights": {}})


def test_nothing_is_lost_when_numbers_are_numbers_already():
    cells = pd.Series([1, 2.125, np.nan, "2,5"], dtype=object)
    values, _ = as_values(cells, Column(), "x", ",")
    assert values.dropna().tolist() == [1, 2.125, 2.5]


def test_files_and_sheets_that_are_parts_of_one_table(tmp_path, reading):
    (tmp_path / "t_1.csv").write_text(f"psgc,rate\n{FIRST},1\n")
    (tmp_path / "t_2.csv").write_text(f"rate,psgc\n2,{SECOND}\n3,77\n")
    data, report = reading("t_*.csv", "table", key=CODE, columns=RATE)
    assert data.set_index("area_id")["rate"].to_dict() == {FIRST: 1, SECOND: 2}
    assert report.unmatched["key"].tolist() == ["77"]
    (tmp_path / "t_3.csv").write_text(f"psgc,rat\n{FIRST},1\n")
    with pytest.raises(InputError, match=r"t_3\.csv, header row 1: no column 'rate'"):
        reading("t_*.csv", "table", key=CODE, columns=RATE)
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        for number, code in enumerate((FIRST, SECOND, THIRD)):
            name = f"Part {number}" if number < 2 else "Notes"
            rows = pd.DataFrame({"psgc": [code], "rate": [number]})
            rows.to_excel(book, sheet_name=name, index=False)
    data, _ = reading("t.xlsx", "table", key=CODE, columns=RATE, layer="Part *")
    assert data["area_id"].tolist() == [FIRST, SECOND]
    with pytest.raises(ValueError, match="is a pattern"):
        reading("r_*.tif", "raster")


def test_a_shapefile_is_taken_with_what_belongs_to_it(tmp_path, reading):
    line = shapely.LineString([(120.01, 10.05), (120.09, 10.05)])
    roads = gpd.GeoDataFrame({"fclass": ["primary"]}, geometry=[line], crs=4326)
    roads.to_file(tmp_path / "r.shp")
    columns = {"fclass": {"type": "text"}}
    data, _ = reading("r.shp", "lines", columns=columns, extent="all")
    assert data["fclass"].tolist() == ["primary"]
    kept = list((tmp_path / "store" / "snapshots" / "s").glob("*.zip"))
    reading("r.shp", "lines", columns=columns, extent="all")
    assert list((tmp_path / "store" / "snapshots" / "s").glob("*.zip")) == kept
    assert len(kept) == 1

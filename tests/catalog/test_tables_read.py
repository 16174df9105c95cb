"""Tables and flows, as people make them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.catalog import Column
from smallarea.catalog.matching import match_codes
from smallarea.catalog.units import match_units
from smallarea.errors import InputError
from smallarea.reading.cells import as_values

CODE = {"code": "psgc"}
RATE = {"rate": {"min": 0}}
FIRST, SECOND, THIRD = "0100101000", "0100102000", "0100103000"


def test_unmatched_rows_are_counted_and_named(tmp_path, reading):
    rows = f"psgc,rate\n{FIRST},1\n9999999999,2\n{SECOND},\n,7\n{THIRD},3\n"
    (tmp_path / "t.csv").write_text(rows)
    data, report = reading("t.csv", "table", key=CODE, columns=RATE)
    assert data["area_id"].tolist() == [FIRST, SECOND, THIRD]
    assert data["rate"].tolist()[::2] == [1, 3]
    assert np.isnan(data["rate"][1])
    assert (report.rows, report.matched) == (5, 3)
    assert report.unmatched[["row", "key"]].to_numpy().tolist() == [[3, "9999999999"], [5, "7"]]
    assert "9999999999" in str(report)


def test_units_of_a_level_are_told_apart_in_every_script(squares):
    shires = ["किला", "काला", "Північ"] * 2
    table = squares.table[["name", "population"]].assign(shire=shires, shire_id=list("123") * 2)
    found = match_units(
        pd.Series(["काला", "ПІВНІЧ", "कला", "Схід", "?"]), replace(squares, table=table), "shire"
    )
    assert found.ids.fillna("").tolist() == ["2", "3", "", "", ""]


def test_units_that_share_a_name_are_found_by_their_codes_alone(squares):
    names = {"shire": ["Mid", "Mid", "Far"] * 2, "shire_id": ["s1", "s2", "s3"] * 2}
    table = squares.table[["name", "population"]].assign(**names)
    found = match_units(pd.Series(["Mid", "s2", "Far"]), replace(squares, table=table), "shire")
    assert found.ids.fillna("").tolist() == ["", "s2", "s3"]
    assert found.areas["s2"] == tuple(table.index[table["shire_id"] == "s2"])


def test_old_nine_digit_codes_match(tmp_path, reading):
    (tmp_path / "t.csv").write_text(f"psgc,rate\n{FIRST[:2] + FIRST[3:]},1\n")
    data, _ = reading("t.csv", "table", key=CODE, columns=RATE)
    assert data["area_id"].tolist() == [FIRST]


def test_a_workbook_with_titles_subtotals_and_footnotes(tmp_path, reading):
    book = openpyxl.Workbook()
    for row in [
        ["Active households", None, None],
        ["as of December", None, None],
        [None, None, None],
        ["Province", " City/Municipality ", "PSGC ", "Active HH (as of Dec 2022)"],
        ["Alpha", "San Jose", FIRST, "1,234"],
        ["Alpha", "Binalonan", "\u00a0" + SECOND, 12],
        ["Sub-total Alpha", None, None, "1,246"],
        ["Beta", "San Jose", "0100201000", "<5"],
        ["Beta", "Dagat", "0100202000", "-"],
        ["Source: the office", None, None, None],
    ]:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    columns = {"households": {"header": "active hh*", "type": "integer", "min": 0}}
    data, report = reading("t.xlsx", "table", key={"code": "PSGC"}, columns=columns)
    assert data["households"].tolist()[:2] == [1234, 12]
    assert data["households"].isna().sum() == 2
    assert report.suppressed == {"households": 1}
    assert report.unmatched["row"].tolist() == [7, 10]
    assert report.unmatched["key"].tolist() == ["Sub-total Alpha / 1,246", "Source: the office"]
    assert report.unmatched["reason"].str.contains("sub-total").all()


def test_names_in_many_spellings(tmp_path, reading):
    rows = (
        "LGU,Prov,rate\nSAN JOSE,alpha,1\nSan Jose,BETA,2\nCity of Dagat,Beta,3\nNowhere,Beta,4\n"
    )
    (tmp_path / "t.csv").write_text(rows)
    key = {"name": "LGU", "province": "Prov"}
    data, report = reading("t.csv", "table", key=key, columns=RATE)
    assert data["area_id"].tolist()[:2] == [FIRST, "0100201000"]
    assert report.unmatched["key"].str.contains("Nowhere").any()


def test_regions_are_found_by_either_of_their_names(tmp_path, reading):
    (tmp_path / "t.csv").write_text("region,rate\nREGION I,1\nCR,2\nAtlantis,3\n")
    data, report = reading("t.csv", "table", key={"region": "region"}, columns=RATE)
    assert data.set_index("region_id")["rate"].to_dict() == {"0100000000": 1, "0200000000": 2}
    assert report.unmatched["key"].tolist() == ["Atlantis"]


def test_several_rows_per_area_need_to_be_declared(tmp_path, reading):
    (tmp_path / "t.csv").write_text(f"psgc,year,rate\n{FIRST},1,2\n{FIRST},2,4\n{SECOND},1,\n")
    columns = RATE | {"year": {"type": "integer"}}
    with pytest.raises(InputError, match=f"t.csv.*{FIRST} stands in rows 2, 3"):
        reading("t.csv", "table", key=CODE, columns=RATE)
    data, _ = reading("t.csv", "table", key=CODE, columns=columns, per=["year"])
    assert len(data) == 3
    for how, value in (("sum", 6), ("mean", 3)):
        data, _ = reading("t.csv", "table", key=CODE, columns=RATE, aggregate=how)
        assert data.set_index("area_id")["rate"].dropna().to_dict() == {FIRST: value}


def test_flows_keep_pairs_and_report_either_end(tmp_path, reading):
    rows = f"o,d,n\n{FIRST},{SECOND},5\n{FIRST},{SECOND},6\n{SECOND},{SECOND},1\n{FIRST},77,9\n"
    (tmp_path / "f.csv").write_text(rows)
    options = {"key": {"origin": "o", "destination": "d"}, "columns": {"n": {"min": 0}}}
    with pytest.raises(InputError, match="stands in rows 2, 3"):
        reading("f.csv", "flows", **options)
    data, report = reading("f.csv", "flows", aggregate="sum", **options)
    assert data.set_index(["origin", "destination"])["n"].tolist() == [11, 1]
    assert report.unmatched["key"].tolist() == [f"{FIRST} / 77"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (f"psgc,rat\n{FIRST},1\n", ["no column 'rate'", "header row 1"]),
        (f"code,rate\n{FIRST},1\n", ["no column 'psgc'"]),
        (f"psgc,rate,Rate\n{FIRST},1,2\n", ["several columns 'rate'"]),
        ("", ["holds no data"]),
        ("psgc,rate\n", ["holds no data"]),
        (f"psgc,rate\n{FIRST},1\n{SECOND},-2\n", ["'-2' is negative", "column 'rate', row 3"]),
        (f"psgc,rate\n{FIRST},many\n", ["'many' is not a number", "row 2"]),
        (f"psgc,rate\n{FIRST},inf\n", ["'inf' is not a number"]),
        (f'psgc,rate\n{FIRST},"1,5"\n', ["'1,5' is not a number"]),
        ("psgc,rate\n7777777777,1\n8888888888,2\n", ["0 of 2 rows match", "7777777777"]),
        ("psgc,rate\n100101000.0,1\n", ["number format", "column 'psgc'"]),
    ],
)
def test_a_broken_table_ends_in_one_clear_sentence(tmp_path, reading, rows, said):
    (tmp_path / "t.csv").write_text(rows)
    with pytest.raises(InputError) as caught:
        reading("t.csv", "table", key=CODE, columns=RATE)
    for words in ["t.csv", *said]:
        assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_codes_that_a_workbook_stores_as_numbers_count_if_one_area_can_be_meant(
    tmp_path, reading, squares
):
    pd.DataFrame({"psgc": [int(FIRST)], "rate": [1]}).to_excel(tmp_path / "t.xlsx", index=False)
    data, _ = reading("t.xlsx", "table", key=CODE, columns=RATE)
    assert data["area_id"].tolist() == [FIRST]
    two = pd.DataFrame({"code": ["0501", "501"], "area_id": [FIRST, SECOND], "vintage": "x"})
    unclear = replace(squares, codes=two)
    with pytest.raises(InputError, match="row 3: the code 501 is a number"):
        match_codes(pd.Series([501], index=[3]), unclear, "t.xlsx, column 'psgc'")
    with pytest.raises(InputError, match=r"the code 1\.5 is a number"):
        match_codes(pd.Series([1.5]), unclear, "t.xlsx")


def test_a_file_that_is_no_workbook_and_a_sheet_that_is_not_there(tmp_path, reading):
    (tmp_path / "bad.xlsx").write_text("not a workbook")
    with pytest.raises(InputError, match=r"bad\.xlsx.*cannot be read"):
        reading("bad.xlsx", "table", key=CODE, columns=RATE)
    pd.DataFrame({"psgc": [FIRST]}).to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(InputError, match=r"no sheet 'Data', only Sheet1"):
        reading("t.xlsx", "table", key=CODE, columns=RATE, layer="Data")


def test_a_column_says_what_is_declared():
    words = Column(type="text", values=["inn", "bar"])
    where = "t.csv, column 'kind'"
    said, _ = as_values(pd.Series(["inn", " bar ", "", None]), words, where)
    assert said.dropna().tolist() == ["inn", "bar"]
    with pytest.raises(InputError, match=r"column 'kind', row 7.*'pub' is none of inn, bar"):
        as_values(pd.Series(["inn", "pub"], index=[6, 7]), words, where)
    with pytest.raises(ValueError, match="only a text column lists its values"):
        Column(values=["1"])
    with pytest.raises(ValueError, match="min 2 is above max 1"):
        Column(min=2, max=1)


def test_ranges_and_whole_numbers_hold():
    where = "t.csv, column 'x'"
    with pytest.raises(InputError, match="above 100"):
        as_values(pd.Series(["101"]), Column(max=100), where)
    with pytest.raises(InputError, match="below 1990"):
        as_values(pd.Series(["1989"]), Column(min=1990), where)
    with pytest.raises(InputError, match="not a whole number"):
        as_values(pd.Series(["1.5"]), Column(type="integer"), where)


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**9), st.just("<5")), min_size=1))
def test_numbers_survive_separators_and_nothing_missing_becomes_zero(cells):
    text = pd.Series([f"{c:,}" if isinstance(c, int) else c for c in cells], dtype=object)
    values, suppressed = as_values(text, Column(type="integer", min=0), "x")
    assert suppressed == cells.count("<5")
    assert [None if np.isnan(v) else v for v in values] == [
        c if isinstance(c, int) else None for c in cells
    ]

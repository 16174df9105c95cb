"""Published tables: what is in them, what is not, and that every format says the same."""

from __future__ import annotations

import json
import re
from functools import partial

import numpy as np
import openpyxl
import pandas as pd
import pytest
from study import INDICATORS, UNITS

from smallarea.errors import InputError
from smallarea.publish.disclosure import SUPPRESSED, check_columns, suppress
from smallarea.publish.estimates import (
    NUMBERS,
    SYNTHETIC,
    column_order,
    estimate_areas,
    estimate_groups,
    flag_areas,
)
from smallarea.publish.sidecar import write_csvw, write_hxl
from smallarea.publish.tables import (
    write_csv,
    write_parquet,
)
from smallarea.publish.words import FLAG_WORDS, number
from smallarea.publish.workbook import overview, write_excel

SMALL = "0000000105"


def test_one_row_per_area_and_indicator_in_declared_columns(toy):
    assert list(toy.estimates.columns) == column_order(["province", "region"])
    assert not toy.estimates.duplicated(["area_id", "indicator"]).any()
    assert len(toy.estimates) == len(toy.table) * len(UNITS)
    quantiles = toy.estimates[["q025", "q10", "q25", "q50", "q75", "q90", "q975"]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (toy.estimates["rank_low"] <= toy.estimates["rank_high"]).all()
    top = toy.estimates.groupby("indicator")["p_top"].sum()
    np.testing.assert_allclose(top, 5, atol=0.005 * len(toy.table))  # each is rounded to 0.01


def test_flags_say_what_is_wrong_with_an_area(toy):
    flags = toy.public.drop_duplicates("area_id").set_index("area_id")["flags"]
    assert flags["0000000101"] == "approximate_geometry;synthetic"
    assert flags["0000000124"] == "not_covered_by_survey;extrapolated;synthetic"
    assert flags[SMALL] == f"small_population;synthetic;{SUPPRESSED}"
    raised = {word for text in flags for word in text.split(";")}
    assert raised <= set(FLAG_WORDS)
    with pytest.raises(InputError, match="1 areas are not in the frame: nowhere"):
        flag_areas(toy.table, extrapolated=["nowhere"], synthetic=False)


def test_without_a_mean_the_ratio_still_has_one(toy):
    flags = flag_areas(toy.table, mean=False, synthetic=False)
    found = estimate_areas(toy.counts, toy.table, flags, [], INDICATORS, mean=False, sd=False)
    is_ratio = found["indicator"] == "ratio"
    assert found.loc[~is_ratio, ["mean", "sd"]].isna().all(axis=None)
    assert found.loc[is_ratio, ["mean", "sd"]].notna().all(axis=None)
    assert found["flags"].str.contains("no_mean").all()
    assert (found["notice"] == "").all()


def test_suppression_blanks_every_number_of_too_small_areas_and_no_other(toy):
    small = toy.public["area_id"] == SMALL
    assert toy.public.loc[small, [*NUMBERS, "p_top"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(toy.public[~small], toy.estimates[~small])
    everything = suppress(toy.estimates, toy.table, INDICATORS, minimum=1e9)
    assert everything[list(NUMBERS)].isna().all(axis=None)


def test_an_area_with_just_as_many_people_is_published(toy):
    fewest = toy.table[list(INDICATORS.populations)].min(axis=1)
    area, people = fewest.idxmin(), fewest.min()
    kept = suppress(toy.estimates, toy.table, INDICATORS, minimum=people)
    pd.testing.assert_frame_equal(kept, toy.estimates)
    blanked = suppress(toy.estimates, toy.table, INDICATORS, minimum=people * 1.000001)
    own = blanked["area_id"] == area
    assert blanked.loc[own, "q50"].isna().all()
    assert (blanked.loc[own, "flags"].str.split(";").str[-1] == SUPPRESSED).all()
    assert not blanked.loc[own, "flags"].str.startswith(";").any()
    plain = suppress(toy.estimates.assign(flags=""), toy.table, INDICATORS, minimum=people * 1.01)
    assert (plain.loc[own, "flags"] == SUPPRESSED).all()
    pd.testing.assert_series_equal(blanked.dtypes, toy.estimates.dtypes)


def test_what_is_small_is_the_projects_to_say(toy):
    flags = flag_areas(toy.table, small=1e9, synthetic=False)
    assert flags.str.contains("small_population").all()
    assert not flag_areas(toy.table, small=0, synthetic=False).str.contains("small").any()
    assert "people" not in FLAG_WORDS["small_population"] + FLAG_WORDS[SUPPRESSED]


def test_a_column_that_is_not_declared_is_not_published(toy, tmp_path):
    with pytest.raises(InputError, match="columns respondents are not declared"):
        check_columns(toy.public.assign(respondents=24))
    with pytest.raises(InputError, match="columns province are not") as error:
        check_columns(toy.public.assign(province=3))  # numbers behind the name of a level
    assert error.value.where == "published estimates"
    with pytest.raises(InputError, match="columns a, b are not"):
        check_columns(toy.public.assign(a=1, b=2))
    excel = partial(write_excel, indicators=INDICATORS)
    for write in (write_parquet, write_csv, excel):
        with pytest.raises(InputError, match="respondents"):
            write(toy.public.assign(respondents=24), tmp_path / "estimates")
    assert list(tmp_path.iterdir()) == []


def test_parquet_and_csv_keep_codes_as_text_and_numbers(toy, tmp_path):
    write_parquet(toy.public, tmp_path / "e.parquet")
    write_csv(toy.public, tmp_path / "e.csv")
    parquet = pd.read_parquet(tmp_path / "e.parquet")
    csv = pd.read_csv(tmp_path / "e.csv", dtype={"area_id": str, "flags": str})
    pd.testing.assert_frame_equal(parquet, toy.public)
    assert csv["area_id"].tolist() == toy.public["area_id"].tolist()
    np.testing.assert_allclose(csv["q50"], toy.public["q50"], rtol=1e-5)
    assert (csv["notice"] == SYNTHETIC).all()


def test_excel_explains_itself_and_carries_the_banner(toy, tmp_path):
    write_excel(toy.public, tmp_path / "e.xlsx", INDICATORS, notes=["Made in a test."])
    book = openpyxl.load_workbook(tmp_path / "e.xlsx", read_only=True)
    assert book.sheetnames == ["README", "overview", "estimates"]
    text = [cell for row in book["README"].iter_rows(values_only=True) for cell in row]
    assert text[0] == SYNTHETIC
    assert "Made in a test." in text
    rows = list(book["estimates"].iter_rows(values_only=True))
    assert rows[0] == tuple(column_order(["province", "region"]))
    assert len(rows) == 1 + len(toy.public)
    assert rows[1][0] == "0000000101"
    blank = next(row for row in rows if row[0] == SMALL)
    assert blank[rows[0].index("q50")] is None
    overview = list(book["overview"].iter_rows(values_only=True))
    assert len(overview) == 1 + len(toy.table)


def test_excel_keeps_text_as_it_is_and_numbers_to_four_digits(toy, tmp_path):
    said = {"name": '=1+1 <&> "ñ" ', "flags": "", "q50": 1234567.8, "q10": 0.000123456}
    table = toy.public.assign(**said)
    write_excel(table, tmp_path / "e.xlsx", INDICATORS)
    sheet = openpyxl.load_workbook(tmp_path / "e.xlsx")["estimates"]
    columns = {cell.value: cell.column - 1 for cell in sheet[1]}
    row = next(sheet.iter_rows(min_row=2))
    assert row[columns["name"]].value == said["name"]
    assert row[columns["name"]].data_type != "f"
    assert row[columns["flags"]].value in (None, "")
    assert row[columns["q50"]].value == 1_235_000
    assert row[columns["q10"]].value == 0.0001235
    assert row[columns["surveyed"]].value is bool(table["surveyed"].iloc[0])
    assert sheet.auto_filter.ref == sheet.dimensions


def test_groups_are_recomputed_from_counts(toy):
    regions = estimate_groups(toy.counts, toy.table, "region", INDICATORS).set_index(
        ["region", "indicator"]
    )
    inside = toy.table.index[toy.table["region"] == "Region 1"]
    counts = toy.counts.sel(area_id=inside).sum("area_id").values
    ratio = (counts[0] + counts[1]) / (counts[2] + counts[3])
    assert regions["q50"]["Region 1", "ratio"] == pytest.approx(np.median(ratio))


def test_a_sidecar_says_what_every_column_of_the_csv_is(toy, tmp_path):
    write_csv(toy.public, tmp_path / "estimates.csv")
    write_csvw(toy.public, tmp_path / "estimates.csv-metadata.json", INDICATORS, "Toy")
    about = json.loads((tmp_path / "estimates.csv-metadata.json").read_text())
    columns = about["tableSchema"]["columns"]
    table = pd.read_csv(tmp_path / about["url"], dtype=str)
    assert [column["name"] for column in columns] == list(table.columns)
    assert all(column["dc:description"] for column in columns)
    kinds = {column["name"]: column["datatype"] for column in columns}
    assert (kinds["area_id"], kinds["q50"], kinds["rank_low"]) == ("string", "number", "integer")
    assert not table.duplicated(about["tableSchema"]["primaryKey"]).any()
    assert {note["indicator"]: note["unit"] for note in about["notes"]} == dict(UNITS)


def test_the_overview_with_hashtags_keeps_codes_as_text(toy, tmp_path):
    places = overview(toy.public, INDICATORS, toy.table["population"])
    write_hxl(places, tmp_path / "overview.hxl.csv")
    table = pd.read_csv(tmp_path / "overview.hxl.csv")  # as a spreadsheet guesses
    tags = table.iloc[0]
    assert tags["area_id"] == "#adm+code"
    assert tags["population"] == "#population"
    assert tags["victims_q50"] == "#value+victims+q50"
    assert tags["victims_p_top"] == "#value+victims+p_top"
    assert tags["province"] == "#adm+province+name"
    assert all(re.fullmatch(r"#[a-z]+(\+[a-z0-9_]+)*", tag) for tag in tags)
    assert tags.is_unique
    rows = table.iloc[1:]
    assert list(rows["key"].str.removeprefix("id:")) == list(places["area_id"])
    assert list(rows["victims_range"]) == list(places["victims_range"])
    small = places.set_index("area_id").loc[SMALL]
    assert small["victims_range"] == "not published"
    told = places[places["victims_q50"].notna()].iloc[0]
    assert (
        told["victims_range"] == f"{number(told['victims_q10'])} to {number(told['victims_q90'])}"
    )


def test_the_workbook_is_readable_as_it_opens(toy, tmp_path):
    write_excel(toy.public, tmp_path / "e.xlsx", INDICATORS, people=toy.table["population"])
    book = openpyxl.load_workbook(tmp_path / "e.xlsx")
    assert [sheet.title for sheet in book] == ["README", "overview", "estimates"]
    assert any(row[0] == "Do not add" for row in book["README"].values)
    sheet = book["overview"]
    head = {cell.value: cell for cell in sheet[1]}
    assert all(cell.font.b for cell in sheet[1])
    assert sheet.freeze_panes == "C2"

    def cell(name):
        return sheet.cell(3, head[name].column)

    assert cell("population").number_format == "#,##0"
    assert cell("victims_q50").number_format == "#,##0"
    assert cell("victims_rate_q50").number_format == "#,##0.##"
    assert cell("victims_p_top").number_format == "0%"
    assert cell("area_id").number_format == "General"
    area = cell("area_id").value
    assert cell("population").value == round(toy.table.loc[area, "population"])

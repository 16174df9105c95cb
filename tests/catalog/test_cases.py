"""Files of one country that once gave wrong numbers without a word, with the right ones."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from smallarea.catalog import Source, read, snapshot
from smallarea.errors import InputError
from smallarea.features import tables

CODE = {"code": "psgc"}
MANILA, MAKATI, TAGUIG, PIKIT = "1380600000", "1380300000", "1381500000", "1204712000"


@pytest.fixture
def reading(tmp_path: Path, frame):
    def read_text(text: str | None, file: str = "t.csv", kind: str = "table", **fields):
        papers = dict.fromkeys(("title", "publisher", "licence", "cadence"), "x")
        papers |= {"vintage": "x", "access": "open"}
        if text is not None:
            (tmp_path / file).write_text(text, encoding="utf-8")
        source = Source(**papers | {"name": "s", "file": file, "kind": kind} | fields)
        return read(source, snapshot(source, [tmp_path], tmp_path / "store"), frame)

    return read_text


REGIONS_2019 = """region,internet
National Capital Region (NCR),0.6
Region VI (Western Visayas),0.47
Region VII (Central Visayas),0.48
Region IX (Zamboanga Peninsula),0.5
Region XII (SOCCSKSARGEN),0.53
MIMAROPA Region,0.45
BARMM,0.1
"""


def test_a_table_of_2019_speaks_of_the_regions_of_2019(reading, frame):
    """Sulu was in BARMM, Negros in VI and VII, the City of Cotabato in XII."""
    columns = {"internet": {"min": 0, "max": 1}}
    table, report = reading(REGIONS_2019, key={"region": "region"}, vintage=2019, columns=columns)
    internet = tables.join_down(table, frame)["internet"]
    province = frame.table["province"]
    assert (internet[province == "Sulu"] == 0.1).all()
    assert (internet[province == "Negros Occidental"] == 0.47).all()
    assert (internet[province.isin(["Negros Oriental", "Siquijor"])] == 0.48).all()
    assert internet["1908703000"] == 0.53
    assert internet[frame.table["region"].str.contains("NIR")].notna().all()
    assert report.unmatched.empty
    today, _ = reading(None, key={"region": "region"}, vintage=2019, columns=columns,
                       areas_of="today")  # fmt: skip
    assert (tables.join_down(today, frame)["internet"][province == "Sulu"] == 0.5).all()


PROVINCES = """prov,inc
North Cotabato,32
Compostela Valley,24
Mt. Province,22
Maguindanao,38
Basilan,54
Isabela City,31
Isabela,20
"""


def test_aliases_serve_every_key_and_an_areas_own_row_wins(reading, frame):
    table, report = reading(PROVINCES, key={"province": "prov"}, columns={"inc": {}})
    inc = tables.join_down(table, frame)["inc"]
    province = frame.table["province"]
    assert report.unmatched.empty
    assert inc["0990101000"] == 31
    assert (inc[(province == "Basilan") & (inc.index != "0990101000")] == 54).all()
    assert (inc[province == "Isabela"] == 20).all()
    assert (inc[province.str.startswith("Maguindanao ")] == 38).all()
    assert (inc[province == "Davao de Oro"] == 24).all()
    assert (inc[province == "Mountain Province"] == 22).all()
    assert inc["1204703000"] == 32
    twice = PROVINCES + "Maguindanao del Sur,40\n"
    with pytest.raises(InputError, match=r"lies in .* which both have a row"):
        reading(twice, key={"province": "prov"}, columns={"inc": {}})
    with pytest.raises(InputError, match="stands in rows 4, 9"):
        reading(PROVINCES + "Mountain Province,1\n", key={"province": "prov"}, columns={"inc": {}})


def test_counts_of_2015_are_divided_as_the_land_was(reading, frame):
    """Ten of Makati's units went to Taguig, some of Pikit's became municipalities."""
    rows = f"psgc,n\n{MAKATI},582602\n{TAGUIG},804915\n{PIKIT},154441\n"
    columns = {"n": {"type": "integer", "min": 1}}
    table, report = reading(rows, key=CODE, columns=columns, vintage=2015)
    counted = tables.align(table, frame)["n"]
    growth = tables.growth(frame.table["population"], counted, years=9)
    alike = [0.0145, 0.0177, 0.0066]
    assert growth[[MAKATI, TAGUIG, PIKIT]].tolist() == pytest.approx(alike, abs=1e-4)
    assert counted[[MAKATI, TAGUIG]].sum() == pytest.approx(582602 + 804915, rel=1e-9)
    assert "City of Taguig" in str(report)
    assert list(report.missing) == ["1999908000"]  # some of its land was Aleosan's, not in the file
    as_now, _ = reading(None, key=CODE, columns=columns, vintage=2023)
    assert tables.align(as_now, frame)["n"][MAKATI] == 582602


def test_the_register_knows_how_many_live_on_the_land_that_moved(frame):
    """What the catalog declares is the sum over the register's own units."""
    from smallarea.areas.registers.psgc import read_psgc

    psus = read_psgc("PH").psus
    moved = psus[psus["origin"] != psus["area_id"]]
    people = moved.groupby(["origin", "area_id"])["population"].sum()
    declared = frame.transfers.set_index(["origin", "area_id"])["people"]
    assert (declared == people[declared.index]).all()


def test_parts_of_an_area_are_not_added_to_the_whole(reading, frame):
    rows = (
        'Code,Name,POPULATION(2015)\n133900000,CITY OF MANILA,"1,780,148"\n'
        '133901000,TONDO I/II,"631,363"\n133902000,BINONDO,"18,040"\n137401000,MANDALUYONG,386276\n'
    )
    columns = {"pop": {"header": "Population (2015)", "type": "integer"}}
    for aggregate in ({}, {"aggregate": "sum"}):
        table, report = reading(rows, key={"code": "Code"}, columns=columns, **aggregate)
        counted = tables.align(table, frame)["pop"]
        assert counted[MANILA] == 1_780_148
        assert "2 rows about parts of areas with a row of their own left out" in str(report)
    by_name, _ = reading(None, key={"name": "Name"}, columns=columns)
    assert tables.align(by_name, frame)["pop"][MANILA] == 1_780_148
    without = "\n".join(line for line in rows.split("\n") if "CITY OF" not in line)
    table, _ = reading(without, key={"code": "Code"}, columns=columns, aggregate="sum")
    assert tables.align(table, frame)["pop"][MANILA] == 631_363 + 18_040
    with pytest.raises(InputError, match=r"`per`.*`where`.*parts that make up the area"):
        reading(without, key={"code": "Code"}, columns=columns)


def test_codes_of_2015_to_2017_match(reading):
    rows = "c,n\nPH184501000,126516\nPH184601000,5524\n184501000,1\n012801000,2\n"
    table, report = reading(rows, key={"code": "c"}, columns={"n": {}}, aggregate="sum")
    assert report.unmatched.empty
    assert table.set_index("area_id")["n"].to_dict() == {
        "1830200000": 126517, "1804601000": 5524, "0102801000": 2
    }  # fmt: skip


def test_codes_that_a_workbook_keeps_as_numbers_match(reading, tmp_path):
    book = openpyxl.Workbook()
    for row in [
        ["psgc", "x"],
        [1380600000, 1],
        [102801000, 2],
        ["0102802000", 3],
        [137602000.0, 4],
    ]:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    table, _ = reading(None, "t.xlsx", key=CODE, columns={"x": {}})
    assert table["area_id"].tolist() == [MANILA, "0102801000", "0102802000", MAKATI]


def test_a_file_cut_by_semicolons_has_decimals_after_a_comma(reading):
    rows = "psgc_muni;estimate\n150702000;24,87\n150703000;39,97\n"
    table, _ = reading(rows, key={"code": "psgc_muni"}, columns={"estimate": {}})
    assert table["estimate"].tolist() == [24.87, 39.97]

"""Rows without an area: all of them listed, with suggestions that nobody acts on but people."""

from __future__ import annotations

import csv
from dataclasses import replace

import pandas as pd
import pytest

from smallarea.catalog import ReadReport, Source, unmatched_table, write_unmatched
from smallarea.catalog.matching import UNKNOWN
from smallarea.catalog.nearest import COLUMNS

FIRST, SECOND = "0100101000", "0100102000"
CODE = {"code": "psgc"}
NAMES = {"name": "n", "province": "p"}
RATE = {"rate": {"min": 0}}


def source(kind: str = "table", **fields) -> dict[str, Source]:
    papers = dict.fromkeys(("title", "publisher", "licence", "cadence", "vintage"), "x")
    return {"s": Source(name="s", file="t.csv", kind=kind, access="open", **papers, **fields)}


def table_of(keys: list[str], frame, reason: str = UNKNOWN, **fields) -> pd.DataFrame:
    lost = pd.DataFrame({"row": range(2, 2 + len(keys)), "key": keys, "reason": reason})
    report = ReadReport("s", "t.csv", 9, 5, lost)
    return unmatched_table([report], source(**fields), frame)


@pytest.mark.parametrize(
    ("key", "roles", "name", "area"),
    [
        ("0100109000", CODE, None, None),  # as near to several
        ("01001020001", CODE, "Binalonan", SECOND),
        ("9999999999", CODE, None, None),
        ("Binalonn / Alpha", NAMES, "Binalonan", SECOND),
        ("Alpha / Binalonn", {"province": "p", "name": "n"}, "Binalonan", SECOND),
        ("San Josse / Bata", NAMES, "San Jose", "0100201000"),
        ("Dagat / Alpha", NAMES, "Dagat", "0100202000"),  # in another province
        ("Binalonan City", NAMES, "Binalonan", SECOND),
        ("San Jose", NAMES, None, None),  # there are two
        ("Nowhere / Beta", NAMES, None, None),
        ("Nroth Coast", {"region": "r"}, "Region I (North Coast)", "0100000000"),
        ("Atlantis", {"region": "r"}, None, None),
        (f"{FIRST} / 01001020001", {"origin": "o", "destination": "d"}, "Binalonan", SECOND),
    ],
)
def test_the_nearest_code_or_name_is_suggested(squares, key, roles, name, area):
    kind = "flows" if "origin" in roles else "table"
    line = table_of([key], squares, kind=kind, key=roles, columns=RATE).iloc[0]
    assert line[["source", "file", "row", "key"]].tolist() == ["s", "t.csv", 2, key]
    if area is None:
        assert line[["nearest_name", "nearest_id", "similarity"]].isna().all()
    else:
        assert line[["nearest_name", "nearest_id"]].tolist() == [name, area]
        assert 0.75 <= line["similarity"] <= 1


@pytest.mark.parametrize("code", ["abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"])
def test_one_wrong_character_of_a_code_is_put_right_whatever_its_length(code, squares):
    own = squares.table.rename(index={FIRST: code, SECOND: "9" * len(code)})
    frame = replace(squares, table=own)
    for wrong in ("x" + code[1:], code[:-1] + "x", code[:-1]):
        assert table_of([wrong], frame, key=CODE)["nearest_id"].tolist() == [code]
    lines = table_of(["xy" + code[2:], "z" * len(code)], frame, key=CODE)
    assert lines["nearest_id"].isna().all()


def test_a_point_is_told_the_area_nearest_to_it(squares):
    roles = {"lat": "lat", "lon": "lon"}
    lines = table_of(["10.05 / 119.9", "-40.0 / 3.0"], squares, kind="points", key=roles)
    assert lines["nearest_id"].tolist()[0] == FIRST
    assert pd.isna(lines["nearest_id"].tolist()[1])
    assert lines["similarity"].isna().all()


def test_a_heading_gets_no_suggestion(squares):
    lines = table_of(["Binalonan"], squares, reason="a heading", key=NAMES, columns=RATE)
    assert lines["nearest_id"].isna().all()


def test_a_suggestion_is_never_a_match(tmp_path, reading, squares):
    rows = "n,p,rate\nBinalonn,Alpha,7\nSan Jose,Alpha,1\nDagat,Beta,2\n"
    (tmp_path / "t.csv").write_text(rows)
    data, report = reading("t.csv", "table", key=NAMES, columns=RATE)
    table = unmatched_table([report], source(key=NAMES, columns=RATE), squares)
    assert table["nearest_id"].tolist() == [SECOND]
    assert SECOND not in data["area_id"].tolist()
    assert (report.rows, report.matched) == (3, 2)
    assert "all of these rows are in unmatched.csv" in str(report)


@pytest.mark.parametrize("reports", [[], [ReadReport("s", "t.csv", 3, 3)]])
def test_only_the_header_when_every_row_has_its_area(tmp_path, squares, reports):
    table = unmatched_table(reports, source(key=CODE, columns=RATE), squares)
    write_unmatched(table, tmp_path / "unmatched.csv")
    with (tmp_path / "unmatched.csv").open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream)) == [COLUMNS]
    assert "unmatched.csv" not in str(ReadReport("s", "t.csv", 3, 3))


def test_no_key_breaks_the_file_or_runs_in_a_spreadsheet(tmp_path, squares):
    plain = ["a;b", "two\nlines", 'say "x", y', "NA", "0100"]
    risky = ["=1+1", "+1", "-1", "@x", '=HYPERLINK("http://x";"y")', "\n=1"]
    table = table_of(plain + risky, squares, key=CODE, columns=RATE)
    write_unmatched(table, tmp_path / "unmatched.csv")
    with (tmp_path / "unmatched.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [line["key"] for line in lines] == plain + [f"'{key}" for key in risky]
    assert [line["row"] for line in lines] == [str(n) for n in range(2, 13)]
    assert '"a;b"' in (tmp_path / "unmatched.csv").read_text(encoding="utf-8")

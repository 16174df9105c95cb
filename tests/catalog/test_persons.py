"""Persons in files: told by name and content, refused before a copy is made; places are spared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import small_country
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.reading.persons import persons_in, persons_in_cells
from smallarea.survey import read_ard

NAMES = ["Ana Cruz", "Ben Reyes", "Carla Diaz", "Dan Santos", "Eva Lim"]
PHONES = ["0917 123 4567", "+63 918 222 3333", "09181234567", "(02) 8123 4567", "639171234567"]
HOMES = [14.59951, 14.60012, 14.61234, 14.62345, 14.63456]
HANDLES = ["anac", "ben_r", "carla.d", "dan99", "eva"]

#: header, cells, what it looks like: in a file with a row per respondent.
ASKED = [
    ("respondent_name", NAMES, "names"),
    ("Name", NAMES, "names"),
    ("Surname", ["Cruz", "Reyes", "Diaz", "de la Cruz", "O'Neill"], "names"),
    ("head of household", NAMES, "names"),
    ("who", ["Cruz, Ana B.", "Reyes, Ben C", "Diaz, Carla D.", "Lim, Eva F.", ""], "names"),
    ("telephone", PHONES, "telephone numbers"),
    ("mobile_no", [9171234567.0, 9181234567.0, 9191234567.0, np.nan, np.nan], "telephone numbers"),
    ("remarks", ["fine", "+63 918 222 3333", "", "", ""], "telephone numbers"),
    ("e-mail", ["ana@example.org", "", "", "", ""], "e-mail addresses"),
    ("remarks", ["write to ana@example.org", "fine", "", "", ""], "e-mail addresses"),
    ("ip_address", ["10.1.2.3", "", "", "", ""], "IP addresses"),
    ("device", ["192.168.0.17", "", "", "", ""], "IP addresses"),
    ("device", ["2001:db8::ff00:42:8329", "", "", "", ""], "IP addresses"),
    ("account number", [f"00123456789{i}" for i in range(5)], "account numbers"),
    ("paid to", ["DE89 3704 0044 0532 0130 00", "", "", "", ""], "account numbers"),
    ("x", ["4111 1111 1111 1111"] * 5, "card numbers"),
    ("username", HANDLES, "accounts"),
    ("latitude", HOMES, "positions"),
    ("GPS", [f"{lat}, 120.98421" for lat in HOMES], "positions"),
    ("where", [f"POINT (120.98421 {lat})" for lat in HOMES], "positions"),
    ("home address", [f"{i} Mango Street" for i in range(5)], "addresses"),
]  # fmt: skip

#: What is none of that.
INNOCENT_ASKED = {
    "respondent_id": [f"R{i:05d}" for i in range(5)],
    "area_id": ["0102801000", "0102802000", "0102803000", "0102804000", "0102805000"],
    "name": ["North Hill"] * 3 + ["Quezon City"] * 2,  # of the place: it repeats
    "weight": [1.23456, 2.34567, 3.45678, 4.56789, 5.67891],
    "telephone": [0, 1, 1, 0, 1],  # has one
    "date": ["2022-11-07", "2022-11-08", "2022-11-09", "2022-11-10", "2022-11-11"],
    "psu": ["012801001", "012801002", "012801003", "012801004", "012801005"],
    "latitude": [14.5995] * 5,  # of the sampling unit
    "lawyers": [0, 3, 12, 1, 4],
}
INNOCENT_AREAS = {
    "psgc": ["0102801000", "0102802000", "0102803000", "0102804000", "0102805000"],
    "LGU Name": ["President Carlos P. Garcia", "Pio V. Corpuz", "Adams", "Bacarra", "Badoc"],
    "name": ["Adams", "Bacarra", "Badoc", "Bangui", "Batac"],
    "telephone": [0.81, 0.62, 0.7, 0.55, 0.4],
    "mobile": [123456, 234567, 345678, 456789, 1567890],  # subscribers
    "email users": [120, 230, 340, 450, 560],
    "accounts": [1234567, 2345678, 3456789, 4567890, 5678901],
    "amount_php": [1234567.89, 2345678.9, 3456789.01, 4567890.12, 123456789.5],
    "sector": ["330455705060001", "330455705060002", "330455705060003", "3", "4"],
    "class": ["1.2.3.4", "1.2.3.5", "1.2.3.6", "1.2.3.7", "1.2.4.1"],
    "latitude": HOMES,  # of schools
    "school address": [f"{i} Mango Street" for i in range(5)],
    "period": ["2022Q1", "2022Q2", "2022-03", "03-2022", "2022"],
    "parent_name": ["Midsayap", "Pikit", "Aleosan", "Kabacan", "Carmen"],
}


@pytest.mark.parametrize(("header", "cells", "what"), ASKED)
def test_each_is_told_in_a_survey(header, cells, what):
    table = pd.DataFrame({"weight": range(5), header: cells})
    assert [(found.column, found.what) for found in persons_in(table, survey=True)] == [
        (header, what)
    ]


@pytest.mark.parametrize("header", INNOCENT_ASKED)
def test_what_is_none_passes_in_a_survey(header):
    assert persons_in(pd.DataFrame({header: INNOCENT_ASKED[header]}), survey=True) == []


@pytest.mark.parametrize("header", INNOCENT_AREAS)
def test_what_is_none_passes_in_a_table_of_areas(header):
    rows = [["Table 1. Ask stat@office.example for more"], [header]]
    rows += [[cell] for cell in INNOCENT_AREAS[header]]
    assert persons_in_cells(pd.DataFrame(rows, index=range(1, len(rows) + 1))) == []


@pytest.mark.parametrize(("header", "cells", "what"), [
    ("client name", NAMES, "names"), ("phone", PHONES, "telephone numbers"),
    ("contact", ["a@b.org", "c@d.org"], "e-mail addresses"),
    ("household latitude", HOMES, "positions"), ("IP", ["10.1.2.3"], "IP addresses"),
    ("hh_gps", [f"{lat}, 120.98421" for lat in HOMES], "positions"),
])  # fmt: skip
def test_each_is_told_in_a_partners_table_below_its_titles(header, cells, what):
    rows = [["A title", None], [None, None], ["code", header]] + [["a1", c] for c in cells]
    found = persons_in_cells(pd.DataFrame(rows, index=range(1, len(rows) + 1)))
    assert [(looks.column, looks.what) for looks in found] == [(header, what)]


def with_column(path: Path, name: str, cells: list) -> None:
    table = pd.read_csv(path, dtype=str)
    rest = [None] * (len(table) - len(cells))
    table.assign(**{name: [*cells, *rest]}).to_csv(path, index=False)


def test_a_stream_with_persons_is_refused_and_not_copied(tmp_path):
    project = small_country(tmp_path / "p")
    books = project.root / "data" / "books.csv"
    with_column(books, "phone", PHONES)
    with pytest.raises(InputError, match=r"books.csv, column 'phone'.*no_persons") as said:
        project.run()
    assert not any(number in str(said.value) for number in PHONES)
    kept = [p for p in (project.root / ".smallarea").rglob("*") if p.is_file()]
    assert not any("0917 123 4567" in p.read_text(errors="ignore") for p in kept)
    catalog = project.root / "data_catalog.yaml"
    spared = catalog.read_text().replace("kind: table\n", "kind: table\n    no_persons: [phone]\n")
    catalog.write_text(spared)
    assert sa.Project(project.root).run().folder.is_dir()


def test_direct_estimates_with_persons_are_refused(tmp_path):
    project = small_country(tmp_path / "p")
    with_column(project.root / "data" / "direct.csv", "e-mail", ["ana@example.org"])
    with pytest.raises(InputError, match=r"direct.csv, column 'e-mail'"):
        project.run()


def test_a_survey_with_persons_is_refused(tmp_path):
    survey = pd.DataFrame({"respondent_id": range(5), "Doctors": [1, 2, 0, 3, 1], "Cases": 0})
    survey.assign(mobile=PHONES).to_csv(tmp_path / "survey.csv", index=False)
    groups = pd.DataFrame({"group": ["Doctors", "Cases"], "kind": ["known", "hidden"],
                           "size": [100, None], "population": 10_000})  # fmt: skip
    groups.to_csv(tmp_path / "groups.csv", index=False)
    with pytest.raises(InputError, match=r"survey.csv, column 'mobile'.*telephone"):
        read_ard(tmp_path / "survey.csv", tmp_path / "groups.csv")
    words = ["nsum", str(tmp_path / "survey.csv"), "--groups", str(tmp_path / "groups.csv")]
    made = CliRunner().invoke(app, [*words, "--model", "killworth", "--json"])
    assert isinstance(made.exception, InputError)


def test_an_unreadable_file_is_left_to_its_reader(tmp_path):
    project = small_country(tmp_path / "p")
    (project.root / "data" / "books.csv").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError) as said:
        project.run()
    assert "persons" not in str(said.value)


def test_a_layer_with_persons_is_refused(tmp_path):
    from smallarea.catalog import Source
    from smallarea.catalog.persons import refuse_persons_in

    points = [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [10, 50]},
               "properties": {"owner name": name}} for name in NAMES]  # fmt: skip
    path = tmp_path / "shops.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": points}))
    source = Source(name="shops", title="t", publisher="p", licence="l", access="open",
                    file="shops.geojson", kind="points", cadence="c", vintage="2020")  # fmt: skip
    with pytest.raises(InputError, match=r"shops.geojson, column 'owner name'"):
        refuse_persons_in(source, [path])

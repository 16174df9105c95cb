"""Names that would run in a spreadsheet, or end the page's script, are text in all that is made."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import small_country

from smallarea.reading.cells import as_text
from smallarea.spreadsheets import RUNS, harmless, harmless_table

NAMES = (
    '=HYPERLINK("http://x";"y")', "+1+1", "-2+3", "@SUM(A1)", " =1+1", "<!--<script>", "</script>",
    "<img src=x onerror=alert(1)>", "{{ 7*7 }}", "$\\frac{$", "Town & Co", "a,b",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    project = small_country(tmp_path_factory.mktemp("hostile") / "project")
    path = project.root / "data" / "towns.csv"
    towns = pd.read_csv(path)
    towns["town"], towns["shire"] = NAMES, "=" + towns["shire"]
    towns.to_csv(path, index=False)
    catalog = project.root / "data_catalog.yaml"
    text = catalog.read_text().replace("Left-handed people\n", "=1+1 <!--<script>\n")
    catalog.write_text(text.replace("title: Answers to a test", 'title: "=2+2"'))
    return type(project)(project.root).run()


def test_nothing_runs_in_any_csv_file(run):
    files = [path for path in run.folder.rglob("*.csv") if path.stat().st_size]
    assert len(files) > 3
    for path in files:
        cells = pd.read_csv(path, dtype=str, keep_default_na=False, header=None)
        for cell in cells.to_numpy().ravel():
            number = re.fullmatch(r"-\d+(\.\d+)?(e[+-]\d+)?", cell)
            assert number or len(cell) < 2 or not cell.lstrip().startswith(RUNS), (path, cell)


def test_the_csv_file_reads_back_as_it_was(run):
    table = run.table()
    cells = pd.read_csv(run.folder / "estimates.csv", dtype=str)
    assert set(as_text(cells["name"])) == {name.strip() for name in NAMES}
    assert set(table["name"]) == {name.strip() for name in NAMES}  # Parquet has names as they are


def test_every_cell_of_the_workbook_is_text_or_a_number(run):
    book = openpyxl.load_workbook(run.folder / "estimates.xlsx")
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "b", "inlineStr"}
    names = {row[1].value for row in book["overview"].iter_rows(min_row=2)}
    assert names == {name.strip() for name in NAMES}
    assert any("=1+1" in str(row[1].value) for row in book["README"].iter_rows())


class Page(HTMLParser):
    """Elements by tag, and the text of scripts."""

    CDATA_CONTENT_ELEMENTS = ("script", "style")

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "script" and self.lasttag == "script":
            self.scripts[-1] += data


def test_the_map_holds_its_data_whole(run):
    text = (run.folder / "map.html").read_text()
    raw = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert "<" not in raw.group(1)  # neither `</script` nor `<!--<script`, which hides the end
    data = json.loads(raw.group(1))
    assert set(data["areas"]["name"]) == {name.strip() for name in NAMES}
    page = Page(text)
    assert page.tags.count("script") == 4  # data, words, code, draws
    assert "img" not in page.tags


def test_the_report_shows_names_as_text(run):
    text = (run.folder / "report.html").read_text()
    assert "<img src=x" not in text
    assert "<!--<script>" not in text
    assert "49" not in re.findall(r">\s*(\d+)\s*<", text.replace("7*7", ""))


@given(st.text(max_size=8))
def test_what_is_made_harmless_can_be_read_back(text):
    cell = harmless(text)
    assert len(cell) < 2 or not cell.lstrip().startswith(RUNS)
    assert harmless(cell) == cell
    if not text.startswith("'"):
        assert cell.removeprefix("'") == text


def test_names_of_columns_and_rows_are_made_harmless_too():
    table = pd.DataFrame({"=a": ["x", "@y"], "b": [1.5, -2.0]}, index=["-1+1", "z"])
    made = harmless_table(table)
    assert list(made) == ["'=a", "b"]
    assert list(made.index) == ["'-1+1", "z"]
    assert made["'=a"].tolist() == ["x", "'@y"]
    assert made["b"].tolist() == [1.5, -2.0]
    assert list(table) == ["=a", "b"]

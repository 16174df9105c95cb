"""A file cut in half is set aside and the last good one used; a run stops where there is none."""

from __future__ import annotations

import html
import json

import openpyxl
import pandas as pd
import pytest
import yaml
from small import CATALOG, small_country
from typer.testing import CliRunner

from smallarea.catalog import Catalog
from smallarea.catalog import quarantine as q
from smallarea.cli import app
from smallarea.errors import InputError

BOOKS = "data/books.csv"
CATALOG_SOURCE = Catalog.model_validate(yaml.safe_load(CATALOG)).sources["books"]


def edit(project, old, new):
    path = project.root / "data_catalog.yaml"
    path.write_text(path.read_text().replace(old, new))
    return type(project)(project.root)


def halved(project):
    path = project.root / BOOKS
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:6]))  # 5 of 12 areas


def used(run):
    return next(e["sha256"] for e in run.manifest["inputs"] if e.get("source") == "books")


def changed(run, before) -> set[str]:
    """Return the files of a run that are not as before."""
    was = before.manifest["outputs"]
    return {name for name, digest in run.manifest["outputs"].items() if digest != was[name]}


def test_the_last_good_snapshot_is_used_and_a_report_says_why(copied):
    project = copied()
    before = project.latest()
    halved(project)
    run = project.run()
    assert used(run) == used(before)
    assert changed(run, before) == {"report.html"}
    assert "books has a value in 41.7% of the areas" in (run.folder / "report.html").read_text()
    (said,) = run.manifest["quarantined"]
    assert "books has a value in 41.7% of the areas, and had one in 100.0%" in said
    (report,) = (project.root / ".smallarea/snapshots/books").glob("*.quarantine.md")
    text = report.read_text()
    assert str(project.root / BOOKS) in text
    assert used(before) in text
    assert "--accept books" in text
    shown = CliRunner().invoke(app, ["run", "--project", str(project.root), "--quiet"])
    assert shown.exit_code == 0
    shown = CliRunner().invoke(app, ["run", "--project", str(project.root)])
    assert "warning source books: books.csv was not used" in shown.output
    (listed,) = json.loads(
        CliRunner().invoke(app, ["status", "--json", "--project", str(project.root)]).stdout
    )["sources"]
    assert listed["quarantine"] == str(report)


def test_the_whole_file_lifts_it(copied):
    project = copied()
    whole = (project.root / BOOKS).read_text()
    halved(project)
    project.run()
    (project.root / BOOKS).write_text(whole.replace("t00,", "t00,7"))
    run = project.run()
    assert run.manifest["quarantined"] == []
    assert q.last_good("books", project.root / ".smallarea").snapshot.sha256 == used(run)


def test_who_looked_at_the_file_can_accept_it(copied):
    project = copied()
    before = used(project.latest())
    halved(project)
    run = project.run(accept=["books"])
    assert run.manifest["quarantined"] == []
    assert used(run) != before
    assert not list((project.root / ".smallarea/snapshots/books").glob("*.quarantine.md"))
    assert project.run().folder == run.folder  # it is the last good one now
    with pytest.raises(InputError, match=r"--accept.*no source 'bokks'"):
        project.run(accept=["bokks"])


def test_an_essential_source_stops_the_run(copied):
    project = copied()
    project = edit(project, "kind: table\n", "kind: table\n    essential: true\n")
    halved(project)
    with pytest.raises(InputError, match=r"source 'books'.*41.7%.*essential.*--accept books"):
        project.run()


@pytest.mark.parametrize("content", ["code,books\nt00,many\n", "\x00\x01"])
def test_a_file_that_cannot_be_read_is_set_aside_too(copied, content):
    project = copied()
    before = project.latest()
    (project.root / BOOKS).write_text(content)
    run = project.run()
    assert changed(run, before) == {"report.html"}
    assert used(run) == used(before)
    assert "Two maps" not in (run.folder / "report.html").read_text()
    assert "books.csv" in run.manifest["quarantined"][0]


def test_declared_coverage_is_asked_of_the_first_snapshot(tmp_path):
    project = small_country(tmp_path / "project")
    halved(project)
    project = edit(project, "kind: table\n", "kind: table\n    min_coverage: 0.9\n")
    with pytest.raises(InputError, match=r"books has a value in 41.7%.*`min_coverage` is 90.0%"):
        project.run()
    project = edit(project, "min_coverage: 0.9", "min_coverage: 0.4")
    assert project.run().manifest["quarantined"] == []


def test_a_stream_that_asks_for_less_is_not_the_files_fault(copied):
    project = copied()
    path = project.root / "features" / "books.py"
    path.write_text(path.read_text().replace('[["books"]]', '[["books"]].where(lambda b: b > 7)'))
    (project.root / BOOKS).write_text((project.root / BOOKS).read_text() + "\n")
    run = project.run()
    assert run.manifest["quarantined"] == []
    assert used(run) != ""
    assert path.read_text() != ""
    assert q.last_good("books", project.root / ".smallarea").coverage["books"] < 0.5


def test_a_damaged_last_good_snapshot_is_none(copied):
    project = copied()
    good = q.last_good("books", project.root / ".smallarea")
    assert good is not None
    good.snapshot.path.chmod(0o600)
    good.snapshot.path.write_text("damaged")
    assert q.last_good("books", project.root / ".smallarea") is None
    halved(project)
    assert project.run().manifest["quarantined"] == []  # nothing to compare with


def test_cleaning_leaves_the_last_good_snapshot(copied):
    project = copied()
    halved(project)
    project.run()
    project.clean(keep=1)
    assert q.last_good("books", project.root / ".smallarea") is not None
    assert len(project.run().manifest["quarantined"]) == 1


def test_formulas_that_nobody_computed_are_noticed(tmp_path):
    project = small_country(tmp_path / "project")
    books = pd.read_csv(project.root / BOOKS)
    book = openpyxl.Workbook()
    book.active.append(["code", "books"])
    for row, (code, number) in enumerate(books.itertuples(index=False), start=2):
        book.active.append([code, f"={number}*1" if row > 4 else number])
    book.save(project.root / "data" / "books.xlsx")
    project = edit(project, "file: books.csv", "file: books.xlsx")
    assert "books.xlsx" in (project.root / "data_catalog.yaml").read_text() != CATALOG
    with pytest.raises(InputError, match=r"books.xlsx, column 'books', row 5: the formula =.*\*1"):
        project.run()


def test_a_feature_that_moves_by_more_than_declared_is_set_aside(copied):
    project = copied()
    project = edit(project, "kind: table\n", "kind: table\n    most_shift: 0.3\n")
    before = used(project.run())
    table = pd.read_csv(project.root / BOOKS)
    table.assign(books=table["books"] * 1.02).to_csv(project.root / BOOKS, index=False)
    run = project.run()
    assert run.manifest["quarantined"] == []
    before = used(run)
    table.assign(books=table["books"] * 1000).to_csv(project.root / BOOKS, index=False)
    run = project.run()
    (said,) = run.manifest["quarantined"]
    assert "books moved: " in said
    assert "`most_shift` is 30%" in said
    assert used(run) == before
    page = (run.folder / "report.html").read_text()
    assert said.split("; see ")[0] in html.unescape(page)
    assert page.count('alt="Two maps of books: in use, and set aside"') == 1
    assert str(project.root) not in page
    assert project.run(accept=["books"]).manifest["quarantined"] == []


def test_features_with_many_alike_do_not_move_by_themselves():
    values = pd.DataFrame({"a": [0.0] * 9 + [1.0]})
    source = CATALOG_SOURCE.model_copy(update={"most_shift": 0.05})
    assert q.shifts(source, values, q.tenths_of(values)) == []
    assert q.shifts(source, values + 1, q.tenths_of(values)) != []
    assert q.shifts(source, values * float("nan"), q.tenths_of(values)) == []
    assert q.tenths_of(values * float("nan")) == {"a": []}

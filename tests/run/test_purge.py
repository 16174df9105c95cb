"""`smallarea purge`: nothing of the source is left, runs stay and say so; and `status` watches."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pandas as pd
import pytest
from hostile import serving
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.refreshing import fetch, purge, refresh
from smallarea.run.record import damage_of
from smallarea.summary import explain_area

BOOKS = "data/books.csv"


def test_nothing_of_it_is_left_but_the_estimates(copied):
    project = copied()
    before = project.latest()
    table = pd.read_csv(project.root / BOOKS)
    table["books"] *= 2
    table.to_csv(project.root / BOOKS, index=False)
    refresh(project)  # a run with a kept fit, too
    assert len(list((project.root / "runs").glob("*-drift"))) == 1
    values = [str(x).encode() for x in table["books"]]
    (project.root / BOOKS).unlink()
    receipt = purge(project, "books")
    assert len(receipt["runs"]) == 2
    assert receipt["still_there"] == []
    written = json.loads(next((project.root / ".smallarea/purges").iterdir()).read_text())
    assert written["finished"]
    assert written["removed"] == receipt["removed"]
    assert list((project.root / "runs").glob("*-drift")) == []  # with its maps of books
    left = {p.name.split("-")[0] for p in (project.root / ".smallarea/stages").iterdir()}
    assert left == {"frame", "direct"}
    assert not (project.root / ".smallarea/snapshots/books").exists()
    for run in (before.folder, project.latest().folder):
        assert damage_of(run) == []
        assert list(pd.read_parquet(run / "features.parquet")) == []
        run_now = sa.Run(run)
        assert [one["source"] for one in run_now.manifest["purged"]] == ["books"]
        assert explain_area(run_now, "t00")["features"] == {}
    files = [p for p in project.root.rglob("*") if p.suffix in (".csv", ".parquet")]
    assert not [p for p in files if all(value in p.read_bytes() for value in values)]
    assert purge(project, "books")["runs"] == {}
    with pytest.raises(InputError, match="no source 'bokks'"):
        purge(project, "bokks")
    shown = CliRunner().invoke(app, ["status", "--project", str(project.root)])
    assert f"run {before.folder.name}: purged of books" in shown.output


def test_a_file_of_the_owner_is_named(copied):
    project = copied()
    shown = CliRunner().invoke(app, ["purge", "books", "--project", str(project.root)])
    assert shown.exit_code == 0
    assert f"note {project.root / BOOKS} is still there" in shown.output
    assert project.run().manifest["quarantined"] == []


def test_status_watches(copied, tmp_path):
    project = copied()
    first = project.latest().folder.name
    with serving() as server:
        server.files["books.csv"] = (project.root / BOOKS).read_bytes() + b"\n"
        (project.root / BOOKS).unlink()
        path = project.root / "data_catalog.yaml"
        text = path.read_text()
        url = f"    kind: table\n    url: {server.url('/whole/books.csv')}\n"
        end = date.today() + timedelta(days=9)
        path.write_text(text.replace("    kind: table\n", f"{url}    agreement_ends: {end}\n"))
        project = sa.Project(project.root)

        def watched():
            page = tmp_path / "status.html"
            words = ["status", "--json", "--html", str(page), "--project", str(project.root)]
            shown = CliRunner().invoke(app, words)
            assert shown.exit_code == 0, shown.output
            facts = json.loads(shown.stdout)
            return facts["sources"][0], facts["runs"], page.read_text()

        books, runs, page = watched()
        assert (books["due"], books["last_tried"]) == ("now", None)
        assert books["agreement_ends"] == end.isoformat()
        assert "<td>now</td>" in page
        fetch(project)
        books, runs, page = watched()
        assert books["due"] == (date.today() + timedelta(days=365)).isoformat()
        assert books["last_tried"]
        assert runs[0]["older_than"] == ["books"]
        assert first in page
        server.files["books.csv"] = b"code,books\nt00,none\n"
        fetch(project)
        books, runs, page = watched()
        assert books["quarantine"].endswith(".quarantine.md")
        assert "was not used" in books["failed"]
        assert 'class="bad"' in page
        assert "in quarantine" in page
        shown = CliRunner().invoke(app, ["status", "--project", str(project.root)])
        assert "the last try" in shown.output
        assert f"run {first}: older than books" in shown.output

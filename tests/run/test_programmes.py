"""Programmes: read and kept, never a covariate, left out of a target on demand."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from small import small_country
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError

SOURCE = """  campaign:
    title: A campaign
    publisher: nobody
    licence: none
    access: open
    file: campaign.csv
    kind: programme
    cadence: once
    vintage: 2020
    key: {code: code}
    columns: {start: {type: text}}
"""
ROWS = "code,start\nt01,2019-05-01\nt01,2018\nt04,2020-02\n"


def with_campaign(root: Path, rows: str | None = ROWS, entry: str = SOURCE) -> sa.Project:
    small_country(root)
    catalog = root / "data_catalog.yaml"
    catalog.write_text(catalog.read_text().replace("indicators:\n", entry + "indicators:\n", 1))
    if rows is not None:
        (root / "data" / "campaign.csv").write_text(rows)
    return sa.Project(root)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> sa.Run:
    return with_campaign(tmp_path_factory.mktemp("programme") / "p").run()


def test_the_run_keeps_where_and_since_when(run):
    kept = pd.read_csv(run.folder / "programmes.csv", dtype=str)
    assert kept.to_numpy().tolist() == [
        ["campaign", "t01", "2018-01-01"], ["campaign", "t04", "2020-02-01"],
    ]  # fmt: skip
    assert "programmes.csv" in run.manifest["outputs"]


def test_numbers_do_not_move_with_a_programme(run, tmp_path):
    plain = small_country(tmp_path / "plain").run()
    assert not (plain.folder / "programmes.csv").exists()
    pd.testing.assert_frame_equal(plain.table(), run.table())


@pytest.mark.parametrize("name", ["campaign", "programme"])
def test_a_target_leaves_its_areas_out_and_says_so(run, name):
    project = str(run.folder.parents[1])
    words = ["target", "--project", project, "--k", "10", "--exclude", name]
    made = CliRunner().invoke(app, [*words, "--json"])
    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert facts["left_out"] == {f"{name} is at work there": 2}
    chosen = run.target(10, exclude=[name]).areas
    assert not {"t01", "t04"} & set(chosen.index)
    assert chosen["chosen"].sum() == 10
    told = CliRunner().invoke(app, words).output.replace("\n", " ")
    assert f"2 areas ({name} is at work there)" in told


def test_unknown_programmes_are_named(run, tmp_path):
    with pytest.raises(InputError, match=r"programme 'other'.*choose programme \(any\), campaign"):
        run.target(3, exclude=["other"])
    with pytest.raises(InputError, match="declare a source of kind programme"):
        small_country(tmp_path / "p").run().target(3, exclude=["programme"])
    with pytest.raises(InputError, match="not excluded"):
        run.target(places=["t01", "t02"], exclude=["campaign"])


def test_a_stream_on_a_programme_is_refused(tmp_path):
    project = with_campaign(tmp_path / "p")
    stream = (project.root / "features" / "books.py").read_text()
    stream = stream.replace('source="books"', 'source="campaign"')
    (project.root / "features" / "campaign.py").write_text(stream)
    with pytest.raises(InputError, match=r"campaign.py: it takes the programme 'campaign'"):
        project.run()


@pytest.mark.parametrize(
    ("rows", "entry", "said"),
    [
        (None, SOURCE, "campaign.csv"),
        ("code,start\nt01,soon\n", SOURCE, "'soon' is no date"),
        ("code,start\nt01,\nt02,2020\n", SOURCE, "an empty cell"),
        ("code,start\nzz,2020\n", SOURCE, "campaign.csv"),
        (ROWS, SOURCE.replace("    columns: {start: {type: text}}\n", ""), "needs a column start"),
        (ROWS, SOURCE.replace("type: text", "type: integer"), "needs a column start"),
    ],
)
def test_bad_programmes_are_named(tmp_path, rows, entry, said):
    with pytest.raises(InputError, match=said):
        with_campaign(tmp_path / "p", rows, entry).run()


def test_rows_of_a_level_are_all_its_areas(tmp_path):
    entry = SOURCE.replace("{code: code}", "{shire: place}")
    run = with_campaign(tmp_path / "p", "place,start\nShire 2,2020\n", entry).run()
    kept = pd.read_csv(run.folder / "programmes.csv", dtype=str)
    assert kept["area_id"].tolist() == ["t06", "t07", "t08"]


def test_an_optional_programme_may_be_absent(tmp_path):
    run = with_campaign(tmp_path / "p", None, SOURCE + "    optional: true\n").run()
    assert (run.folder / "programmes.csv").read_text().strip() == "programme,area_id,start"


@pytest.mark.slow
def test_change_by_programme_through_the_shell(tmp_path):
    root = tmp_path / "p"
    earlier = with_campaign(root).run()
    direct = pd.read_csv(root / "data" / "direct.csv")
    direct.assign(yes=direct["yes"] - 1).to_csv(root / "data" / "direct.csv", index=False)
    catalog = root / "data_catalog.yaml"
    catalog.write_text(
        catalog.read_text().replace('reference_period: "2020"', 'reference_period: "2022"')
    )
    later = sa.Project(root).run()
    words = ["change", str(earlier.folder), str(later.folder), "--by", "campaign"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    said = " ".join(told.output.split())
    assert "left: cannot tell: fewer than 3 surveyed areas" in said
    assert "Campaigns raise reporting" in said
    facts = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert facts["by"]["indicators"][0]["verdict"] == "cannot tell"
    three = CliRunner().invoke(app, [*words[:3], str(later.folder), *words[3:]])
    assert "--by" in str(three.exception)
    other = CliRunner().invoke(app, [*words[:4], "other"])
    assert "no programme 'other'" in str(other.exception)

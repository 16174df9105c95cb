"""A project that gives totals of its shires, from the command line to report and tier."""

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
from smallarea.run import releasing

HEAD = "level,unit,component,total,se\n"
ROWS = HEAD + "shire,Shire 0,left,750,20\nshire,Shire 2,left,900,2000\n"


def with_totals(root: Path, text: str = ROWS) -> sa.Project:
    small_country(root)
    catalog = root / "data_catalog.yaml"
    entry = "settings:\n  totals: {file: data/shires.csv, title: Register, publisher: the shires}\n"
    catalog.write_text(catalog.read_text().replace("settings:\n", entry))
    (root / "data" / "shires.csv").write_text(text)
    return sa.Project(root)


def invoke(root: Path, *command: str):
    return CliRunner().invoke(app, [*command, "--project", str(root)])


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> sa.Run:
    root = tmp_path_factory.mktemp("totals") / "project"
    with_totals(root)
    done = invoke(root, "run", "--quiet")
    assert done.exit_code == 0, done.output
    return sa.Project(root).latest()


def shires(run: sa.Run) -> pd.DataFrame:
    """Draws of people, shire x draw."""
    counts = run.draws()["counts"].sel(component="left")
    areas = pd.read_parquet(run.folder / "areas.parquet").set_index("area_id")
    table = pd.DataFrame(counts.transpose("area_id", "draw").values, counts["area_id"].values)
    return table.groupby(areas["shire"]).sum()


def test_areas_add_up_to_shires_and_shires_to_the_nation(run):
    people = shires(run)
    national = run.draws()["covered_total"].sel(component="left").values
    np.testing.assert_allclose(people.sum(), national, rtol=1e-9)
    told = pd.read_csv(run.folder / "totals.csv").set_index("unit")
    first = told.loc["Shire 0"]
    assert first["given"] == pytest.approx(750, abs=6)
    assert first["after"] == pytest.approx(people.loc["Shire 0"].mean(), rel=1e-5)
    assert abs(first["after"] - 750) < 20 < first["before_sd"]
    assert first["after_sd"] < 0.5 * first["before_sd"]
    vague = told.loc["Shire 2"]  # its error says next to nothing
    assert vague["after"] == pytest.approx(vague["before"], rel=0.25)
    plain = sa.Project(small_country(run.folder.parents[2] / "plain").root).run()
    assert plain.draws()["covered_total"].mean() == run.draws()["covered_total"].mean()
    assert people.loc["Shire 0"].std() < 0.5 * shires(plain).loc["Shire 0"].std()


def test_the_report_shows_totals_and_the_alternatives(run):
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    for words in ("Totals given for units", "Shire 0 (Shire)", "Register", "2 totals of units"):
        assert words in page
    row = run.manifest["agreement"]["left"]
    assert row["above_one"] == 0
    for method in ("raking", "ratio", "difference"):
        assert 0 < row[f"{method}_median"] <= row[f"{method}_max"]
    (entry,) = [e for e in run.manifest["inputs"] if e["file"] == "data/shires.csv"]
    assert len(entry["sha256"]) == 64
    assert run.manifest["stages"]["totals"]["reused"] is False


def test_a_change_of_totals_is_a_new_run_that_fits_no_model_anew(run, tmp_path):
    import shutil

    root = shutil.copytree(run.folder.parents[1], tmp_path / "copy", symlinks=True)
    (root / "data" / "shires.csv").write_text(ROWS.replace("750,20", "700,20"))
    again = sa.Project(root).run()
    assert again.manifest["run"] != run.manifest["run"]
    reused = {name for name, stage in again.manifest["stages"].items() if stage["reused"]}
    assert {"frame", "features", "direct", "models"} <= reused
    assert not {"totals", "projection", "publish"} & reused
    assert abs(shires(again).loc["Shire 0"].mean() - 700) < 25


def test_a_tier_agrees_with_the_totals_too(run):
    (folder,) = releasing.publish_tiers(run, ["partner"])
    levels = pd.read_csv(folder / "levels.csv")
    own = levels[(levels["name"] == "Shire 0") & (levels["indicator"] == "left")].iloc[0]
    assert own["q10"] < 750 < own["q90"]
    assert own["q90"] - own["q10"] < 80


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shire,Shire 9,left,400,20\n", "shires.csv, column 'unit', row 2: 'Shire 9' is no code"),
        ("shire,Shire 0,left,2900,9\nshire,Shire 1,left,2900,9\n", "more than the nation's left"),
        ("", "shires.csv: it holds no data"),
    ],
)
def test_what_contradicts_is_one_sentence_before_any_model_is_fitted(tmp_path, text, message):
    with_totals(tmp_path / "project", HEAD + text)
    done = invoke(tmp_path / "project", "run", "--quiet")
    assert done.exit_code != 0
    assert message in str(done.exception)
    assert not list((tmp_path / "project" / ".smallarea" / "stages").glob("models*"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    project = with_totals(tmp_path / "project")
    (project.root / "data" / "shires.csv").unlink()
    done = invoke(project.root, "run", "--quiet")
    assert "settings.totals.file" in str(done.exception)


def test_invented_totals_make_a_run_synthetic(tmp_path):
    text = "level,unit,component,total,se,notice\nshire,Shire 0,left,400,20,SYNTHETIC SURVEY\n"
    run = with_totals(tmp_path / "project", text).run()
    assert run.synthetic
    assert json.loads((run.folder / "manifest.json").read_text())["synthetic"]

"""The main job as a user runs it: through the command line, from an empty folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from study import COMPONENTS, SUMS, UNITS

import smallarea as sa
from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.findings import FILES

COLUMNS = [
    "area_id", "name", "province", "region", "island_group", "indicator", "surveyed", "mean", "sd",
    "q025", "q10", "q25", "q50", "q75", "q90", "q975", "rank_low", "rank_high", "flags",
]  # fmt: skip


def command(*words: str | Path, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "smallarea", *map(str, words)],
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


def cheaper(project: Path) -> None:
    catalog = project / "data_catalog.yaml"
    text = catalog.read_text()
    assert "fast: 1000" in text
    assert "folds: 5" in text
    catalog.write_text(text.replace("fast: 1000", "fast: 200").replace("folds: 5", "folds: 2"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A finished run of the twin, whose truth was taken away before estimation began."""
    project = tmp_path_factory.mktemp("projects") / "mine"
    assert command("init", project).returncode == 0
    cheaper(project)
    made = command("simulate", "--project", project, "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["label"] == "SYNTHETIC SURVEY"
    shutil.move(project / "data" / "twin" / "truth", project.parent / "truth")
    run = command("run", "--project", project, "--json")
    assert run.returncode == 0, run.stderr
    return project, json.loads(run.stdout)


@pytest.fixture(scope="module")
def latest(finished: tuple[Path, dict]) -> Path:
    return finished[0] / "runs" / "latest"


def test_one_row_per_area_and_indicator(latest):
    table = pd.read_parquet(latest / "estimates.parquet")
    assert list(table.columns[: len(COLUMNS)]) == COLUMNS
    assert len(table) == 1642 * len(UNITS)
    assert not table.duplicated(["area_id", "indicator"]).any()
    assert table.loc[table["surveyed"], "area_id"].nunique() == 150
    quantiles = table[["q025", "q10", "q25", "q50", "q75", "q90", "q975"]].dropna().to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles >= 0).all()
    ranks = table[["rank_low", "rank_high"]].dropna().astype(int)
    assert (ranks["rank_low"] >= 1).all()
    assert (ranks["rank_low"] <= ranks["rank_high"]).all()
    assert (ranks["rank_high"] <= 1642).all()


def test_every_draw_adds_up_and_agrees_with_the_nation(finished):
    project, manifest = finished
    draws = sa.Project(project).latest().draws()
    total = draws["counts"].sum("area_id")
    np.testing.assert_allclose(total, draws["national_total"], rtol=0, atol=1e-9)
    covered = draws["counts"].sel(area_id=draws["covered"].values).sum("area_id")
    np.testing.assert_allclose(covered, draws["covered_total"], rtol=0, atol=1e-9)
    victims = draws["counts"].sel(component=list(SUMS["victims"])).sum(("component", "area_id"))
    assert np.quantile(victims, 0.5) == pytest.approx(manifest["national"]["victims"]["q50"])


def test_rates_and_ratio_are_recomputed_from_counts(finished):
    project, _ = finished
    run = sa.Project(project).latest()
    areas = pd.read_parquet(run.folder / "areas.parquet").set_index("area_id")
    counts = run.draws()["counts"]
    area_id = areas["population"].idxmax()
    one = counts.sel(area_id=area_id)
    victims = one.sel(component=list(SUMS["victims"])).sum("component").values
    traffickers = one.sel(component=list(SUMS["traffickers"])).sum("component").values
    rows = run.table().set_index(["area_id", "indicator"])
    expected = np.quantile(1000 * victims / areas.loc[area_id, "children"], 0.9)
    assert rows.loc[(area_id, "victims_rate"), "q90"] == pytest.approx(expected)
    expected = np.quantile(victims / traffickers, 0.1)
    assert rows.loc[(area_id, "ratio"), "q10"] == pytest.approx(expected)


def test_everything_says_that_the_survey_is_synthetic(latest):
    for page in ("map.html", "report.html"):
        text = (latest / page).read_text()
        assert "SYNTHETIC SURVEY" in text
        assert not re.search(
            r"""(src|href)=["']?(https?:)?//|url\(["']?http|@import|fetch\(""", text
        )
    assert set(pd.read_csv(latest / "estimates.csv")["notice"]) == {"SYNTHETIC SURVEY"}
    sheet = openpyxl.load_workbook(latest / "estimates.xlsx", read_only=True)["README"]
    assert "SYNTHETIC SURVEY" in str(next(sheet.iter_rows(values_only=True)))


def test_what_the_interviews_say_is_published_and_discloses_nobody(finished):
    project, manifest = finished
    folder = project / "runs" / "latest" / "survey"
    tables = {path.stem: pd.read_csv(path) for path in folder.glob("*.csv")}
    assert set(tables) == set(FILES) - {"casework", "numbers"}  # neither is set
    assert {f"survey/{name}.csv" for name in tables} < set(manifest["outputs"])
    for name, table in tables.items():
        assert set(table["notice"]) == {"SYNTHETIC SURVEY"}, name
    for page in ("README.md", "known_groups.svg"):
        assert "SYNTHETIC SURVEY" in (folder / page).read_text()
    who = tables["who_reported"]
    assert set(who["variable"]) == {"all", "sex", "age", "urban"}
    told = who[who["note"].isna()]
    assert (told[["respondents", "reporters"]] % 5 == 0).all(axis=None)
    assert (told["respondents"] >= 10).all()
    checks = tables["checks"]
    assert set(COMPONENTS) < set(checks["group"])
    assert set(checks["kind"]) == {"posterior", "prior"}
    assert checks.loc[checks["statistic"] == "largest", "observed"].isna().all()
    hidden = checks[checks["group"].isin(COMPONENTS) & (checks["kind"] == "posterior")]
    assert hidden["reproduced"].mean() > 0.75
    areas = pd.read_parquet(folder.parent / "areas.parquet").set_index("area_id")
    plan = pd.read_csv(folder / "next_places.csv", dtype={"area_id": str})
    assert areas.loc[plan["area_id"], "covered"].all()
    named = [name for name, table in tables.items() if "area_id" in table.columns]
    assert named == ["next_places"]


def test_the_report_tells_what_the_interviews_say(latest):
    text = (latest / "report.html").read_text()
    for heading in (
        "What the interviews say",
        "Who told of anyone",
        "Can people count groups whose number is known?",
        "If some tell more readily than others",
        "Where to interview next",
        "Does the model give such answers?",
    ):
        assert heading in text
    assert (
        "nan" not in re.sub(r"<[^>]+>", " ", text[text.index("What the interviews say") :]).split()
    )


def test_a_second_run_reuses_every_stage_and_gives_the_same_bytes(finished):
    project, manifest = finished
    again = json.loads(command("run", "--project", project, "--json").stdout)
    assert all(stage["reused"] for stage in again["stages"].values())
    assert again["outputs"] == manifest["outputs"]


def test_the_manifest_traces_inputs_and_outputs(finished):
    project, manifest = finished
    inputs = {entry["file"]: entry["sha256"] for entry in manifest["inputs"]}
    assert inputs["data_catalog.yaml"] == sha256(project / "data_catalog.yaml")
    assert inputs["viirs_2022.tif"] == sha256(project / "data/twin/streams/viirs_2022.tif")
    assert {"seed", "profile", "settings", "libraries", "code", "stages"} <= set(manifest)
    assert "unmatched.csv" in manifest["outputs"]
    for name, digest in manifest["outputs"].items():
        assert sha256(project / "runs" / "latest" / name) == digest
    assert set(manifest["agreement"]) == set(COMPONENTS)


def test_estimates_in_a_notebook(finished):
    run = sa.Project(finished[0]).latest()
    victims = run.estimates("victims")
    assert len(victims) == 1642
    assert victims.crs.to_epsg() == 4326
    assert victims.geometry.notna().all()
    with pytest.raises(InputError, match="choose one of victims"):
        run.estimates("crimes")


def test_explain_speaks_of_one_area(finished):
    project, _ = finished
    found = command("explain", "Quezon City", "--project", project, "--json")
    facts = json.loads(found.stdout)
    assert facts["area_id"] == "1381300000"
    assert facts["estimate"]["q10"] < facts["estimate"]["q90"]
    words = command("explain", "1381300000", "--project", project).stdout
    assert "SYNTHETIC SURVEY" in words
    assert "its rank among 1642 areas is somewhere from" in words


def test_an_ambiguous_or_unknown_area_is_refused_with_the_choices(finished):
    project, _ = finished
    several = command("explain", "San Jose", "--project", project)
    assert several.returncode == 3
    assert "give the code, or the name and what it lies in" in several.stderr
    assert command("explain", "Atlantis", "--project", project).returncode == 3


def test_verify_finds_every_file_as_it_was_written(finished):
    made = command("verify", "--project", finished[0], "--json")
    assert json.loads(made.stdout)["intact"] is True


def test_status_names_sources_and_what_changed(finished):
    project, _ = finished
    facts = json.loads(command("status", "--project", project, "--json").stdout)
    assert facts["latest"]["synthetic"] is True
    assert {entry["at"] for entry in facts["sources"]} == {"twin"}
    assert not any(entry["changed_since_run"] for entry in facts["sources"])


def test_bad_input_is_one_sentence_and_exit_code_3(tmp_path):
    nowhere = command("run", "--project", tmp_path)
    assert nowhere.returncode == 3
    assert "smallarea init" in nowhere.stderr
    assert "Traceback" not in nowhere.stderr
    assert command("init", tmp_path / "p").returncode == 0
    assert command("init", tmp_path / "p").returncode == 3
    wrong = command("run", "--project", tmp_path / "p", "--profile", "slow")
    assert wrong.returncode == 3
    assert "choose one of fast, full" in wrong.stderr
    assert command("run", "--no-such-option").returncode == 2


def copied(project: Path, target: Path) -> Path:
    shutil.copytree(project, target, symlinks=True)
    return target


def test_a_missing_source_is_named(finished, tmp_path):
    project = copied(finished[0], tmp_path / "p")
    (project / "data/twin/streams/viirs_2022.tif").unlink()
    failed = command("run", "--project", project)
    assert failed.returncode == 3
    assert "viirs_2022.tif" in failed.stderr
    assert (project / "runs" / "latest" / "map.html").is_file()


def test_an_empty_survey_is_named(finished, tmp_path):
    project = copied(finished[0], tmp_path / "p")
    path = project / "data/twin/survey/respondents.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    failed = command("run", "--project", project)
    assert failed.returncode == 3
    assert "respondents.csv" in failed.stderr
    assert "no respondents" in failed.stderr


def heed_interrupts() -> None:
    """Undo what a shell does to jobs in its background: they inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_run_keeps_finished_stages_and_nothing_half_written(finished, tmp_path):
    project = copied(finished[0], tmp_path / "p")
    stages = project / ".smallarea" / "stages"
    before = {path.name for path in stages.iterdir()}
    running = subprocess.Popen(
        [sys.executable, "-m", "smallarea", "run", "--project", str(project), "--seed", "9"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_interrupts,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not any(path.name.startswith(".nsum") for path in stages.iterdir()):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(running.pid, signal.SIGINT)
    _, told = running.communicate(timeout=120)
    assert running.returncode == 130
    assert b"Traceback" not in told
    assert b"finished stages are kept" in told
    assert {path.name for path in stages.iterdir()} == before
    assert (project / "runs" / "latest" / "map.html").is_file()

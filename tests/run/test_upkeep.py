"""`verify` and `clean`: what is not as it was made is named; only what nobody needs goes."""

from __future__ import annotations

import json
import os
import shutil
import time

import pandas as pd
import pytest
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.run.record import damage_of
from smallarea.summary import explain_area, project_status, status_text

DAY = 86_400


def command(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def triple(folder):
    areas = pd.read_parquet(folder / "areas.parquet")
    areas.assign(population=3 * areas["population"]).to_parquet(folder / "areas.parquet")


def edited_total(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["national"]["left"]["q50"] *= 3
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))


DAMAGE = {
    "areas.parquet is not what was written": triple,
    "manifest.json is not what was written": edited_total,
    "draws.nc is missing": lambda folder: (folder / "draws.nc").unlink(),
    "manifest.json cannot be read": lambda folder: os.truncate(folder / "manifest.json", 99),
}


@pytest.mark.parametrize("said", DAMAGE)
def test_an_edited_run_is_named_and_refused(finished, copied, said):
    project = copied()
    latest = project.root / "runs" / "latest"
    DAMAGE[said](latest.resolve())
    made = command("verify", "--project", project.root)
    assert made.exit_code == 1
    assert said in made.stderr
    assert json.loads(command("verify", latest, "--json").stdout)["damage"] == [said]
    for ask in (
        lambda: explain_area(project.latest(), "t00"),
        lambda: project.latest().table(),
        lambda: project.latest().draws(),
        lambda: project.latest().change_since(finished),
        lambda: finished.change_since(project.latest()),
    ):
        with pytest.raises(InputError, match="make it again with `smallarea run`"):
            ask()
    assert said in status_text(project_status(project))
    again = project.run()
    assert not damage_of(again.folder)
    assert again.manifest["outputs"] == finished.manifest["outputs"]


def test_an_intact_run_is_said_to_be(finished, tmp_path):
    made = command("verify", finished.folder)
    assert made.exit_code == 0
    assert "every file is what its manifest says" in " ".join(made.stdout.split())
    received = shutil.copytree(finished.folder, tmp_path / "received")
    assert command("verify", received).exit_code == 0


def test_a_file_put_beside_is_named_and_does_no_harm(copied):
    project = copied()
    folder = project.latest().folder
    (folder / "notes.txt").touch()
    made = command("verify", folder)
    assert made.exit_code == 1
    assert "notes.txt does not belong there" in made.stderr
    assert explain_area(project.latest(), "t00")["area_id"] == "t00"
    assert project.run().folder == folder


def test_a_folder_without_manifest_is_no_run(tmp_path):
    with pytest.raises(InputError, match=r"another with a manifest\.json"):
        damage_of(tmp_path)


def aged(project, days):
    """Give the project a run, a stage and a copied input of so many days ago that nobody needs."""
    store = project.root / ".smallarea"
    run = shutil.copytree(
        project.latest().folder, project.root / "runs" / f"2020010{days}T000000Z-00000000"
    )
    stage = shutil.copytree(next((store / "stages").iterdir()), store / "stages" / f"demo-{days}")
    copy = store / "inputs" / f"{days:064d}.csv"
    copy.touch()
    for path in (run / "manifest.json", stage, copy):
        os.utime(path, (time.time() - days * DAY,) * 2)
    return run, stage, copy


def test_clean_removes_what_no_run_needs_and_runs_only_if_asked(copied):
    project = copied()
    latest = project.latest().folder
    runs, stages, copies = zip(*(aged(project, days) for days in (2, 5, 9)), strict=True)
    interrupted = project.root / ".smallarea" / "stages" / "models-unfinished-run"
    interrupted.mkdir()
    used = {path.name for path in (project.root / ".smallarea/stages").iterdir()}
    used -= {path.name for path in stages}
    gone = project.clean()
    assert (gone["runs"], len(gone["stages"]), len(gone["inputs"])) == ([], 3, 3)
    assert {path.name for path in (project.root / ".smallarea/stages").iterdir()} == used
    assert not any(copy.exists() for copy in copies)
    assert project.clean(older_than=7)["runs"] == [runs[2].name]
    assert project.clean(keep=2, older_than=1)["runs"] == [runs[0].name]
    assert project.clean(keep=2)["runs"] == []
    told = json.loads(command("clean", "--project", project.root, "--keep", 1, "--json").stdout)
    assert told["runs"] == [runs[1].name]
    assert project.latest().folder == latest
    assert interrupted.is_dir()
    assert all(stage["reused"] for stage in project.run().manifest["stages"].values())
    assert "Removed 0 runs" in command("clean", "--project", project.root).stdout


def test_what_killed_runs_left_is_swept_by_the_next(copied):
    project = copied()
    left = [
        project.root / place / ".twin.a1b2c3d4.unfinished"
        for place in (".smallarea", ".smallarea/stages", ".smallarea/inputs", "runs", "data")
    ]
    for folder in left:
        (folder / "demo").mkdir(parents=True)
    project.run()
    assert not any(folder.exists() for folder in left)
    for folder in left:
        folder.mkdir()
    assert project.clean()["unfinished"] == len(left)


def test_an_earlier_run_is_found_again_without_a_copy(copied):
    project = copied()
    first = project.latest()
    other = project.root / "runs" / "20990101T000000Z-00000000"
    shutil.copytree(first.folder, other)
    (project.root / "runs" / "latest").unlink()
    (project.root / "runs" / "latest").symlink_to(other.name)
    edited_total(other)
    again = project.run()
    assert again.folder == first.folder == sa.Project(project.root).latest().folder
    assert "was changed after it was made" in again.manifest["mended"][0]


def test_a_run_at_work_keeps_others_out(copied, tmp_path):
    project = copied()
    with project.alone(False, lambda what, share: None):
        for act in (project.run, project.simulate, project.clean, project.design):
            with pytest.raises(InputError, match="is at work here"):
                act()

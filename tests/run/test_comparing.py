"""`smallarea compare` on a finished run: the table, the picture, the files, the errors."""

from __future__ import annotations

import json
import stat

import pandas as pd
import pytest
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.publish.compare import MARK, compare_table, conclusion, loss_conclusion


def in_process(run: sa.Run, *words: object):
    project = str(run.folder.parents[1])
    words = ("compare", "--project", project, "--draws", "60", *words)
    return CliRunner().invoke(app, list(map(str, words)))


def test_the_command_prints_a_table_and_keeps_it_beside_the_run(finished):
    made = in_process(finished)
    assert made.exit_code == 0, made.output
    for said in ("2 parts of whole groups of level shire (4)", "pool (published)", "Top fifth"):
        assert said in made.stdout
    assert "so few groups make intervals too narrow" in " ".join(made.stdout.split())
    assert "This run is internal" in made.stdout
    folder = finished.folder.parent / f"{finished.folder.name}-compare"
    assert {p.name for p in folder.iterdir()} == {"compare.csv", "compare.json", "compare.png"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    assert (folder / "compare.png").read_bytes()[:4] == b"\x89PNG"
    table = pd.read_csv(folder / "compare.csv").set_index(["model", "component"])
    found = sa.Project(finished.folder.parents[1]).compare(draws=60)
    pd.testing.assert_frame_equal(table, found.scores, rtol=1e-5, check_dtype=False)
    facts = json.loads((folder / "compare.json").read_text())
    assert facts["conclusion"] == conclusion(found)
    assert facts["made_of"]["manifest_sha256"] == sha256(finished.folder / "manifest.json")
    assert set(facts["made_of"]["models"]) == {"national_rate.py", "poisson_ridge.py"}
    assert compare_table(found).row_count == 3
    finished.require_intact()


@pytest.mark.parametrize("by", ["block", "knn", "random"])
def test_every_way_goes_through_as_one_json_object(finished, tmp_path, by):
    made = in_process(finished, "--by", by, "--folds", 2, "--out", tmp_path, "--json")
    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert facts["held_out_by"].startswith(f"{by}: 2 parts")
    assert facts["mismatch_km"] >= 0
    assert {row["component"] for row in facts["scores"]} == {"left", "all"}


def test_streams_are_left_out_one_by_one(finished, tmp_path):
    made = in_process(finished, "--without", "stream", "--out", tmp_path)
    assert made.exit_code == 0, made.output
    assert "Without stream" in made.stdout
    losses = pd.read_csv(tmp_path / "without.csv", index_col="stream")
    assert list(losses.index) == ["books"]
    assert losses.loc["books", "features"] == 1
    page, before = (f / "report.html" for f in (tmp_path, finished.folder))
    assert MARK not in page.read_text()
    told = f'<td class="n">{losses.loc["books", "loss"]:+.1f}</td>'
    assert page.read_text().count(told) > before.read_text().count(told)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    finished.require_intact()
    assert "books" in loss_conclusion(losses.assign(loss_low=1.0))
    assert loss_conclusion(losses.assign(loss_low=-1, loss_high=1)).startswith("No stream")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "moon"), "choose one of level, block"),
        (("--by", "excluded"), "the survey covers every area"),
        (("--level", "county"), "choose one of shire"),
        (("--models", "oracle"), "no model 'oracle' in profile fast"),
        (("--without", "domain"), "say what each source is about in its `domain:`"),
        (("--without", "file"), "choose stream or domain"),
        (("--side", 3), "side says nothing"),
        (("--folds", 1), "at least two"),
        (("--draws", 1), "take some hundreds"),
    ],
)
def test_what_is_wrong_is_said(finished, words, said):
    made = in_process(finished, *words)
    assert isinstance(made.exception, InputError)
    assert said in str(made.exception)


def test_stages_that_are_gone_have_to_be_made_again(copied):
    project = copied()
    stage = project.latest().manifest["stages"]["features"]
    (project.root / stage["folder"] / "values.parquet").unlink()
    with pytest.raises(InputError, match="run `smallarea run` first"):
        project.compare()


def test_a_model_file_of_now_is_compared(copied):
    project = copied()
    plain = (project.root / "models" / "national_rate.py").read_text()
    (project.root / "models" / "national_rate.py").unlink()
    (project.root / "models" / "mine.py").write_text(plain.replace("national_rate():", "mine():"))
    found = project.compare(draws=60, models=["mine"])
    assert found.baseline == "national_rate"  # the engine's own
    assert "mine" in found.scores.index.get_level_values("model")

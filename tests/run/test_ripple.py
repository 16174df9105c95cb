"""Only what changed is made anew: stream by stream, and no further than where nothing moved."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from small import small_country, with_pens

import smallarea as sa


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The small project with a second stream, and a finished run."""
    root = small_country(tmp_path_factory.mktemp("ripple") / "project").root
    with_pens(root)
    sa.Project(root).run()
    return root


def write_pens(root: Path, times: float, **how) -> None:
    table = pd.read_csv(root / "data" / "books.csv").rename(columns={"books": "pens"})
    table["pens"] = times * table["pens"] ** 2
    table.to_csv(root / "data" / "pens.csv", index=False, **how)


def made_anew(root: Path) -> set[str]:
    stages = sa.Project(root).run().manifest["stages"]
    return {name for name, stage in stages.items() if not stage["reused"]}


def test_nothing_changed(project):
    before = (project / "runs" / "latest").resolve()
    sa.Project(project).run()
    assert (project / "runs" / "latest").resolve() == before


def test_a_changed_source_is_read_again_and_no_other(project):
    write_pens(project, 4)
    anew = made_anew(project)
    assert {"features-pens", "features", "models", "projection", "findings", "publish"} == anew


def test_another_file_with_the_same_values_stops_at_the_features(project):
    write_pens(project, 4, lineterminator="\r\n")
    assert made_anew(project) == {"features-pens", "features", "publish"}
    stated = sa.Project(project).latest().manifest["inputs"]
    (entry,) = [each for each in stated if each.get("source") == "pens"]
    assert entry["sha256"] in (project / "runs/latest/features.csv").read_text()


def test_another_text_of_a_stream_with_the_same_values_stops_there(project):
    file = project / "features" / "pens.py"
    file.write_text(file.read_text() + "\n# Nothing else.\n")
    assert made_anew(project) <= {"features-pens"}

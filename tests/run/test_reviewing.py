"""The review form: written with a tier, filled in, kept beside the run, shown, never fitted."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.run.record import damage_of
from smallarea.run.releasing import publish_tiers
from smallarea.run.reviewing import keep_review


@pytest.fixture(scope="module")
def forms(finished: sa.Run, tmp_path_factory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("tiers")
    folders = publish_tiers(finished, ["public", "partner"], out=out)
    return dict(zip(("public", "partner"), (f / "review.csv" for f in folders), strict=True))


def filled(form: Path, to: Path, **answers: dict[str, str]) -> Path:
    """Copy a form with answers by name of the place."""
    table = pd.read_csv(form, dtype=str)
    for column, said in answers.items():
        table[column] = table["name"].map(said)
    table.to_csv(to, index=False)
    return to


def test_the_form_is_by_the_places_of_the_tier_and_says_its_ranges(forms):
    public, partner = (pd.read_csv(path, dtype=str) for path in forms.values())
    assert set(public["name"]) == {f"Shire {i}" for i in range(4)}
    assert len(partner) == 12
    assert partner["left, 80 % range"].str.fullmatch(r"[\d,]+ to [\d,]+").all()
    assert partner[["surprises", "would_check"]].isna().all(axis=None)
    assert "no names of persons" in (forms["public"].parent / "README.md").read_text()


def test_answers_are_kept_and_shown_and_the_run_is_as_it_was(finished, forms, tmp_path):
    one = filled(forms["public"], tmp_path / "1.csv", surprises={"Shire 1": "=much <b>lower</b>"})
    two = filled(forms["partner"], tmp_path / "2.csv", would_check={"Town 3": "the school"})
    words = ["review", str(one), str(two), "--run", str(finished.folder), "--json"]
    made = CliRunner().invoke(app, words)
    assert made.exit_code == 0, made.output
    folder = Path(json.loads(made.stdout)["folder"])
    assert folder == finished.folder.parent / f"{finished.folder.name}-review"
    kept = pd.read_csv(folder / "answers.csv")
    assert kept["name"].tolist() == ["Shire 1", "Town 3"]
    assert kept["surprises"].iloc[0].startswith("'=")
    page = (folder / "report.html").read_text()
    assert "=much &lt;b&gt;lower&lt;/b&gt;" in page
    assert "They went into no number" in page
    assert (
        "What people who know the places say" not in (finished.folder / "report.html").read_text()
    )
    assert damage_of(finished.folder) == []
    assert stat.S_IMODE((folder / "answers.csv").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "nobody answered"),
        ({"surprises": {"Shire 1": "call +63 917 123 4567"}}, "telephone"),
        ({"surprises": {"Shire 1": "ask ana@example.org"}}, "e-mail"),
        ({"surprises": {"Shire 1": "+63 917 123 4567"}}, "telephone"),
    ],
)
def test_empty_forms_and_persons_are_refused(finished, forms, tmp_path, answers, said):
    path = filled(forms["public"], tmp_path / "a.csv", **answers)
    with pytest.raises(InputError, match=said):
        keep_review(finished, [path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_place_of_another_run_is_named(finished, forms, tmp_path):
    path = filled(forms["public"], tmp_path / "a.csv", surprises={"Shire 1": "low"})
    path.write_text(path.read_text().replace("Shire 1,", "elsewhere,", 1))
    with pytest.raises(InputError, match=r"a.csv, column 'area_id', row \d+: the run has no such"):
        keep_review(finished, [path], tmp_path / "out")

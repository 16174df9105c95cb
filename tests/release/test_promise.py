"""What was promised to respondents: refused, approved, or published coarser."""

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
from smallarea.release.promise import check_promise, require_levels
from smallarea.settings import Settings, read_settings

LEVELS = ["shire", "half"]
PLAIN = {"seed": 1, "direct": {"file": "d.csv"}, "draws": {"fast": 200}}
APPROVAL = {"level": "shire", "body": "the board", "reference": "7/2021", "date": "2021-05-06"}


def settings(**more: object) -> Settings:
    return read_settings(PLAIN | more)


@pytest.mark.parametrize(
    ("promised", "approval", "finest", "holds"),
    [
        (None, None, "area", None),
        ("area", None, "area", True),
        ("half", None, "half", True),
        ("half", None, "nation", True),
        ("half", None, "shire", False),
        ("nation", None, "half", False),
        ("nation", "half", "half", True),
        ("nation", "half", "shire", False),
        ("nation", "area", "area", True),
    ],
)
def test_the_finest_level_is_held_to_promise_and_approval(promised, approval, finest, holds):
    given = None if approval is None else APPROVAL | {"level": approval}
    found = check_promise(settings(promised_level=promised, approval=given), LEVELS, finest)
    assert found.holds is holds
    if given:
        assert "the board, reference 7/2021, 2021-05-06" in found.found


def test_a_level_that_is_none_and_an_approval_of_nothing_are_named():
    with pytest.raises(InputError, match=r"promised_level.*choose one of area, shire, half"):
        require_levels(settings(promised_level="hamlet"), LEVELS)
    wrong = settings(promised_level="half", approval=APPROVAL | {"level": "hamlet"})
    with pytest.raises(InputError, match=r"approval\.level"):
        require_levels(wrong, LEVELS)
    with pytest.raises(InputError, match="needs a promised_level"):
        settings(approval=APPROVAL)
    with pytest.raises(InputError, match=r"approval\.reference"):
        settings(
            promised_level="half",
            approval={k: v for k, v in APPROVAL.items() if k != "reference"},
        )


def promised(root: Path, text: str) -> sa.Project:
    """Return the small project with halves above its shires, and a promise."""
    project = small_country(root)
    catalog = root / "data_catalog.yaml"
    with_halves = catalog.read_text().replace("[{name: shire}]", "[{name: shire}, {name: half}]")
    catalog.write_text(with_halves + text)
    towns = pd.read_csv(root / "data" / "towns.csv")
    towns["half"] = ["North" if int(s[-1]) < 2 else "South" for s in towns["shire"]]
    towns.to_csv(root / "data" / "towns.csv", index=False)
    return sa.Project(project.root)


def test_finer_output_is_refused_and_a_coarser_public_tier_is_not(tmp_path):
    project = promised(tmp_path / "p", "  promised_level: shire\n")
    run = project.run()
    for tier in ("public", "partner"):  # a public tier has classes of areas
        with pytest.raises(InputError, match=r"finest here are by area, and no approval"):
            project.publish(tier)
    assert not (project.root / "releases").exists()
    words = ["publish", "--run", str(run.folder), "--tier", "public"]
    refused = CliRunner().invoke(app, [*words, "--level", "hamlet"])
    assert isinstance(refused.exception, InputError)
    assert "--level" in str(refused.exception)
    made = CliRunner().invoke(app, [*words, "--level", "shire", "--json"])
    assert made.exit_code == 0, made.output
    (folder,) = map(Path, json.loads(made.stdout)["folders"])
    assert folder.name == f"{run.folder.name}-public-shire"
    assert not (folder / "classes.csv").exists()
    assert "classes" not in (folder / "README.md").read_text()
    audit = json.loads((run.folder.parent / f"{folder.name}-audit" / "audit.json").read_text())
    (found,) = (check for check in audit["checks"] if check["name"] == "promise")
    assert found["holds"] is True
    with pytest.raises(InputError, match="no partner tier by 'shire'"):
        project.publish("partner", level="shire")


def test_units_of_any_level_can_be_the_places(tmp_path):
    project = promised(tmp_path / "p", "  promised_level: half\n")
    project.run()
    (folder,) = project.publish("public", level="half")
    table = pd.read_csv(folder / "estimates.csv")
    assert set(table["name"]) == {"North", "South"}
    assert set(pd.read_csv(folder / "levels.csv")["level"]) == {"nation"}
    assert "Shire 1" not in (folder / "map.html").read_text()


def test_an_approval_lets_finer_output_pass_and_stands_in_the_audit(tmp_path):
    text = (
        "  promised_level: nation\n"
        "  approval: {level: area, body: the board, reference: 7/2021, date: 2021-05-06}\n"
    )
    project = promised(tmp_path / "p", text)
    run = project.run()
    project.publish("partner")
    audit = (run.folder.parent / f"{run.folder.name}-partner-audit" / "audit.md").read_text()
    assert "approved down to area by the board, reference 7/2021, 2021-05-06" in audit
    catalog = project.root / "data_catalog.yaml"
    catalog.write_text(catalog.read_text().replace("level: area, body", "level: half, body"))
    with pytest.raises(InputError, match="changed since the run"):
        sa.Project(project.root).publish("partner")


def test_a_promise_of_an_unknown_level_stops_the_run(tmp_path):
    with pytest.raises(InputError, match=r"settings\.promised_level"):
        promised(tmp_path / "p", "  promised_level: hamlet\n").run()

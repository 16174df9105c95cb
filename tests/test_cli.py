"""Commands that need no finished run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import small_country


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "smallarea", *map(str, words)],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


@pytest.fixture
def survey(tmp_path: Path) -> tuple[Path, Path]:
    """Two known groups and a hidden one of 2,000 among 100,000 people; 400 respondents."""
    rng = np.random.default_rng(3)
    degree = rng.lognormal(5, 0.5, 400)
    sizes = {"teachers": 1_500, "nurses": 800, "hidden": 2_000}
    answers = {name: rng.poisson(degree * size / 100_000) for name, size in sizes.items()}
    answers["village"] = np.repeat(np.arange(40), 10)
    pd.DataFrame(answers).to_csv(tmp_path / "survey.csv", index=False)
    groups = pd.DataFrame({"group": sizes, "kind": "known", "size": sizes, "population": 100_000})
    groups["group"] = groups.index
    groups.loc["hidden", ["kind", "size"]] = ["hidden", np.nan]
    groups.to_csv(tmp_path / "groups.csv", index=False)
    return tmp_path / "survey.csv", tmp_path / "groups.csv"


def test_nsum_sizes_a_hidden_group_from_the_shell(survey):
    answers, groups = survey
    words = ("nsum", answers, "--groups", groups, "--model", "killworth", "--psu", "village")
    made = command(*words, "--json")
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout)
    assert set(found) == {"model", "groups", "diagnostics", "warnings"}
    (hidden,) = found["groups"]
    assert hidden["group"] == "hidden"
    # Poisson error of about 1,200 reports is 3 %; four of them.
    assert hidden["mean"] == pytest.approx(2_000, rel=0.16)
    assert hidden["q025"] < hidden["median"] < hidden["q975"]
    assert hidden["ess"] is None
    assert "hidden" in command(*words).stdout
    assert json.loads(command(*words, "--json").stdout) == found


def test_nsum_reads_files_as_they_come_and_prints_people(tmp_path):
    rows = ["1;0;A;200;0;0", "1;2;A;99;1;0", "2;7;A;180;2;DK", "1;0;B;220;1;1", "2;3;B;150;1;0"]
    header = "ea;teachers;st;knows;hidden;other"
    (tmp_path / "s.csv").write_text("\n".join([header, *rows * 3]), encoding="utf-16")
    groups = "group,kind,size,population\nteachers,known,90000,9000000\nhidden,hidden,,9000000\n"
    (tmp_path / "g.csv").write_text(groups + "other,hidden,,9000000\n")
    words = ("nsum", tmp_path / "s.csv", "--groups", tmp_path / "g.csv", "--model", "killworth",
             "--sep", ";", "--encoding", "utf-16", "--missing", "99,DK", "--psu", "ea",
             "--strata", "st", "--nest", "--lonely", "collapse", "--top-code", "5000",
             "--degree-column", "knows", "--remove", "mad=20")  # fmt: skip
    made = command(*words)
    assert made.returncode == 0, made.stderr
    people = f"{9_000_000 * 4 / 750:,.0f}"
    assert f"mean {people}  sd" in made.stdout
    assert "e+0" not in made.stdout
    found = json.loads(command(*words, "--json").stdout)
    assert found["groups"][0]["mean"] == pytest.approx(9_000_000 * 4 / 750)
    assert found["diagnostics"]["removed"] == []
    assert {c["level"] for c in found["diagnostics"]["carriers"]} == {"respondent"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--missing", "99", "--remove", "mad"), "write quantile=0.99"),
        (("--model", "killworth", "--degree-column", "kin=x"), "write COLUMN, or adult=COLUMN"),
        (("--model", "killworth", "--degree-column", "x"), "missing columns: x"),
        (("--model", "killworth", "--lonely", "magic"), "choose one of collapse"),
        (("--model", "magic"), "choose one of killworth"),
        (("--model", "full", "--tau-prior", "five"), "write A,B"),
        (("--model", "killworth", "--tau-prior", "5,95"), "no transmission rate"),
        (("--model", "killworth", "--weights", "w"), "missing columns: w"),
    ],
)
def test_nsum_says_what_is_wrong(survey, words, said):
    answers, groups = survey
    made = command("nsum", answers, "--groups", groups, *words)
    assert made.returncode == 3
    assert said in made.stderr
    assert "Traceback" not in made.stderr


def test_design_draws_a_sample_and_says_what_it_can_tell(tmp_path):
    assert command("init", tmp_path / "p").returncode == 0
    made = command(
        "design", tmp_path / "sample.csv", "--project", tmp_path / "p", "--replicates", 4, "--json"
    )
    assert made.returncode == 0, made.stderr
    facts = json.loads(made.stdout)
    assert facts["margin_99_simple"] == pytest.approx(0.0215, abs=5e-5)
    told = {row["component"]: row for row in facts["components"]}
    adult, child = told["traffickers_live"], told["victims_live"]
    assert len(told) == 4
    assert adult["reports"] > 4 * child["reports"]
    assert 0.3 < child["power"] < 0.6 < adult["power"]
    assert child["deff"] > 1
    assert 0.01 < child["power_error"] < 0.02
    sample = pd.read_csv(tmp_path / "sample.csv", dtype={"psu_id": str, "area_id": str})
    roles = sample["role"].value_counts()
    assert roles["main"] == 150
    assert roles["replicate"] == 4
    assert not sample["region"].str.contains("MIMAROPA").any()


def test_a_design_without_acquaintances_speaks_of_none(tmp_path):
    small_country(tmp_path / "p")
    words = ("design", tmp_path / "s.csv", "--project", tmp_path / "p", "--areas", 8)
    told = command(*words)
    assert told.returncode == 0, told.stderr
    assert "a share of 50 % is known to within" in told.stdout
    for word in ("child", "adult", "known to", "report"):
        assert word not in told.stdout.replace("is known to within", "")
    assert set(json.loads(command(*words, "--json").stdout)) == {
        "sample", "seed", "margin_99_simple", "margins"
    }  # fmt: skip


def test_a_twin_that_no_run_uses_is_said_to_be_so(tmp_path):
    small_country(tmp_path / "p")
    told = command("simulate", "--project", tmp_path / "p")
    assert told.returncode == 0, told.stderr
    assert "No run of this project uses it: settings.direct.file names another" in told.stdout


def test_the_smallest_project_is_written_and_never_over_another(tmp_path):
    assert command("init", "--minimal", tmp_path / "p").returncode == 0
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == [
        "data", "data_catalog.yaml", "features", "models"
    ]  # fmt: skip
    assert "data exist already" in command("init", "--minimal", tmp_path / "p").stderr
    assert "full (every model) or another" in command("run", "--help").stdout.replace("\n", " ")


def test_help_teaches():
    told = command("--help").stdout
    assert "smallarea init my-project" in told
    names = ("init", "simulate", "run", "status", "explain", "target", "change", "design", "nsum")
    for name in names:
        assert name in told
        assert "--help" in command(name, "--help").stdout

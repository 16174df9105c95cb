"""The command, its page and its files; what bad input gets."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from small import small_country
from typer.testing import CliRunner

from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.fieldwork.evening import evening
from smallarea.fieldwork.gather import Wanted
from smallarea.fieldwork.tables import read_margins
from smallarea.nsum import killworth
from smallarea.survey import Columns, read_ard

EXAMPLE = Path(__file__).parents[2] / "examples" / "fieldwork"
FILES = {"visits": "visits.csv", "groups": "groups.csv", "recheck": "recheck.csv",
         "population": "population.csv"}  # fmt: skip


@pytest.fixture
def field(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "field"))


def run(folder: Path, *words: str, files: dict[str, str] = FILES):
    options = [w for name, file in files.items() for w in (f"--{name}", str(folder / file))]
    main = [str(folder / "sample.csv"), str(folder / "respondents.csv")]
    return CliRunner().invoke(
        app, ["fieldwork", *main, *options, "--out", str(folder / "out"), *words]
    )


def change(path: Path, row: int, column: str, value: object) -> None:
    table = pd.read_csv(path, dtype=str)
    table.loc[row, column] = value
    table.to_csv(path, index=False)


def test_an_evening_from_the_shell(field):
    made = run(field, "--period", "2022", "--until", "2022-11-20", "--json")
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)
    out = field / "out"
    assert json.loads((out / "fieldwork.json").read_text())["facts"] == found["facts"]
    assert {p.name for p in out.iterdir()} == {
        "fieldwork.html", "fieldwork.json", "weights.csv", "respondents.csv",
    }  # fmt: skip
    assert out.stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in out.iterdir())
    progress = found["facts"]["progress"]
    answers = pd.read_csv(field / "respondents.csv")
    assert progress["done"] == len(answers)
    assert progress["done"] + progress["left"] == progress["target"]
    units = pd.DataFrame(found["tables"]["units"])
    assert set(units["status"]) >= {"complete", "replaced", "expanded", "under way"}
    assert found["facts"]["named"] == ["E00a"]  # the one who was told to write zeros
    assert found["synthetic"] is True
    page = (out / "fieldwork.html").read_text()
    assert "SYNTHETIC SURVEY" in page
    assert "INTERNAL" in page
    assert not answers["respondent_id"].map(lambda i: i in page).any()
    assert not re.search(r"\b(nan|NaN|None|NaT)\b", page)
    steps = {row["step"] for row in found["tables"]["totals"]}
    assert {"unweighted", "response", "calibrated", "trimmed", "interviewers"} <= steps


def test_what_is_written_goes_into_the_next_command(field):
    assert run(field, "-q").exit_code == 0
    weighted = field / "out" / "respondents.csv"
    columns = Columns(respondent="respondent_id", weight="weight", psu="area_id",
                      stratum="stratum")  # fmt: skip
    ard = read_ard(weighted, field / "groups.csv", columns)
    total = json.loads((field / "out" / "fieldwork.json").read_text())["tables"]["totals"]
    (want,) = [row["estimate"] for row in total if row["step"] == "trimmed"]
    assert killworth(ard).estimate["hidden"] == pytest.approx(want, rel=1e-4)
    first = pd.read_csv(field / "respondents.csv").set_index("respondent_id")["hidden"]
    assert ard.counts["hidden"].equals(first.astype(float))  # never the validated ones


def test_the_first_evening_of_a_pilot(tmp_path):
    """Units and targets alone; columns that are not there are not missed."""
    (tmp_path / "sample.csv").write_text("psu_id,interviews\n01,5\n02,5\n")
    (tmp_path / "respondents.csv").write_text("psu,q\n01,1\n01,2\n")
    made = run(tmp_path, files={})
    assert made.exit_code == 0, made.output
    assert "2 of 10 interviews, 8 left." in made.output
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"fieldwork.html", "fieldwork.json"}


def test_before_any_interview(field):
    (field / "respondents.csv").write_text("respondent_id,psu,date,sex\n")
    made = run(field, files={})
    assert made.exit_code == 0, made.output
    assert "0 of 384 interviews" in made.output


def test_the_same_files_give_the_same_bytes(field):
    pages = []
    for name in ("one", "two"):
        evening(field / "sample.csv", field / "respondents.csv", field / name,
                wanted=Wanted(), **{k: field / v for k, v in FILES.items()})  # fmt: skip
        pages.append([(field / name / f).read_bytes() for f in ("fieldwork.html", "weights.csv")])
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("file", "row", "column", "value", "said"),
    [
        ("respondents.csv", 3, "psu", "U0000", "not in the sample: U0000"),
        ("respondents.csv", 3, "psu", None, "1 respondents without psu"),
        ("respondents.csv", 3, "date", "12/11/2022", "write dates as YYYY-MM-DD"),
        ("respondents.csv", 3, "age", "young", "'young' in row 4 is not a number"),
        ("respondents.csv", 3, "age", "12", "12 of age (respondent SYNTHETIC-00004) is in no"),
        ("respondents.csv", 3, "respondent_id", "SYNTHETIC-00001", "listed twice: SYNTHETIC-00001"),
        ("sample.csv", 2, "psu_id", None, "sample.csv, row 3: unit"),
        ("sample.csv", 2, "interviews", "0", "no number of interviews for"),
        ("sample.csv", 40, "replaces", "U9999", "replace no unit of the sample"),
        ("visits.csv", 9, "outcome", "asleep", "visits.csv, row 10: outcome 'asleep' of a house"),
        ("visits.csv", 0, "outcome", "completed", "of a unit (no household is named)"),
        (
            "recheck.csv",
            1,
            "group",
            "ghosts",
            "recheck.csv, row 2: group 'ghosts' is not in the surv",
        ),
        ("recheck.csv", 1, "validated", "-", "'-' in row 2 is not a number"),
        ("population.csv", 0, "variable", "shoe", "respondents have no column 'shoe'"),
        ("population.csv", 0, "people", "0", "population.csv, row 1: a category without people"),
        ("population.csv", 0, "people", "9e9", "add up to different populations"),
    ],
)
def test_bad_input_is_one_sentence(field, file, row, column, value, said):
    change(field / file, row, column, value)
    with pytest.raises(InputError) as error:
        evening(field / "sample.csv", field / "respondents.csv", field / "out",
                **{k: field / v for k, v in FILES.items()})  # fmt: skip
    assert said in str(error.value)
    assert not (field / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--period", "last year"), "write a year"),
        (("--until", "soon"), "is no period"),
        (("--quota", "F:0.5"), "write VALUE=SHARE"),
        (("--calibration", "magic"), "use raking or greg"),
        (("--trim", "0.5"), "give a number above 1"),
    ],
)
def test_bad_options_are_one_sentence(field, words, said):
    made = run(field, *words)
    assert isinstance(made.exception, InputError)
    assert said in str(made.exception)


def test_codes_that_lost_their_zeros_are_recognised(tmp_path):
    (tmp_path / "sample.csv").write_text("psu_id,interviews\n012,5\n")
    (tmp_path / "respondents.csv").write_text("psu\n12\n")
    made = run(tmp_path, files={})
    assert "is 12 the sample's 012?" in str(made.exception)


def test_the_frame_gives_the_population_by_level(tmp_path):
    table = small_country(tmp_path / "project").margins()
    towns = pd.read_csv(tmp_path / "project" / "data" / "towns.csv")
    assert set(table["variable"]) == {"shire"}
    assert table["people"].sum() == towns["people"].sum()
    table.to_csv(tmp_path / "population.csv", index=False)
    assert len(read_margins(tmp_path / "population.csv")) == 4

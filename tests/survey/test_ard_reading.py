"""Reading a survey from files, its columns described by a small YAML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.survey import Columns, read_ard

DESCRIPTION = """
respondent: hhid
weight: wt
psu: ea
groups: {teachers: q1, victims: q2}
missing: [98, 99]
top_code: {teachers: 30}
"""
ANSWERS = pd.DataFrame(
    {"hhid": [1, 2, 3], "wt": [1.5, 1.0, 0.5], "ea": [7, 7, 8], "q1": [4, 98, 60], "q2": [0, 1, 99]}
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "columns.yaml").write_text(DESCRIPTION)
    (tmp_path / "groups.csv").write_text(
        "group,kind,size,population\nteachers,known,1000,50000\nvictims,hidden,,50000\n"
    )
    ANSWERS.to_csv(tmp_path / "survey.csv", index=False)
    ANSWERS.to_excel(tmp_path / "survey.xlsx", index=False)
    ANSWERS.to_stata(tmp_path / "survey.dta", write_index=False)
    return tmp_path


@pytest.mark.parametrize("name", ["survey.csv", "survey.xlsx", "survey.dta"])
def test_every_format_gives_the_same_survey(files: Path, name: str) -> None:
    ard = read_ard(files / name, files / "groups.csv", files / "columns.yaml")
    np.testing.assert_array_equal(ard.counts, [[4, 0], [np.nan, 1], [30, np.nan]])
    np.testing.assert_array_equal(ard.weights, [1.5, 1.0, 0.5])
    assert ard.design["psu"].tolist() == ["7", "7", "8"]


def test_spss_files_are_read_where_the_extra_is_installed(files: Path) -> None:
    spss = pytest.importorskip("pyreadstat")
    spss.write_sav(ANSWERS, str(files / "survey.sav"))
    ard = read_ard(files / "survey.sav", files / "groups.csv", files / "columns.yaml")
    np.testing.assert_array_equal(ard.counts["teachers"], [4, np.nan, 30])


def test_usual_column_names_need_no_description(files: Path) -> None:
    usual = {"hhid": "respondent_id", "wt": "weight", "ea": "area_id", "q1": "teachers"}
    table = ANSWERS.rename(columns=usual | {"q2": "victims"}).assign(area_id=["01", "01", "02"])
    table.to_csv(files / "usual.csv", index=False)
    ard = read_ard(files / "usual.csv", files / "groups.csv")
    assert ard.design["area_id"].tolist() == ["01", "01", "02"]
    assert ard.counts.index.tolist() == ["1", "2", "3"]


def test_what_cannot_be_read_is_said(files: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_ard(files / "absent.csv", files / "groups.csv")
    with pytest.raises(InputError, match="not a survey format"):
        read_ard(files / "columns.yaml", files / "groups.csv")
    (files / "broken.xlsx").write_text("this is no workbook")
    with pytest.raises(InputError, match="cannot be read"):
        read_ard(files / "broken.xlsx", files / "groups.csv")
    (files / "empty.csv").write_text("")
    with pytest.raises(InputError, match="cannot be read"):
        read_ard(files / "empty.csv", files / "groups.csv")
    with pytest.raises(InputError, match="missing columns: group"):
        read_ard(files / "survey.csv", files / "survey.csv")


def test_a_description_with_an_unknown_entry_is_refused(files: Path) -> None:
    (files / "wrong.yaml").write_text("weights: wt\n")
    with pytest.raises(InputError, match="not understood: weights"):
        Columns.from_yaml(files / "wrong.yaml")


def test_headers_may_be_untidy(files: Path) -> None:
    padded = ANSWERS.rename(columns=lambda name: f" {name} ")
    padded.to_csv(files / "padded.csv", index=False, encoding="utf-8-sig")
    (files / "groups.csv").write_text((files / "groups.csv").read_text().replace("kind", " Kind"))
    read = read_ard(files / "padded.csv", files / "groups.csv", files / "columns.yaml")
    tidy = read_ard(files / "survey.csv", files / "groups.csv", files / "columns.yaml")
    pd.testing.assert_frame_equal(read.counts, tidy.counts)
    padded.assign(q1=1).to_csv(files / "twice.csv", index=False)
    with pytest.raises(InputError, match=r"twice.csv.*spaces only: q1"):
        read_ard(files / "twice.csv", files / "groups.csv", files / "columns.yaml")


def test_answers_that_look_like_codes_are_pointed_out(files: Path) -> None:
    answers = pd.DataFrame(
        {"teachers": [1, 4, 30, 2, 98, 99, 98], "victims": [0, 1, 0, 0, 1, 0, 2]}
    )
    answers.to_csv(files / "codes.csv", index=False)
    (note,) = read_ard(files / "codes.csv", files / "groups.csv").notes
    assert note.startswith("3 answers of 97")
    assert "(teachers)" in note
    answers["teachers"] = [1, 4, 60, 2, 98, 99, 98]  # large numbers, but not out of reach
    answers.to_csv(files / "codes.csv", index=False)
    assert read_ard(files / "codes.csv", files / "groups.csv").notes == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("missing: [98\n", r"columns.yaml, line 2: "),
        ("missing: [[98]]\n", r"entry 'missing'.*list codes"),
        ("top_code: many\n", r"entry 'top_code'.*give a number"),
        ("groups: [a]\n", r"entry 'groups'"),
    ],
)
def test_a_description_that_cannot_be_is_refused(files: Path, text: str, words: str) -> None:
    (files / "columns.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        Columns.from_yaml(files / "columns.yaml")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".dta", ".sav"])
def test_a_file_that_is_not_what_its_name_says_is_refused(files: Path, suffix: str) -> None:
    if suffix == ".sav":
        pytest.importorskip("pyreadstat")
    path = files / f"survey{suffix}"
    path.write_bytes(b'a,b\n"\xf1')
    with pytest.raises(InputError, match=path.name) as error:
        read_ard(path, files / "groups.csv")
    assert error.value.where == path.name


def test_a_wrong_table_of_groups_is_named(files: Path) -> None:
    (files / "groups.csv").write_text('group,kind,size,population\nq1,known,"1,000",50000\n')
    with pytest.raises(InputError, match=r"groups.csv, column 'size': '1,000' in row 1.*plain dig"):
        read_ard(files / "survey.csv", files / "groups.csv")

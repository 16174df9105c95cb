"""Survey files as people make them: separators, encodings, sheets, labels, totals, codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.survey import ARD, Columns, read_ard
from smallarea.survey.labels import without_labelled
from smallarea.survey.tables import read_labelled

GROUPS = "group,kind,size,population\nteachers,known,1000,50000\nvictims,hidden,,50000\n"
ANSWERS = "teachers,victims,ea,st\n4,0,1,A\n7,1,2,A\n3,0,1,B\n5,0,2,B\n"


def read(folder: Path, survey: str = ANSWERS, groups: str = GROUPS, **how: Any) -> ARD:
    encoding = how.get("encoding", "utf-8")
    (folder / "survey.csv").write_text(survey, encoding=encoding)
    (folder / "groups.csv").write_text(groups, encoding=encoding)
    return read_ard(folder / "survey.csv", folder / "groups.csv", Columns(**how))


def test_separator_and_encoding_are_named(tmp_path: Path) -> None:
    survey = ANSWERS.replace(",", ";").replace("victims", "víctimas")
    groups = GROUPS.replace("victims", "víctimas")
    for table in (groups, groups.replace(",", ";")):
        ard = read(tmp_path, survey, table, sep=";", encoding="latin-1")
        assert ard.counts["víctimas"].tolist() == [0, 1, 0, 0]
    with pytest.raises(InputError, match=r"separated by ';'.*--sep"):
        read_labelled(tmp_path / "survey.csv", encoding="latin-1")
    with pytest.raises(InputError, match="--encoding"):
        read_labelled(tmp_path / "survey.csv", sep=";")
    with pytest.raises(InputError, match="not text in klingon"):
        read_labelled(tmp_path / "survey.csv", sep=";", encoding="klingon")


def test_a_sheet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "survey.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"about": ["us"]}).to_excel(book, sheet_name="cover", index=False)
        pd.DataFrame({"a": [1, None, 3]}).to_excel(book, sheet_name="answers", index=False)
    assert read_labelled(path, sheet="answers")[0]["a"].tolist() == ["1", "3"]
    with pytest.raises(InputError, match=r"survey.xlsx.*(?i:sheet)"):
        read_labelled(path, sheet="answer")
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    twice.to_excel(path, index=False)
    with pytest.raises(InputError, match="several columns of one name: a"):
        read_labelled(path)


def test_codes_for_no_answer_are_numbers_and_words(tmp_path: Path) -> None:
    survey = ANSWERS.replace("4,0", "88,DK").replace("3,0", ".,0")
    ard = read(tmp_path, survey, missing=("88", "dk", "."))
    np.testing.assert_array_equal(ard.counts, [[np.nan] * 2, [7, 1], [np.nan, 0], [5, 0]])
    with pytest.raises(InputError, match="--missing"):
        read(tmp_path, survey)


def test_labels_are_read_as_no_answer_or_pointed_out() -> None:
    survey = pd.DataFrame({"a": [1, 99, 98, 10, 3]})
    labels = {"a": {1: "One", 3: "3", 10: "10 or more", 98: "Refused", 99: "Don't know"}}
    read, notes = without_labelled(survey, labels, ["a"])
    np.testing.assert_array_equal(read["a"], [1, np.nan, np.nan, 10, 3])
    assert "98 'Refused' in a (1), 99 'Don't know' in a (1)" in notes[0]
    assert "10 '10 or more' in a (1)" in notes[1]
    assert "'3'" not in notes[1]


def test_psus_may_be_numbered_within_strata(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--nest"):
        read(tmp_path, psu="ea", stratum="st")
    assert read(tmp_path, psu="ea", stratum="st", nest=True).design["psu"].nunique() == 4
    with pytest.raises(InputError, match="need both columns"):
        read(tmp_path, psu="ea", nest=True)


def test_a_stratum_of_one_respondent_is_said(tmp_path: Path) -> None:
    survey = ANSWERS.replace("5,0,2,B", "5,0,2,C")
    assert "2 of 3 strata have a single respondent (B, C)" in read(
        tmp_path, survey, stratum="st"
    ).notes[-1]  # fmt: skip
    with pytest.raises(InputError, match="--lonely collapse"):
        read(tmp_path, survey, stratum="st", lonely="fail")


def test_a_total_is_no_respondent_and_no_group(tmp_path: Path) -> None:
    for total in ("19,1,,", "40,9,Total,"):
        with pytest.raises(InputError, match=r"survey.csv, row 5: it is the total"):
            read(tmp_path, f"{ANSWERS}{total}\n")
    with pytest.raises(InputError, match="it is a total, not a group"):
        read(tmp_path, groups=f"{GROUPS}Total,,1000,50000\n")


def test_a_top_code_may_be_for_hidden_groups(tmp_path: Path) -> None:
    survey = ANSWERS.replace("7,1", "7,40")
    assert read(tmp_path, survey, top_code={"hidden": 3}).counts["victims"].max() == 3
    assert read(tmp_path, survey, top_code={"victims": 5}).counts["victims"].max() == 5
    spared = read(tmp_path, survey, top_code=6)
    assert spared.counts.max().tolist() == [6, 40]
    assert "1 answers about hidden groups are above it (victims)" in "".join(spared.notes)


def test_more_people_than_there_are_cannot_be(tmp_path: Path) -> None:
    for answer, column in (("1001,0", "teachers"), ("4,50001", "victims")):
        with pytest.raises(InputError, match=rf"column '{column}'.*in row 1 \(respondent 1\)"):
            read(tmp_path, ANSWERS.replace("4,0", answer))
    assert read(tmp_path, ANSWERS.replace("4,0", "1000,0")).counts["teachers"].max() == 1000


def test_degrees_that_were_asked_are_the_known_group(tmp_path: Path) -> None:
    survey = "reach,teachers,victims\n50,4,0\n,7,1\n20,1,1\n"
    ard = read(tmp_path, survey, degree="reach")
    assert (ard.known("adult"), ard.known("both")) == (["reach"], ["teachers"])
    assert ard.groups.loc["reach", "size"] == 50_000
    child = GROUPS.replace("population", "population,network").replace("0000\n", "0000,child\n")
    with pytest.raises(InputError, match="missing columns: friends"):
        read(tmp_path, survey, child, degree={"child": "friends"})


@pytest.mark.parametrize("rule", [{"quantile": 1.5}, {"mad": 0}, {"iqr": 3}])
def test_a_rule_that_cannot_be_is_refused(tmp_path: Path, rule: dict) -> None:
    with pytest.raises(InputError, match="no rule"):
        read(tmp_path, remove=rule)


def test_rules_remove_cells_and_list_them(tmp_path: Path) -> None:
    rows = "\n".join(f"{4 + i % 3},{int(i == 3)},1,A" for i in range(50))
    survey = f"teachers,victims,ea,st\n{rows}\n900,0,1,A\n0,30,1,A\n"
    ard = read(tmp_path, survey, remove={"mad": 5, "degree": 0.2})
    removed = [(r["row"], r["column"], r["answer"], r["rule"]) for r in ard.removed]
    assert removed == [(51, "teachers", 900, "mad=5"), (52, "victims", 30, "degree=0.2")]
    assert ard.counts.isna().sum().sum() == 2
    assert "mad=5 removed 1 answers: row 51 teachers 900" in ard.notes
    most = {r["answer"] for r in read(tmp_path, survey, remove={"quantile": 0.98}).removed}
    assert {900, 30} <= most


def test_spss_labels_and_stata_labels_are_read_alike(tmp_path: Path) -> None:
    table = pd.DataFrame({"teachers": [4, 99, 3], "victims": [0, 1, 98]})
    (tmp_path / "groups.csv").write_text(GROUPS)
    codes = {"teachers": {99: "Don't know"}, "victims": {98: "Refused to answer"}}
    table.to_stata(tmp_path / "survey.dta", write_index=False, value_labels=codes)
    files = ["survey.dta"]
    try:
        import pyreadstat
    except ImportError:
        pass
    else:
        pyreadstat.write_sav(table, str(tmp_path / "survey.sav"), variable_value_labels=codes)
        files.append("survey.sav")
    for name in files:
        ard = read_ard(tmp_path / name, tmp_path / "groups.csv")
        np.testing.assert_array_equal(ard.counts, [[4, 0], [np.nan, 1], [3, np.nan]])
        assert "99 'Don't know' in teachers (1)" in ard.notes[0]

"""Aggregated relational data: what is accepted, what is refused and in which words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.survey import ARD, make_ard

SURVEY = pd.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "w": [1.0, 2.0, 0.5, 1.5],
        "stratum_name": ["north", "north", "south", "south"],
        "cluster": [1, 2, 3, 3],
        "code": ["0102801", "0102801", "0102802", "0102802"],
        "teachers": [3, 0, 40, 1],
        "toddlers": [2, np.nan, 0, 5],
        "victims": [0, 1, 0, 0],
        "sex": ["F", "M", "F", "M"],
    }
)
GROUPS = pd.DataFrame(
    {
        "group": ["teachers", "toddlers", "victims"],
        "kind": ["known", "known", "hidden"],
        "size": [50_000, 900_000, None],
        "population": [6e6, 4e6, 4e6],
        "network": ["adult", "child", "child"],
    }
)
DESIGN = {
    "respondent": "id",
    "weight": "w",
    "stratum": "stratum_name",
    "psu": "cluster",
    "area": "code",
}


def test_a_survey_is_tidied_into_answers_groups_and_design() -> None:
    ard = make_ard(SURVEY, GROUPS, **DESIGN)
    assert list(ard.counts.columns) == ["teachers", "toddlers", "victims"]
    assert np.isnan(ard.counts.loc["b", "toddlers"])
    assert ard.known("child") == ["toddlers"]
    assert ard.hidden() == ["victims"]
    assert ard.population("adult") == 6e6
    assert ard.design.loc["c", ["stratum", "psu", "area_id", "sex"]].tolist() == [
        "south",
        "3",
        "0102802",
        "F",
    ]
    np.testing.assert_allclose(ard.weights, SURVEY["w"])
    assert "1 of 12 answers are missing" in ard.notes[0]


def test_without_a_design_respondents_are_numbered_and_weigh_one() -> None:
    ard = make_ard(SURVEY[["teachers", "toddlers", "victims"]], GROUPS)
    assert list(ard.counts.index) == ["1", "2", "3", "4"]
    assert (ard.weights == 1).all()
    assert ard.design[["stratum", "psu", "area_id"]].isna().all(axis=None)


def test_a_network_is_adult_unless_said_otherwise() -> None:
    groups = GROUPS.drop(columns="network").assign(population=6e6)
    assert make_ard(SURVEY, groups).known("adult") == ["teachers", "toddlers"]


def test_top_coding_lowers_known_groups_and_says_how_many() -> None:
    ard = make_ard(SURVEY.assign(victims=[0, 1, 0, 50]), GROUPS, top_code=30)
    assert ard.counts["teachers"].tolist() == [3, 0, 30, 1]
    assert ard.counts["victims"].max() == 50
    assert ard.notes[0].startswith("1 answers in 1 groups were above the top code")
    per_group = make_ard(SURVEY, GROUPS, top_code={"teachers": 2, "toddlers": 4})
    assert per_group.counts["teachers"].tolist() == [2, 0, 2, 1]
    assert per_group.counts["toddlers"].tolist()[2:] == [0, 4]


def test_an_undeclared_design_column_is_not_used_silently() -> None:
    ard = make_ard(SURVEY.rename(columns={"w": "weight"}), GROUPS)
    assert (ard.weights == 1).all()
    assert any("not declared: column weight" in note for note in ard.notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"survey": SURVEY.iloc[:0]}, "no respondents"),
        ({"survey": SURVEY.drop(columns="teachers")}, "missing columns: teachers"),
        ({"survey": SURVEY.assign(teachers=[3, -1, 0, 0])}, "-1 of respondent b is not a count"),
        ({"survey": SURVEY.assign(teachers=[3, 0.5, 0, 0])}, "0.5 of respondent b is not a count"),
        ({"survey": SURVEY.assign(teachers=["3", "many", "0", "0"])}, "'many' in row 2"),
        ({"survey": SURVEY.assign(id=["a", "b", "b", "d"])}, "respondents listed twice: b"),
        ({"survey": SURVEY.assign(id=["a", None, "c", "d"])}, "row 2 has no respondent id"),
        ({"survey": SURVEY.assign(w=[1, -2, 1, 1])}, "weight -2 of respondent b"),
        ({"survey": SURVEY.assign(w=0)}, "not all of them 0"),
        ({"survey": SURVEY.assign(cluster=3)}, "PSUs in more than one stratum: 3"),
        ({"survey": SURVEY.assign(cluster=[1, 2, None, 3])}, "respondents without psu"),
        ({"survey": SURVEY.assign(code=[102801, 1, 2, 3])}, "leading zeros are lost"),
        ({"groups": GROUPS.assign(size=[7e6, 9e5, None])}, "teachers: size above its population"),
        ({"groups": GROUPS.assign(size=[None, 9e5, None])}, "known group without a positive size"),
        ({"groups": GROUPS.assign(size=[5e4, 9e5, 7.0])}, "victims: hidden group with a size"),
        ({"groups": GROUPS.assign(kind="hidden", size=None)}, "no group of known size"),
        ({"groups": GROUPS.assign(kind=["known", "secret", "hidden"])}, "toddlers: kind is"),
        ({"groups": GROUPS.assign(network="kin")}, "unknown network"),
        ({"groups": GROUPS.assign(network="adult")}, "different populations"),
        ({"groups": GROUPS.assign(population=[None, 4e6, 4e6])}, "population missing"),
        ({"groups": pd.concat([GROUPS, GROUPS])}, "named twice"),
        ({"groups": GROUPS.drop(columns="kind")}, "missing columns: kind"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(change: dict, words: str) -> None:
    given = {"survey": SURVEY, "groups": GROUPS} | change
    with pytest.raises(InputError, match=words):
        make_ard(given["survey"], given["groups"], **DESIGN)


def test_a_column_that_is_named_must_exist() -> None:
    with pytest.raises(InputError, match="missing columns: wght"):
        make_ard(SURVEY, GROUPS, weight="wght")


def test_the_constructor_refuses_answers_and_design_of_different_respondents() -> None:
    ard = make_ard(SURVEY, GROUPS, **DESIGN)
    with pytest.raises(InputError, match="different respondents"):
        ARD(ard.counts, ard.groups, ard.design.iloc[::-1])
    with pytest.raises(InputError, match="not the groups"):
        ARD(ard.counts[["victims", "teachers", "toddlers"]], ard.groups, ard.design)


def test_parts_of_a_survey_are_surveys() -> None:
    ard = make_ard(SURVEY, GROUPS, **DESIGN)
    assert len(ard.respondents(ard.design["sex"] == "F")) == 2
    assert list(ard.only(["victims", "toddlers"]).groups.index) == ["victims", "toddlers"]


@given(st.permutations(range(4)), st.permutations(range(9)))
def test_the_order_of_rows_and_columns_is_irrelevant(rows: list[int], columns: list[int]) -> None:
    moved = make_ard(SURVEY.iloc[rows, columns], GROUPS, **DESIGN)
    straight = make_ard(SURVEY, GROUPS, **DESIGN)
    pd.testing.assert_frame_equal(moved.counts.loc[straight.counts.index], straight.counts)
    pd.testing.assert_frame_equal(
        moved.design.loc[straight.design.index, straight.design.columns], straight.design
    )

"""The casework bridge leaves its evidence behind for the findings, and no trace of few reports."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
from study import COMPONENTS, INDICATORS

from smallarea.errors import InputError
from smallarea.findings.checks import casework_table
from smallarea.indicators import Detection
from smallarea.nsum import Direct
from smallarea.nsum.reporting.cases import read_cases
from smallarea.run.findings import read_casework
from smallarea.run.nsum import reporting_prior
from smallarea.settings import read_settings

SETTINGS = {
    "seed": 1,
    "survey": "survey",
    "tau_prior": {"a": 5, "b": 95, "source": "stated"},
    "draws": {"fast": 1000},
}
DETECTION = Detection(column="victims_known", mean=0.05, cv=0.5, source="the police")


@pytest.fixture
def case(squares, tmp_path) -> SimpleNamespace:
    """Four of six areas surveyed; casework in three of them and in one more."""
    ids = squares.table.index
    surveyed = pd.DataFrame(2.0, ids[:4], list(COMPONENTS))
    direct = Direct(surveyed, surveyed * 500, surveyed * 0 + 1e-6, pd.Series(1.5, COMPONENTS))
    cases = pd.DataFrame({"area_id": ids[[0, 1, 2, 5]], "victims_known": [3, 4, 1, 2]})
    cases.to_csv(tmp_path / "casework.csv", index=False)
    return SimpleNamespace(direct=direct, frame=squares, survey=tmp_path)


def prior_of(case, detection=None):
    victims = INDICATORS.sums["victims"].model_copy(update={"detection": detection})
    indicators = INDICATORS.model_copy(update={"sums": {"victims": victims}})
    return reporting_prior(
        read_settings(SETTINGS), indicators, case.survey, case.direct, case.frame, seed=1
    )


def test_without_detection_casework_is_left_alone(case, tmp_path):
    tau, kept, _ = prior_of(case)
    assert (tau.a, tau.b, tau.source) == (5, 95, "stated")
    assert kept == {}
    assert read_casework(tmp_path) is None


def test_with_it_the_bridge_is_kept_and_read_back(case, tmp_path):
    tau, kept, _ = prior_of(case, DETECTION)
    for name, table in kept.items():
        table.to_csv(tmp_path / f"casework_{name}.csv")
    read = read_casework(tmp_path)
    for name, table in kept.items():
        pd.testing.assert_frame_equal(read[name], table, check_names=False, check_dtype=False)
    value = casework_table(**read).set_index(["quantity", "statistic"])["value"]
    assert value["areas with casework", "used"] == 3
    assert value["areas with casework", "left out"] == 1
    assert value["tau posterior", "mean"] == pytest.approx(tau.mean, rel=0.05)
    assert value["detection x 4", "tau_q50"] > value["detection x 0.25", "tau_q50"]


def test_few_cases_and_those_of_fewer_than_three_places_are_not_told(case):
    tau, kept, _ = prior_of(case, DETECTION)
    assert "(fewer than 10 cases, 12 reports)" in tau.source
    assert "tau ceiling" in set(casework_table(**kept)["quantity"])
    ids = case.frame.table.index
    pd.DataFrame({"area_id": ids[[0, 1, 5]], "victims_known": [30, 40, 2]}).to_csv(
        case.survey / "casework.csv", index=False
    )
    tau, kept, _ = prior_of(case, DETECTION)
    assert "casework in 2 surveyed areas under" in tau.source
    assert "tau ceiling" not in set(casework_table(**kept)["quantity"])
    # 70 cases among so few reports: a quarter of the detection cannot be, which is said as such
    assert kept["sensitivity"]["tau_q50"].isna().any()
    assert kept["sensitivity"].loc[1.0, "tau_q50"] > 0


def test_an_unknown_area_is_refused(case):
    pd.DataFrame({"area_id": ["9999999999"], "victims_known": [1]}).to_csv(
        case.survey / "casework.csv", index=False
    )
    with pytest.raises(InputError, match="9999999999"):
        prior_of(case, DETECTION)


def with_casework(case, **columns):
    ids = case.frame.table.index
    table = pd.DataFrame({"area_id": ids[[0, 0, 1, 2]], "victims_known": [3, 1, 4, 2], **columns})
    table.to_csv(case.survey / "casework.csv", index=False)


def detected(window=None):
    return DETECTION.model_copy(update={"window": window})


def test_years_are_added_up_and_a_mismatch_is_a_warning(case):
    """The survey of `INDICATORS` asks about one year."""
    asked = {c.reference_period for c in INDICATORS.components.values()}
    assert asked == {"2022"}
    with_casework(case, year=[2022, 2021, 2022, 2022])
    tau, _, said = prior_of(case, detected())
    assert "fewer than 10 cases" in tau.source or "10 cases" in tau.source
    assert said == [
        "casework counts people of 2021 to 2022, the survey asks about 2022: the share detected "
        "must be of the cases of the survey's period, or reporting rate and totals are off by as "
        "much"
    ]
    _, _, said = prior_of(case, detected((2022, 2022)))
    assert said == ["casework: 1 of 4 rows are outside of the declared window 2022 and left out"]


def test_a_declared_window_without_years_is_compared_too(case):
    ids = case.frame.table.index
    table = pd.DataFrame({"area_id": ids[:3], "victims_known": [3, 4, 2]})
    table.to_csv(case.survey / "casework.csv", index=False)
    assert prior_of(case, detected())[2] == []
    assert prior_of(case, detected((2022, 2022)))[2] == []
    (said,) = prior_of(case, detected((2011, 2022)))[2]
    assert "casework counts people of 2011 to 2022, the survey asks about 2022" in said


def test_people_at_risk_are_taken_off_and_that_is_said(case):
    with_casework(case, year=[2022, 2021, 2022, 2022], at_risk=[1, 0, 4, 0])
    found = read_cases(case.survey / "casework.csv", "victims_known", case.frame, (2022, 2022))
    assert found.people.tolist() == [2, 0, 2]
    assert found.years == (2022,)
    assert any("at risk" in note for note in found.notes)


@pytest.mark.parametrize(
    ("columns", "window", "said"),
    [
        ({}, None, r"another row\. "),
        ({"year": [2022, 2022, 2022, 2022]}, None, "another row of this year"),
        ({"year": [2022, None, 2022, 2022]}, None, "'year', row 3: the cell says no year"),
        ({"year": [2022, 22, 2022, 2022]}, None, "'year', row 3"),
        ({"year": [2022, 2021, 2022, 2022]}, (2011, 2015), "no row is of 2011 to 2015"),
        ({"year": [1990, 1991, 1992, 1993], "at_risk": [0, 2, 0, 0]}, None, "'at_risk', row 3"),
    ],
)
def test_wrong_years_and_people_at_risk_are_named(case, columns, window, said):
    with_casework(case, **columns)
    with pytest.raises(InputError, match=said):
        prior_of(case, detected(window))


def test_a_window_that_ends_before_it_begins_is_refused():
    block = {"column": "known", "mean": 0.1, "cv": 0.5, "source": "police", "window": [2022, 2020]}
    with pytest.raises(ValueError, match="first and the last year"):
        Detection.model_validate(block)

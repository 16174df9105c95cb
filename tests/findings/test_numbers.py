"""Answers in numbers: right by hand, covered by their intervals, withheld where few answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smallarea.findings.numbers import MEAN, MEDIAN, QUARTILES, answered_numbers, quantile


def people(values: np.ndarray, areas: int = 6) -> pd.DataFrame:
    """Respondents of weight 1 with `profit`, in turn from one PSU an area, one stratum."""
    place = np.arange(len(values)) % areas
    return pd.DataFrame(
        {
            "weight": 1.0,
            "stratum": None,
            "psu": [f"p{i}" for i in place],
            "area_id": [f"a{i}" for i in place],
            "profit": values,
        },
        index=[f"r{i}" for i in range(len(values))],
    )


def test_quantiles_by_hand():
    answers = np.array([1.0, 2.0, 4.0, 8.0])
    weight = np.array([[1, 1, 1, 1], [1, 1, 1, 5], [0, 3, 0, 3], [0, 0, 2, 0]], float)
    # 1,2 | 4,8 splits in the middle; 1,2,4 and five 8s; 2 | 8, the 4 has no weight; 4 alone
    assert quantile(answers, weight, 0.5).tolist() == [3.0, 8.0, 5.0, 4.0]
    assert quantile(answers, weight, 0.25).tolist() == [1.5, 3.0, 2.0, 4.0]


def test_a_column_is_described_as_by_hand():
    sample = people(np.repeat([1.0, 2.0, 3.0, 4.0], 15))
    sample["weight"] = np.repeat([3.0, 1.0, 1.0, 1.0], 15)
    sample.loc["r59", "profit"] = np.nan
    told, notes = answered_numbers(sample, ["profit"])
    (row,) = told.to_dict("records")
    assert notes == []
    assert row["note"] == ""
    assert row["respondents"] == 60  # 59, rounded to five
    assert row["mean"] == 1.98  # (45 x 1 + 15 x 2 + 15 x 3 + 14 x 4) / 89 = 176 / 89
    # 45, 60 and 75 of 89 weights are at or below 1, 2 and 3
    assert (row["q25"], row["median"], row["q75"]) == (1.0, 1.0, 3.0)
    assert row["mean_low"] < 1.98 < row["mean_high"]


def test_text_is_read_and_what_is_no_number_is_left_out_and_said():
    sample = people(np.array(["5", "7", None, "often"] * 20, dtype=object))
    told, notes = answered_numbers(sample, ["profit"])
    assert told.loc[0, ["respondents", "mean"]].tolist() == [40.0, 6.0]
    assert len(notes) == 1
    assert "profit" in notes[0]


def test_a_column_the_survey_lacks_is_said():
    told, notes = answered_numbers(people(np.arange(60.0)), ["age", "profit", "profit"])
    assert told["column"].tolist() == ["profit"]
    assert notes == ["the survey has no column age, so nothing is told of it"]


@pytest.mark.parametrize(
    ("values", "areas"),
    [
        (np.r_[np.full(51, np.nan), np.arange(1.0, 10)], 6),  # nine answered
        (np.arange(1.0, 61), 2),  # people of two areas
        (np.r_[np.zeros(52), np.arange(1.0, 9)], 6),  # eight said anything but nothing
        (np.full(60, np.nan), 6),
    ],
)
def test_a_column_behind_which_few_stand_is_withheld(values, areas):
    told, _ = answered_numbers(people(values, areas), ["profit"])
    assert told.loc[0, "note"] == "suppressed"
    assert told.drop(columns=["column", "note"]).isna().all(axis=None)


def test_what_nobody_had_is_told():
    told, _ = answered_numbers(people(np.zeros(60)), ["profit"])
    assert told.loc[0, "note"] == ""
    assert (told[[*MEAN, *MEDIAN, *QUARTILES]] == 0).all(axis=None)


def test_quantiles_of_few_and_a_mean_of_one_are_blank():
    thirty, _ = answered_numbers(people(np.arange(1.0, 31)), ["profit"])
    assert thirty.loc[0, "note"] == "partly suppressed"
    assert thirty[list(QUARTILES)].isna().all(axis=None)  # seven or eight lie beyond
    assert thirty[[*MEAN, *MEDIAN]].notna().all(axis=None)
    rich, _ = answered_numbers(people(np.r_[np.ones(59), 100.0]), ["profit"])
    assert rich[list(MEAN)].isna().all(axis=None)
    assert rich[[*MEDIAN, *QUARTILES]].notna().all(axis=None)


def test_intervals_cover_where_people_of_one_place_are_alike():
    """400 surveys of 50 PSUs: 95 % +- 4 standard errors, with 2 points for so few PSUs."""
    rng = np.random.default_rng(8)
    surveys, psus, take, between, within = 400, 50, 12, 0.5, 0.7
    truth = {"mean": np.exp((between**2 + within**2) / 2), "median": 1.0}
    held = dict.fromkeys(truth, 0)
    place = np.repeat(np.arange(psus), take)
    for number in range(surveys):
        values = np.exp(between * rng.normal(size=psus)[place] + within * rng.normal(size=600))
        sample = pd.DataFrame(
            {"weight": rng.uniform(0.5, 1.5, 600), "stratum": None, "psu": place.astype(str)}
        ).assign(area_id=place.astype(str), profit=values)
        told, _ = answered_numbers(sample, ["profit"], replicates=300, seed=number)
        for name, true in truth.items():
            low, high = told.loc[0, [f"{name}_low", f"{name}_high"]]
            held[name] += low <= true <= high
    for name, number in held.items():
        assert 0.95 - 0.044 - 0.02 < number / surveys < 0.95 + 0.044, name

"""Rechecks stay beside the first answers; periods are told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.fieldwork import recheck
from smallarea.fieldwork.national import rechecked_totals
from smallarea.fieldwork.periods import label, parse_period, period_table
from smallarea.nsum import killworth

ROWS = pd.DataFrame(
    {
        "respondent": list("abcdef"), "group": "hidden", "mode": ["visit"] * 3 + ["telephone"] * 3,
        "first": [0, 0, 2, 1, 3, 0], "validated": [0, 1, 2, 0, 4, np.nan],
    }
)  # fmt: skip


def test_agreement_counts_flips():
    table = recheck.agreement(ROWS)
    everyone = table.loc[("all", "all")]
    assert everyone[["n", "same", "zero_to_more", "more_to_zero", "changed"]].tolist() == [
        5, 2, 1, 1, 1,
    ]  # fmt: skip
    assert everyone["agree"] == pytest.approx(0.4)
    assert everyone["kappa"] == pytest.approx((0.6 - 0.52) / 0.48)
    assert table.loc[("hidden", "telephone"), "n"] == 2


def test_a_validated_answer_never_overwrites_the_first_in_silence(made, study):
    ard = study.answers(made)
    clean = recheck.match(ard, made.recheck, "recheck.csv")
    assert clean.overwritten == 0
    counts = ard.counts.copy()
    counts.loc[made.recheck["respondent"], "hidden"] = made.recheck["validated"].to_numpy(float)
    put = recheck.match(replace(ard, counts=counts), made.recheck, "recheck.csv")
    changed = (made.recheck["first"] != made.recheck["validated"]).sum()
    assert put.overwritten == changed > 0
    assert f"{changed} answers of the survey were the validated ones" in put.notes[0]
    assert put.first.equals(clean.first)


def test_a_first_answer_that_is_neither_is_refused(made, study):
    wrong = made.recheck.reset_index(drop=True)
    wrong.loc[0, ["first", "validated"]] = [77, 78]
    with pytest.raises(InputError, match="first answer 77 of respondent"):
        recheck.match(study.answers(made), wrong, "recheck.csv")
    with pytest.raises(InputError, match=r"recheck.csv, row 1: respondent 'nobody'"):
        recheck.match(
            study.answers(made),
            made.recheck.reset_index(drop=True).assign(respondent="nobody"),
            "recheck.csv",
        )


def test_if_all_are_asked_again_both_answers_give_the_validated_total(made, study):
    ard = study.answers(made)
    result = killworth(ard)
    validated = ard.counts[["hidden"]] + np.arange(len(ard.counts))[:, None] % 3
    every = recheck.Checked(ard.counts, validated, 0, ())
    both = recheck.measured(result, every)
    want = recheck.with_answers(result, validated)
    assert both.estimate["hidden"] == pytest.approx(want.estimate["hidden"])
    assert both.standard_error()["hidden"] == pytest.approx(want.standard_error()["hidden"])


def test_what_was_withheld_comes_back(made, study):
    """30 % is withheld at first: the model's total lies above, its interval holds the truth."""
    ard = study.answers(made)
    checked = recheck.match(ard, made.recheck, "recheck.csv")
    table = rechecked_totals(killworth(ard), checked)
    table = table.set_index("answers")
    estimate = table["estimate"]
    assert estimate["first"] < estimate["validated"] < estimate["both"]
    assert table.loc["both", "low"] < made.truth < table.loc["both", "high"]
    assert table.loc["both", "se"] > table.loc["first", "se"]


def test_interviews_before_the_end_and_after_it():
    start, end = parse_period("2022")
    dates = pd.Series(
        pd.to_datetime(["2021-12-30", "2022-07-02", "2022-12-31", "2023-01-12", None])
    )
    assert label(dates, start, end).tolist() == [
        "before", "unfinished", "unfinished", "after", None,
    ]  # fmt: skip
    table = period_table(dates, start, end, pd.Series([0, 1, 0, 1, 1.0]))
    assert table.loc["unfinished", "interviews"] == 2
    assert table.loc["unfinished", "seen"] == pytest.approx((183 / 365 + 1) / 2)
    assert table["share_reporting"].to_dict() == {"after": 1, "before": 0, "unfinished": 0.5}
    with pytest.raises(InputError, match="is no period"):
        parse_period("2022-12-31:2022-01-01")

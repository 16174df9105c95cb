"""The report's sections on calibration and sensitivity: their words follow the results."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from study import INDICATORS

from smallarea.publish.checking import calibration_figure, calibration_words, left_out
from smallarea.publish.draws import draws_dataset


def table(held: dict[int, tuple[float, float, float]], groups: int = 60) -> pd.DataFrame:
    row = {f"bin_{i}{end}": 0.1 for i in range(10) for end in ("", "_low", "_high")}
    for share, values in held.items():
        row |= dict(zip((f"cover_{share}_low", f"cover_{share}", f"cover_{share}_high"), values,
                        strict=True))  # fmt: skip
    row |= {"zeros": 0.78, "groups": groups}
    return pd.DataFrame([row, row], index=pd.Index(["victims_live", "all"], name="component"))


RIGHT = {50: (0.47, 0.5, 0.53), 80: (0.77, 0.8, 0.83), 95: (0.93, 0.95, 0.97)}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, "What they held cannot be told from what they promise."),
        ({80: (0.7, 0.73, 0.76)}, "The 80 % intervals held less than they promise: they are too"),
        ({50: (0.55, 0.6, 0.65), 80: (0.81, 0.9, 0.95)}, "The 50 % and 80 % intervals held more"),
    ],
)
def test_the_verdict_follows_what_was_held(other, said):
    found = calibration_words(table(RIGHT | other))
    assert found["verdict"].startswith(said)
    assert ("nothing else can be told" in found["verdict"]) == bool(other)
    assert found["groups"] == 60


def test_both_kinds_of_wrong_are_said_together_and_few_units_tell_nothing():
    wrong = {50: (0.3, 0.35, 0.4), 80: (0.7, 0.73, 0.76), 95: (0.96, 0.98, 0.99)}
    verdict = calibration_words(table(wrong))["verdict"]
    assert "50 % and 80 % intervals held less" in verdict
    assert "95 % intervals held more" in verdict
    assert "nobody can tell" in calibration_words(table(wrong, groups=4))["verdict"]


def test_the_picture_shows_what_was_held_beside_what_is_promised():
    svg = calibration_figure(table(RIGHT), "reports")
    assert svg.count("<svg") == 1
    for words in ("% of reports inside", "promised", "percentile of what was predicted"):
        assert words in svg


def test_totals_without_what_the_survey_left_out(toy):
    draws = draws_dataset(toy.counts, toy.tau, toy.table, INDICATORS, synthetic=True)
    found = left_out(draws, toy.public, INDICATORS)
    assert found["areas"] == 8
    assert found["units"] == ["Region 2"]  # and not its provinces again
    row = next(row for row in found["rows"] if row["name"] == "victims")
    both = toy.counts.sel(component=["victims_live", "victims_nonlive"]).sum("component")
    known = both[toy.table["covered"].to_numpy()].sum("area_id")
    np.testing.assert_allclose(row["known"], np.quantile(known, [0.1, 0.5, 0.9]))
    share = 1 - known / both.sum("area_id")
    np.testing.assert_allclose(row["outside"], np.quantile(share, [0.1, 0.5, 0.9]))
    everywhere = draws_dataset(
        toy.counts, toy.tau, toy.table.assign(covered=True), INDICATORS, synthetic=True
    )
    assert left_out(everywhere, toy.public, INDICATORS) is None


def test_a_unit_that_is_left_out_in_part_is_not_named(toy):
    covered = toy.table["covered"].to_numpy().copy()
    covered[[4, 5, 6, 7, 16]] = [False, False, False, False, True]
    made = toy.table.assign(covered=covered)
    draws = draws_dataset(toy.counts, toy.tau, made, INDICATORS, synthetic=True)
    assert left_out(draws, toy.public, INDICATORS)["units"] == ["Province 5", "Province 1"][::-1]

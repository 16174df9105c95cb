"""With a programme against without: found where it is large, else `cannot tell`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smallarea.findings.by_programme import CANNOT, by_programme_text, compare_by
from smallarea.nsum import Direct

NAMES = [f"a{i:03d}" for i in range(200)]
PARTS = {"all": ["one", "two"]}


def survey(rng, rate: dict[bool, float], areas: int, known: float) -> Direct:
    """Areas drawn anew, half of them with the programme; rates differ between areas by 0.5 (cv)."""
    ids = sorted(rng.choice(NAMES, areas, replace=False))
    treated = np.array([int(a[1:]) % 2 == 0 for a in ids])
    own = np.where(treated, rate[True], rate[False]) * rng.gamma(4, 0.25, areas)
    exposure = pd.DataFrame(known, ids, PARTS["all"])
    reports = pd.DataFrame({c: rng.poisson(own / 2 * known) for c in PARTS["all"]}, ids).astype(
        float
    )
    return Direct(reports, exposure, exposure * 0 + 1e-6, pd.Series(1.0, PARTS["all"]))


def started(date: str = "2020-05-01") -> pd.Series:
    return pd.Series(date, [a for i, a in enumerate(NAMES) if i % 2 == 0])


def compared(rng, factor: float, areas: int, known: float, **more):
    waves = (
        survey(rng, {True: 0.001, False: 0.001}, areas, known),
        survey(rng, {True: 0.001 * factor, False: 0.001}, areas, known),
    )
    return compare_by(waves, started(), PARTS, programme="campaign", years=(2019, 2022), **more)


@pytest.mark.slow
def test_false_alarms_and_coverage_hold():
    rng = np.random.default_rng(1)
    rows = [compared(rng, 0.7, 40, 5000).table.loc["all"] for _ in range(400)]
    inside = np.mean([row["q025"] <= 0.7 <= row["q975"] for row in rows])
    assert 0.925 < inside < 0.99
    rows = [compared(rng, 1.0, 40, 5000).table.loc["all"] for _ in range(400)]
    alarms = np.mean(["programme" in row["verdict"] for row in rows])
    assert alarms < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_a_large_difference_is_found_and_a_survey_of_a_few_reports_cannot_tell():
    rng = np.random.default_rng(2)
    found = compared(rng, 0.2, 150, 20_000)
    assert found.table.loc["all", "verdict"] == "fell more with the programme"
    few = compared(rng, 0.7, 30, 1000)
    row = few.table.loc["all"]
    assert row["verdict"] == CANNOT
    assert row["power"] < 0.5
    said = by_programme_text(few)
    assert "cannot tell: a difference of 30% would be found" in said
    assert "Campaigns raise reporting" in said


def test_no_large_difference_needs_power():
    row = compared(np.random.default_rng(4), 1.0, 200, 1e6).table.loc["all"]
    assert row["power"] >= 0.8
    assert row["verdict"] == "no large difference"
    drifting = compared(np.random.default_rng(4), 1.0, 200, 1e6, tau_drift=0.3).table.loc["all"]
    assert drifting["verdict"] == CANNOT


def test_when_it_began_decides_where_an_area_counts():
    rng = np.random.default_rng(3)
    waves = tuple(survey(rng, {True: 0.001, False: 0.001}, 200, 5000) for _ in range(2))
    how = {"programme": "campaign", "years": (2019, 2022)}
    before = compare_by(waves, started("2019-12-31"), PARTS, **how)
    assert before.areas["with", "later"] == 0
    assert before.areas["without", "later"] == 100
    assert before.table.loc["all", "why"].startswith("fewer than 3 surveyed areas (earlier survey")
    assert "100 areas where it worked in 2019 or before are left out" in before.notes
    after = compare_by(waves, started("2023-01-01"), PARTS, **how)
    assert after.areas["without", "later"] == 200
    unknown = compare_by(waves, started("2023-01-01"), PARTS, programme="campaign")
    assert unknown.areas["with", "later"] == 100
    assert any("no rising years" in note for note in unknown.notes)


def test_nobody_reported_cannot_be_told():
    rng = np.random.default_rng(3)
    waves = (survey(rng, {True: 0.0, False: 0.001}, 200, 5000),) * 2
    found = compare_by(waves, started(), PARTS, programme="campaign", years=(2019, 2022))
    assert "nobody was reported (earlier survey, with" in found.table.loc["all", "why"]


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_the_sign_is_right(factor):
    found = compared(np.random.default_rng(5), factor, 180, 50_000).table.loc["all"]
    assert found["verdict"].startswith("fell" if factor < 1 else "rose")

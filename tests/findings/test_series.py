"""Series of waves: what is certain, false alarms, drift as a random walk, files and refusals."""

from __future__ import annotations

import json
import stat

import numpy as np
import pandas as pd
import pytest
from study import INDICATORS
from typer.testing import CliRunner
from wave_runs import made_run

from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.findings.series import compare_series
from smallarea.findings.series_words import certainty, series_text
from smallarea.run.record import Run
from smallarea.survey.series import path

DRAWS = 1000


def posterior(rate: float, reports: float, rng: np.random.Generator) -> np.ndarray:
    """A survey that expects `reports`, and what a gamma prior makes of it."""
    seen = rng.poisson(reports)
    return rng.gamma(seen + 0.5, rate / reports, DRAWS)


def series(rng, changes, *, reports=60.0, drift=0.0):
    """Posteriors of the waves of a world, and the true prevalence over that of the first."""
    truth = np.exp(np.concatenate([[0], np.cumsum(changes)]))
    tau = np.exp(np.concatenate([[0], np.cumsum(rng.normal(0, drift, len(changes)))]))
    waves = [
        posterior(0.001 * t * s, reports * t * s, rng) for t, s in zip(truth, tau, strict=True)
    ]
    return waves, truth


def studied(changes, *, drift=0.0, assumed=0.0, number=300):
    """Coverage of the 95 % intervals of steps and index, and shares of series by verdict."""
    rng = np.random.default_rng(5)
    inside, any_alarm, found = [], 0, 0
    for k in range(number):
        waves, truth = series(rng, changes, drift=drift)
        made = path(waves, [1, 2, 3, 4], tau_drift=assumed, seed=k)
        ratio = truth / truth[0]
        last = made.index.iloc[1:]
        inside += list((last["q025"] <= ratio[1:]) & (ratio[1:] <= last["q975"]))
        called = made.steps["verdict"] != "cannot tell"
        any_alarm += bool(called.any())
        found += made.steps["verdict"].iloc[-1] == "fell"
    return np.mean(inside), any_alarm / number, found / number


def test_without_change_false_alarms_are_as_few_as_said():
    cover, alarms, _ = studied([0, 0, 0])
    assert 0.93 < cover < 0.97  # 900 intervals, three of a series go together: sd about 0.01
    assert alarms < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_a_fall_is_found_and_intervals_hold():
    cover, _, found = studied([-0.25, -0.25, -0.25])
    assert 0.93 < cover < 0.975
    assert found > 0.7


def test_drift_that_is_not_stated_alarms_and_stated_it_does_not():
    cover, alarms, _ = studied([0, 0, 0], drift=0.2)
    assert cover < 0.9
    assert alarms > 0.1
    cover, alarms, _ = studied([0, 0, 0], drift=0.2, assumed=0.2)
    assert 0.92 < cover < 0.975
    assert alarms < 0.09


def test_drift_grows_with_the_time_between_waves():
    rng = np.random.default_rng(0)
    waves = [np.exp(rng.normal(0, 0.01, 20_000)) for _ in range(3)]
    made = path(waves, [2010, 2011, 2015], tau_drift=0.1, seed=1)
    width = np.log(made.steps["q975"] / made.steps["q025"]) / (2 * 1.96)
    assert width.to_numpy() == pytest.approx([0.1, 0.2, np.sqrt(0.05)], rel=0.05)


def test_units_visited_again_narrow_the_steps():
    rng = np.random.default_rng(0)
    waves = [np.exp(rng.normal(0, 0.2, 20_000)) for _ in range(3)]
    alone, again = (path(waves, [1, 2, 3], correlation=c, seed=1).steps for c in (0.0, 0.5))
    ratio = np.log(again["q975"] / again["q025"]) / np.log(alone["q975"] / alone["q025"])
    assert ratio.to_numpy() == pytest.approx(np.sqrt([0.5, 0.5, 0.75]), rel=0.05)


@pytest.mark.parametrize(
    ("times", "how", "said"),
    [
        ([1, 2], {}, "a time for each"), ([1, 3, 2], {}, "do not rise"),
        ([1, 2, 3], {"tau_drift": -1}, "out of range"),
        ([1, 2, 3], {"correlation": 1}, "out of range"),
    ],
)  # fmt: skip
def test_wrong_series_are_refused(times, how, said):
    with pytest.raises(InputError, match=said):
        path([np.ones(9)] * 3, times, **how, seed=1)
    with pytest.raises(InputError, match="not positive"):
        path([np.zeros(9)] * 3, [1, 2, 3], seed=1)


def of_year(year: int) -> dict:
    block = INDICATORS.model_dump()
    for component in block["components"].values():
        component["reference_period"] = str(year)
    return block


@pytest.fixture
def three(tmp_path) -> list[Run]:
    return [
        made_run(tmp_path / name, rate, survey, indicators=of_year(year), synthetic=True)
        for name, rate, survey, year in (
            ("a", 0.0005, "a1", 2016), ("b", 0.0005, "b2", 2019), ("c", 0.0002, "c3", 2022),
        )
    ]  # fmt: skip


def test_three_runs_make_a_series_with_its_years(three):
    found = compare_series(three)
    assert (found.times, found.unit, found.warnings) == ((2016, 2019, 2022), "year", ())
    rows = found.index.loc["victims"]
    assert rows.loc["a", "ratio"] == 1
    assert rows.loc["c", "ratio"] == pytest.approx(0.4, rel=0.1)
    steps = found.steps.loc["victims"]["verdict"]
    assert steps.to_dict() == {("a", "b"): "cannot tell", ("b", "c"): "fell", ("a", "c"): "fell"}
    certain, open_ = certainty(found)
    assert any("victims, b to c: it fell" in said for said in certain)
    assert any("victims, a to b" in said for said in open_)
    told = series_text(found)
    assert told.startswith("SYNTHETIC SURVEY")
    assert "year 2019" in told
    drifting = compare_series(three, tau_drift=0.3)
    assert "wanders by 30%" in series_text(drifting)
    assert drifting.steps.loc["victims"]["verdict"].eq("cannot tell").all()


def test_without_years_waves_are_numbered_and_that_is_said(tmp_path):
    runs = [made_run(tmp_path / n, 0.0005, f"{i + 1}") for i, n in enumerate("abc")]
    found = compare_series(runs)
    assert (found.times, found.unit) == ((1, 2, 3), "wave")
    assert any("equally far apart" in warning for warning in found.warnings)
    with pytest.raises(InputError, match="same survey"):
        compare_series([*runs, runs[0]])


def test_the_shell_writes_one_table_and_one_picture(three, tmp_path):
    words = ["change", *(str(run.folder) for run in three)]
    made = CliRunner().invoke(app, [*words, "--json"])
    assert made.exit_code == 0, made.output
    folder = tmp_path / "c-series"
    names = ["series.csv", "series.json", "series.png", "steps.csv"]
    assert json.loads(made.stdout)["written"] == [str(folder / name) for name in names]
    assert (folder / "series.png").read_bytes().startswith(b"\x89PNG")
    assert set(pd.read_csv(folder / "steps.csv")["notice"]) == {"SYNTHETIC SURVEY"}
    assert stat.S_IMODE((folder / "series.csv").stat().st_mode) == 0o600
    told = CliRunner().invoke(app, words)
    assert "Cannot be told: victims, a to b" in told.output.replace("\n", " ")
    one = CliRunner().invoke(app, words[:2])
    assert isinstance(one.exception, InputError)

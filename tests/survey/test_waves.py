"""Change between two waves: calibrated, blind to a common tau, honest about a drifting one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from smallarea.errors import InputError
from smallarea.findings.comparison import survey_correlation
from smallarea.survey import make_ard
from smallarea.survey.waves import (
    change,
    drift_sensitivity,
    overlap_correlation,
    paired,
)


def draws(mean: float, cv: float, seed: int, n: int = 4000) -> xr.DataArray:
    rng = np.random.default_rng(seed)
    return xr.DataArray(
        mean * np.exp(rng.normal(0, cv, (2, n))),
        dims=("component", "draw"),
        coords={"component": ["victims", "traffickers"]},
    )


def test_the_ratio_of_lognormals_in_closed_form():
    table = change(draws(0.01, 0.15, 1), draws(0.008, 0.15, 2), seed=3)
    sd = 0.15 * np.sqrt(2)
    assert table.loc["victims", "ratio"] == pytest.approx(0.8, rel=0.02)
    assert table["q975"].mean() == pytest.approx(0.8 * np.exp(1.96 * sd), rel=0.04)
    assert table["p_decrease"].mean() == pytest.approx(stats.norm.cdf(-np.log(0.8) / sd), abs=0.015)
    assert table["p_decrease_20"].mean() == pytest.approx(0.5, abs=0.02)


def test_probability_of_decrease_is_calibrated():
    """True ratios drawn from a prior; gamma posteriors of Poisson reports with flat priors."""
    rng = np.random.default_rng(4)
    p, fell, inside = [], [], 0
    for world in range(300):
        ratio = np.exp(rng.normal(0, 0.3))
        rate, exposure = 0.001 * np.exp(rng.normal(0, 0.5)), 100_000
        posterior = [
            xr.DataArray(rng.gamma(y + 0.5, 1 / exposure, 1000), dims="draw")
            for y in rng.poisson([rate * exposure, rate * ratio * exposure])
        ]
        row = change(*posterior, seed=world).iloc[0]
        inside += row["q10"] <= ratio <= row["q90"]
        p.append(row["p_decrease"])
        fell.append(ratio < 1)
    p, fell = np.array(p), np.array(fell)
    assert abs(inside / 300 - 0.8) < 3 * np.sqrt(0.16 / 300)
    z = (fell.sum() - p.sum()) / np.sqrt((p * (1 - p)).sum())
    assert abs(z) < 3
    assert fell[p > 0.9].mean() > 0.85
    assert fell[p < 0.1].mean() < 0.15


def test_a_common_tau_cancels_and_a_drift_does_not():
    first, second = draws(0.01, 0.1, 5), draws(0.007, 0.1, 6)
    same = change(first, second, seed=1)
    scaled = change(first * 0.05, second * 0.05, seed=1)
    pd.testing.assert_frame_equal(same, scaled)
    table = drift_sensitivity(first, second, drifts=(0.0, 0.3), seed=1)
    assert (table[0.3] < table[0.0] - 0.03).all()
    up = change(first, second, tau_drift_mean=np.log(0.7), seed=1)
    assert up["ratio"].mean() == pytest.approx(1.0, rel=0.03)


def test_pairing_gives_the_correlation_and_keeps_every_draw():
    rng = np.random.default_rng(7)
    a, b = rng.gamma(3, size=5000), rng.normal(size=5000)
    x, y = paired(a, b, 0.6, rng)
    assert sorted(x) == sorted(a)
    assert sorted(y) == sorted(b)
    expected = 6 / np.pi * np.arcsin(0.3)  # Spearman's of a normal copula
    assert stats.spearmanr(x, y).statistic == pytest.approx(expected, abs=0.03)


def test_correlated_waves_make_change_more_certain():
    first, second = draws(0.01, 0.2, 8), draws(0.009, 0.2, 9)
    alone = change(first, second, seed=2)
    together = change(first, second, correlation=0.8, seed=2)
    assert (together["q975"] / together["q025"] < 0.75 * alone["q975"] / alone["q025"]).all()


def test_overlap_correlation_is_that_of_the_estimates():
    rng = np.random.default_rng(11)
    psus, kept, reps = 150, 75, 1500
    ids = pd.Index([f"p{i}" for i in range(psus)])
    ids_second = ids[:kept].append(pd.Index([f"q{i}" for i in range(psus - kept)]))
    exposure = pd.Series(2000.0, ids)
    rates, found = [], []
    for _ in range(reps):
        effect = np.exp(rng.normal(0, 0.8, psus))
        later = np.r_[effect[:kept], np.exp(rng.normal(0, 0.8, psus - kept))]
        first = pd.Series(rng.poisson(10 * effect).astype(float), ids)
        second = pd.Series(rng.poisson(8 * later).astype(float), ids_second)
        rates.append((first.sum(), second.sum()))
        if len(found) < 200:
            found.append(
                overlap_correlation(first, second, exposure, exposure.set_axis(ids_second))
            )
    truth = np.corrcoef(np.array(rates).T)[0, 1]
    assert np.mean(found) == pytest.approx(truth, abs=0.06)
    assert (
        overlap_correlation(first, second.loc["q0":], exposure, exposure.set_axis(ids_second)) == 0
    )


def test_areas_keep_their_labels_and_bad_waves_are_refused():
    ids = ["0000000001", "0000000002"]
    rng = np.random.default_rng(0)
    wave = xr.DataArray(
        rng.gamma(5, 1, (1, 2, 500)),
        dims=("component", "area_id", "draw"),
        coords={"component": ["victims"], "area_id": ids},
    )
    table = change(wave, wave.isel(draw=slice(0, 300)), seed=1)
    assert table.index.names == ["component", "area_id"]
    with pytest.raises(InputError, match="same components and areas"):
        change(wave, wave.isel(area_id=[1, 0]), seed=1)
    with pytest.raises(InputError, match="not positive"):
        change(wave, wave - 100, seed=1)


def test_surveys_in_the_same_places_are_correlated_and_in_others_are_not():
    groups = pd.DataFrame(
        {"kind": ["known", "hidden"], "size": [20_000, np.nan], "population": 1_000_000},
        index=pd.Index(["teachers", "hidden"], name="group"),
    )

    def survey(places: np.ndarray, effect: np.ndarray, seed: int):
        rng = np.random.default_rng(seed)
        degree = rng.lognormal(5, 0.4, 6 * len(places))
        answers = {
            "teachers": rng.poisson(0.02 * degree),
            "hidden": rng.poisson(0.01 * degree * np.repeat(effect, 6)),
            "place": np.repeat(places, 6),
        }
        return make_ard(pd.DataFrame(answers), groups, psu="place")

    rng = np.random.default_rng(0)
    effects = np.exp(rng.normal(0, 1, (2, 80)))
    first = survey(np.arange(80), effects[0], 1)
    same = survey_correlation(first, survey(np.arange(80), effects[0], 2))
    assert same["hidden"] > 0.7
    assert survey_correlation(first, survey(np.arange(80) + 100, effects[1], 3))["hidden"] == 0
    changed = survey_correlation(first, survey(np.arange(80), effects[1], 4))
    assert abs(changed["hidden"]) < 0.35
    with pytest.raises(InputError, match="without PSU"):
        survey_correlation(first, make_ard(first.counts, groups))

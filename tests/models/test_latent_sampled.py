"""The latent Gaussian model's closed form against the same model sampled by NUTS."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "studies"))

from latent_calibration import ranks, summary
from latent_sampled import compare


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False])
def test_log_rates_are_those_of_the_sampled_model(known):
    """120 cells, two Monte Carlo errors of about 0.03 posterior standard deviations.

    With hyperparameters known Laplace's approximation is left (8 reports a cell); free, they
    are integrated on 64 points. On average shifts stay under a tenth of a standard deviation.
    """
    found = compare(1, known)
    for part in ("surveyed", "unsurveyed"):
        at = found[part]
        assert abs(at["mean_shift"]) < 0.1
        assert at["largest_shift"] < 0.3
        assert 0.9 < at["mean_sd_ratio"] < 1.1
        assert at["least_sd_ratio"] > 0.8
        assert at["largest_sd_ratio"] < 1.25


@pytest.mark.slow
def test_a_part_of_the_calibration_study():
    """Forty surveys: log rates' ranks, whose p-values would be this small once in a thousand."""
    found = summary([ranks(seed, 16) for seed in range(40)])
    for name in ("surveyed area", "unsurveyed area", "mean of unsurveyed"):
        assert found[name]["p"] > 0.001

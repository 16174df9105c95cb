"""Smoothing of all cells at once gives what ArviZ gives one by one."""

import arviz as az
import numpy as np
import pytest

from smallarea.nsum.bayesian.psis import smoothed


@pytest.mark.parametrize("draws", [20, 100, 500])
def test_smoothing_is_arviz(draws):
    rng = np.random.default_rng(draws)
    spread = rng.uniform(0.01, 3, (400, 1))
    ratios = spread * rng.standard_t(4, (400, draws))
    ratios[::3] = rng.gamma(spread[::3], size=(134, draws))
    expected, k = az.psislw(ratios)
    weights, own = smoothed(ratios)
    np.testing.assert_allclose(own, k, rtol=1e-9)
    np.testing.assert_allclose(weights, expected, rtol=1e-9, atol=1e-12)


def test_ties_and_cells_without_information_are_left_as_they_are():
    rng = np.random.default_rng(0)
    ratios = np.zeros((3, 200))
    ratios[1] = rng.integers(0, 3, 200)
    ratios[2] = np.round(rng.normal(size=200), 1)
    expected, k = az.psislw(ratios)
    weights, own = smoothed(ratios)
    np.testing.assert_allclose(own, k)
    # Of tied draws it is arbitrary which is given which quantile.
    np.testing.assert_allclose(np.sort(weights), np.sort(expected), atol=1e-12)
    np.testing.assert_allclose(np.exp(weights).sum(axis=1), 1.0)

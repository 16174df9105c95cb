"""Tests of the transmission rate outside the sampler."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from smallarea.errors import InputError
from smallarea.nsum.reporting.tau import (
    UNIFORM,
    TauPrior,
    divide_by_tau,
    tau_draws,
    totals_given_tau,
)


def test_draws_follow_the_prior_and_the_seed():
    prior = TauPrior(5, 95, "test")
    draws = tau_draws(prior, 20_000, seed=3)
    assert stats.kstest(draws, stats.beta(5, 95).cdf).pvalue > 0.001
    np.testing.assert_array_equal(draws, tau_draws(prior, 20_000, seed=3))


@given(st.floats(0.02, 0.9), st.floats(0.05, 0.6))
def test_a_prior_from_its_moments_has_them(mean, share):
    cv = share * np.sqrt(1 / mean - 1)
    prior = TauPrior.from_mean(mean, cv, "test")
    exact = stats.beta(prior.a, prior.b)
    assert exact.mean() == pytest.approx(mean, rel=1e-9)
    assert exact.std() / exact.mean() == pytest.approx(cv, rel=1e-9)


@pytest.mark.parametrize(("a", "mean", "sd"), [(0.5, 0, 0), (1, 0, 0), (2, 1, 0), (2.1, 1, 1)])
def test_moments_exist_only_for_large_enough_a(a, mean, sd):
    prior = TauPrior(a, 10, "test")
    assert (prior.has_mean, prior.has_sd) == (bool(mean), bool(sd))


def test_total_matches_the_closed_form_moments():
    """N = w / tau with w fixed: E[1/tau] = (a + b - 1) / (a - 1)."""
    prior = TauPrior(40, 360, "test")
    totals = divide_by_tau(np.full(200_000, 1000.0), prior, 1e9, seed=1)
    assert totals.mean() == pytest.approx(1000 * 399 / 39, rel=0.002)


def test_no_total_exceeds_its_population_and_groups_share_tau():
    reported = np.vstack([np.full(5000, 400.0), np.full(5000, 20.0)])
    totals = divide_by_tau(reported, UNIFORM, population=1000.0, seed=2)
    assert totals.max() <= 1000 * (1 + 1e-9)
    np.testing.assert_allclose(totals[0] / totals[1], 20)


def test_each_draw_is_bounded_by_its_own_size_and_follows_the_seed():
    reported = np.full((2, 3, 4000), 10.0)
    reported[1, 2, 2000:] = 900.0  # of one group, in half of the draws
    totals = divide_by_tau(reported, UNIFORM, population=1000.0, seed=4)
    tau = (reported / totals)[0, 0]
    assert tau[:2000].min() < 0.1  # the other draws are not held to that group's bound
    assert tau[2000:].min() >= 0.9 * (1 - 1e-12)
    assert totals.max() <= 1000 * (1 + 1e-12)
    np.testing.assert_array_equal(totals, divide_by_tau(reported, UNIFORM, 1000.0, 4))
    crowded = divide_by_tau(np.full((1, 50), 2000.0), UNIFORM, population=1000.0, seed=5)
    np.testing.assert_allclose(crowded, 2000.0)  # more than everybody: tau is 1


def test_curve_is_inversely_proportional_to_tau():
    reported = np.random.default_rng(0).lognormal(8, 0.2, 4000)
    curve = totals_given_tau(reported, [0.05, 0.1, 1.0])
    np.testing.assert_allclose(curve.loc[0.05], 20 * curve.loc[1.0])
    assert list(curve.columns) == ["median", "q025", "q10", "q90", "q975"]
    assert curve.index.name == "tau"
    assert curve.loc[1.0, "q10"] == pytest.approx(np.quantile(reported, 0.1))
    assert (curve["q025"] < curve["median"]).all()
    assert (curve["median"] < curve["q975"]).all()


@pytest.mark.parametrize("a", [0, -1, np.inf, np.nan])
def test_an_impossible_prior_is_refused(a):
    with pytest.raises(InputError, match="transmission prior"):
        TauPrior(a, 1, "test")


@pytest.mark.parametrize("rate", [0.0, 1.5])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(InputError, match=r"a reporting rate outside \(0, 1\]") as error:
        totals_given_tau(np.ones(3), [rate, 0.5])
    assert error.value.where == "transmission curve"


def test_a_prior_from_its_mean_keeps_its_source():
    assert TauPrior.from_mean(0.1, 0.3, "casework").source == "casework"


@pytest.mark.parametrize(("a", "b"), [(5, 0), (0, 5), (5, np.inf), (np.inf, 5)])
def test_the_edges_of_shapes_are_no_prior(a, b):
    with pytest.raises(InputError, match=r"is not a distribution\. give two positive numbers"):
        TauPrior(a, b, "test")


@pytest.mark.parametrize(
    ("mean", "cv"), [(0, 0.5), (1, 0.5), (1.5, 0.5), (0.05, 0), (0.5, 1), (0.5, 1.2)]
)
def test_the_edges_of_means_are_no_prior(mean, cv):
    with pytest.raises(InputError, match="no Beta distribution has mean"):
        TauPrior.from_mean(mean, cv, "test")

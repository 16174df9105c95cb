"""Laplace's approximation: exact where it should be, and close where it is an approximation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from smallarea.errors import InputError
from smallarea.models.hyperparameters import Marginal
from smallarea.models.laplace import laplace
from smallarea.models.left_out import cavities
from smallarea.models.observations import Binomial, Gaussian, Observed, Poisson
from smallarea.models.sites import Prior, Sites

K, M = 3, 12


def shared_covariance(rng: np.random.Generator, m: int = M) -> np.ndarray:
    root = rng.normal(size=(m, m))
    return root @ root.T / m + 0.1 * np.eye(m)


def dense(prior: Prior) -> np.ndarray:
    """The prior covariance of all components, written out: component first."""
    m = len(prior.shared)
    between = np.full((K, K), prior.correlation) + (1 - prior.correlation) * np.eye(K)
    level = np.kron(np.eye(K), np.full((m, m), prior.level))
    return np.kron(between, prior.shared) + prior.own * np.eye(K * m) + level


def data_of(family: str, rng: np.random.Generator) -> Observed:
    shape = (K, M)
    if family == "poisson":
        exposure = rng.uniform(1, 8, shape)
        exposure[0, 3] = 0  # nothing observed
        return Poisson(rng.poisson(exposure).astype(float), exposure)
    if family == "binomial":
        asked = rng.integers(5, 30, shape).astype(float)
        return Binomial(
            rng.binomial(asked.astype(int), 0.2).astype(float), asked, np.full((K, 1), -1.4)
        )
    return Gaussian(rng.normal(size=shape), rng.uniform(0.5, 4, shape))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def prior(rng) -> Prior:
    return Prior(shared_covariance(rng), correlation=0.6, own=0.1, level=0.25)


def exact(prior: Prior, data: Gaussian, kept: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Gaussian process regression by the textbook: log marginal, posterior mean and covariance."""
    covariance, noise = dense(prior), 1 / data.precision.ravel()[kept]
    y, across = data.estimate.ravel()[kept], covariance[:, kept]
    observed = covariance[np.ix_(kept, kept)] + np.diag(noise)
    gain = np.linalg.solve(observed, across.T).T
    log_marginal = stats.multivariate_normal(np.zeros(len(y)), observed).logpdf(y)
    return log_marginal, gain @ y, covariance - gain @ across.T


def test_gaussian_data_give_gaussian_process_regression(prior, rng):
    data = data_of("gaussian", rng)
    fit = laplace(prior, data)
    log_marginal, mean, covariance = exact(prior, data, np.arange(K * M))
    assert fit.log_marginal == pytest.approx(log_marginal, rel=1e-8)
    np.testing.assert_allclose(fit.mode.ravel(), mean, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(fit.mean.ravel(), mean, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(next(fit.sites.covariances([np.arange(M)])), covariance, atol=1e-9)
    np.testing.assert_allclose(fit.sites.variance().ravel(), np.diag(covariance), atol=1e-9)


@pytest.mark.parametrize("least", [0.0, 1e-12, 1e-6, 1e-3])
def test_variances_where_little_or_nothing_was_observed(prior, rng, least):
    weight = rng.uniform(0.5, 4, (K, M))
    weight[0], weight[1:, 3] = least, least
    covariance = dense(prior)
    posterior = np.linalg.solve(np.eye(K * M) + covariance * weight.ravel(), covariance)
    found = Sites(prior, weight).variance()
    np.testing.assert_allclose(found.ravel(), np.diag(posterior), rtol=1e-8)


def test_gaussian_cavities_are_the_regression_without_the_group(prior, rng):
    data, left = data_of("gaussian", rng), np.array([2, 5, 6])
    held = laplace(prior, data)
    out = cavities(held, [left])[0]
    cells = (np.arange(K)[:, None] * M + left).ravel()
    without, mean, covariance = exact(prior, data, np.setdiff1d(np.arange(K * M), cells))
    np.testing.assert_allclose(out.mean.ravel(), mean[cells], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(out.variance.ravel(), np.diag(covariance)[cells], atol=1e-9)
    assert out.log_density == pytest.approx(held.log_marginal - without, abs=1e-8)


def without(data: Observed, areas: np.ndarray) -> Observed:
    """The data with nothing observed of some areas."""
    if isinstance(data, Poisson):
        count, exposure = data.count.copy(), data.exposure.copy()
        count[:, areas] = exposure[:, areas] = 0
        return Poisson(count, exposure)
    assert isinstance(data, Binomial)
    count, asked = data.count.copy(), data.asked.copy()
    count[:, areas] = asked[:, areas] = 0
    return Binomial(count, asked, data.centre)


@pytest.mark.parametrize("family", ["poisson", "binomial"])
def test_cavities_of_counts_are_close_to_refits(family, prior, rng):
    """The others' terms stay as they were: an error of second order in what the group says."""
    data, left = data_of(family, rng), np.array([2, 5, 6])
    held = laplace(prior, data)
    again = laplace(prior, without(data, left))
    out = cavities(held, [left])[0]
    sd = np.sqrt(again.sites.variance()[:, left])
    assert np.abs((out.mean - again.mean[:, left]) / sd).max() < 0.1
    np.testing.assert_allclose(np.sqrt(out.variance), sd, rtol=0.1)
    difference = held.log_marginal - again.log_marginal
    assert out.log_density == pytest.approx(difference, abs=0.2)
    assert abs(difference) > 5


@pytest.mark.parametrize("family", ["poisson", "binomial"])
def test_the_mode_and_the_log_marginal_are_those_of_dense_algebra(family, prior, rng):
    data = data_of(family, rng)
    fit = laplace(prior, data)
    at = data.derivatives(fit.mode)
    covariance, weight = dense(prior), at.weight.ravel()
    np.testing.assert_allclose(covariance @ at.first.ravel(), fit.mode.ravel(), atol=1e-8)
    log_det = np.linalg.slogdet(np.eye(K * M) + covariance * weight)[1]
    value = data.log_density(fit.mode).sum() - 0.5 * (fit.mode * at.first).sum() - 0.5 * log_det
    assert fit.log_marginal == pytest.approx(value, rel=1e-9)
    posterior = np.linalg.solve(np.eye(K * M) + covariance * weight, covariance)
    np.testing.assert_allclose(next(fit.sites.covariances([np.arange(M)])), posterior, atol=1e-9)
    shift = posterior @ (0.5 * np.diag(posterior) * at.third.ravel())
    np.testing.assert_allclose((fit.mean - fit.mode).ravel(), shift, atol=1e-8)


@pytest.mark.parametrize("family", ["poisson", "binomial", "gaussian"])
def test_derivatives_of_the_log_density(family, rng):
    data, f, step = data_of(family, rng), rng.normal(size=(K, M)), 1e-5
    at, above, below = (data.derivatives(f + s) for s in (0.0, step, -step))
    slope = (data.log_density(f + step) - data.log_density(f - step)) / (2 * step)
    np.testing.assert_allclose(at.first, slope, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(
        -at.weight, (above.first - below.first) / (2 * step), rtol=1e-6, atol=1e-7
    )
    np.testing.assert_allclose(
        -at.third, (above.weight - below.weight) / (2 * step), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("family", ["poisson", "binomial", "gaussian"])
def test_the_gradient_is_that_of_finite_differences(family, rng):
    """Central differences of step 1e-3 err by its square times a third derivative, near 1e-6."""
    matrices = np.stack([shared_covariance(rng), shared_covariance(rng), np.eye(M)])
    marginal = Marginal(data_of(family, rng), matrices, K, scale=0.5, level_sd=1.0)
    theta = np.array([0.6, 0.8, 0.7, 0.6, 0.4])
    step = 1e-3
    slope = marginal.log_posterior(theta)[1]

    def value(t: np.ndarray) -> float:
        return marginal.log_posterior(t)[0]

    for j, unit in enumerate(np.eye(len(theta)) * step):
        # Fourth-order differences.
        wide = (value(theta + 2 * unit) - value(theta - 2 * unit)) / (4 * step)
        narrow = (value(theta + unit) - value(theta - unit)) / (2 * step)
        assert slope[j] == pytest.approx((4 * narrow - wide) / 3, rel=1e-5)


@pytest.mark.parametrize(("count", "tolerance"), [(200.0, 1e-3), (20.0, 1e-2), (2.0, 0.05)])
def test_one_latent_value_against_quadrature(count, tolerance):
    """Laplace's error of a log marginal is of the order of 1 / (12 count)."""
    prior = Prior(np.full((1, 1), 0.3), correlation=0.5, own=0.1, level=0.2)
    data = Poisson(np.full((1, 1), count), np.full((1, 1), 1.5 * count))
    fit = laplace(prior, data)

    def density(f: float, power: int = 0) -> float:
        log_p = data.log_density(np.array([[f]]))[0, 0] + stats.norm.logpdf(f, 0, np.sqrt(0.6))
        return f**power * np.exp(log_p - fit.log_marginal)

    peak = fit.mode[0, 0]
    total = integrate.quad(density, peak - 5, peak + 5, points=[peak], limit=200)[0]
    first = integrate.quad(density, peak - 5, peak + 5, (1,), points=[peak], limit=200)[0]
    assert np.log(total) == pytest.approx(0, abs=tolerance)
    assert abs(fit.mean[0, 0] - first / total) < 0.2 * abs(fit.mode[0, 0] - first / total)


def test_a_start_far_off_finds_the_same_mode(prior, rng):
    data = data_of("poisson", rng)
    wide = laplace(replace(prior, shared=100 * prior.shared, own=20.0), data)
    fits = [laplace(prior, data, start) for start in (None, wide, laplace(prior, data))]
    assert np.abs(wide.mode - fits[0].mode).max() > 0.5
    for fit in fits[1:]:
        np.testing.assert_allclose(fits[0].mode, fit.mode, atol=1e-8)


def test_impossible_numbers_are_refused(prior):
    data = Poisson(np.full((K, M), np.nan), np.ones((K, M)))
    with pytest.raises(InputError, match="no mode"):
        laplace(prior, data)

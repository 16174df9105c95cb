"""Gibbs sampling gives the posterior of the barrier model: against integration and NUTS."""

from dataclasses import replace

import arviz as az
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smallarea.errors import InputError
from smallarea.nsum import fit_nsum
from smallarea.nsum.bayesian.gibbs import sample_gibbs
from smallarea.nsum.bayesian.pymc_models import Answers, Priors
from smallarea.survey import make_ard

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@pytest.fixture(scope="module")
def survey():
    """Five known groups and two hidden ones, weighted and in PSUs; some answers are missing."""
    rng = np.random.default_rng(5)
    n, population = 400, 1e6
    degree = rng.lognormal(5, 0.6, (n, 1))
    share = np.array([0.002, 0.005, 0.01, 0.02, 0.04, 5e-4, 1e-3])
    rho = np.array([0.02, 0.01, 0.03, 0.02, 0.02, 0.001, 0.01])
    shape = share * (1 / rho - 1)
    answers = rng.poisson(degree * share * rng.gamma(shape, 1 / shape, (n, 7))).astype(float)
    answers[rng.uniform(size=answers.shape) < 0.02] = np.nan
    table = pd.DataFrame(answers, columns=list("abcdefg"))
    groups = pd.DataFrame({"group": list("abcdefg"), "kind": ["known"] * 5 + ["hidden"] * 2})
    groups["size"] = np.where(groups["kind"] == "known", share * population, np.nan)
    groups["population"] = population
    table = table.assign(weight=rng.uniform(0.5, 1.5, n), psu=np.arange(n) // 10)
    return make_ard(table.astype({"psu": str}), groups, weight="weight", psu="psu")


def gibbs(ard, seed, draws=1000):
    return fit_nsum(
        ard, "barrier", weighted=True, draws=draws, tune=250, chains=2, seed=seed, sampler="gibbs"
    )


def error(draws):
    """Monte Carlo standard error of a mean."""
    return float(draws.std() / np.sqrt(float(az.ess(draws * 1.0, method="mean"))))


def sd_error(draws):
    """Monte Carlo standard error of a standard deviation."""
    return error((draws - draws.mean()) ** 2) / (2 * float(draws.std()))


def far(one, other):
    """Differences of mean, sd and quantiles in Monte Carlo standard errors; (chain, draw) each.

    Quantiles are compared by the shares of both that lie below them.
    """
    both = one, other
    apart = {
        "mean": (one.mean() - other.mean()) / np.hypot(*(error(x) for x in both)),
        "sd": (one.std() - other.std()) / np.hypot(*(sd_error(x) for x in both)),
    }
    for p in QUANTILES:
        below = [x <= np.quantile(np.concatenate([x.ravel() for x in both]), p) for x in both]
        gap = below[0].mean() - below[1].mean()
        apart[p] = gap / np.hypot(*(error(x) for x in below))
    return pd.Series(apart)


@pytest.mark.slow
def test_several_seeds_agree_with_nuts(survey):
    settings = {"weighted": True, "draws": 800, "tune": 400, "chains": 4, "seed": 1}
    exact = fit_nsum(survey, "barrier", **settings)
    runs = [gibbs(survey, seed) for seed in range(3)]
    assert all(run.publishable for run in runs)
    for group in ("f", "g"):
        wanted = np.log(exact.reported.sel(group=group).to_numpy())
        found = np.concatenate([np.log(r.reported.sel(group=group).to_numpy()) for r in runs])
        assert far(found, wanted).abs().max() < 4
    for name in ("mu", "sigma"):
        found = np.concatenate([r.posterior[name].to_numpy() for r in runs])
        assert far(found, exact.posterior[name].to_numpy()).abs().max() < 4
    for k in range(7):
        wanted, *found = (r.posterior["rho"].isel(group=k).to_numpy() for r in (exact, *runs))
        assert far(np.concatenate(found), wanted).abs().max() < 4
    # Degrees, each within the error of its own few kept draws.
    wanted, found = (r.posterior["degree"].mean(["chain", "kept"]) for r in (exact, runs[0]))
    spread = exact.posterior["degree"].std(["chain", "kept"]) * np.sqrt(2 / 500)
    assert float((np.abs(found - wanted) / spread).mean()) < 1.2


def test_observed_degrees_give_what_integration_gives():
    """Two parameters a group, so a grid is exact."""
    rng = np.random.default_rng(1)
    degree = rng.integers(5, 80, 300).astype(float)
    counts = rng.poisson(degree * 0.003 * rng.gamma(0.4, 1 / 0.4, 300))[:, None].astype(float)
    weights = rng.uniform(0.3, 1.2, (300, 1))
    answers = Answers(counts, weights, np.array([]), np.log(degree), 1e5)
    log_rate, logit = np.linspace(-8, -3.5, 121), np.linspace(-14, 4, 161)
    rate, rho = np.exp(log_rate)[:, None, None], (1 / (1 + np.exp(-logit)))[None, :, None]
    shape = rate * (1 / rho - 1)
    y, w = counts[:, 0], weights[:, 0]
    density = stats.nbinom.logpmf(y, shape, shape / (shape + degree * rate)) @ w
    density += np.log(rho * (1 - rho))[..., 0]
    density = np.exp(density - density.max())
    marginal = density.sum(axis=1) / density.sum()
    mean = marginal @ log_rate
    sd = np.sqrt(marginal @ (log_rate - mean) ** 2)
    trace, _ = sample_gibbs("barrier", answers, Priors(), draws=4000, tune=300, chains=2, seed=0)
    found = trace.posterior["log_rate"].to_numpy()[..., 0]
    assert abs(found.mean() - mean) < 4 * error(found)
    assert abs(found.std() - sd) < 4 * sd_error(found)
    for p in QUANTILES:
        below = found <= np.interp(p, np.cumsum(marginal) - marginal / 2, log_rate)
        assert abs(below.mean() - p) < 4 * error(below)


def test_a_seed_gives_the_same_draws(survey):
    one, again, other = (gibbs(survey, seed, draws=20).reported for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    "setting", [{"model": "overdispersed"}, {"model": "degree", "recall": True}]
)
def test_other_models_are_refused(survey, setting):
    with pytest.raises(InputError, match="barrier"):
        fit_nsum(survey, **setting, sampler="gibbs")


DEGREE = {"model": "degree", "weighted": True, "draws": 1000, "tune": 300, "chains": 2}


@pytest.mark.slow
def test_the_degree_model_agrees_with_nuts(survey):
    exact = fit_nsum(survey, **DEGREE, seed=1, sampler="nutpie")
    found = fit_nsum(survey, **DEGREE, seed=2, sampler="gibbs")
    assert found.publishable
    for group in ("f", "g"):
        both = (np.log(fit.reported.sel(group=group).to_numpy()) for fit in (found, exact))
        assert far(*both).abs().max() < 4
    for name in ("mu", "sigma"):
        assert (
            far(found.posterior[name].to_numpy(), exact.posterior[name].to_numpy()).abs().max() < 4
        )


def test_the_degree_model_holds_where_hardly_anybody_reports():
    """Three respondents of ten tell of somebody: the degrees follow their mean and spread."""
    rng = np.random.default_rng(3)
    degree = rng.lognormal(5.0, 0.7, 60)
    counts = rng.poisson(degree[:, None] * [0.001, 0.002, 0.0008]).astype(float)
    answers = Answers(counts, np.ones_like(counts), np.log([0.001, 0.002]), None, 1e6)
    trace, _ = sample_gibbs("degree", answers, Priors(), draws=4000, tune=500, chains=2, seed=0)
    # Every degree integrated out by quadrature, on a grid of mean, spread and rate.
    nodes, mass = np.polynomial.hermite_e.hermegauss(40)
    mu, sigma, rate = np.linspace(3, 7.5, 60), np.linspace(0.25, 2, 40), np.geomspace(1e-6, 0.1, 90)
    x = mu[:, None, None] + sigma[None, :, None] * nodes
    log_posterior = np.empty((60, 40, 90))
    rows, columns = np.unique(counts.sum(axis=1), return_counts=True)
    for k, r in enumerate(rate):
        inner = rows[:, None, None, None] * x - np.exp(x) * (0.003 + r)
        at = inner.max(axis=-1, keepdims=True)
        each = at[..., 0] + np.log(np.exp(inner - at) @ mass)
        log_posterior[..., k] = np.tensordot(columns, each, 1) + counts[:, 2].sum() * np.log(r)
    density = np.exp(log_posterior - log_posterior.max())
    for name, grid, axes in (("mu", mu, (1, 2)), ("sigma", sigma, (0, 2))):
        marginal = density.sum(axis=axes) / density.sum()
        mean = marginal @ grid
        drawn = trace.posterior[name].to_numpy()
        assert abs(drawn.mean() - mean) < 4 * error(drawn) + 0.002
        assert (
            abs(drawn.std() - np.sqrt(marginal @ (grid - mean) ** 2)) < 4 * sd_error(drawn) + 0.002
        )
    marginal = density.sum(axis=(0, 1)) / density.sum()
    drawn = trace.posterior["log_rate"].to_numpy()[..., 0]
    assert abs(drawn.mean() - marginal @ np.log(rate)) < 4 * error(drawn) + 0.002


def test_the_degree_model_wants_somebody_reported_and_a_short_warm_up_is_one(survey):
    nobody = replace(survey, counts=survey.counts.assign(g=0.0))
    with pytest.raises(InputError, match="nobody reported anybody of g"):
        fit_nsum(nobody, "degree", sampler="gibbs")
    short = fit_nsum(survey, "degree", draws=3, tune=1, chains=1, sampler="gibbs")
    assert np.isfinite(short.reported).all()

"""Public behaviour of fit_nsum: recovery, degrees observed or estimated, weights, the gate."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from smallarea.errors import InputError
from smallarea.nsum import NsumFit, TauPrior, fit_nsum, killworth
from smallarea.nsum.bayesian.posterior import hidden_rates
from smallarea.nsum.bayesian.pymc_models import Answers
from smallarea.survey import ARD, make_ard

SHARES = np.array([0.002, 0.005, 0.01, 0.02, 0.04])
POPULATION = 1_000_000
QUICK = {"chains": 2, "tune": 400, "draws": 400, "seed": 5}


def two_networks(n: int = 250, seed: int = 0, **answers: float) -> ARD:
    """Five known and one hidden adult group; two child groups and one hidden: 0.8 % each."""
    rng = np.random.default_rng(seed)
    adults, children = rng.lognormal(5, 0.6, n), rng.lognormal(3.5, 0.6, n)
    shape = np.append(SHARES, 0.008) * (1 / 0.01 - 1)
    chance = rng.gamma(shape, np.append(SHARES, 0.008) / shape, (n, 6))
    adult = rng.poisson(adults[:, None] * chance)
    children[rng.random(n) < 0.05] = 0
    young, old = rng.poisson(0.4 * children), rng.poisson(0.6 * children)
    child = rng.binomial(young + old, 0.008)
    table = pd.DataFrame(adult, columns=[*[f"known {k}" for k in range(5)], "traffickers"])
    table = table.assign(young=young, old=old, victims=child, **answers)
    groups = pd.DataFrame(
        {
            "group": table.columns[:9],
            "kind": ["known"] * 5 + ["hidden", "known", "known", "hidden"],
            "size": [*SHARES * POPULATION, np.nan, 200_000, 300_000, np.nan],
            "population": [POPULATION] * 6 + [500_000] * 3,
            "network": ["adult"] * 6 + ["child"] * 3,
        }
    )
    return make_ard(table, groups)


@pytest.fixture(scope="module")
def ard() -> ARD:
    return two_networks()


@pytest.fixture(scope="module")
def barrier_fit(ard) -> NsumFit:
    return fit_nsum(ard, "barrier", **QUICK)


@pytest.fixture(scope="module")
def child_fit(ard) -> NsumFit:
    return fit_nsum(ard, "full", degree="summation", tau_prior=TauPrior(20, 60, "t"), **QUICK)


def test_barrier_fit_recovers_the_hidden_size(barrier_fit):
    row = barrier_fit.summary(allow_unconverged=True).loc["traffickers"]
    assert row["q025"] < 8000 < row["q975"]
    assert row["q975"] / row["q025"] < 2.5


@pytest.mark.slow
def test_same_seed_same_draws(ard, child_fit):
    again = fit_nsum(ard, "full", degree="summation", **QUICK)
    np.testing.assert_array_equal(again.reported, child_fit.reported)


def test_summed_degrees_are_observed_and_zero_sums_excluded(ard, child_fit):
    summed = ard.counts[["young", "old"]].sum(axis=1)
    assert child_fit.excluded == (summed == 0).sum() > 0
    assert len(child_fit.respondents) + child_fit.excluded == len(ard)
    assert "mu" not in child_fit.posterior
    # Observed degrees: the posterior is centred on the ratio of sums.
    reports = ard.counts.loc[summed > 0, "victims"].sum()
    ratio = 500_000 * reports / summed.sum()
    assert float(child_fit.reported.median()) == pytest.approx(ratio, rel=0.1)


def test_totals_divide_by_tau_and_can_be_redone_under_another_prior(child_fit):
    totals = child_fit.totals()["victims"]
    reported = child_fit.reported.sel(group="victims").to_numpy().ravel()
    assert (reported / totals).mean() == pytest.approx(0.25, rel=0.05)
    larger = child_fit.totals(TauPrior(600, 200, "t"))["victims"]
    assert larger.median() < totals.median()
    curve = child_fit.curve("victims")
    assert curve.loc[0.5, "median"] == pytest.approx(2 * np.median(reported))


@pytest.mark.parametrize(("a", "missing"), [(0.8, ["mean", "sd"]), (1.5, ["sd"]), (3.0, [])])
def test_moments_that_do_not_exist_are_missing(child_fit, a, missing):
    table = replace(child_fit, tau_prior=TauPrior(a, 5, "t")).summary(allow_unconverged=True)
    assert list(table.columns[table.isna().any()]) == missing


def test_full_without_a_prior_of_tau_has_a_uniform_one(ard):
    fit = fit_nsum(ard, "transmission", degree="summation", **QUICK)
    assert (fit.tau_prior.a, fit.tau_prior.b) == (1, 1)
    assert np.isnan(fit.summary(allow_unconverged=True)["mean"]).all()


@pytest.mark.slow
def test_an_unconverged_fit_is_not_published_unless_allowed(ard):
    fit = fit_nsum(ard, "barrier", degree="summation", chains=2, tune=10, draws=10, seed=1)
    assert not fit.publishable
    assert fit.reasons
    with pytest.raises(InputError, match="barrier model"):
        fit.summary()
    assert len(fit.summary(allow_unconverged=True)) == 1


@pytest.mark.slow
def test_weights_move_the_rate_to_the_weighted_one_and_widen_it():
    """Half the respondents report ten times as often and weigh nine times as much."""
    rng = np.random.default_rng(1)
    ard = two_networks(400, seed=1)
    heavy = np.arange(400) % 2 == 0
    rate = np.where(heavy, 0.02, 0.002)
    reports = rng.poisson(rate * ard.counts[["young", "old"]].sum(axis=1)).astype(float)
    counts = ard.counts.assign(victims=reports)
    design = ard.design.assign(weight=np.where(heavy, 9.0, 1.0))
    ard = ARD(counts, ard.groups, design)
    plain, weighted = (
        fit_nsum(ard, "barrier", degree="summation", weighted=w, **QUICK) for w in (False, True)
    )
    target = killworth(ard).summary(replicates=2, seed=0).loc["victims", "mean"]
    assert float(weighted.reported.median()) == pytest.approx(target, rel=0.12)
    assert float(plain.reported.median()) < 0.75 * target
    assert weighted.weights.deff["victims"] > 1


def test_a_missing_answer_is_not_a_zero(ard):
    absent = ard.counts.copy()
    absent.loc[absent.index[::2], "victims"] = np.nan
    gaps = ARD(absent, ard.groups, ard.design)
    fit = fit_nsum(gaps, "degree", degree="summation", **QUICK)
    answered = killworth(gaps).summary(replicates=2, seed=0).loc["victims", "mean"]
    assert float(fit.reported.mean()) == pytest.approx(answered, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["overdispersed", "correlated"])
def test_other_models_recover_the_hidden_size(ard, model):
    fit = fit_nsum(ard, model, **QUICK)
    row = fit.summary(allow_unconverged=True).loc["traffickers"]
    assert row["q025"] < 8000 < row["q975"]


@pytest.mark.slow
def test_recall_bends_answers_back():
    """Answers grow with the size to the power 0.5: without recall a small group is inflated."""
    rng = np.random.default_rng(3)
    shares = np.geomspace(0.001, 0.05, 10)
    centre = np.log(shares).mean()
    answered = np.exp(centre + 0.5 * (np.log([*shares, 0.0005]) - centre))
    y = rng.poisson(rng.lognormal(5, 0.5, (250, 1)) * answered)
    names = [*[f"known {k}" for k in range(10)], "hidden"]
    groups = pd.DataFrame(
        {
            "group": names,
            "kind": ["known"] * 10 + ["hidden"],
            "size": [*shares * POPULATION, np.nan],
            "population": POPULATION,
        }
    )
    ard = make_ard(pd.DataFrame(y, columns=names), groups)
    fit = fit_nsum(ard, "degree", recall=True, **QUICK)
    row = fit.summary(allow_unconverged=True).loc["hidden"]
    assert list(row.index[row.isna()]) == ["mean", "sd"]  # log-normal error over the exponent
    bent = fit.totals()["hidden"]
    assert bent.quantile(0.025) < 500 < bent.quantile(0.975)
    assert killworth(ard).summary(replicates=2, seed=0).loc["hidden", "mean"] > 1000


def test_recall_takes_no_group_beyond_its_population():
    draws = np.ones((2, 500))
    posterior = xr.Dataset(
        {
            "log_rate": (("chain", "draw", "group"), np.log(0.01) * draws[..., None]),
            "exponent": (("chain", "draw"), 0.5 * draws),
            "scatter": (("chain", "draw"), 4 * draws),
        }
    )
    answers = Answers(np.ones((1, 4)), np.ones((1, 4)), np.log(SHARES[:3]), None, POPULATION)
    rates = hidden_rates(posterior, answers, recall=True, seed=0)
    assert rates.max() == 1
    assert 0.05 < (rates == 1).mean() < 0.6


def test_a_fit_survives_pickling(barrier_fit):
    again = pickle.loads(pickle.dumps(barrier_fit))
    pd.testing.assert_frame_equal(again.totals(), barrier_fit.totals())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "magic"}, "no model 'magic'"),
        ({"model": "degree", "degree": "guess"}, "no degree 'guess'"),
        ({"model": "barrier", "tau_prior": TauPrior(2, 2, "t")}, "no transmission rate"),
        ({"model": "barrier", "degree": "summation", "recall": True}, "known groups"),
        ({"model": "barrier", "covariates": ["age"]}, "no covariates"),
        ({"model": "barrier", "sampler": "gibbon"}, "no sampler 'gibbon'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(ard, settings, message):
    with pytest.raises(InputError, match=message):
        fit_nsum(ard, **settings)


def test_one_known_group_cannot_carry_a_barrier_model(ard):
    with pytest.raises(InputError, match="2 needed"):
        fit_nsum(ard.only(["known 0", "traffickers"]), "barrier")


@pytest.mark.slow
def test_pymc_sampler_agrees_with_nutpie(ard):
    settings = QUICK | {"sampler": "pymc", "chains": 1}
    slow = fit_nsum(ard, "degree", degree="summation", **settings)
    fast = fit_nsum(ard, "degree", degree="summation", **QUICK)
    assert float(slow.reported.mean()) == pytest.approx(float(fast.reported.mean()), rel=0.06)

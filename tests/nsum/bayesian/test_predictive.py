"""Checks of a fit: they must pass for the right model and fail for the wrong one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smallarea.errors import InputError
from smallarea.nsum import fit_nsum
from smallarea.nsum.bayesian.predictive import leave_one_out, predictive_check, surrogate_residuals
from smallarea.survey import make_ard


@pytest.fixture(scope="module")
def fits(curitiba):
    """Right and wrong model for answers with barrier effects."""
    ard = curitiba("barrier")
    ard = ard.only([*ard.known()[::3], *ard.hidden()]).respondents(np.arange(len(ard)) < 250)
    quick = {"chains": 2, "tune": 400, "draws": 400, "seed": 2}
    return {model: fit_nsum(ard, model, **quick) for model in ("degree", "barrier")}


@pytest.mark.slow
def test_posterior_check_finds_missing_zeros(fits):
    tails = {m: predictive_check(f).xs("zeros", level="statistic")["tail"] for m, f in fits.items()}
    assert (tails["barrier"].between(0.01, 0.99)).mean() >= 0.9
    assert (tails["degree"] < 0.01).mean() > 0.5


def test_prior_check_covers_the_answers(fits):
    check = predictive_check(fits["barrier"], "prior").xs("mean", level="statistic")
    assert check["tail"].between(0.02, 0.98).all()


def test_surrogate_residuals_are_normal_only_under_the_right_model(fits):
    right, wrong = (surrogate_residuals(fits[m]).to_numpy().ravel() for m in ("barrier", "degree"))
    assert stats.kstest(right, "norm").pvalue > 0.001
    assert stats.kstest(wrong, "norm").pvalue < 1e-6


def test_leave_one_out_prefers_the_right_model(fits):
    right, wrong = (leave_one_out(fits[m]) for m in ("barrier", "degree"))
    assert right["elpd"].sum() - wrong["elpd"].sum() > 4 * right["se"].max()
    assert right["bad"].max() < 0.1
    assert list(right.index) == list(fits["barrier"].groups)


def test_unknown_check_is_refused(fits):
    with pytest.raises(InputError, match="prior or posterior"):
        predictive_check(fits["degree"], "both")


@pytest.fixture(scope="module")
def correlated():
    """Fit of answers that one factor of each respondent moves together, and that factor."""
    rng = np.random.default_rng(3)
    sizes, population, n = np.array([5e3, 1e4, 2e4, 4e4, 2e4]), 1e6, 150
    factor = rng.normal(size=n)
    mean = np.exp(rng.normal(5.3, 0.3, (n, 1))) * sizes / population
    loading = np.array([0.9, 0.9, -0.9, -0.9, 0.9])
    answers = rng.poisson(mean * np.exp(loading * factor[:, None] - loading**2 / 2))
    names = ["a", "b", "c", "d", "hidden"]
    kinds = ["known"] * 4 + ["hidden"]
    groups = pd.DataFrame({"group": names, "kind": kinds, "size": sizes, "population": population})
    groups.loc[4, "size"] = np.nan
    ard = make_ard(pd.DataFrame(answers, columns=names), groups)
    quick = {"chains": 2, "tune": 300, "draws": 300, "seed": 3}  # the two chains find mirror images
    return fit_nsum(ard, "correlated", **quick), factor


@pytest.mark.slow
def test_the_factor_of_every_draw_has_the_sign_of_its_loadings(correlated):
    fit, truth = correlated
    main = fit.posterior["loading"].isel(group=0).mean()
    found = fit.posterior["factor"].transpose(..., "respondent").to_numpy() @ truth
    assert fit.posterior["factor"].dims == fit.posterior["degree"].dims
    assert (np.sign(found) == np.sign(float(main))).all()


@pytest.mark.slow
def test_residuals_of_the_correlated_model_know_the_respondents_factor(correlated):
    correlation = surrogate_residuals(correlated[0]).corr().to_numpy()
    assert np.abs(correlation[np.triu_indices(5, 1)]).mean() < 0.15


@pytest.mark.slow
def test_leave_one_out_of_the_correlated_model_knows_the_respondents_factor(correlated):
    fit = correlated[0]
    anyone = fit.posterior["factor"].roll(respondent=1)
    other = replace(fit, posterior=fit.posterior.assign(factor=anyone))
    right, wrong = leave_one_out(fit), leave_one_out(other)
    assert right["elpd"].sum() - wrong["elpd"].sum() > 100


@pytest.mark.slow
def test_prior_check_of_the_correlated_model_draws_new_factors(correlated):
    check = predictive_check(correlated[0], "prior").xs("mean", level="statistic")
    assert check["tail"].between(0.02, 0.98).all()


@pytest.fixture(scope="module")
def weighted():
    """Half the respondents report ten times as often and weigh nine times as much."""
    rng = np.random.default_rng(1)
    heavy = np.arange(400) % 2 == 0
    children = rng.poisson(40, 400) + 1
    table = pd.DataFrame({"children": children, "weight": np.where(heavy, 9.0, 1.0)})
    table["victims"] = rng.poisson(np.where(heavy, 0.02, 0.002) * children)
    table["rural"] = heavy
    groups = pd.DataFrame(
        {
            "group": ["children", "victims"],
            "kind": ["known", "hidden"],
            "size": [5e5, np.nan],
            "population": 5e5,
            "network": "child",
        }
    )
    ard = make_ard(table, groups, weight="weight")
    settings = {"chains": 2, "tune": 300, "draws": 500, "seed": 1, "weighted": True}
    return fit_nsum(ard, "degree", degree="summation", **settings), table, ard


def test_a_weighted_fit_is_compared_with_weighted_answers(weighted):
    fit, table, _ = weighted
    check = predictive_check(fit).loc["victims"]
    expected = np.average(table["victims"], weights=table["weight"])
    assert check.loc["mean", "observed"] == pytest.approx(expected)
    spread = np.sqrt(np.average((table["victims"] - expected) ** 2, weights=table["weight"]))
    assert check.loc["sd", "observed"] == pytest.approx(spread)
    assert check.loc["largest", "observed"] == table["victims"].max()
    assert 0.1 < check.loc["mean", "tail"] < 0.9
    assert check.loc["mean", "q05"] > table["victims"].mean()


def test_leaving_a_cell_out_takes_away_no_more_than_its_weight(weighted):
    """One rate, its log uniform: an answer given weighted answers is negative binomial."""
    fit, table, _ = weighted
    y, d, w = table["victims"], table["children"], fit.answers.weights[:, 0]

    def scored(left_out):  # by which each answer is left out: its weight, or 0
        shape, rate = w @ y - left_out * y, w @ d - left_out * d
        return w / w.mean() @ stats.nbinom(shape, rate / (rate + d)).logpmf(y)

    assert leave_one_out(fit).loc["victims", "elpd"] == pytest.approx(scored(w), abs=0.4)
    tenth = replace(fit, answers=replace(fit.answers, weights=fit.answers.weights / 10))
    cost = leave_one_out(tenth).loc["victims", "p_loo"]
    assert cost == pytest.approx(scored(0 * w) - scored(w / 10), rel=0.2)


@pytest.mark.slow
def test_one_covariate_of_one_group_with_summed_degrees_can_be_checked(weighted):
    ard = weighted[2]
    quick = {"chains": 2, "tune": 200, "draws": 100, "seed": 1}
    fit = fit_nsum(ard, "correlated", degree="summation", covariates=["rural"], **quick)
    assert stats.kstest(surrogate_residuals(fit)["victims"], "norm").pvalue > 0.001
    unexplained = leave_one_out(replace(fit, posterior=fit.posterior.drop_vars("beta")))
    assert leave_one_out(fit)["elpd"].sum() > unexplained["elpd"].sum() + 10

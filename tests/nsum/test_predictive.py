"""Checks of a fit: they must pass for the right model and fail for the wrong one."""

import numpy as np
import pytest
from scipy import stats

from smallarea.errors import InputError
from smallarea.nsum import fit_nsum
from smallarea.nsum.predictive import leave_one_out, predictive_check, surrogate_residuals


@pytest.fixture(scope="module")
def fits(curitiba):
    """Right and wrong model for answers with barrier effects."""
    ard = curitiba("barrier")
    ard = ard.only([*ard.known()[::3], *ard.hidden()]).respondents(np.arange(len(ard)) < 250)
    quick = {"chains": 2, "tune": 400, "draws": 400, "seed": 2}
    return {model: fit_nsum(ard, model, **quick) for model in ("degree", "barrier")}


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

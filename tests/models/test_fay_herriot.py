"""Fay-Herriot against trusted peers, at the boundary, and on bad input.

Oracles (see golden/sae/README.md): sae 1.3 mseFH with PRECISION 1e-13; emdi 2.2.3 fh(); a
log-space maximisation to 1e-12 for the adjusted likelihoods; hbsae 1.2 fSAE.Area(method = "HB").
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from smallarea.errors import InputError
from smallarea.models import fit_fay_herriot
from smallarea.models.area_level import gaussian_posterior

METHODS = ("reml", "ml", "amrl", "ampl", "amrl_yl", "ampl_yl")


def read(golden: Path, name: str) -> dict:
    return json.loads((golden / "sae/outputs" / name).read_text())


@pytest.fixture(scope="module")
def milk(golden: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data = pd.read_csv(golden / "sae/inputs/milk.csv")
    X = np.column_stack([np.ones(len(data)), pd.get_dummies(data["MajorArea"]).iloc[:, 1:]])
    return data["yi"].to_numpy(), X.astype(float), data["var"].to_numpy()


@pytest.fixture(scope="module")
def eusilc(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "sae/inputs/eusilcA_combined.csv").set_index("Domain")


def arrays(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    X = np.column_stack([np.ones(len(table)), table["cash"], table["self_empl"]])
    return table["Mean"].to_numpy(), X, table["Var_Mean"].to_numpy()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("data", ["milk", "eusilcA_Mean_cash_self_empl"])
def test_every_likelihood_reaches_its_maximum(golden, milk, eusilc, data, method):
    oracle = read(golden, "refined_independent.json")[data][method]
    fit = fit_fay_herriot(*(milk if data == "milk" else arrays(eusilc)), method=method)
    assert_allclose(fit.between_variance, oracle["sigma2_u"], rtol=1e-6)
    assert_allclose(fit.coefficients, oracle["beta"], rtol=1e-6)
    assert_allclose(fit.estimate, oracle["eblup"], rtol=1e-6)
    assert_allclose(fit.shrinkage, oracle["gamma"], rtol=1e-6)
    assert_allclose(fit.log_likelihood, oracle["objective"], rtol=1e-8)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_predictors_and_errors_equal_sae(golden, milk, method):
    oracle = read(golden, "milk_fh_sae.json")[f"{method.upper()}_tight"]
    fit = fit_fay_herriot(*milk, method=method)
    assert_allclose(fit.between_variance, oracle["refvar"], rtol=1e-8)
    assert_allclose(fit.estimate, oracle["eblup"], rtol=1e-8)
    assert_allclose(fit.mse, oracle["mse"], rtol=1e-8)
    assert_allclose(np.sqrt(np.diag(fit.coefficient_covariance)), oracle["beta_se"], rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_mean_squared_errors_of_adjusted_likelihoods_equal_emdi(golden, milk, method):
    oracle = read(golden, "milk_fh_emdi.json")[method]
    assert_allclose(fit_fay_herriot(*milk, method=method).mse, oracle["mse"], rtol=1e-3)


def test_areas_outside_the_sample_equal_emdi(golden, eusilc):
    oracle = read(golden, "eusilcA_fh_emdi.json")
    hidden = eusilc.index.isin(oracle["oos_hidden"])
    fit = fit_fay_herriot(*arrays(eusilc[~hidden]), method="reml")
    estimate, mse = fit.predict(arrays(eusilc[hidden])[1])
    table = pd.DataFrame(
        {key: oracle["oos_reml"][key] for key in ("domain", "fh", "mse")}
    ).set_index("domain")
    expected = table.loc[eusilc.index[hidden]]
    assert_allclose(estimate, expected["fh"], rtol=1e-6)
    assert_allclose(mse, expected["mse"], rtol=1e-5)


def test_maximum_likelihood_bias_raises_the_error_outside_the_sample(milk):
    """A is under-estimated by maximum likelihood; the correction must not make it worse."""
    fit = fit_fay_herriot(*milk, method="ml")
    x = milk[1][:1]
    leverage = (x @ fit.coefficient_covariance @ x.T)[0, 0]
    assert fit.bias < 0
    assert fit.predict(x)[1][0] > fit.between_variance + leverage


def test_posterior_equals_hbsae(golden, milk):
    oracle = read(golden, "milk_hb_hbsae.json")["HB"]
    mean, variance = gaussian_posterior(*milk).moments(*milk)
    assert_allclose(mean, oracle["est"], rtol=1e-4)
    assert_allclose(variance, oracle["mse"], rtol=1e-4)


def test_no_variance_between_areas():
    """Data less spread than their sampling errors: REML stops at 0, adjusted likelihoods do not."""
    rng = np.random.default_rng(4)
    y, X, psi = rng.normal(0, 0.1, 60), np.ones((60, 1)), np.ones(60)
    assert fit_fay_herriot(y, X, psi, method="reml").between_variance == 0
    assert_allclose(fit_fay_herriot(y, X, psi, method="reml").estimate, y.mean())
    for method in ("amrl", "ampl", "amrl_yl", "ampl_yl"):
        fit = fit_fay_herriot(y, X, psi, method=method)
        assert fit.between_variance > 0
        assert np.isfinite(fit.mse).all()


def test_units_and_collinear_scales_do_not_matter():
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(80), rng.normal(size=(80, 3))])
    psi = rng.uniform(0.5, 2, 80)
    y = X @ [5, 1, 0, -1] + rng.normal(size=80) * np.sqrt(1 + psi)
    scale = np.array([1, 1e6, 1e-6, 1e3])
    fit, scaled = fit_fay_herriot(y, X, psi), fit_fay_herriot(1e-4 * y, X * scale, 1e-8 * psi)
    assert_allclose(scaled.between_variance, 1e-8 * fit.between_variance, rtol=1e-7)
    assert_allclose(scaled.estimate, 1e-4 * fit.estimate, rtol=1e-7)
    assert_allclose(scaled.coefficients * scale, 1e-4 * fit.coefficients, rtol=1e-6)


def test_errors_are_honest_in_simulation():
    """Mean squared error estimates agree with the error over worlds, in and out of sample."""
    rng = np.random.default_rng(6)
    m, worlds = 60, 400
    X = np.column_stack([np.ones(m), rng.normal(size=(m, 2))])
    psi = rng.uniform(0.3, 2, m)
    inside, outside, claimed = [], [], []
    for _ in range(worlds):
        theta = X @ [1, 1, -1] + rng.normal(size=m)
        y = theta + rng.normal(size=m) * np.sqrt(psi)
        fit = fit_fay_herriot(y[:50], X[:50], psi[:50])
        estimate, mse = fit.predict(X[50:])
        inside.append((fit.estimate - theta[:50]) ** 2)
        outside.append((estimate - theta[50:]) ** 2)
        claimed.append((fit.mse.mean(), mse.mean()))
    own, other = np.mean(claimed, axis=0)
    assert_allclose(own, np.mean(inside), rtol=0.08)
    assert_allclose(other, np.mean(outside), rtol=0.08)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y, X, v: (y, X, -v), "not positive"),
        (lambda y, X, v: (np.append(y[:-1], np.nan), X, v), "missing or infinite"),
        (lambda y, X, v: (y, np.column_stack([X, X[:, 0]]), v), "linearly dependent"),
        (lambda y, X, v: (y, np.column_stack([X, 0 * X[:, 0]]), v), "linearly dependent"),
        (lambda y, X, v: (y[:2], X[:2], v[:2]), "2 areas for 2 coefficients"),
        (lambda y, X, v: (y[:5], X, v), "shapes disagree"),
    ],
)
def test_bad_input_is_refused(change, message):
    rng = np.random.default_rng(7)
    y, X, v = rng.normal(size=20), np.column_stack([np.ones(20), rng.normal(size=20)]), np.ones(20)
    with pytest.raises(InputError, match=message):
        fit_fay_herriot(*change(y, X, v))


def test_unknown_method_is_refused():
    with pytest.raises(InputError, match="unknown method 'mle'"):
        fit_fay_herriot(np.ones(5), np.ones((5, 1)), np.ones(5), method="mle")

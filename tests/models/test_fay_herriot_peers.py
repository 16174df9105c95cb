"""The area-level estimator against trusted peers beyond the standard model.

Oracles (see golden/sae/README.md): sae 1.3 mseSFH to 1e-10; emdi 2.2.3 fh(), whose variances come
from optimize() with its default absolute tolerance of 1e-4, and benchmark(). Where emdi is wrong
the test says so and compares what can be.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import shapiro

from smallarea.models import FayHerriot
from smallarea.models.fay_herriot import benchmark
from smallarea.models.fay_herriot.measurement_error import covariances, quadratic, weights_of_direct


def read(golden: Path, name: str) -> dict:
    return json.loads((golden / "sae/outputs" / f"{name}.json").read_text())


def by_domain(oracle: dict, index: pd.Index) -> pd.DataFrame:
    table = pd.DataFrame({key: oracle[key] for key in ("fh", "mse", "out")}, oracle["domain"])
    return table.loc[index]


@pytest.fixture(scope="module")
def income(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "sae/inputs/eusilcA_combined.csv").set_index("Domain")


@pytest.fixture(scope="module")
def emdi(golden: Path) -> dict:
    return read(golden, "eusilcA_fh_emdi")


def test_areas_outside_the_sample_equal_emdi(emdi, income):
    hidden = income.index.isin(emdi["oos_hidden"])
    X = income[["cash", "self_empl"]]
    seen = income[~hidden].sample(frac=1, random_state=1)  # in any order: areas have names
    model = FayHerriot().fit(X.loc[seen.index], seen["Mean"], seen["Var_Mean"], seen.index)
    estimate, mse = model.predict(X, income.index, return_mse=True)
    expected = by_domain(emdi["oos_reml"], income.index)
    assert_allclose(estimate, expected["fh"], rtol=1e-6)
    assert_allclose(mse, expected["mse"], rtol=1e-5)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_spatial_equals_sae(golden, method):
    data = pd.read_csv(golden / "sae/inputs/grapes.csv")
    W = pd.read_csv(golden / "sae/inputs/grapesprox.csv", header=None).to_numpy()
    oracle = read(golden, "grapes_sfh_sae")[f"SFH_{method.upper()}_tight"]
    X = data[["area", "workdays"]]
    model = FayHerriot(method, fit_intercept=False)
    model.fit(X, data["grapehect"], data["var"], data.index, neighbours=W)
    estimate, mse = model.predict(X, data.index, return_mse=True)
    assert_allclose(model.random_variance_, oracle["refvar"], rtol=1e-8)
    assert_allclose(model.spatial_correlation_, oracle["spatialcorr"], rtol=1e-8)
    assert_allclose(model.coef_, oracle["beta"], rtol=1e-8)
    assert_allclose(np.sqrt(np.diag(model.coef_covariance_)), oracle["beta_se"], rtol=1e-8)
    assert_allclose(estimate, oracle["eblup"], rtol=1e-8)
    assert_allclose(mse, oracle["mse"], rtol=1e-7)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_spatial_equals_emdi(golden, emdi, income, method):
    """The graph is matched by name: it is given in another order than the areas."""
    W = pd.read_csv(golden / "sae/inputs/eusilcA_prox.csv", header=None).to_numpy()
    order = np.random.default_rng(2).permutation(len(W))
    graph = pd.DataFrame(W, income.index, income.index).iloc[order, order[::-1]]
    X = income[["cash", "self_empl"]]
    model = FayHerriot(method)
    model.fit(X, income["Mean"], income["Var_Mean"], income.index, neighbours=graph)
    estimate, mse = model.predict(X, income.index, return_mse=True)
    expected = by_domain(emdi[f"spatial_{method}"], income.index)
    rho, A, _ = emdi[f"spatial_{method}"]["variance"]
    assert_allclose([model.spatial_correlation_, model.random_variance_], [rho, A], rtol=1e-8)
    assert_allclose(estimate, expected["fh"], rtol=1e-8)
    assert_allclose(mse, expected["mse"], rtol=1e-7)


@pytest.mark.parametrize("data", ["milk", "income"])
def test_robust_equals_emdi(golden, emdi, income, data):
    """emdi stops its fixed point at a relative 1e-6."""
    if data == "milk":
        table = pd.read_csv(golden / "sae/inputs/milk.csv")
        X = pd.get_dummies(table["MajorArea"]).iloc[:, 1:].astype(float)
        y, v, oracle = table["yi"], table["var"], read(golden, "milk_fh_emdi")["reblup"]
    else:
        oracle = emdi["reblup"]
        table = income.loc[oracle["domain"]]
        X, y, v = table[["cash", "self_empl"]], table["Mean"], table["Var_Mean"]
    model = FayHerriot("robust").fit(X, y, v, areas=table.index)
    assert_allclose(model.random_variance_, oracle["variance"], rtol=5e-6)
    assert_allclose([model.intercept_, *model.coef_], oracle["beta"], rtol=1e-6)
    assert_allclose(model.predict(X, table.index), oracle["fh"], rtol=1e-6)


def test_logarithms_equal_emdi(emdi, income):
    """emdi's A, 0.0086, is 0.16 % off; its crude way back, mean exp(t + mse / 2), mse of it."""
    X = income[["cash", "self_empl"]]
    data = X, income["Mean"], income["Var_Mean"], income.index
    plain = FayHerriot(scale="log", bias_correction=False).fit(*data)
    estimate, mse = plain.predict(X, income.index, return_mse=True)
    expected = by_domain(emdi["log_crude_reml"], income.index)
    relative = mse / estimate**2
    crude = estimate * np.exp(relative / 2)
    assert_allclose(crude, expected["fh"], rtol=3e-4)
    assert_allclose(crude**2 * relative, expected["mse"], rtol=2e-3)
    corrected = FayHerriot("ml", scale="log").fit(*data)
    slud_maiti = by_domain(emdi["log_sm_ml"], income.index)
    assert_allclose(corrected.predict(X, income.index), slud_maiti["fh"], rtol=4e-4)


@pytest.mark.parametrize("way", ["naive", "bc"])
def test_arcsines_equal_emdi(emdi, income, way):
    """emdi's A, 0.00019, is 1.7 % off.

    Its bias correction integrates over 0 to pi / 2 and drops what lies beyond, so that two areas
    whose predicted arcsine exceeds pi / 2 get 0 for a share of 1; they are left out.
    """
    oracle = emdi[f"arcsin_{way}_boot"]
    X = income[oracle["terms"][1:]]
    model = FayHerriot(scale="arcsine", bias_correction=way == "bc", mse="bootstrap", worlds=1000)
    model.fit(X, income["MTMED"], areas=income.index, effective_size=income["n"])
    estimate, mse = model.predict(X, income.index, return_mse=True)
    expected = by_domain(oracle, income.index)
    inside = estimate < 1 - 1e-4
    assert inside.sum() >= 92
    assert_allclose(model.random_variance_, oracle["variance"], rtol=0.02)
    assert_allclose(estimate[inside], expected["fh"][inside], rtol=5e-4)
    # Two bootstraps, B = 500 and 1,000: each ratio is off by sqrt(2 / 500 + 2 / 1000) = 0.08, and
    # areas share worlds, so that their median is off by nearly as much.
    ratio = mse[inside] / expected["mse"][inside]
    assert_allclose(np.median(ratio), 1, atol=0.08)


@pytest.mark.parametrize("way", ["naive", "bc"])
def test_log_odds_equal_emdi(golden, emdi, way):
    """Areas outside emdi's sample come back naively there; they are left out for `bc`."""
    table = pd.read_csv(golden / "sae/inputs/eusilcA_gini_combined.csv").set_index("Domain")
    oracle = emdi[f"logit_gini_{way}_boot"]
    X, known = table[oracle["terms"][1:]], table["Gini"].notna()
    seen = table[known]
    model = FayHerriot("ml", scale="logit", bias_correction=way == "bc", mse="bootstrap")
    model.fit(X[known], seen["Gini"], seen["Var_Gini"], seen.index)
    estimate, mse = model.predict(X, table.index, return_mse=True)
    expected = by_domain(oracle, table.index)
    same = (expected["out"] == 0) if way == "bc" else np.full(len(table), True)
    assert_allclose(model.random_variance_, oracle["variance"], rtol=5e-4)
    # One of emdi's integrals, over a hundred standard deviations, is off by 0.12 %.
    assert np.quantile(np.abs(estimate / expected["fh"] - 1)[same], 0.98) < 1e-4
    assert_allclose(estimate[same], expected["fh"][same], rtol=2e-3)
    assert_allclose(np.median(mse / expected["mse"]), 1, atol=0.05)


def test_measurement_error_predictor_equals_emdi(emdi, income):
    """At emdi's own parameters.

    They are no solution of the estimating equations: emdi inverts a badly scaled matrix by a
    pseudo-inverse that drops the intercept's direction (intercept 0.0009 with error 1,922). Ours
    solve the equations, whatever the units.
    """
    oracle = emdi["me_ybarra_lohr"]
    table = income.loc[oracle["domain"]]
    X = np.column_stack([np.ones(len(table)), table["Cash"]])
    noise = np.column_stack([np.zeros(len(table)), table["Var_Cash"]])
    C, beta = covariances(noise, X.shape), np.array(oracle["beta"])
    y, psi = table["Mean"].to_numpy(), table["Var_Mean"].to_numpy()
    gamma = weights_of_direct(oracle["variance"], quadratic(beta[None], C)[0], psi)
    assert_allclose(gamma, oracle["gamma"], rtol=1e-12)
    assert_allclose(gamma * y + (1 - gamma) * (X @ beta), oracle["fh"], rtol=1e-12)

    model = FayHerriot().fit(table[["Cash"]], y, psi, X_covariance=noise[:, 1:])
    b = np.array([model.intercept_, *model.coef_])
    extra = quadratic(b[None], C)[0]
    w = 1 / (model.random_variance_ + psi + extra)
    left = (X.T * w) @ X - np.einsum("m,mpq->pq", w, C)
    assert_allclose(left @ b, X.T @ (w * y), rtol=1e-7)
    moment = np.sum((y - X @ b) ** 2 - psi - extra) / (len(y) - 2)
    assert_allclose(model.random_variance_, moment, rtol=1e-7)


@pytest.mark.parametrize("sample", ["", "oos_"])
@pytest.mark.parametrize(
    ("kind", "method"), [("raking", "difference"), ("ratio", "ratio"), ("MSE_adj", "mse")]
)
def test_benchmarking_equals_emdi(golden, emdi, income, sample, kind, method):
    """Weights come in the table's order, estimates in emdi's: they are matched by name."""
    oracle = read(golden, "eusilcA_benchmark_emdi")
    block = oracle[f"{sample}{kind}"]
    estimate = pd.Series(block["fh"], block["domain"])
    errors = emdi["oos_reml"] if sample else {"domain": block["domain"], "mse": oracle["mse"]}
    mse = pd.Series(errors["mse"], errors["domain"])
    adjusted = benchmark(estimate, income["ratio_n"], 20140.09, method, mse)
    assert_allclose(adjusted, block["bench"], rtol=1e-10)
    assert_allclose(adjusted @ income["ratio_n"], 20140.09, rtol=1e-12)


def test_diagnostics_equal_emdi(golden, emdi, income):
    oracle = read(golden, "eusilcA_diagnostics_emdi")
    X = income[["cash", "self_empl"]]
    found = FayHerriot("ml").fit(X, income["Mean"], income["Var_Mean"], income.index).diagnose()
    select = emdi["std_ml"]["model_select"]
    assert_allclose(found.goodness, (oracle["Brown"]["W"], oracle["Brown"]["p"]), rtol=1e-6)
    assert_allclose(found.r2, select["FH_R2"], rtol=1e-10)
    assert_allclose(
        [found.log_likelihood, found.aic, found.bic],
        [select["loglike"], select["AIC"], select["BIC"]],
        rtol=1e-8,
    )
    residual = found.areas["conditional_residual"]
    assert_allclose(shapiro(residual).statistic, oracle["shapiro_stdres"]["statistic"], rtol=1e-5)
    assert_allclose(found.normality["area_effect"], oracle["shapiro_ranef"]["p.value"], rtol=1e-4)

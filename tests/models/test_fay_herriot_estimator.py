"""The area-level estimator used alone: identifiers, invariants, scales at their ends, bad input."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.base import clone

from smallarea.errors import InputError
from smallarea.models import FayHerriot
from smallarea.models.fay_herriot import Profile, benchmark, fit_fay_herriot
from smallarea.models.fay_herriot.replicates import Sample, fit_replicates
from smallarea.models.fay_herriot.robust import huber_effects
from smallarea.models.fay_herriot.scales import SCALES

KINDS = ("reml", "ml", "amrl", "ampl", "amrl_yl", "ampl_yl", "robust")


def areas(seed: int = 1, m: int = 40, p: int = 2, A: float = 1.0) -> pd.DataFrame:
    """Invented areas: covariates x0.., direct estimates y, variances v, by identifier."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(m, p)), columns=[f"x{j}" for j in range(p)])
    table.index = pd.Index([f"area {i:03d}" for i in rng.permutation(m)])
    table["v"] = rng.uniform(0.3, 3, m)
    truth = 5 + table.iloc[:, :p].sum(axis=1) + np.sqrt(A) * rng.normal(size=m)
    table["y"] = truth + np.sqrt(table["v"]) * rng.normal(size=m)
    return table


def fitted(table: pd.DataFrame, *args, **options) -> FayHerriot:
    X = table.filter(like="x")
    return FayHerriot(*args, **options).fit(X, table["y"], table["v"], table.index)


def shares(m: int = 30) -> pd.DataFrame:
    """Areas of 20 respondents, some with none or all of them affected."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"x": rng.normal(size=m)}, [f"a{i}" for i in range(m)])
    table["n"] = 20
    rate = 1 / (1 + np.exp(1 - table["x"] - 0.3 * rng.normal(size=m)))
    table["y"] = rng.binomial(20, rate) / 20
    table.loc["a0", ["x", "y"]] = -2.0, 0.0
    table.loc["a1", ["x", "y"]] = 3.0, 1.0
    return table


# --- identifiers


def test_areas_are_found_by_identifier():
    table = areas()
    model = fitted(table[5:])
    X = table[["x0", "x1"]]
    estimate = pd.Series(model.predict(X, table.index), table.index)
    synthetic = pd.Series(model.predict(X), table.index)
    pd.testing.assert_series_equal(estimate[:5], synthetic[:5])
    effects = (estimate - synthetic)[5:]
    assert_allclose(effects, model.area_effects_[effects.index])
    shuffled = X.sample(frac=1, random_state=0)
    again = pd.Series(model.predict(shuffled, shuffled.index), shuffled.index)
    pd.testing.assert_series_equal(again[X.index], estimate)


def test_an_area_without_data_is_less_certain():
    table = areas()
    model = fitted(table[5:])
    _, mse = model.predict(table[["x0", "x1"]], table.index, return_mse=True)
    assert mse[:5].min() > model.random_variance_ > 0
    assert mse[:5].min() > np.median(mse[5:])
    interval = model.predict_interval(table[["x0", "x1"]], table.index)
    width = interval[:, 1] - interval[:, 0]
    assert width[:5].min() > np.median(width[5:])


def test_columns_are_matched_by_name():
    table = areas()
    model = fitted(table)
    X = table[["x0", "x1"]]
    assert_allclose(model.predict(X[["x1", "x0"]], X.index), model.predict(X, X.index))
    with pytest.raises(InputError, match="columns differ from those of the fit: x1, x9"):
        model.predict(X.rename(columns={"x1": "x9"}), X.index)


def test_errors_of_covariates_are_matched_by_name():
    table = areas()
    X, y, v = table[["x0", "x1"]], table["y"], table["v"]
    noise = pd.DataFrame({"x0": 0.3, "x1": 0.0}, table.index)
    fits = [FayHerriot().fit(X, y, v, X_covariance=c) for c in (noise, noise[["x1", "x0"]])]
    assert_allclose(fits[0].coef_, fits[1].coef_, rtol=1e-12)
    assert_allclose(
        fits[0].coef_covariance_,
        FayHerriot().fit(X, y, v, X_covariance=noise.to_numpy()).coef_covariance_,
        rtol=1e-12,
    )


def test_it_is_a_scikit_learn_estimator():
    table = areas()
    model = FayHerriot("ml", scale="log", worlds=50)
    assert clone(model).get_params() == model.get_params()
    model = fitted(table, "ml")
    again = pickle.loads(pickle.dumps(model))
    X = table[["x0", "x1"]]
    assert_allclose(again.predict(X, X.index), model.predict(X, X.index))
    assert model.n_features_in_ == 2
    assert model.coef_.shape == (2,)
    assert model.coef_covariance_.shape == (3, 3)
    assert 0 < model.score(X, table["y"]) < 1
    with pytest.raises(InputError, match="has not been fitted"):
        FayHerriot().predict(X)


# --- invariants


@given(seed=st.integers(0, 1000), method=st.sampled_from(KINDS))
def test_the_order_of_rows_does_not_matter(seed, method):
    table = areas(seed, m=25)
    order = table.sample(frac=1, random_state=seed)
    one, other = (fitted(t, method) for t in (table, order))
    X = table[["x0", "x1"]]
    assert_allclose(one.predict(X, X.index), other.predict(X, X.index), rtol=1e-6)


@given(seed=st.integers(0, 1000), method=st.sampled_from(KINDS[:-1]))
def test_predictions_lie_between_direct_and_synthetic(seed, method):
    table = areas(seed, m=25)
    model = fitted(table, method)
    X = table[["x0", "x1"]]
    estimate, synthetic = model.predict(X, X.index), model.predict(X)
    ends = np.sort(np.column_stack([table["y"], synthetic]), axis=1)
    assert (ends[:, 0] - 1e-9 <= estimate).all()
    assert (estimate <= ends[:, 1] + 1e-9).all()
    assert ((model.shrinkage_ >= 0) & (model.shrinkage_ <= 1)).all()


@given(seed=st.integers(0, 1000), method=st.sampled_from(KINDS))
def test_a_worthless_direct_estimate_gives_the_synthetic_one(seed, method):
    table = areas(seed, m=25)
    table.iloc[0, table.columns.get_indexer(["v", "y"])] = 1e12, 1e3
    model = fitted(table, method, mse="auto", worlds=2)
    X = table[["x0", "x1"]][:1]
    assert_allclose(model.predict(X, X.index), model.predict(X), rtol=1e-6)
    # What fits to the others alone: the area has no weight.
    assert_allclose(model.coef_, fitted(table[1:], method).coef_, rtol=0.1, atol=0.1)


@given(seed=st.integers(0, 1000), method=st.sampled_from(KINDS))
def test_an_exact_direct_estimate_is_kept(seed, method):
    table = areas(seed, m=25, A=4.0)
    table.iloc[0, table.columns.get_loc("v")] = 1e-9
    model = fitted(table, method)
    X = table[["x0", "x1"]][:1]
    if model.random_variance_ > 1e-3:
        tolerance = 1e-3 if method == "robust" else 1e-5  # a Huber effect stops k psi / sqrt(A) off
        assert_allclose(model.predict(X, X.index), table["y"][:1], atol=tolerance)


@given(
    e=st.floats(-50, 50),
    A=st.floats(0.01, 20),
    psi=st.floats(0.01, 20),
)
def test_robust_effects_solve_their_equation(e, A, psi):
    """psi((e - v) / s) / s = psi(v / sigma) / sigma; where sigma = s a whole interval does."""

    def huber(r: float) -> float:
        return float(np.clip(r, -1.345, 1.345))

    v = float(huber_effects(np.array([e]), np.array([A]), np.array([psi]), 1.345)[0])
    s, sigma = np.sqrt(psi), np.sqrt(A)
    assert_allclose(huber((e - v) / s) / s, huber(v / sigma) / sigma, atol=1e-9)


def test_replicates_are_fitted_as_if_one_by_one():
    table = areas(m=60)
    for method in KINDS[:-1]:
        model = fitted(table, method)
        fit = model.fit_
        rng = np.random.default_rng(0)
        mean = fit.X @ fit.coefficients
        sample = Sample.draw(mean, 0.3, fit.variance, 12, rng)
        A, beta = fit_replicates(Profile(mean, fit.X, fit.variance), sample.y, method)
        for b in range(12):
            alone = fit_fay_herriot(sample.y[:, b], fit.X, fit.variance, method)
            assert_allclose(A[b], alone.between_variance, rtol=1e-4, atol=1e-6)
            assert_allclose(beta[:, b], alone.coefficients, atol=1e-5)


@pytest.mark.parametrize("method", ["reml", "robust"])
def test_the_bootstrap_is_repeatable(method):
    table = areas()
    X = table[["x0", "x1"]]
    errors = [
        fitted(table, method, mse="bootstrap", worlds=20, random_state=seed).predict(
            X, X.index, return_mse=True
        )[1]
        for seed in (1, 1, 2)
    ]
    assert_allclose(errors[0], errors[1], rtol=1e-12)
    assert not np.allclose(errors[0], errors[2])


# --- scales


@pytest.mark.parametrize("scale", ["logit", "arcsine"])
@pytest.mark.parametrize("correction", [True, False])
def test_shares_of_zero_and_one_are_handled(scale, correction):
    table = shares()
    model = FayHerriot(scale=scale, bias_correction=correction)
    model.fit(table[["x"]], table["y"], areas=table.index, effective_size=table["n"])
    estimate, mse = model.predict(table[["x"]], table.index, return_mse=True)
    interval = model.predict_interval(table[["x"]], table.index)
    for values in (estimate, interval):
        assert ((values >= 0) & (values <= 1)).all()
    assert (np.isfinite(mse) & (mse >= 0)).all()
    assert (interval[:, 0] <= interval[:, 1]).all()
    assert 0 < estimate[0] < 0.2
    assert 0.8 < estimate[1] <= 1


@pytest.mark.parametrize("scale", ["logit", "arcsine"])
def test_shares_of_zero_borrow_the_mean_share_when_only_variances_are_known(scale):
    table = shares()
    p = table["y"].mean()
    variance = np.where(table["y"].isin([0, 1]), p * (1 - p), table["y"] * (1 - table["y"])) / 20
    model = FayHerriot(scale=scale)
    by_variance = model.fit(table[["x"]], table["y"], variance).variance_.copy()
    by_size = model.fit(table[["x"]], table["y"], effective_size=table["n"]).variance_
    assert_allclose(by_variance, by_size, rtol=1e-10)


def test_a_zero_has_no_logarithm():
    table = areas()
    table["y"] = table["y"].abs()
    table.iloc[0, table.columns.get_loc("y")] = 0.0
    with pytest.raises(InputError, match="1 direct estimates are not positive on the log scale"):
        fitted(table, scale="log")


@pytest.mark.parametrize("scale", ["log", "logit", "arcsine"])
def test_moments_of_the_way_back_equal_simulation(scale):
    """A million draws: mean and variance to five Monte Carlo errors."""
    rng = np.random.default_rng(8)
    mean, variance = np.array([0.2, 0.7, 1.3]), np.array([0.01, 0.1, 0.5])
    draws = SCALES[scale].back(mean + np.sqrt(variance) * rng.normal(size=(1_000_000, 3)))
    first, second = SCALES[scale].moments(mean, variance)
    error = 5 * draws.std(0) / 1e3
    assert (np.abs(first - draws.mean(0)) < error).all()
    assert_allclose(second, draws.var(0), rtol=0.02)


# --- a total known from elsewhere


def test_benchmark_refuses_what_it_cannot_match():
    estimate = pd.Series([1.0, 2.0], ["a", "b"])
    weight = pd.Series([0.5, 0.5], ["b", "a"])
    for bad, message in (
        ({"weight": weight.rename({"a": "c"})}, "differ from those of the estimates"),
        ({"weight": weight * np.nan}, "missing or infinite"),
        ({"weight": -weight}, "negative or sum to zero"),
        ({"method": "mse"}, "without mean squared errors"),
        ({"method": "ratio", "total": -3.0}, "no ratio above zero"),
        ({"method": "raking"}, "unknown method 'raking'"),
        ({"total": np.nan}, "the total is nan"),
        ({"estimate": pd.Series([1.0, 2.0], ["a", "a"])}, "appear twice"),
    ):
        with pytest.raises(InputError, match=message):
            benchmark(**({"estimate": estimate, "weight": weight, "total": 2.0} | bad))


# --- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d | {"areas": ["a"] * 40}, "areas appear twice: a"),
        (lambda d: d | {"areas": [None, *d["areas"][1:]]}, "1 areas have no identifier"),
        (lambda d: d | {"areas": d["areas"][:-1]}, "39 areas for 40 rows"),
        (lambda d: d | {"variance": d["variance"] * 0}, "variance is not positive"),
        (lambda d: d | {"variance": d["variance"] * np.nan}, "variance is missing or infinite"),
        (lambda d: d | {"variance": None}, "no sampling variances"),
        (lambda d: d | {"y": d["y"].where(d["y"] > d["y"].min())}, "missing or infinite"),
        (lambda d: d | {"y": d["y"][::-1]}, "labelled otherwise than those of X"),
        (lambda d: d | {"y": d["y"].astype(str) + "?"}, "no numbers"),
        (lambda d: d | {"X": d["X"].assign(x0=np.nan)}, "covariates are missing"),
        (lambda d: d | {"X": d["X"].assign(x0=1.0)}, "linearly dependent"),
        (lambda d: d | {"X": d["X"]["x0"]}, "1 dimensions"),
        (lambda d: d | {"neighbours": np.eye(40)}, "their own"),
        (lambda d: d | {"neighbours": np.ones((3, 3))}, r"shape \(3, 3\) for 40 areas"),
        (
            lambda d: d | {"neighbours": pd.DataFrame(np.zeros((2, 2)), list("ab"), list("ab"))},
            "areas are not among the neighbours",
        ),
        (
            lambda d: d | {"X": d["X"].assign(x0=1.0), "neighbours": np.zeros((40, 40))},
            "linearly dependent",
        ),
        (lambda d: d | {"X_covariance": np.ones((40, 3))}, "errors of X have shape"),
        (lambda d: d | {"X_covariance": -np.ones((40, 2))}, "error variance of X is negative"),
        (lambda d: d | {"X_covariance": 9 * np.ones((40, 2))}, "exceed their variation"),
    ],
)
def test_bad_input_is_refused(change, message):
    table = areas()
    data = {"X": table[["x0", "x1"]], "y": table["y"], "variance": table["v"]}
    with pytest.raises(InputError, match=message):
        FayHerriot().fit(**change(data | {"areas": list(table.index)}))


@pytest.mark.parametrize(
    ("options", "given_too", "message"),
    [
        ({"method": "mle"}, {}, "unknown method 'mle'"),
        ({"scale": "probit"}, {}, "unknown scale 'probit'"),
        ({"mse": "jackknife"}, {}, "unknown mse 'jackknife'"),
        ({"spatial": "car"}, {}, "unknown spatial 'car'"),
        ({"worlds": 0}, {}, "0 bootstrap worlds"),
        ({"method": "robust", "tuning": 0.0}, {}, "Huber's constant is 0.0"),
        ({"method": "robust", "mse": "formula"}, {}, "no formula for the errors"),
        ({"method": "robust"}, {"neighbours": np.zeros((40, 40))}, "a spatial fit is by"),
        ({"method": "ml"}, {"X_covariance": np.zeros((40, 2))}, "their own moment equations"),
        ({"scale": "logit"}, {}, "shares lie outside 0 to 1"),
        ({"scale": "arcsine"}, {}, "shares lie outside 0 to 1"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, given_too, message):
    table = areas()
    with pytest.raises(InputError, match=message):
        FayHerriot(**options).fit(table[["x0", "x1"]], table["y"], table["v"], **given_too)


def test_areas_to_predict_are_checked():
    table = areas()
    X, model = table[["x0", "x1"]], fitted(table)
    for ids, message in (
        (["a"] * 40, "areas appear twice"),
        (range(40), "text in one place and numbers in another"),
        ([np.nan] * 40, "have no identifier"),
        (["a"], "1 areas for 40 rows"),
    ):
        with pytest.raises(InputError, match=message):
            model.predict(X, ids)
    with pytest.raises(InputError, match="the level is 95"):
        model.predict_interval(X, X.index, level=95)
    nameless = FayHerriot().fit(X, table["y"], table["v"])
    with pytest.raises(InputError, match="the fit was given no identifiers"):
        nameless.predict(X, X.index)

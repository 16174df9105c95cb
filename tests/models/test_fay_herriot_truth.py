"""The area-level estimator in worlds whose truth is known, and around the US census."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from smallarea.models import FayHerriot
from smallarea.models.fay_herriot.scales import SCALES

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def world(rng: np.random.Generator, m: int, A: float = 1.0) -> tuple[np.ndarray, ...]:
    """Return covariates (m, 2), sampling variances and true values (m,)."""
    X = rng.normal(size=(m, 2))
    return X, rng.uniform(0.3, 2, m), 2 + X @ [1, -1] + np.sqrt(A) * rng.normal(size=m)


def observe(rng: np.random.Generator, truth: np.ndarray, psi: np.ndarray) -> np.ndarray:
    return truth + np.sqrt(psi) * rng.normal(size=len(psi))


@pytest.mark.parametrize(("m", "A"), [(20, 0.2), (60, 1.0)])
def test_intervals_cover_in_and_out_of_sample(m, A):
    """95 % intervals of 200 worlds, a third of the areas without data.

    Areas of one world share its estimates, so the Monte Carlo error is that of 200 worlds whose
    own coverage varies by about 0.1: 0.007. Intervals are Bayesian and may be wide with few areas
    and a small A, where the flat prior on A says more than the data.
    """
    rng, hits = np.random.default_rng(m), []
    for _ in range(200):
        X, psi, truth = world(rng, m + m // 2, A)
        names = pd.Index(range(len(X)))
        model = FayHerriot().fit(X[:m], observe(rng, truth, psi)[:m], psi[:m], names[:m])
        low, high = model.predict_interval(X, names).T
        hit = (low <= truth) & (truth <= high)
        hits.append((hit[:m].mean(), hit[m:].mean()))
    inside, outside = np.mean(hits, axis=0)
    assert 0.935 < inside < (0.985 if A < 1 else 0.97)
    assert 0.935 < outside < (0.995 if A < 1 else 0.975)


@pytest.mark.parametrize("method", ["reml", "ml", "amrl_yl", "ampl"])
def test_errors_by_formula_and_by_bootstrap_are_honest(method):
    """Both agree with the true mean squared error, to 8 % in 300 worlds (its error is 2 %).

    The bootstrap plugs in A, which lacks second order: up to 15 % too low with forty areas.
    """
    rng, true, formula, bootstrap = np.random.default_rng(5), [], [], []
    for w in range(300):
        X, psi, truth = world(rng, 40)
        names = pd.Index(range(40))
        y = observe(rng, truth, psi)
        model = FayHerriot(method).fit(X, y, psi, names)
        estimate, mse = model.predict(X, names, return_mse=True)
        true.append(np.mean((estimate - truth) ** 2))
        formula.append(mse.mean())
        if w < 60:
            model.set_params(mse="bootstrap", worlds=50)
            bootstrap.append(model.predict(X, names, return_mse=True)[1].mean())
    assert_allclose(np.mean(formula), np.mean(true), rtol=0.08)
    assert 0.85 < np.mean(bootstrap) / np.mean(true) < 1.08


def test_outliers_hurt_a_robust_fit_less():
    """One area in ten lies five standard deviations off.

    Ordinary A is drawn up by them, so that the other areas are shrunk too little; judged on
    those others.
    """
    rng, errors = np.random.default_rng(6), []
    for _ in range(60):
        X, psi, truth = world(rng, 80, A=0.2)
        truth[:8] += 5 * rng.choice([-1, 1], 8)
        y = observe(rng, truth, psi)
        names = pd.Index(range(80))
        errors.append(
            [
                np.mean((FayHerriot(k).fit(X, y, psi, names).predict(X, names) - truth)[8:] ** 2)
                for k in ("reml", "robust")
            ]
        )
    ordinary, robust = np.mean(errors, axis=0)
    assert robust < 0.8 * ordinary


def test_noisy_covariates_are_neither_attenuated_nor_trusted():
    """Slope 1 measured with reliability about 0.5: ordinary fits find half of it, ours all of it.

    Where the covariate is good its area gains from the better slope; where it is bad the area
    leans on its own direct estimate and is still better than that alone. Errors are claimed
    for either kind (Monte Carlo error of a ratio: 3 %).
    """
    rng, slopes, rows = np.random.default_rng(7), [], []
    for _ in range(40):
        x, psi = rng.normal(size=200), rng.uniform(0.3, 2, 200)
        truth = 2 + x + np.sqrt(0.3) * rng.normal(size=200)
        noise = rng.choice([0.1, 1.9], 200)
        seen = (x + np.sqrt(noise) * rng.normal(size=200))[:, None]
        y, names = observe(rng, truth, psi), pd.Index(range(200))
        ours = FayHerriot(worlds=30).fit(seen, y, psi, names, X_covariance=noise[:, None])
        plain = FayHerriot().fit(seen, y, psi, names)
        slopes.append((ours.coef_[0], plain.coef_[0]))
        estimate, mse = ours.predict(seen, names, return_mse=True)
        squares = [(e - truth) ** 2 for e in (estimate, plain.predict(seen, names), y)]
        table = pd.DataFrame(np.column_stack([*squares, mse]), columns=["ours", "fh", "y", "mse"])
        rows.append(table.groupby(noise).mean())
    ours, plain = np.mean(slopes, axis=0)
    assert_allclose(ours, 1, atol=0.06)  # Monte Carlo error 0.015; the estimator's own bias 0.02
    assert plain < 0.65
    error = sum(rows) / len(rows)
    assert error.loc[0.1, "ours"] < 0.9 * error.loc[0.1, "fh"]
    assert error.loc[1.9, "ours"] < 0.95 * error.loc[1.9, "y"]
    # Claims are too high by a tenth where the covariate is good: on the safe side.
    assert_allclose(error["mse"], error["ours"], rtol=0.16)
    assert (error["mse"] > 0.94 * error["ours"]).all()


def test_neighbours_help_where_effects_are_spatial():
    """On a ring with rho = 0.8: rho is found, and areas without data borrow from neighbours."""
    rng, N = np.random.default_rng(8), 90
    ring = np.roll(np.eye(N), 1, axis=1) + np.roll(np.eye(N), -1, axis=1)
    names = pd.Index([f"a{i}" for i in range(N)])
    graph = pd.DataFrame(ring, names, names)
    root = np.linalg.inv(np.eye(N) - 0.8 * ring / 2)
    rho, errors, claims = [], [], []
    for _ in range(15):
        X, psi = rng.normal(size=(N, 1)), rng.uniform(0.2, 1, N)
        truth = 2 + X[:, 0] + root @ rng.normal(size=N)
        y, seen = observe(rng, truth, psi), rng.uniform(size=N) < 0.7
        data = X[seen], y[seen], psi[seen], names[seen]
        spatial = FayHerriot().fit(*data, neighbours=graph)
        estimate, mse = spatial.predict(X, names, return_mse=True)
        plain = FayHerriot().fit(*data).predict(X, names)
        rho.append(spatial.spatial_correlation_)
        errors.append([np.mean((e - truth)[~seen] ** 2) for e in (estimate, plain)])
        claims.append(mse[~seen].mean())
    assert 0.6 < np.mean(rho) < 0.9
    with_neighbours, without = np.mean(errors, axis=0)
    assert with_neighbours < 0.75 * without
    assert_allclose(np.mean(claims), with_neighbours, rtol=0.2)


@pytest.mark.parametrize(
    ("scale", "centre", "A"), [("log", 1.0, 0.5), ("logit", -2.0, 0.8), ("arcsine", 0.5, 0.03)]
)
def test_the_way_back_is_unbiased(scale, centre, A):
    """Over 60 worlds the mean prediction meets the mean truth; without correction it does not."""
    way, rng, sums = SCALES[scale], np.random.default_rng(9), np.zeros(3)
    names = pd.Index(range(100))
    for _ in range(60):
        x, psi = rng.normal(size=(100, 1)), A * rng.uniform(1, 2, 100)
        z = centre + np.sqrt(A) / 2 * x[:, 0] + np.sqrt(A) * rng.normal(size=100)
        observed = observe(rng, z, psi)
        y, given = way.back(observed), {"variance": way.slope(observed) ** 2 * psi}
        if scale == "arcsine":
            given = {"effective_size": 1 / (4 * psi)}
        sums[0] += way.back(z).mean()
        for i, correction in enumerate((True, False), start=1):
            model = FayHerriot(scale=scale, bias_correction=correction)
            sums[i] += model.fit(x, y, areas=names, **given).predict(x, names).mean()
    truth, corrected, naive = sums
    assert_allclose(corrected, truth, rtol=0.03)
    assert naive < 0.98 * truth


@pytest.fixture(scope="module")
def us_states():
    spec = importlib.util.spec_from_file_location("us_states", BENCHMARKS / "us_states.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("held_out", [0, 10])
def test_us_states_around_their_census(real_data, us_states, held_out):
    """Forty surveys: half the direct estimate's error, and intervals that cover the census.

    Coverage of 40 x 51 state figures; states of one survey share its estimates, so its Monte Carlo
    error is about 0.01 (0.02 with ten states held out).
    """
    table, truth = us_states.load(real_data / "world/us_acs")
    found = us_states.study(table, truth, "reml", us_states.SUBSET, held_out)
    assert found["rmse"] < (0.55 if held_out == 0 else 0.65) * found["rmse_direct"]
    assert found["rmse"] <= found["rmse_synthetic"]
    assert 0.92 < found["coverage"] < 0.98

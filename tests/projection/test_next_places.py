"""Choosing where to interview next: closed forms, and gains that are there when looked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.covariance import ledoit_wolf

from smallarea.errors import InputError
from smallarea.projection.next_places import Covariance, next_places

AREAS = 200
IDS = [f"{i:010d}" for i in range(AREAS)]


def world(seed: int = 0) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    """Mean and covariance of the areas' rates, three shared factors, and populations."""
    rng = np.random.default_rng(seed)
    mean = 0.002 * np.exp(rng.normal(0, 0.3, AREAS))
    factors = rng.normal(0, 0.15, (AREAS, 3))
    cov = (factors @ factors.T + 0.1 * np.eye(AREAS)) * np.outer(mean, mean)
    return mean, cov, pd.Series(rng.lognormal(10, 0.7, AREAS), IDS)


def draw(mean: np.ndarray, cov: np.ndarray, n: int, seed: int) -> xr.DataArray:
    values = np.random.default_rng(seed).multivariate_normal(mean, cov, n, method="cholesky").T
    return xr.DataArray(values, dims=("area_id", "draw"), coords={"area_id": IDS})


def remaining(cov: np.ndarray, noise: np.ndarray, places: list[int], share: np.ndarray):
    """Exact standard deviations left after observing the places all at once."""
    s = cov[np.ix_(places, places)] + np.diag(noise[places])
    left = cov - cov[:, places] @ np.linalg.solve(s, cov[places])
    now = np.array([share @ left @ share, share @ left.diagonal()])
    return np.sqrt(now / [share @ cov @ share, share @ cov.diagonal()])


@pytest.mark.parametrize("target", ["nation", "areas"])
def test_claimed_gains_are_real_and_better_than_chance(target: str):
    mean, cov, population = world()
    rates = draw(mean, cov, 2000, 1)
    table = next_places(rates, population, 5000.0, number=15, target=target, psu_cv=0.2)
    share = (population / population.sum()).to_numpy()
    noise = mean / 5000 + (0.2 * mean) ** 2
    truth = remaining(cov, noise, [IDS.index(i) for i in table.index], share)
    assert table["nation_sd"].iloc[-1] == pytest.approx(truth[0], abs=0.04)
    assert table["areas_sd"].iloc[-1] == pytest.approx(truth[1], abs=0.02)
    rng = np.random.default_rng(2)
    by_chance = [
        remaining(cov, noise, list(rng.choice(AREAS, 15, False, share)), share) for _ in range(40)
    ]
    column = ["nation", "areas"].index(target)
    assert truth[column] < np.quantile([c[column] for c in by_chance], 0.05)
    assert (table[["nation_sd", "areas_sd"]].diff().dropna() < 1e-12).all(axis=None)


def test_with_independent_areas_the_uncertain_and_populous_come_first():
    mean = np.full(AREAS, 0.002)
    sd = np.full(AREAS, 2e-4)
    population = pd.Series(1000.0, IDS)
    sd[3], population.iloc[7] = 1e-3, 20_000.0
    rates = draw(mean, np.diag(sd**2), 4000, 3)
    first = next_places(rates, population, 1e6, number=2, target="nation", psu_cv=0.0)
    assert set(first.index) == {IDS[3], IDS[7]}


def test_only_candidates_are_chosen_and_precise_areas_are_left_alone():
    mean, cov, population = world(4)
    rates = draw(mean, cov, 1000, 5)
    table = next_places(rates, population, 5000.0, number=5, candidates=IDS[:5])
    assert sorted(table.index) == IDS[:5]
    exposure = pd.Series(1e-3, IDS)
    exposure.iloc[10] = 1e5  # only here would anybody know anybody
    assert next_places(rates, population, exposure, number=1).index[0] == IDS[10]


def dense(cov: Covariance) -> np.ndarray:
    return np.column_stack([cov.times(unit) for unit in np.eye(len(cov.own))])


def test_covariance_shrinks_noise_and_keeps_variances():
    rng = np.random.default_rng(6)
    draws = rng.normal(0, np.arange(1, 301)[:, None], (300, 400))
    estimate = dense(Covariance(draws))
    assert np.allclose(estimate.diagonal(), draws.var(axis=1))
    scale = np.sqrt(np.outer(estimate.diagonal(), estimate.diagonal()))
    assert np.abs(estimate / scale - np.eye(300)).max() < 0.05


def test_covariance_is_that_of_the_whole_matrix():
    """Ledoit and Wolf's as scikit-learn computes it, conditioned as a matrix of all areas."""
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 120)) + rng.normal(size=(40, 120))
    sd, share = draws.std(axis=1, keepdims=True), rng.uniform(size=40)
    scaled = (draws - draws.mean(axis=1, keepdims=True)) / sd
    whole = ledoit_wolf(scaled.T, assume_centered=True)[0] * sd * sd.T
    cov = Covariance(draws)
    for place in (3, 17):
        np.testing.assert_allclose(dense(cov), whole, atol=1e-12)
        np.testing.assert_allclose(cov.diagonal(), whole.diagonal(), rtol=1e-12)
        np.testing.assert_allclose(cov.squares(share), share @ whole**2, rtol=1e-12)
        cov.observe(place, 0.7)
        column = whole[:, place] / np.sqrt(whole[place, place] + 0.7)
        whole = whole - np.outer(column, column)


def test_bad_requests_are_refused():
    mean, cov, population = world()
    rates = draw(mean, cov, 200, 1)
    with pytest.raises(InputError, match="places wanted"):
        next_places(rates, population, 5000.0, number=AREAS + 1)
    with pytest.raises(InputError, match="candidates have no draws"):
        next_places(rates, population, 5000.0, number=1, candidates=["9999999999"])
    with pytest.raises(InputError, match="no population"):
        next_places(rates, population.iloc[1:], 5000.0, number=1)
    with pytest.raises(InputError, match="too little"):
        next_places(rates.isel(draw=slice(0, 50)), population, 5000.0, number=1)

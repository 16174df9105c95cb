"""Several models' draws as one."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, spearmanr

from smallarea.models import pool

N = 400


def draws(seed: int, shift: float = 0.0, sd: float = 1.0, rho: float = 0.5) -> xr.DataArray:
    """Log-normal rates of two components in three areas, alike correlated."""
    rng = np.random.default_rng(seed)
    z = np.sqrt(rho) * rng.standard_normal(N) + np.sqrt(1 - rho) * rng.standard_normal((2, 3, N))
    coords = {"component": ["c", "d"], "area_id": ["1", "2", "3"]}
    return xr.DataArray(np.exp(shift + sd * z), coords, ("component", "area_id", "draw"))


def test_quantiles_are_geometric_means():
    parts = [draws(1, 0.0, 0.5), draws(2, 1.0, 1.5)]
    pooled = pool(parts)
    sorted_logs = [np.sort(np.log(part), axis=2) for part in parts]
    expected = (sorted_logs[0] + sorted_logs[1]) / 2
    np.testing.assert_allclose(np.sort(np.log(pooled), axis=2), expected)


def test_correlations_are_means():
    """Against their errors over 400 draws: 1 / sqrt(400) = .05, six pairs averaged."""
    pooled = pool([draws(3, rho=0.9), draws(4, rho=0.1)]).to_numpy()
    found = np.mean([spearmanr(pooled[0, i], pooled[1, j])[0] for i, j in ((0, 1), (1, 2), (2, 0))])
    assert found == pytest.approx(0.5, abs=0.12)


@given(st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_pooled_values_lie_between_the_models(seed):
    parts = [draws(seed), draws(seed + 1, 0.3)]
    pooled = pool(parts)
    ranked = [np.sort(part, axis=2) for part in parts]
    found = np.sort(pooled, axis=2)
    assert (found >= np.minimum(*ranked) * (1 - 1e-9)).all()
    assert (found <= np.maximum(*ranked) * (1 + 1e-9)).all()


def test_one_model_is_itself_and_areas_are_pooled_alone():
    part, other = draws(5), draws(6)
    assert pool([part]).identical(part)
    whole = pool([part, other])
    some = ["3", "1"]
    alone = pool([part.sel(area_id=some), other.sel(area_id=some)])
    np.testing.assert_array_equal(alone, whole.sel(area_id=some))


def test_models_that_differ_in_areas_are_refused():
    with pytest.raises(ValueError, match="area_id"):
        pool([draws(1), draws(2).isel(area_id=[0, 1])])


def test_a_pool_of_disagreeing_models_is_no_wider_than_they_are():
    pooled = np.log(pool([draws(7, -1.0), draws(8, 1.0)]))
    low, high = np.quantile(pooled, [0.1, 0.9], axis=2)
    # Two normal quantiles, each from 400 draws: errors of about .09.
    np.testing.assert_allclose(high - low, 2 * norm.ppf(0.9), atol=0.35)

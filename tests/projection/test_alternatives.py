"""Other ways to agree: totals hold, rates stay rates, and what the golden peer has comes out."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from smallarea.projection.alternatives import METHODS, difference, raking, ratio, side_by_side


def areas(seed: int, level: float, gap: float):
    """Rates (draw, area), sizes and totals `gap` times (on odds) what the rates add up to."""
    rng = np.random.default_rng(seed)
    rates = expit(logit(level) + rng.normal(0, 1.5, (20, 9)))
    size = rng.lognormal(8, 1, 9)
    share = expit(logit(rates @ size / size.sum()) + np.log(gap))
    return rates, size, share * size.sum()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    level=st.sampled_from([1e-5, 0.02, 0.5, 0.95]),
    gap=st.sampled_from([0.05, 0.5, 0.99, 1.3, 20.0]),
    name=st.sampled_from(sorted(METHODS)),
)
def test_totals_hold_rates_stay_rates_and_order_is_irrelevant(seed, level, gap, name):
    rates, size, total = areas(seed, level, gap)
    made = METHODS[name](rates, size, total)
    np.testing.assert_allclose(made @ size, total, rtol=1e-9)
    assert ((made >= 0) & (made <= 1)).all()
    mixed = np.random.default_rng(seed).permutation(len(size))
    again = METHODS[name](rates[:, mixed], size[mixed], total)
    np.testing.assert_allclose(again, made[:, mixed], rtol=1e-7, atol=1e-15)
    kept = np.sign(np.diff(np.take_along_axis(made, rates.argsort(axis=1), axis=1), axis=1))
    assert (kept >= 0).all()  # none makes a place with a lower rate the higher one


def test_each_keeps_what_it_promises():
    rates, size, total = areas(1, 0.02, 1.3)
    odds = raking(rates, size, total) / (1 - raking(rates, size, total))
    np.testing.assert_allclose(np.ptp(odds / (rates / (1 - rates)), axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(np.ptp(ratio(rates, size, total) / rates, axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.ptp(difference(rates, size, total) - rates, axis=1), 0, atol=1e-9)


def test_raking_is_what_iterative_proportional_fitting_comes_to():
    rates, size, total = areas(2, 0.1, 1.7)
    table = np.stack([rates[0] * size, (1 - rates[0]) * size])  # counted or not, by area
    for _ in range(500):
        table *= (np.array([total[0], size.sum() - total[0]]) / table.sum(axis=1))[:, None]
        table *= size / table.sum(axis=0)
    np.testing.assert_allclose(raking(rates, size, total)[0], table[0] / size, rtol=1e-8)


@pytest.mark.parametrize(("kind", "method"), [("raking", difference), ("ratio", ratio)])
def test_benchmarks_equal_emdi(golden, kind, method):
    """Incomes as shares of a million; emdi calls raking what is a difference."""
    outputs = golden / "sae" / "outputs"
    block = json.loads((outputs / "eusilcA_benchmark_emdi.json").read_text())[kind]
    weights = pd.read_csv(golden / "sae" / "inputs" / "eusilcA_combined.csv")
    share = weights.set_index("Domain")["ratio_n"].loc[block["domain"]].to_numpy()
    made = method(np.array([block["fh"]]) / 1e6, share, np.array([20140.09]) / 1e6)
    np.testing.assert_allclose(made[0] * 1e6, block["bench"], rtol=1e-10)


def test_nothing_moves_where_totals_hold_already_and_units_are_compared_one_by_one():
    rates, size, _ = areas(3, 0.02, 1.0)
    ids = np.array([f"a{i}" for i in range(9)], dtype=object)
    coords = {"component": ["c"], "area_id": ids}
    draws = xr.DataArray(rates.T[None], dims=("component", "area_id", "draw"), coords=coords)
    sizes = xr.DataArray(size[None], dims=("component", "area_id"), coords=coords)
    held = pd.Series(["u"] * 4 + ["v"] * 4 + [""], ids)
    table = side_by_side(draws, draws, sizes, held)
    assert list(table.columns) == [f"{m}_{end}" for m in METHODS for end in ("median", "max")]
    np.testing.assert_allclose(table, 0, atol=1e-9)
    agreed = draws.copy()
    agreed[0, 4:8] *= 1.5
    moved = side_by_side(draws, agreed, sizes, held).loc["c"]
    assert moved["ratio_max"] < 1e-9  # each unit has its own factor
    assert moved["difference_max"] > 0.1

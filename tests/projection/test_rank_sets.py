"""Ranks that hold for all areas at once: against brute force, and as often as stated."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.projection import rank_sets as module
from smallarea.projection.rank_sets import comparison_intervals, rank_sets, top_sets


def draws_of(values: np.ndarray) -> xr.DataArray:
    ids = [f"a{i:03d}" for i in range(len(values))]
    return xr.DataArray(values, dims=("area_id", "draw"), coords={"area_id": ids})


def true_ranks(truth: np.ndarray) -> np.ndarray:
    return 1 + (truth[None] > truth[:, None]).sum(axis=1)


@given(st.integers(2, 12), st.integers(0, 10_000))
def test_the_widest_difference_is_that_of_all_pairs(areas, seed):
    rng = np.random.default_rng(seed)
    gap, spread = rng.standard_t(3, (areas, 5)), rng.choice([0, 0.1, 1, 3], areas) + 1e-3
    pairs = (gap[:, None] - gap[None]) / (spread[:, None] + spread[None])[:, :, None]
    expected = pairs.max(axis=(0, 1))
    np.testing.assert_allclose(module._widest_difference(gap, spread), expected, rtol=1e-9)


@settings(max_examples=20)
@given(st.permutations(range(8)))
def test_the_order_of_areas_is_irrelevant(order):
    values = np.random.default_rng(1).normal(np.arange(8)[:, None], 1, (8, 200))
    there, again = rank_sets(draws_of(values)), rank_sets(draws_of(values[list(order)]))
    np.testing.assert_array_equal(again.to_numpy(), there.to_numpy()[list(order)])
    rank = 1 + (-values).argsort(axis=0).argsort(axis=0)
    for one, other in zip(top_sets(rank, 3), top_sets(rank[list(order)], 3), strict=True):
        np.testing.assert_array_equal(other, one[list(order)])


def test_what_areas_have_in_common_cancels():
    rng = np.random.default_rng(2)
    values = rng.normal(np.arange(20)[:, None], 1, (20, 400))
    shared = rng.normal(0, 50, 400)
    there = rank_sets(draws_of(values))
    np.testing.assert_array_equal(rank_sets(draws_of(values + shared)), there)
    assert (there["joint_high"] - there["joint_low"]).max() < 19


def test_an_area_without_a_value_has_no_rank_and_takes_none():
    values = np.random.default_rng(3).normal(10 * np.arange(4)[:, None], 1, (4, 100))
    values[2, 7] = np.nan
    found = rank_sets(draws_of(values))
    assert found.loc["a002"].isna().all()
    assert found.drop("a002").to_numpy().tolist() == [[3, 3], [2, 2], [1, 1]]


def test_blocks_do_not_change_anything(monkeypatch):
    values = np.random.default_rng(4).normal(size=(30, 300))
    low, high = comparison_intervals(values)
    monkeypatch.setattr(module, "_BLOCK", 100)
    for one, other in zip(comparison_intervals(values), (low, high), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize(("draws", "level"), [(30, 0.95), (400, 1.0), (400, 0.0)])
def test_too_few_draws_are_said(draws, level):
    with pytest.raises(InputError, match="draws do not tell"):
        rank_sets(draws_of(np.zeros((3, draws))), level=level)


def test_all_ranks_hold_at_once_as_often_as_stated():
    """Gaussian means with known variances and ties, 300 surveys.

    Differences are covered exactly: 0.95 within four binomial errors and the error of a
    quantile of 300 draws (0.013 each). Sets of ranks, being projected from them, hold more often.
    """
    rng = np.random.default_rng(5)
    truth = np.round(rng.normal(0, 1, 40), 1)
    sd = rng.uniform(0.2, 0.8, 40)
    assert len(set(truth)) < 40
    ranks_hold, differences_hold, possible, plain = [], [], [], []
    for _ in range(300):
        estimate = truth + sd * rng.normal(size=40)
        draws = estimate[:, None] + sd[:, None] * rng.normal(size=(40, 600))
        low, high = comparison_intervals(draws)
        off = truth - (low + high) / 2
        width = (high - low) / 2
        apart = np.abs(off[:, None] - off[None]) <= width[:, None] + width[None] + 1e-12
        differences_hold.append(apart.all())
        found = rank_sets(draws_of(draws))
        held = (found["joint_low"] <= true_ranks(truth)) & (
            true_ranks(truth) <= found["joint_high"]
        )
        ranks_hold.append(held.all())
        possible.append((found["joint_low"] <= 5).sum())
        scaled = np.abs(draws - draws.mean(axis=1, keepdims=True)) / sd[:, None]
        klein = np.quantile(scaled.max(axis=0), 0.95) * sd
        above = (estimate - klein)[None] > (estimate + klein)[:, None]
        plain.append((above.sum(axis=1) < 5).sum())
    assert np.mean(differences_hold) == pytest.approx(0.95, abs=4 * 0.018)
    assert np.mean(ranks_hold) >= 0.95 - 2 * 0.013
    assert np.mean(possible) < np.mean(plain)  # fewer than intervals that hold the values leave


def test_lists_of_the_top_hold_as_often_as_stated_where_draws_are_the_posterior():
    """600 worlds from the prior itself; 0.95 within four binomial errors (0.009 each).

    Both lists take whole areas, so that they may hold more often than stated, not less.
    """
    rng = np.random.default_rng(6)
    variance = rng.uniform(0.1, 2, 30)
    shrink = 1 / (1 + variance)
    could_hold, surely_hold, sizes = [], [], []
    for _ in range(600):
        truth = rng.normal(size=30)
        estimate = truth + np.sqrt(variance) * rng.normal(size=30)
        mean, sd = shrink * estimate, np.sqrt(variance * shrink)
        draws = mean[:, None] + sd[:, None] * rng.normal(size=(30, 200))
        rank = 1 + (-draws).argsort(axis=0).argsort(axis=0)
        could, surely = top_sets(rank, 5)
        top = true_ranks(truth) <= 5
        could_hold.append((could | ~top).all())
        surely_hold.append((top | ~surely).all())
        sizes.append((surely.sum(), could.sum()))
    assert 0.95 - 4 * 0.009 <= np.mean(could_hold) <= 0.99
    assert np.mean(surely_hold) >= 0.95 - 4 * 0.009
    fewest, most = np.mean(sizes, axis=0)
    assert 0 < fewest < 5 < most < 25

"""Counts that sum exactly; indicators, summaries and decisions recomputed from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from study import COMPONENTS, INDICATORS, UNITS, overlapping

from smallarea.errors import InputError
from smallarea.projection import (
    count_draws,
    indicator_draws,
    probability_above,
    probability_top,
    reference_sizes,
    summarise,
    to_counts,
)
from smallarea.projection.counts import GRAIN


def make(seed: int = 0, areas: int = 9, draws: int = 50) -> tuple[xr.DataArray, pd.DataFrame]:
    """Component counts and a frame's table."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"{i:010d}" for i in range(areas)], name="area_id")
    table = pd.DataFrame(
        {
            "adults": rng.uniform(1e3, 1e6, areas),
            "children": rng.uniform(1e3, 1e6, areas),
            "province_id": [f"p{i % 3}" for i in range(areas)],
            "covered": np.arange(areas) % 4 != 3,
        },
        index=index,
    )
    rates = xr.DataArray(
        rng.beta(1, 100, (4, areas, draws)),
        dims=("component", "area_id", "draw"),
        coords={"component": list(COMPONENTS), "area_id": index.to_numpy(dtype=object)},
    )
    return to_counts(rates, reference_sizes(table, INDICATORS), table["covered"]), table


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), areas=st.integers(1, 60))
def test_counts_sum_exactly_in_any_order_and_hardly_move(seed, areas):
    rng = np.random.default_rng(seed)
    _, table = make(seed, areas, 1)
    rates = xr.DataArray(
        rng.beta(0.2, 20, (4, areas, 7)),
        dims=("component", "area_id", "draw"),
        coords={"component": list(COMPONENTS), "area_id": table.index.to_numpy(dtype=object)},
    )
    counts = to_counts(rates, reference_sizes(table, INDICATORS), table["covered"])
    exact = (rates * reference_sizes(table, INDICATORS)).transpose(*counts.dims)
    assert float(abs(counts - exact).max()) <= GRAIN * 1.001
    assert float(counts.min()) >= 0
    shuffled = counts[:, rng.permutation(areas)]
    assert (shuffled.sum("area_id") == counts.sum("area_id")).all()
    for part in (table["covered"].to_numpy(), ~table["covered"].to_numpy()):
        gap = counts[:, part].sum("area_id") - exact[:, part].sum("area_id")
        assert float(abs(gap).max()) <= GRAIN * 0.51


def test_every_indicator_is_recomputed_from_counts_in_every_draw():
    counts, table = make()
    found = dict(indicator_draws(counts, table, INDICATORS))
    assert list(found) == list(UNITS)
    part = {name: counts.sel(component=name).values for name in COMPONENTS}
    victims = part["victims_live"] + part["victims_nonlive"]
    traffickers = part["traffickers_live"] + part["traffickers_nonlive"]
    np.testing.assert_array_equal(found["victims"], victims)
    np.testing.assert_array_equal(found["traffickers_nonlive"], part["traffickers_nonlive"])
    np.testing.assert_allclose(
        found["victims_rate"], 1000 * victims / table["children"].to_numpy()[:, None]
    )
    np.testing.assert_allclose(
        found["traffickers_live_rate"],
        1000 * part["traffickers_live"] / table["adults"].to_numpy()[:, None],
    )
    np.testing.assert_allclose(found["ratio"], victims / traffickers)
    assert found["ratio"].attrs["units"] == "victims per trafficker"


@pytest.mark.parametrize("overlap", [0.0, 0.4])
def test_aggregates_recompute_rates_and_ratio_from_summed_counts(overlap):
    counts, table = make()
    areas = dict(indicator_draws(counts, table, overlapping(overlap)))
    found = dict(indicator_draws(counts, table, overlapping(overlap), by="province_id"))
    members = (table["province_id"] == "p1").to_numpy()
    victims, traffickers = (areas[n].values[members].sum(0) for n in ("victims", "traffickers"))
    chosen = {name: draws.sel(province_id="p1").values for name, draws in found.items()}
    np.testing.assert_allclose(chosen["victims"], victims)
    np.testing.assert_allclose(chosen["ratio"], victims / traffickers)
    np.testing.assert_allclose(
        chosen["victims_rate"], 1000 * victims / table.loc[members, "children"].sum()
    )
    nation = dict(indicator_draws(counts, table.assign(nation="all"), INDICATORS, by="nation"))
    assert (nation["victims_live"][0] == counts.sel(component="victims_live").sum("area_id")).all()


def test_indicators_follow_area_id_and_not_position():
    counts, table = make()
    straight = dict(indicator_draws(counts, table, INDICATORS))
    shuffled = dict(indicator_draws(counts, table.sample(frac=1, random_state=1), INDICATORS))
    for name in UNITS:
        xr.testing.assert_equal(straight[name], shuffled[name])


def test_overlap_runs_from_the_sum_to_the_larger_part():
    counts, _ = make()
    live, nonlive = (counts.sel(component=c).values for c in COMPONENTS[:2])
    np.testing.assert_array_equal(count_draws(counts, "victims", INDICATORS), live + nonlive)
    np.testing.assert_allclose(
        count_draws(counts, "victims", overlapping(1.0)), np.maximum(live, nonlive)
    )


def test_ratio_without_traffickers_and_rate_without_people_are_undefined():
    counts, table = make()
    counts.loc[{"component": ["traffickers_live", "traffickers_nonlive"], "draw": 3}] = 0
    table.loc[table.index[2], "children"] = 0
    found = dict(indicator_draws(counts, table, INDICATORS))
    assert np.isnan(found["ratio"].values[:, 3]).all()
    assert np.isnan(found["ratio"].values).sum() == table.shape[0]
    assert np.isnan(found["victims_rate"].values[2]).all()
    assert np.isnan(found["victims_rate"].values).sum() == counts.sizes["draw"]
    summary = summarise(found["victims_rate"])
    assert summary.iloc[2].isna().all()
    assert summary["rank_high"].drop(summary.index[2]).max() <= 8
    assert np.isnan(probability_top(found["victims_rate"], 3).iloc[2])


def test_summaries_against_numpy_and_scipy():
    counts, _ = make(draws=400)
    draws = count_draws(counts, "victims", INDICATORS)
    summary = summarise(draws)
    np.testing.assert_allclose(summary["mean"], draws.mean("draw"))
    np.testing.assert_allclose(summary["sd"], draws.std("draw", ddof=1))
    np.testing.assert_allclose(summary["q50"], draws.median("draw"))
    np.testing.assert_allclose(summary["q975"], np.quantile(draws, 0.975, axis=1))
    rank = rankdata(-draws.values, axis=0)
    np.testing.assert_array_equal(summary["rank_low"], np.floor(np.quantile(rank, 0.05, axis=1)))
    np.testing.assert_array_equal(summary["rank_high"], np.ceil(np.quantile(rank, 0.95, axis=1)))
    top = probability_top(draws, 2)
    np.testing.assert_allclose(top, (rank <= 2).mean(axis=1))
    assert top.sum() == pytest.approx(2)
    np.testing.assert_allclose(probability_above(draws, 500.0), (draws > 500).mean("draw"))


def test_moments_that_do_not_exist_are_not_printed():
    counts, _ = make()
    summary = summarise(count_draws(counts, "victims", INDICATORS), mean=False, sd=False)
    assert summary["mean"].isna().all()
    assert summary["sd"].isna().all()
    assert summary["q50"].notna().all()


def test_top_k_must_fit_the_number_of_areas():
    counts, _ = make()
    with pytest.raises(InputError, match="not between 1 and 9"):
        probability_top(count_draws(counts, "victims", INDICATORS), 10)

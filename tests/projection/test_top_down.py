"""Agreement from the top down: every level's totals hold, and totals that are true help."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit
from totals_world import COMPONENTS, INDICATORS, World, totals_of, world

from smallarea.projection import Given, TopDown, agree, agree_top_down
from smallarea.projection.top_down import on_logits, weighed


def meet(made: World, told: Given | None, **options) -> TopDown:
    args = (made.rates, made.sizes, made.totals, made.table, INDICATORS, told)
    return agree_top_down(*args, **options)


def sums(made: World, rates: xr.DataArray, by: pd.Series) -> dict[str, np.ndarray]:
    """People (component, draw) by unit."""
    counts = rates.transpose("component", "area_id", "draw") * made.sizes
    areas = by.loc[counts["area_id"].values].to_numpy()
    return {unit: counts.values[:, areas == unit].sum(axis=1) for unit in sorted(set(areas))}


@st.composite
def wanted(draw) -> list[tuple[str, str, str]]:
    """Any set of units of both levels and of components or their sum."""
    units = [("land", f"l{i}") for i in range(4)] + [("county", f"k{i:02d}") for i in range(12)]
    every = [(*unit, name) for unit in units for name in (*COMPONENTS, "all")]
    chosen = draw(st.lists(st.sampled_from(every), min_size=1, max_size=20, unique=True))
    return sorted(chosen, key=lambda row: row[0] != "land")


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=wanted(),
    error=st.sampled_from([1e-4, 0.05, 1.0]),
    weight=st.sampled_from(["variance", "flat"]),
)
def test_every_level_adds_up_to_the_one_above_in_every_draw(seed, rows, error, weight):
    made = world(seed)
    out = meet(made, totals_of(made, rows, seed, error), weight=weight)
    assert ((out.rates > 0) & (out.rates < 1)).all()
    nation = sums(made, out.rates, made.table["covered"])[True]
    np.testing.assert_allclose(np.sort(nation), np.sort(made.totals.values), rtol=1e-9)
    # What is said of units is what their areas add up to.
    counts = (
        out.rates.transpose("component", "area_id", "draw").values * made.sizes.values[..., None]
    )
    added = counts.sum(axis=0) - 0.5 * counts.min(axis=0)  # half of the smaller are in both
    told = dict(zip([*COMPONENTS, "all"], [*counts, added], strict=True))
    for _, row in out.units.iterrows():
        own = (made.table[f"{row['level']}_id"] == row["unit_id"]).to_numpy()
        people = told[row["component"]][own].sum(axis=0)
        assert row["after"] == pytest.approx(people.mean(), rel=1e-9)
    assert set(out.held.index[out.held != ""]) >= set(made.table.index[made.table["covered"]])


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), rows=wanted())
def test_order_of_areas_and_of_rows_is_irrelevant(seed, rows):
    made = world(seed)
    told = totals_of(made, rows, seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(made.table.index)
    mixed = rng.permutation(len(rows))
    mixed = mixed[np.argsort(told.table["level"].iloc[mixed].to_numpy() != "land", kind="stable")]
    there = replace(made, table=made.table.loc[order], rates=made.rates.sel(area_id=order))
    again = meet(there, Given(told.table.iloc[mixed], told.drawn[mixed]))
    first = meet(made, told)
    xr.testing.assert_allclose(first.rates, again.rates.sel(area_id=made.table.index), rtol=1e-7)
    pd.testing.assert_frame_equal(first.units.sort_index(), again.units.sort_index(), rtol=1e-7)


def test_without_totals_it_is_agreement_with_the_nation():
    made = world(1)
    plain, report = agree(made.rates, made.sizes, made.totals, made.table["covered"])
    out = meet(made, None)
    assert out.rates.identical(plain)
    pd.testing.assert_frame_equal(out.agreement.components, report.components)
    assert out.units.empty


def test_an_exact_total_is_met_and_the_others_share_what_is_left():
    made = world(2, uncovered=0)
    out = meet(made, totals_of(made, [("land", "l1", "live")], error=1e-6))
    land = sums(made, out.rates, made.table["land_id"])
    true = made.true_of("land").loc["l1", "live"]
    np.testing.assert_allclose(land["l1"][0], true, rtol=1e-4)
    rest = sum(land[unit][0] for unit in ("l0", "l2", "l3"))
    np.testing.assert_allclose(np.sort(rest + land["l1"][0]), np.sort(made.totals.values[0]))
    other = meet(made, None)
    np.testing.assert_allclose(out.rates[1], other.rates[1], rtol=1e-9)  # nothing was told of it


def test_a_unit_outside_of_the_survey_meets_its_total_and_displaces_nobody():
    made = world(3, uncovered=0)
    made.table["covered"] = made.table["land_id"] != "l3"
    inside = made.table["covered"].to_numpy()
    scale = made.counts[:, inside].sum(axis=1) / made.counts.sum(axis=1)
    made = replace(made, totals=made.totals * scale[:, None])
    without = meet(made, None)
    out = meet(made, totals_of(made, [("land", "l3", "live")], error=1e-6))
    np.testing.assert_allclose(out.rates[:, inside], without.rates[:, inside], rtol=1e-9)
    np.testing.assert_allclose(
        sums(made, out.rates, made.table["land_id"])["l3"][0],
        made.true_of("land").loc["l3", "live"],
        rtol=1e-4,
    )


def test_a_reporting_rate_divides_every_level():
    made = world(4)
    told = totals_of(made, [("land", "l0", "live"), ("county", "k05", "all")])
    tau = np.random.default_rng(4).beta(60, 40, made.rates.sizes["draw"])
    reported, people = meet(made, told), meet(made, told, tau=tau)
    np.testing.assert_allclose(people.rates * tau, reported.rates, rtol=1e-9)
    pd.testing.assert_frame_equal(reported.units, people.units)


def test_a_total_far_from_what_the_models_say_is_warned_of():
    made = world(5, uncovered=0)
    told = totals_of(made, [("land", "l0", "live")], error=0.02)
    far = Given(told.table.assign(log_mean=told.table["log_mean"] + np.log(8)), told.drawn * 8)
    (*_, said) = meet(made, far).agreement.warnings
    assert said.startswith("Live, l0: ")
    assert "beyond 3" in said


def test_two_sources_are_weighed_by_their_variances():
    rng = np.random.default_rng(6)

    def draws(mean: float, sd: float) -> np.ndarray:
        return 1 / (1 + np.exp(-mean - sd * rng.standard_normal(200_000)))

    both = logit(weighed(draws(-3, 0.4), logit(draws(-2, 0.2))))
    assert both.mean() == pytest.approx(-2.2, abs=0.01)  # 0.2 of the one and 0.8 of the other
    assert both.std() == pytest.approx(0.4 * 0.2 / np.hypot(0.4, 0.2), rel=0.01)


def test_a_total_is_of_no_more_than_everybody():
    rng = np.random.default_rng(7)
    for people, sd in ((10.0, 0.05), (500.0, 0.3), (990.0, 0.3)):
        drawn = people * np.exp(sd * rng.standard_normal(100_000))
        logits = on_logits(drawn, np.log(people), 1000.0)
        middle = pytest.approx(logit(people / 1000), abs=0.01 / (1 - people / 1000))
        assert np.median(logits) == middle
        assert logits.std() == pytest.approx(sd / (1 - people / 1000), rel=0.02)


# --- do totals help? twenty worlds whose posterior draws are honest ------------------------------


def study(
    error: float, claimed: float | None = None, share: float = 1.0, worlds: int = 20
) -> pd.Series:
    """RMSE of median logit rates over that without totals; coverage of 80 % intervals."""
    rows = []
    for seed in range(worlds):
        made = world(seed, areas=96, draws=120, uncovered=0.1)
        codes = np.random.default_rng(seed).permutation(12)[: round(12 * share)]
        told = totals_of(
            made, [("county", f"k{i:02d}", "live") for i in codes], seed, error, claimed
        )
        found = []
        for given_totals in (None, told):
            eta = logit(meet(made, given_totals).rates.values[0])
            low, middle, high = np.quantile(eta, [0.1, 0.5, 0.9], axis=1)
            truth = logit(made.truth[0])
            found += [np.mean((middle - truth) ** 2), ((low <= truth) & (truth <= high)).mean()]
        rows.append(found)
    plain, before, with_totals, after = np.mean(rows, axis=0)
    return pd.Series({"rmse": np.sqrt(with_totals / plain), "before": before, "after": after})


def test_true_totals_make_areas_better_and_intervals_hold():
    """Known to 5 %, they take away a fifth or more of the error; half of them, a tenth."""
    every, half = study(0.05), study(0.05, share=0.5)
    assert every["rmse"] < 0.8
    assert half["rmse"] < 0.9
    for found in (every, half):
        assert found["before"] == pytest.approx(0.8, abs=0.03)
        assert found["after"] == pytest.approx(0.8, abs=0.03)


def test_totals_that_are_noise_and_say_so_do_no_harm():
    for error in (1.5, 3.0):
        found = study(error)
        assert found["rmse"] < 1.01
        assert found["after"] == pytest.approx(0.8, abs=0.03)


def test_totals_that_are_noise_and_do_not_say_so_harm_intervals_and_are_warned_of():
    found = study(0.8, claimed=0.03)
    assert found["after"] < 0.7
    made = world(0, areas=240, draws=200)
    told = totals_of(made, [("county", f"k{i:02d}", "live") for i in range(12)], 0, 0.8, 0.03)
    assert any("beyond 3" in said for said in meet(made, told).agreement.warnings)

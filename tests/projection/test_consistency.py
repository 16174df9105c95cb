"""Agreement with the nation: totals hold, rates stay rates, the right areas move."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from smallarea.errors import InputError
from smallarea.projection.bounds import CEILING, apply_tau, bound_rates, bounded_words
from smallarea.projection.consistency import agree, discrepancy
from smallarea.projection.shift import solve_shift


def as_draws(values: np.ndarray, areas: list[str] | None = None) -> xr.DataArray:
    components, m, _ = values.shape
    return xr.DataArray(
        values,
        dims=("component", "area_id", "draw"),
        coords={
            "component": [f"c{i}" for i in range(components)],
            "area_id": np.array(areas or [f"a{i:04d}" for i in range(m)], dtype=object),
        },
    )


def world(seed: int, areas: int = 12, draws: int = 40, level: float = 0.02, gap: float = 1.3):
    """Random rates, sizes and covered areas, and a national total `gap` times the areas' sum."""
    rng = np.random.default_rng(seed)
    eta = logit(level) + rng.normal(0, 1, (2, areas, 1))
    rates = as_draws(
        expit(eta + rng.uniform(0.1, 1, (2, areas, 1)) * rng.normal(size=(2, areas, draws)))
    )
    sizes = xr.DataArray(
        rng.uniform(100, 1e6, (2, areas)), coords=[rates["component"], rates["area_id"]]
    )
    covered = pd.Series(rng.random(areas) < 0.8, index=rates["area_id"].values)
    covered.iloc[0] = True
    population = sizes[:, covered.to_numpy()].sum("area_id")
    share = (rates * sizes)[:, covered.to_numpy()].sum("area_id").mean("draw") / population
    noise = xr.DataArray(rng.normal(0, 0.1, (2, draws)), dims=("component", "draw"))
    target = expit(logit(share) + np.log(gap) + noise)
    return rates, sizes, (target * population).transpose("component", "draw"), covered


def covered_sum(rates: xr.DataArray, sizes: xr.DataArray, covered: pd.Series) -> xr.DataArray:
    inside = covered.index[covered]
    return (rates * sizes).sel(area_id=inside).sum("area_id")


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    level=st.sampled_from([1e-6, 1e-3, 0.02, 0.5, 0.97]),
    gap=st.floats(0.02, 50),
    weight=st.sampled_from(["variance", "flat"]),
)
def test_every_draw_meets_its_total_and_rates_stay_rates(seed, level, gap, weight):
    rates, sizes, totals, covered = world(seed, level=level, gap=gap)
    agreed, _ = agree(rates, sizes, totals, covered, weight=weight)
    reached = np.sort(covered_sum(agreed, sizes, covered).values, axis=1)
    np.testing.assert_allclose(reached, np.sort(totals.values, axis=1), rtol=1e-11)
    assert ((agreed > 0) & (agreed < 1)).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_row_order_is_irrelevant(seed):
    rates, sizes, totals, covered = world(seed)
    order = np.random.default_rng(seed).permutation(rates["area_id"].values)
    agreed, report = agree(rates, sizes, totals, covered)
    again, report_again = agree(
        rates.sel(area_id=order), sizes[::-1], totals[::-1], covered.loc[order[::-1]]
    )
    xr.testing.assert_allclose(agreed, again.sel(area_id=agreed["area_id"]), rtol=1e-9)
    pd.testing.assert_frame_equal(
        report.movement, report_again.movement.loc[report.movement.index], rtol=1e-6
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(1.01, 3))
def test_a_larger_nation_never_lowers_an_area(seed, factor):
    rates, sizes, totals, covered = world(seed)
    low, _ = agree(rates, sizes, totals, covered)
    high, _ = agree(rates, sizes, totals * factor, covered)
    assert (high >= low).all()


def test_totals_already_met_move_nothing():
    rates, sizes, _, covered = world(3)
    agreed, report = agree(rates, sizes, covered_sum(rates, sizes, covered), covered)
    xr.testing.assert_allclose(agreed, rates, rtol=1e-10)
    assert report.movement.max().max() < 1e-9
    assert report.components["z"].abs().max() < 1e-9
    assert report.warnings == ()


def test_national_draws_stay_whole_and_are_paired_by_height():
    rates, sizes, totals, covered = world(4)
    before = covered_sum(rates, sizes, covered).values
    agreed, _ = agree(rates, sizes, totals, covered)
    after = covered_sum(agreed, sizes, covered).values
    first = np.argsort(totals.values[0]), np.argsort(after[0])
    np.testing.assert_allclose(totals.values[:, first[0]], after[:, first[1]], rtol=1e-9)

    def height(sums):
        logs = np.log(sums)
        return ((logs.T - logs.mean(axis=1)) / logs.std(axis=1)).mean(axis=1)

    np.testing.assert_array_equal(height(before).argsort(), height(after).argsort())


def test_surveyed_areas_move_least_by_default_and_alike_when_flat():
    rng = np.random.default_rng(5)
    sd = np.array([0.1, 0.1, 0.8, 0.8])
    rates = as_draws(expit(-4 + sd[None, :, None] * rng.normal(size=(1, 4, 500))))
    sizes = xr.DataArray(np.full((1, 4), 1e4), coords=[rates["component"], rates["area_id"]])
    covered = pd.Series(True, index=rates["area_id"].values)
    totals = 1.5 * covered_sum(rates, sizes, covered)
    shifts = {}
    for weight in ("variance", "flat"):
        agreed, _ = agree(rates, sizes, totals, covered, weight=weight)
        shifts[weight] = (logit(agreed) - logit(rates)).mean("draw").values[0]
    assert shifts["variance"][:2].max() < 0.05 * shifts["variance"][2:].min()
    np.testing.assert_allclose(shifts["flat"], shifts["flat"][0])


def test_tau_divides_rates_and_totals_alike_in_every_draw():
    rates, sizes, totals, covered = world(6, level=5e-5)
    tau = np.random.default_rng(6).beta(40, 400, rates.sizes["draw"])
    reported, _ = agree(rates, sizes, totals, covered)
    prevalence, report = agree(rates, sizes, totals, covered, tau=tau)
    np.testing.assert_allclose(
        covered_sum(prevalence, sizes, covered) * tau,
        covered_sum(reported, sizes, covered),
        rtol=1e-11,
    )
    # Rates are small, so shifting before or after the division is nearly the same.
    np.testing.assert_allclose(prevalence * tau, reported, rtol=0.1)
    assert (report.components["bounded_draws"] == 0).all()


def test_a_tiny_tau_is_bounded_and_counted():
    rates, sizes, totals, covered = world(7, level=0.01)
    tau = np.full(rates.sizes["draw"], 0.5)
    tau[0] = 1e-6
    agreed, report = agree(rates, sizes, totals, covered, tau=tau)
    assert ((agreed > 0) & (agreed < 1)).all()
    assert (report.components["bounded_draws"] == 1 / tau.size).all()
    assert any("bounded by the reference population" in w for w in report.warnings)
    prevalence, bounded = apply_tau(rates, tau)
    assert bounded.sum("draw").values.tolist() == [[1] * 12] * 2
    assert float(prevalence.max()) == CEILING


def test_draws_of_rates_above_everybody_are_bounded_and_many_are_warned_of():
    rates, *_ = world(7, level=0.01)
    first = rates["component"].values[0]
    one = rates.copy()
    one[0, 0, 0] = 1.2
    bounded, share = bound_rates(one)
    assert float(bounded.max()) == CEILING
    assert share.to_list() == [1 / one[0].size, 0]
    assert bounded_words(share, {}) == []
    one.loc[{"component": first}] = 1.2
    _, share = bound_rates(one)
    (sentence,) = bounded_words(share, {first: "Some people"})
    assert sentence.startswith("Some people: 100.0% of the draws of rates were above 1")


def test_a_reporting_rate_per_area_is_applied_by_label():
    rates, *_ = world(8)
    areas = rates["area_id"].values
    tau = xr.DataArray(np.linspace(0.2, 0.9, areas.size), coords={"area_id": areas[::-1]})
    prevalence, _ = apply_tau(rates, tau)
    xr.testing.assert_allclose(prevalence * tau.sel(area_id=areas), rates)
    assert prevalence.dims == rates.dims


def test_discrepancy_is_a_z_and_beyond_two_is_said():
    rng = np.random.default_rng(9)
    a, b = rng.normal(100, 3, 20_000), rng.normal(110, 4, 20_000)
    assert discrepancy(a, b) == pytest.approx(-2, abs=0.05)
    assert discrepancy(np.ones(3), np.ones(3)) == 0
    rates, sizes, totals, covered = world(10, gap=8)
    _, report = agree(rates, sizes, totals, covered)
    assert report.components["z"].max() < -2
    assert sum("beyond 2" in w for w in report.warnings) == 2


def test_solver_reaches_totals_at_both_ends():
    rng = np.random.default_rng(11)
    eta, v, size = rng.normal(-4, 3, (200, 30)), rng.uniform(0.01, 5, 30), rng.uniform(1, 1e5, 30)
    total = size.sum() * np.concatenate(
        [np.geomspace(1e-12, 0.5, 100), 1 - np.geomspace(1e-6, 0.5, 100)]
    )
    lam = solve_shift(eta, v, size, total)
    np.testing.assert_allclose(expit(eta + lam[:, None] * v) @ size, total, rtol=2e-12)


def spoil(rates: xr.DataArray, value: float) -> None:
    rates.loc[{"area_id": "a0003", "draw": 5}] = value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.update(totals=w["totals"] * 0 + 1e12), "not between 0 and"),
        (lambda w: w.update(totals=w["totals"] * 0), "not between 0 and"),
        (lambda w: w.update(totals=w["totals"][:, :-1]), "national draws for"),
        (lambda w: w.update(covered=w["covered"].iloc[1:]), "covered: 1 areas .* absent"),
        (lambda w: w.update(sizes=w["sizes"][:, 1:]), "sizes: 1 areas .* absent"),
        (lambda w: spoil(w["rates"], 1.0), "first a0003"),
        (lambda w: spoil(w["rates"], np.nan), "first a0003"),
        (lambda w: w.update(tau=np.zeros(40)), "not in \\(0, 1\\]"),
        (lambda w: w.update(tau=np.ones(3)), "3 draws for 40"),
        (lambda w: w.update(weight="size"), "unknown weight"),
        (lambda w: w.update(covered=~w["covered"] & False), "no area is covered"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_sentence(change, message):
    call = dict(zip(("rates", "sizes", "totals", "covered"), world(12), strict=True))
    change(call)
    with pytest.raises(InputError, match=message):
        agree(**call)


@pytest.mark.parametrize("weight", ["variance", "flat"])
def test_the_table_of_an_agreement_says_what_was_done(weight):
    rates, sizes, totals, covered = world(14)
    agreed, report = agree(rates, sizes, totals, covered, weight=weight)
    before = covered_sum(rates, sizes, covered).values
    moved = (logit(agreed) - logit(rates)).values  # (component, area, draw)
    spread = logit(rates).std("draw").values
    table, names = report.components, list(rates["component"].values)
    assert (table.index.name, list(table.index)) == ("component", names)
    assert (report.movement.index.name, report.movement.columns.name) == ("area_id", "component")
    assert list(report.movement.columns) == names
    wanted = {
        "projected": before.mean(axis=1),
        "national": totals.values.mean(axis=1),
        "z": [discrepancy(a, b) for a, b in zip(before, totals.values, strict=True)],
        "shift": np.median(np.median(moved, axis=2), axis=1)
        if weight == "flat"
        else table["shift"],
        "movement_median": report.movement.median().to_numpy(),
        "movement_max": report.movement.max().to_numpy(),
        "bounded_draws": [0, 0],
        "bounded_values": [0, 0],
    }
    pd.testing.assert_frame_equal(table, pd.DataFrame(wanted, table.index), check_dtype=False)
    np.testing.assert_allclose(report.movement.T, np.abs(moved.mean(axis=2)) / spread, rtol=1e-6)
    if weight == "variance":  # of covered areas: a shift goes with the variance, not another power
        inside = covered.to_numpy()
        each = np.median(moved, axis=2)[:, inside] / spread[:, inside] ** 2
        np.testing.assert_allclose(each, each[:, :1] * np.ones_like(each), rtol=1e-6)
        typical = np.median(spread[:, inside] ** 2, axis=1)
        v = np.minimum(spread**2, spread[:, inside].max(axis=1)[:, None] ** 2) / typical[:, None]
        wanted = each[:, 0] * typical * np.median(v, axis=1)
        np.testing.assert_allclose(table["shift"], wanted, rtol=1e-6)


def test_a_draw_counts_as_bounded_where_any_area_is():
    rates, sizes, totals, covered = world(15, level=0.001, gap=1)
    largest = rates.values.max(axis=1)  # (component, draw)
    tau = np.full(rates.sizes["draw"], 0.9)
    tau[:4] = 0.999 * largest[0, :4]  # one area of the first component, not its total
    _, report = agree(rates, sizes, totals, covered, tau=tau)
    bounded = (rates.values / tau > CEILING).any(axis=1).mean(axis=1)
    assert 0.1 <= bounded[0] < 1
    np.testing.assert_array_equal(report.components["bounded_draws"], bounded)
    many = (rates.values / tau > CEILING).mean(axis=(1, 2))
    np.testing.assert_allclose(report.components["bounded_values"], many)


def test_places_without_people_are_no_error_and_a_nation_that_never_varies_is_none():
    rates, sizes, totals, covered = world(16)
    sizes[:, 1] = 0.0
    totals[1] = float(totals[1].mean())
    agreed, _ = agree(rates, sizes, totals, covered)
    reached = covered_sum(agreed, sizes, covered)
    np.testing.assert_allclose(np.sort(reached), np.sort(totals), rtol=1e-9)


def test_gaps_beyond_any_spread_have_a_sign():
    one, two = np.ones(5), np.full(5, 2.0)
    assert discrepancy(one, two) == -np.inf
    assert discrepancy(two, one) == np.inf
    assert discrepancy(one * 0.1 + np.arange(5) * 1e-3, two * 0.1) < -10


def test_a_gap_between_two_and_three_errors_is_said():
    rates, sizes, totals, covered = world(17)
    sums = covered_sum(rates, sizes, covered).values
    spread = np.hypot(sums.std(axis=1), 0.0)[:, None]
    totals = totals.copy(data=sums.mean(axis=1)[:, None] + 2.5 * spread + 0 * totals.values)
    _, report = agree(rates, sizes, totals, covered)
    assert report.components["z"].to_list() == pytest.approx([-2.5, -2.5])
    assert len(report.warnings) == 2


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda w: w.update(totals=w["totals"][:, :-1]), "totals"),
        (lambda w: spoil(w["rates"], 0.0), "rates, component c0"),
        (lambda w: w.update(sizes=-w["sizes"]), "sizes"),
        (lambda w: w.update(totals=everybody(w)), "totals, component c0"),
    ],
)
def test_bad_input_is_placed(change, where):
    call = dict(zip(("rates", "sizes", "totals", "covered"), world(12), strict=True))
    change(call)
    with pytest.raises(InputError) as error:
        agree(**call)
    assert error.value.where == where
    assert error.value.remedy


def everybody(call: dict) -> xr.DataArray:
    """Totals that are the whole covered population in one draw."""
    people = call["sizes"][:, call["covered"].to_numpy()].sum("area_id")
    totals = call["totals"].copy()
    totals[:, 3] = people
    return totals


# --- which weight suits which error: 1,642 areas, 150 surveyed, prevalence about 2 % --------------


def simulate(seed: int, unsurveyed: float = 0.0, common: float = 0.0):
    """One world: truth, posterior draws, a precise national total, surveyed and covered areas.

    unsurveyed : how much lower (logit) unsurveyed areas truly are than their covariates say.
    common : bias (logit) of every survey answer, known to the national figure alone.
    """
    rng = np.random.default_rng(seed)
    m, draws = 1_642, 200
    surveyed = rng.permutation(m) < 150
    covered = surveyed | (rng.random(m) > 0.08)
    fitted = logit(0.02) + rng.normal(0, 0.5, m)
    truth = fitted + rng.normal(0, 0.45, m) - np.where(surveyed, 0, unsurveyed)
    sd = np.where(surveyed, 0.25, 0.45)
    centre = np.where(surveyed, truth + rng.normal(0, 0.25, m), fitted) + common
    rates = as_draws(expit(centre[:, None] + sd[:, None] * rng.normal(size=(m, draws)))[None])
    sizes = xr.DataArray(
        rng.lognormal(9.5, 0.8, (1, m)), coords=[rates["component"], rates["area_id"]]
    )
    total = float((sizes.values[0] * expit(truth))[covered].sum())
    totals = xr.DataArray(
        total * np.exp(rng.normal(0, 0.03, (1, draws))),
        dims=("component", "draw"),
        coords={"component": rates["component"]},
    )
    return truth, rates, sizes, totals, pd.Series(covered, index=rates["area_id"].values)


def errors(agreed: xr.DataArray, truth: np.ndarray, where: np.ndarray) -> tuple[float, float]:
    """RMSE of the median logit rate and coverage of the 80 % interval, over `where`."""
    eta = logit(agreed.values[0][where])
    low, middle, high = np.quantile(eta, [0.1, 0.5, 0.9], axis=1)
    inside = (low <= truth[where]) & (truth[where] <= high)
    return float(np.sqrt(np.mean((middle - truth[where]) ** 2))), float(inside.mean())


def compare(**scenario: float) -> pd.DataFrame:
    rows = []
    for seed in range(4):
        truth, rates, sizes, totals, covered = simulate(seed, **scenario)
        inside = covered.to_numpy()
        for weight in ("variance", "flat"):
            agreed, _ = agree(rates, sizes, totals, covered, weight=weight)
            rmse, coverage = errors(agreed, truth, inside)
            rest, _ = errors(agreed, truth, ~inside)
            rest_unshifted, _ = errors(rates, truth, ~inside)
            rows.append((weight, rmse, coverage, rest, rest_unshifted))
    columns = ["weight", "rmse", "coverage", "rest", "rest_unshifted"]
    return pd.DataFrame(rows, columns=columns).groupby("weight").mean()


def test_variance_weights_win_when_unsurveyed_areas_are_lower():
    result = compare(unsurveyed=0.5)
    assert result["rmse"]["variance"] < result["rmse"]["flat"] - 0.005
    assert result["coverage"]["variance"] > result["coverage"]["flat"]


def test_flat_weights_win_when_the_bias_is_common():
    result = compare(common=0.5)
    assert result["rmse"]["flat"] < result["rmse"]["variance"] - 0.005


def test_shifting_uncovered_areas_helps_when_they_are_like_the_unsurveyed():
    lower, none = compare(unsurveyed=0.5), compare()
    assert lower["rest"]["variance"] < lower["rest_unshifted"]["variance"] - 0.05
    # ... and costs next to nothing when there is nothing to learn.
    assert none["rest"]["variance"] < none["rest_unshifted"]["variance"] + 0.005


def test_uncovered_areas_are_never_moved_further_than_covered_ones():
    rates, sizes, totals, covered = world(13, gap=3)
    wild = logit(rates)
    outside = covered.index[~covered]
    wild.loc[{"area_id": outside}] += 3 * np.random.default_rng(0).normal(
        size=(2, len(outside), rates.sizes["draw"])
    )
    rates = expit(wild)
    agreed, _ = agree(rates, sizes, totals, covered)
    shift = np.abs(logit(agreed) - logit(rates)).mean("draw")
    largest = shift.sel(area_id=covered.index[covered]).max("area_id")
    assert (shift.sel(area_id=outside).max("area_id") <= largest + 1e-9).all()

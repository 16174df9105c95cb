"""Where to go: what a set reaches, and whether its chances come true."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.projection import probability_top
from smallarea.projection.decisions import probability_greater
from smallarea.projection.target import Target, target

IDS = [f"t{i:02d}" for i in range(24)]
SAID = {"definition": "d", "excludes": "e", "reference_period": "2020"}
INDICATORS = Indicators.model_validate(
    {
        "title": "Left",
        "populations": {"people": {"label": "people"}},
        "components": {
            name: {"population": "people", "label": name, **SAID} for name in ("left", "both")
        },
        "sums": {"all": {"of": ["left", "both"], "label": "All", "overlap": 0.5}},
        "ratios": {"odds": {"of": ["left", "both"], "label": "Odds", "unit": "each"}},
    }
)


def world(draws: int = 400, seed: int = 0) -> tuple[xr.DataArray, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    people = rng.integers(800, 9000, 24).astype(float)
    level = rng.normal(0, 0.5, 24)
    values = rng.lognormal(level[:, None], 0.5, (2, 24, draws)) * people[:, None] / 100
    dims = ("component", "area_id", "draw")
    counts = xr.DataArray(values, dims=dims, coords={"component": ["left", "both"], "area_id": IDS})
    shire = [f"S{i // 6}" for i in range(24)]
    county = [f"C{i // 12}" for i in range(24)]
    table = pd.DataFrame(
        {"name": IDS, "shire_id": shire, "shire": shire, "county_id": county, "county": county},
        index=pd.Index(IDS, name="area_id"),
    ).assign(people=people)
    return counts, table


COUNTS, TABLE = world()


def chosen_for(**wanted) -> Target:
    return target(COUNTS, TABLE, INDICATORS, **wanted)


def all_people() -> np.ndarray:
    left, both = COUNTS.to_numpy()
    return left + both - 0.5 * np.minimum(left, both)


def test_reach_is_of_joint_draws_with_the_overlap():
    found = chosen_for(k=4)
    people = all_people()
    best = np.argsort(-people.mean(axis=1))[:4]
    assert set(found.chosen) == {IDS[i] for i in best}
    reached = people[best].sum(axis=0)
    row = found.sets.loc["chosen"]
    assert row["mean"] == pytest.approx(reached.mean())
    assert row["q975"] == pytest.approx(np.quantile(reached, 0.975))
    assert row["share_q10"] == pytest.approx(np.quantile(reached / people.sum(axis=0), 0.1))
    truth = np.sort(people, axis=0)[-4:].sum(axis=0)
    assert found.sets.loc["best", "mean"] == pytest.approx(truth.mean())
    assert row["of_best_q50"] == pytest.approx(np.median(reached / truth))
    assert found.by_tau is None
    # Summed ends would be far wider than the interval of the sum.
    assert row["q975"] < 0.9 * found.areas.loc[found.chosen, "q975"].sum()


def test_chances_are_those_of_the_map_and_add_up():
    found = chosen_for(k=5, by="rate", withheld=IDS[:2], above=12.0)
    rates = xr.DataArray(
        1000 * all_people() / TABLE["people"].to_numpy()[:, None],
        dims=("area_id", "draw"), coords={"area_id": IDS},
    )  # fmt: skip
    pd.testing.assert_series_equal(
        found.areas["chance_top"].sort_index(),
        probability_top(rates, 5).drop(IDS[:2]),
        check_names=False,
    )
    assert found.areas["chance_above"].loc["t05"] == float((rates.sel(area_id="t05") > 12).mean())
    assert found.areas["chance_best"].sum() == pytest.approx(5)
    assert found.overlap == pytest.approx(found.areas.loc[found.chosen, "chance_best"].sum())
    assert found.left_out == {"numbers withheld: too few live there": 2}
    top = found.sets.loc["chosen", "members"]
    assert top == pytest.approx(found.areas.loc[found.chosen, "chance_top"].sum())


def test_the_aim_top_holds_most_of_the_true_top():
    most = chosen_for(k=6, aim="top")
    assert most.sets["members"].idxmax() == "best"
    largest = chosen_for(k=6)
    assert most.sets.loc["chosen", "members"] >= largest.sets.loc["chosen", "members"]
    assert most.sets.loc["chosen", "mean"] <= largest.sets.loc["chosen", "mean"]
    assert largest.sets.loc["chosen", "mean"] >= largest.sets.loc["random", "mean"]
    assert largest.sets.loc["chosen", "mean"] >= largest.sets.loc["largest", "mean"]


@settings(max_examples=8)
@given(st.integers(4, 20), st.sampled_from(["count", "rate"]), st.permutations(range(24)))
def test_more_areas_reach_more_whatever_their_order(k, by, order):
    conditions = {"by": by, "min_per": {"shire": 1, "county": 2}}
    found = chosen_for(k=k, **conditions)
    more = chosen_for(k=k + 1, **conditions)
    assert set(found.chosen) < set(more.chosen)
    grown = more.sets.loc["chosen"] > found.sets.loc["chosen"]
    assert grown[["mean", "q10", "share"]].all()
    held = TABLE.loc[found.chosen]
    assert held["shire"].nunique() == 4
    assert held["county"].value_counts().min() >= 2
    other = target(
        COUNTS[:, list(order)], TABLE.sample(frac=1, random_state=k), INDICATORS, k=k, **conditions
    )
    pd.testing.assert_frame_equal(other.areas.sort_index(), found.areas.sort_index())
    same = ["chosen", "best", "largest"]
    pd.testing.assert_frame_equal(other.sets.loc[same], found.sets.loc[same])


def test_a_common_reporting_rate_moves_counts_and_no_set():
    tau = np.random.default_rng(1).beta(3, 27, 400)
    told = target(COUNTS / tau, TABLE, INDICATORS, k=5, tau=tau)
    plain = chosen_for(k=5)
    assert told.chosen == plain.chosen
    np.testing.assert_allclose(told.areas["chance_best"], plain.areas["chance_best"])
    np.testing.assert_array_equal(told.areas["joint_low"], plain.areas["joint_low"])
    ten = told.by_tau.loc[0.1, "median"]
    assert ten == pytest.approx(plain.sets.loc["chosen", "q50"] / 0.1)
    assert told.sets.loc["chosen", "of_best"] == pytest.approx(plain.sets.loc["chosen", "of_best"])
    without = target(COUNTS / tau, TABLE, INDICATORS, k=5, tau=tau, mean=False)
    assert np.isnan(without.sets["mean"]).all()
    assert without.areas["mean"].isna().all()


def test_reporting_that_differs_makes_another_set():
    silent = pd.Series(1.0, index=IDS)
    hushed = chosen_for(k=3).areas.index[-1]
    silent[hushed] = 1e-3  # nearly nobody tells there
    told = chosen_for(
        k=3, scenarios={"one place is silent": silent, "alike": silent * 0 + 1}
    ).scenarios
    assert told.loc["alike", "kept"] == 3
    assert told.loc["alike", "of_best"] == pytest.approx(1)
    assert told.loc["one place is silent", "kept"] == 2
    assert told.loc["one place is silent", "of_best"] < 0.5


def test_a_budget_buys_the_best_set_it_can():
    costs = pd.Series(TABLE["people"] / 1000, index=IDS)
    found = chosen_for(budget=20.0, costs=costs, min_per={"county": 1})
    assert costs[found.chosen].sum() <= 20 + 1e-6
    assert found.relaxed
    assert found.draws == 200
    assert found.sets.loc["chosen", "of_best"] <= 1
    assert found.top == len(found.chosen)
    assert (found.areas["cost"] == costs[found.areas.index]).all()
    # Random sets spend the budget too.
    assert found.sets.loc["random", "areas"] > 2
    assert found.sets.loc["random", "mean"] < found.sets.loc["chosen", "mean"]


def test_a_given_set_is_judged_and_compared():
    found = chosen_for(places=["t03", "t05"], against=["t01"], by="rate")
    assert found.given
    assert sorted(found.chosen) == ["t03", "t05"]
    people, size = all_people(), TABLE["people"].to_numpy()
    first = people[[3, 5]].sum(axis=0) / size[[3, 5]].sum()
    second = people[1] / size[1]
    assert found.against["chance"] == np.mean(first > second)
    assert found.against["ratio_q50"] == pytest.approx(np.median(first / second))


def test_a_tie_counts_half():
    assert probability_greater(np.array([1.0, 2, 3, 3]), np.array([1.0, 1, 1, 4])) == 0.625


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"k": 25}, "25 areas are wanted of 24"),
        ({"k": 23, "withheld": IDS[:2]}, "23 areas are wanted of 22"),
        ({"k": 3, "indicator": "odds"}, "choose one of all, left, both"),
        ({"k": 3, "by": "ratio"}, "choose count or rate"),
        ({"k": 3, "aim": "best"}, "choose largest or top"),
        ({"budget": 9.0, "costs": pd.Series(range(24), IDS), "aim": "top"}, "give k too"),
        ({"places": ["t99"]}, "t99 is not an area"),
        ({"places": ["t00"], "withheld": ["t00"]}, "t00 cannot be shown"),
        ({"places": ["t01"], "k": 2}, "nothing to choose"),
        ({"places": ["t01"], "against": ["t01"]}, "on both sides"),
        ({"k": 3, "level": 0.999}, "draws do not tell"),
    ],
)
def test_what_is_wrong_is_said(wanted, said):
    with pytest.raises(InputError, match=said):
        chosen_for(**wanted)


def test_an_area_where_nobody_lives_is_left_out():
    table = TABLE.copy()
    table.loc["t07", "people"] = 0
    found = target(COUNTS.where(COUNTS["area_id"] != "t07", 0), table, INDICATORS, k=3, by="rate")
    assert "t07" not in found.areas.index
    assert found.left_out == {"nobody to refer to": 1}


def test_chances_come_true_where_draws_are_the_posterior():
    """Log rates from the prior, seen with known error: 100 worlds of 24 areas, draws exact.

    Among areas given a chance near p of being among the top 5, p are; also for the best set under
    a minimum. Bins of at least 100 areas, four binomial errors and 0.02 for areas of one world
    being dependent. The reach of the chosen set is on average what was expected.
    """
    rng = np.random.default_rng(7)
    rows, reach = [], []
    for _ in range(100):
        variance = rng.uniform(0.1, 1, 24)
        truth = rng.normal(0, 1, 24)
        seen = truth + np.sqrt(variance) * rng.normal(size=24)
        shrink = 1 / (1 + variance)
        spread = np.sqrt(variance * shrink)[:, None]
        draws = (shrink * seen)[:, None] + spread * rng.normal(size=(24, 400))
        people = xr.DataArray(
            np.exp(np.stack([draws, draws - 20])),
            dims=("component", "area_id", "draw"),
            coords={"component": ["left", "both"], "area_id": IDS},
        )
        found = target(people, TABLE, INDICATORS, k=5, indicator="left", min_per={"shire": 1})
        true = pd.Series(np.exp(truth), index=IDS)
        held = set(true.groupby(TABLE["shire"]).idxmax())
        held |= set(true.drop(list(held)).nlargest(1).index)
        areas = found.areas.assign(top=true.rank(ascending=False) <= 5)
        areas["best"] = areas.index.isin(list(held))
        rows.append(areas)
        reach.append((true[found.chosen].sum(), found.sets.loc["chosen", "mean"]))
    every = pd.concat(rows)
    for stated, came in (("chance_top", "top"), ("chance_best", "best")):
        bins = every.groupby(pd.cut(every[stated], np.linspace(0, 1, 6), include_lowest=True))
        for _, part in bins:
            assert len(part) >= 100
            p = part[stated].mean()
            tolerance = 4 * np.sqrt(p * (1 - p) / len(part)) + 0.02
            assert part[came].mean() == pytest.approx(p, abs=tolerance)
    true_reach, expected = np.array(reach).T
    error = (true_reach - expected).std() / np.sqrt(100)
    assert true_reach.mean() == pytest.approx(expected.mean(), abs=4 * error)
    assert error < 0.05 * expected.mean()

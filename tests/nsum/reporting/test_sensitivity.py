"""Reporting that differs between groups, and groups that overlap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.nsum.reporting.sensitivity import (
    area_multipliers,
    overlap_sensitivity,
    relative_reporting,
    respondent_multipliers,
    tau_variation,
)

IDS = [f"{i:010d}" for i in range(40)]


def areas(seed: int = 0) -> tuple[pd.Series, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    urban = rng.uniform(0, 1, len(IDS))
    counts = pd.Series(rng.gamma(2, 200, len(IDS)) * (0.5 + urban), IDS)
    return counts, pd.DataFrame({"urban": urban, "rural": 1 - urban}, IDS)


@given(rural=st.floats(0.1, 5), anchored=st.booleans())
def test_the_total_stays_where_tau_was_learned(rural: float, anchored: bool):
    counts, shares = areas()
    anchor = IDS[:12] if anchored else IDS
    multiplier = area_multipliers(
        shares, {"urban": 1.0, "rural": rural}, counts, anchor if anchored else None
    )
    assert (counts / multiplier).loc[anchor].sum() == pytest.approx(counts.loc[anchor].sum())


def test_less_rural_reporting_moves_cases_to_rural_areas_and_raises_an_urban_anchored_total():
    counts, shares = areas()
    scenarios = {"same": {"urban": 1, "rural": 1}, "half": {"urban": 2, "rural": 1}}
    table = tau_variation(counts, shares, scenarios, top_k=10)
    assert table.loc["same", "moved"] == pytest.approx(0)
    assert table.loc["same", "top_kept"] == 1
    assert table.loc["half", "total_ratio"] == pytest.approx(1)
    assert table.loc["half", "moved"] > 0.02
    anchor = shares.index[shares["urban"] > 0.8]
    anchored = tau_variation(counts, shares, scenarios, anchor=anchor, top_k=10)
    assert anchored.loc["half", "total_ratio"] > 1.1


def test_respondents_of_one_place_reveal_relative_reporting_that_places_hide():
    rng = np.random.default_rng(2)
    n = 40_000
    place = rng.integers(0, 200, n)
    prevalence = rng.gamma(2, 0.01, 200)
    young = rng.random(n) < (0.2 + 0.6 * (prevalence[place] > 0.02))  # the young live where it is
    degree = rng.lognormal(4, 0.5, n)
    reports = rng.poisson(degree * prevalence[place] * np.where(young, 1.5, 1.0))
    by = pd.Series(np.where(young, "young", "old"))
    columns = (pd.Series(reports), pd.Series(degree), by)
    table = relative_reporting(*columns, pd.Series(place))
    crude = relative_reporting(*columns, pd.Series("everywhere", by.index))["relative"]
    log_ratio = np.log(table.loc["young", "relative"] / table.loc["old", "relative"])
    assert abs(log_ratio - np.log(1.5)) < 4 * table["log_se"].max()
    assert table["log_se"].max() < 0.02
    assert crude["young"] / crude["old"] > 2


@pytest.mark.parametrize("mixed", [150, 15])
def test_the_error_counts_only_places_where_groups_live_side_by_side(mixed: int):
    rng = np.random.default_rng(4)
    place = np.repeat(np.arange(150), 24)
    found = []
    for _ in range(80):
        coin = rng.random(len(place)) < 0.5
        by = np.where(np.where(place < mixed, coin, place % 2 == 0), "a", "b")
        reports = rng.poisson(0.05 * rng.lognormal(0, 0.8, 150)[place])
        table = relative_reporting(*map(pd.Series, (reports, np.full(len(by), 45.0), by, place)))
        found.append((np.log(table.loc["a", "relative"]), table.loc["a", "log_se"]))
    error, stated = np.array(found).T
    assert stated.mean() == pytest.approx(error.std(), rel=0.25)


def test_groups_that_no_place_compares_have_no_known_relative_rate():
    def found(reports: list[int], by: str, place: str) -> pd.DataFrame:
        exposure = pd.Series(1.0, range(len(reports)))
        return relative_reporting(
            pd.Series(reports), exposure, pd.Series(list(by)), pd.Series(list(place))
        )

    apart = found([3, 5], "ab", "pq")
    assert apart["relative"].isna().all()
    assert np.isinf(apart["log_se"]).all()
    alone = found([3, 5, 4], "abc", "ppq")
    together = found([3, 5], "ab", "pp")
    pd.testing.assert_frame_equal(alone.loc[["a", "b"]], together, check_names=False)
    assert np.isnan(alone.loc["c", "relative"])
    assert np.isinf(found([1, 2, 3, 4], "abcd", "ppqq")["log_se"]).all()
    silent = found([9, 0], "ab", "pp")
    assert silent["relative"].tolist() == [2, 0]
    assert 0 < silent.loc["a", "log_se"] < np.inf


def test_respondent_multipliers_average_to_one_and_leave_missing_alone():
    people = pd.DataFrame({"sex": ["F", "M", None], "age": ["old", "young", "young"]})
    exposure = pd.Series([10.0, 30.0, 20.0])
    relative = {"sex": {"F": 2.0, "M": 1.0}, "age": {"old": 0.5, "young": 1.0}}
    multiplier = respondent_multipliers(people, relative, exposure)
    assert (multiplier * exposure).sum() == pytest.approx(exposure.sum())
    assert multiplier[2] == 1
    with pytest.raises(InputError, match="no relative rate for M"):
        respondent_multipliers(people, {"sex": {"F": 2.0}}, exposure)


def test_groups_must_be_exhaustive():
    counts, shares = areas()
    with pytest.raises(InputError, match="one in every area"):
        area_multipliers(shares * 0.9, {"urban": 1, "rural": 1}, counts)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=2, max_size=50))
def test_overlap_runs_from_the_sum_to_the_larger_group(pairs: list[tuple[float, float]]):
    live, nonlive = np.array(pairs).T
    mean = overlap_sensitivity(live, nonlive, (0.0, 0.5, 1.0))["mean"]
    assert mean[0.0] == pytest.approx((live + nonlive).mean())
    assert mean[1.0] == pytest.approx(np.maximum(live, nonlive).mean())
    assert mean[0.5] == pytest.approx((mean[0.0] + mean[1.0]) / 2)

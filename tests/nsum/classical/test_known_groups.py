"""Known-group checks, on the Rwandan survey and on surveys made with known faults."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.nsum import (
    back_estimates,
    killworth,
    leave_one_out,
    overlap,
    recall,
    side_by_side,
    trim,
)
from smallarea.nsum.annex.plots import plot_back_estimates, plot_side_by_side, plot_trimming
from smallarea.nsum.classical.known_groups import coverage
from smallarea.survey import ARD, make_ard

POPULATION = 1_000_000


def made(sizes: dict[str, int], shares: dict[str, float], *, n: int = 3000, seed: int = 0) -> ARD:
    """A survey in which a group is reported as if `shares` of the population were in it."""
    rng = np.random.default_rng(seed)
    d = rng.lognormal(5, 0.6, size=n)
    names = [*sizes, "hidden"]
    survey = pd.DataFrame({g: rng.poisson(d * shares[g]) for g in names})
    groups = pd.DataFrame(
        {
            "group": names,
            "kind": ["known"] * len(sizes) + ["hidden"],
            "size": [*sizes.values(), None],
            "population": POPULATION,
        }
    )
    return make_ard(survey, groups)


SIZES = {"a": 5_000, "b": 10_000, "c": 20_000, "d": 40_000}
TRUE = {g: n / POPULATION for g, n in SIZES.items()} | {"hidden": 0.002}


def test_back_estimates_of_networkreporting(
    rwanda: ARD, rwanda_zero_filled: ARD, golden: Path
) -> None:
    """networkreporting takes a missing answer as 0 in the degrees and leaves the respondent out
    of the sums for that group; both surveys together reproduce it."""
    reference = json.loads((golden / "nsum" / "networkreporting_misc.json").read_text())["ic"]
    table = back_estimates(rwanda_zero_filled)
    answered = rwanda_zero_filled.respondents(rwanda.counts["muslim"].notna())
    table.loc["muslim"] = back_estimates(answered).loc["muslim"]
    error = table["estimate"] - table["size"]
    assert (error.abs() / table["size"]).mean() == pytest.approx(reference["are"], rel=1e-9)
    assert error.abs().mean() == pytest.approx(reference["mae"], rel=1e-9)
    assert (error**2).mean() ** 0.5 == pytest.approx(reference["rmse"], rel=1e-9)


def test_the_rwandan_survey_recalls_small_groups_too_well(rwanda: ARD) -> None:
    table = back_estimates(rwanda)
    assert (table["ratio"] - 1).abs().mean() == pytest.approx(1.15, abs=0.01)
    assert table.loc["priest", "ratio"] == pytest.approx(10.6, abs=0.05)
    assert 0.40 < recall(table).slope < 0.44


def test_trimming_moves_the_rwandan_estimates_up_by_a_quarter(rwanda: ARD) -> None:
    result = trim(rwanda)
    hidden = result.path[rwanda.hidden()]
    moved = hidden.iloc[-1] / hidden.iloc[0]
    assert moved.between(1.20, 1.25).all()
    assert result.converged
    assert result.removed[:4] == ("priest", "nurse.or.doctor", "male.community.health", "teacher")
    assert back_estimates(result.ard)["ratio"].between(0.5, 2).all()
    # The path reports what each step did, and ends where the trimmed survey stands.
    assert result.path["groups"].tolist() == list(range(22, 22 - len(hidden), -1))
    assert result.path["error"].is_monotonic_decreasing
    pd.testing.assert_series_equal(
        hidden.iloc[-1], killworth(result.ard).estimate, check_names=False
    )


def test_leaving_a_group_out_uses_nothing_of_it() -> None:
    ard = made(SIZES, TRUE)
    estimate = leave_one_out(ard).estimate
    for group in SIZES:
        others = [g for g in SIZES if g != group]
        d = POPULATION * ard.counts[others].sum(axis=1) / sum(SIZES[g] for g in others)
        expected = POPULATION * ard.counts[group].sum() / d.sum()
        assert estimate[group] == pytest.approx(expected, rel=1e-12)


def test_sound_groups_are_kept_and_a_wrong_size_is_found() -> None:
    assert trim(made(SIZES, TRUE)).removed == ()
    wrong = made(SIZES | {"a": 50_000}, TRUE)  # believed ten times too large
    result = trim(wrong)
    assert result.removed == ("a",)
    assert result.path["hidden"].iloc[-1] == pytest.approx(0.002 * POPULATION, rel=0.1)


def test_trimming_stops_at_the_minimum() -> None:
    unrelated = {"a": 0.04, "b": 0.02, "c": 0.01, "d": 0.001, "hidden": 0.002}
    result = trim(made(SIZES, unrelated), band=1.05, minimum=3)
    assert not result.converged
    assert len(result.ard.known()) == 3


def test_a_group_nobody_reports_is_the_first_to_go() -> None:
    ard = made(SIZES | {"e": 2_000}, TRUE | {"e": 0.0})
    assert trim(ard).removed[0] == "e"


def test_the_recall_line_undoes_the_recall_it_was_made_with() -> None:
    sizes = {f"g{i}": int(n) for i, n in enumerate(np.geomspace(500, 60_000, 12))}
    slope, pivot = 0.6, 0.01
    recalled = {g: pivot * (n / POPULATION / pivot) ** slope for g, n in sizes.items()}
    recalled["hidden"] = pivot * (0.002 / pivot) ** slope
    ard = made(sizes, recalled, n=6000)
    line = recall(back_estimates(ard))
    assert line.slope == pytest.approx(slope, abs=0.03)
    estimate = killworth(ard).estimate
    read = line.sizes(estimate).loc["hidden"]
    assert read["size"] == pytest.approx(0.002 * POPULATION, rel=0.1)
    assert abs(np.log(read["size"] / 2000)) < abs(np.log(estimate["hidden"] / 2000)) / 3
    assert read["low"] < 2000 < read["high"]
    assert not read["extrapolated"]


def test_reading_beyond_the_known_sizes_is_flagged() -> None:
    line = recall(back_estimates(made(SIZES, TRUE)))
    read = line.sizes(pd.Series({"tiny": 10.0, "middle": 10_000.0, "none": 0.0}))
    assert read["extrapolated"].tolist() == [True, False, True]
    assert np.isnan(read.loc["none", "size"])


def test_recall_needs_a_rising_line_of_three_groups() -> None:
    falling = {"a": 0.04, "b": 0.02, "c": 0.01, "d": 0.005, "hidden": 0.002}
    with pytest.raises(InputError, match="do not grow with size"):
        recall(back_estimates(made(SIZES, falling)))
    with pytest.raises(InputError, match="three are needed"):
        recall(back_estimates(made({"a": 5000, "b": 10_000}, TRUE)))
    with pytest.raises(InputError, match="two are needed"):
        leave_one_out(made({"a": 5000}, TRUE))


def test_overlapping_groups_stand_out() -> None:
    ard = made(SIZES, TRUE)
    apart = overlap(ard)
    assert (apart["z"].abs() < 4).all()
    assert apart["correlation"].min() < -0.6  # two large groups, one total: not an overlap
    twins = ard.counts.assign(b=ard.counts["c"])  # everyone in b is in c too
    together = overlap(ARD(twins, ard.groups, ard.design))
    assert set(together.loc[0, ["group", "other"]]) == {"b", "c"}
    assert together.loc[0, "excess"] > 0.8
    assert together.loc[0, "z"] > 30
    assert coverage(ard)["adult"] == pytest.approx(0.075)


def test_all_figures_stand_side_by_side(rwanda: ARD) -> None:
    table = side_by_side(rwanda)
    np.testing.assert_allclose(table["untrimmed"], killworth(rwanda).estimate)
    assert (table["trimmed"] / table["untrimmed"]).between(1.2, 1.25).all()
    assert table["untrimmed"].between(table["leave_one_out_low"], table["leave_one_out_high"]).all()
    assert table["summation"].isna().all()  # 22 groups of 11 % of the population
    assert table["recall_adjusted"].notna().tolist() == [True, False, False, True]


def test_figures_show_what_the_tables_hold(rwanda: ARD, tmp_path: Path) -> None:
    table = back_estimates(rwanda)
    first = plot_back_estimates(table, recall(table))
    points = first.axes[0].collections[1].get_offsets()
    np.testing.assert_allclose(np.sort(points[:, 1]), np.sort(table["estimate"]))
    result = trim(rwanda)
    second = plot_trimming(result)
    np.testing.assert_allclose(second.axes[1].lines[0].get_ydata(), result.path["error"])
    third = plot_side_by_side(side_by_side(rwanda))
    assert [t.get_text() for t in third.axes[0].get_yticklabels()] == rwanda.hidden()
    for number, figure in enumerate((first, second, third)):
        figure.savefig(tmp_path / f"{number}.png")

"""Closed forms against networkreporting 0.3.1 (R 4.2.2) and networkscaleup 0.0.11 (Python)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.nsum import (
    Adjustment,
    adjusted,
    degrees,
    generalized,
    killworth,
    killworth_table,
    modified_basic,
    visibility,
)
from smallarea.survey import ARD, make_ard

HIDDEN = ["sex.workers", "msm", "idu", "clients"]


def unweighted(ard: ARD) -> ARD:
    return replace(ard, design=ard.design.assign(weight=1.0))


@pytest.fixture(scope="module")
def estimates(golden: Path) -> pd.DataFrame:
    table = pd.read_csv(golden / "nsum" / "networkreporting_estimates.csv")
    return table.set_index(["group", "weighted", "y_topcode30"])


@pytest.fixture(scope="module")
def networkscaleup(golden: Path) -> dict:
    return json.loads((golden / "nsum" / "networkscaleup_py_killworth.json").read_text())


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("hidden_top_code", [True, False])
def test_estimates_of_networkreporting(
    rwanda_zero_filled: ARD, estimates: pd.DataFrame, weighted: bool, hidden_top_code: bool
) -> None:
    ard = rwanda_zero_filled if weighted else unweighted(rwanda_zero_filled)
    if hidden_top_code:
        counts = ard.counts.copy()
        counts[HIDDEN] = counts[HIDDEN].clip(upper=30)
        ard = replace(ard, counts=counts)
    result = killworth(ard)
    expected = estimates.xs((weighted, hidden_top_code), level=("weighted", "y_topcode30"))
    np.testing.assert_allclose(result.estimate[HIDDEN], expected.loc[HIDDEN, "estimate"], rtol=1e-9)
    # networkreporting uses the weights as they are; here they are scaled to average 1.
    scale = np.sqrt(ard.weights.mean())
    np.testing.assert_allclose(
        result.binomial_error()[HIDDEN] / scale, expected.loc[HIDDEN, "killworth_se"], rtol=1e-9
    )


def test_degrees_of_networkreporting(rwanda_zero_filled: ARD, golden: Path) -> None:
    reference = json.loads((golden / "nsum" / "networkreporting_misc.json").read_text())["dhat"]
    d = degrees(rwanda_zero_filled)
    weighted = np.average(d, weights=rwanda_zero_filled.weights)
    found = [d.mean(), weighted, d.median(), d.std(), d.max()]
    keys = ["mean", "wmean", "median", "sd", "max"]
    np.testing.assert_allclose(found, [reference[k] for k in keys], rtol=1e-9)
    assert (d == 0).sum() == reference["zeros"]


def test_a_missing_answer_leaves_both_sums(rwanda: ARD, rwanda_zero_filled: ARD) -> None:
    """networkreporting counts it as 0 reports; here its group leaves the respondent's sizes too."""
    one = rwanda.counts["muslim"].isna()
    d, zero = degrees(rwanda), degrees(rwanda_zero_filled)
    pd.testing.assert_series_equal(d[~one], zero[~one])
    total, muslim = rwanda.groups.loc[rwanda.known(), "size"].sum(), 195_449
    np.testing.assert_allclose(d[one], zero[one] * total / (total - muslim), rtol=1e-12)


@pytest.mark.parametrize("data", ["curitiba_sim_degree", "curitiba_sim_barrier"])
def test_mle_and_pimle_of_networkscaleup(golden: Path, networkscaleup: dict, data: str) -> None:
    survey = pd.read_csv(golden / "nsum" / f"{data}.csv")
    groups = pd.read_csv(golden / "nsum" / "curitiba_groups.csv")
    hidden = groups["role"] == "unknown_truth"
    groups = groups.assign(
        kind=np.where(hidden, "hidden", "known"),
        size=groups["size"].mask(hidden),
        population=1_817_434,
    )
    ard = make_ard(survey, groups)
    for method in ("mle", "pimle"):
        expected = networkscaleup[data][method.upper()]["heavy.drug.user"]
        found = killworth(ard, method=method).estimate["heavy.drug.user"]
        assert found == pytest.approx(expected, rel=1e-9)


def test_mle_and_pimle_of_networkscaleup_on_rwanda(
    rwanda_zero_filled: ARD, networkscaleup: dict
) -> None:
    expected = networkscaleup["rwanda_topcode30_unweighted"]
    ard = unweighted(rwanda_zero_filled)
    for method in ("mle", "pimle"):
        found = killworth(ard, method=method).estimate
        np.testing.assert_allclose(
            found[HIDDEN], [expected[method.upper()][g] for g in HIDDEN], rtol=1e-9
        )


def test_adjustment_factors_of_networkreporting(rwanda_zero_filled: ARD, golden: Path) -> None:
    reference = json.loads((golden / "nsum" / "networkreporting_misc.json").read_text())
    result = modified_basic(
        rwanda_zero_filled, Adjustment(degree_ratio=0.8, true_positive_rate=0.6)
    )
    expected = reference["sexworkers_degratio.8_tx.6"]
    assert result.estimate["sex.workers"] == pytest.approx(expected, rel=1e-9)


def small(**changes: object) -> ARD:
    survey = pd.DataFrame(
        {"a": [2, 0, 4, 1], "b": [4, 0, 2, 3], "h": [1, 1, 0, 2], "w": [1.0, 1.0, 2.0, 1.0]}
    ).assign(**changes)
    groups = pd.DataFrame(
        {
            "group": ["a", "b", "h"],
            "kind": ["known", "known", "hidden"],
            "size": [400, 600, None],
            "population": 1000,
            "network": "child",
        }
    )
    return make_ard(survey, groups, weight="w")


def test_summation_leaves_zero_sums_out_and_counts_them() -> None:
    result = killworth(small())
    # Weighted reports 1 + 0 + 2 over weighted sums 6 + 2 * 6 + 4; the second knows no child.
    assert result.estimate["h"] == pytest.approx(1000 * 3 / 22)
    assert any(note.startswith("1 of 4 respondents know nobody") for note in result.notes)


def test_summation_is_missing_where_a_part_is_missing() -> None:
    d = degrees(small(a=[np.nan, 0, 4, 1]), "child")
    assert d.isna().tolist() == [True, False, False, False]


def test_summation_over_groups_that_do_not_add_up_is_called_out() -> None:
    ard = small()
    halved = replace(ard, groups=ard.groups.assign(size=ard.groups["size"] / 2))
    assert any("add up to 50%" in note for note in killworth(halved).notes)


def test_mean_of_ratios_lets_every_group_count_alike() -> None:
    d = degrees(small(), "child", "mean_of_ratios")
    np.testing.assert_allclose(
        d, 1000 * (np.array([2, 0, 4, 1]) / 400 + [4 / 600, 0, 2 / 600, 3 / 600]) / 2
    )


def test_degrees_from_elsewhere_take_the_place_of_the_usual_ones() -> None:
    ard = small()
    doubled = {"child": degrees(ard, "child") * 2}
    usual = killworth(ard).estimate["h"]
    ones = killworth(ard, degree={"child": pd.Series(10.0, ard.counts.index)}).estimate["h"]
    assert ones == pytest.approx(1000 * 4 / 50)
    assert killworth(ard, degree=doubled).estimate["h"] == pytest.approx(
        1000 * 4 / 44
    )  # a given zero degree keeps its reports
    assert usual != ones


def test_a_group_nobody_reports_has_a_bound_and_no_error() -> None:
    result = killworth(small(h=[0, 0, 0, 0]))
    row = result.summary(replicates=200).loc["h"]
    assert row["mean"] == 0
    assert np.isnan(row["sd"])
    exposure = result.exposure["h"].mul([1, 1, 2, 1]).sum() / 1.25
    kish = 4 * 7 / 25
    assert row["q975"] == pytest.approx(-np.log(0.025) * 1000 / exposure * kish)
    assert any("nobody reported anyone in h" in note for note in result.notes)


def test_generalized_scale_up_divides_reports_by_visibility() -> None:
    ard = small()
    aware = pd.DataFrame({"a": [3.0, 5.0, 1.0], "b": [1.0, 2.0, 0.0]})
    seen = visibility(aware, pd.Series({"a": 300, "b": 500}), frame_population=900)
    assert seen.mean == pytest.approx(900 / 800 * 4)
    result = generalized(ard, "h", seen, frame_population=900)
    assert result.estimate["h"] == pytest.approx(900 * (4 / 5) / seen.mean)
    alone = replace(result, scale_cv=0.0)
    both = (result.standard_error() / result.estimate) ** 2
    assert both["h"] == pytest.approx(
        ((alone.standard_error() / alone.estimate) ** 2)["h"]
        + (seen.standard_error / seen.mean) ** 2
    )
    spread = result.bootstrap(replicates=4000, seed=1)["h"].std()
    assert spread > alone.bootstrap(replicates=4000, seed=1)["h"].std()


def test_adjustments_compose_and_are_checked() -> None:
    ard = small()
    factor = Adjustment(frame_ratio=2, degree_ratio=0.5, true_positive_rate=0.25, precision=0.5)
    assert factor.factor == pytest.approx(2.0)
    assert adjusted(killworth(ard), factor).estimate["h"] == pytest.approx(
        2 * killworth(ard).estimate["h"]
    )
    with pytest.raises(InputError, match="true_positive_rate is"):
        Adjustment(true_positive_rate=1.2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda ard: killworth(ard, method="magic"), "'magic' is no scale-up"),
        (lambda ard: killworth(ard, degree="magic"), "'magic' is no way to a degree"),
        (lambda ard: killworth(ard.only(["a", "b"])), "no hidden group"),
        (lambda ard: degrees(ard, "adult"), "no known group in the adult network"),
        (
            lambda ard: killworth(replace(ard, counts=ard.counts.assign(a=0.0, b=0.0))),
            "nobody knows anyone",
        ),
        (
            lambda ard: killworth(replace(ard, counts=ard.counts.assign(h=np.nan))),
            "nobody who knows anyone answered the question on h",
        ),
        (
            lambda ard: visibility(pd.DataFrame({"a": [1.0]}), pd.Series({"a": 1}), 10),
            "at least two respondents",
        ),
    ],
)
def test_what_cannot_be_estimated_is_said(call, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call(small())


def test_the_table_lays_every_error_side_by_side(rwanda: ARD) -> None:
    table = killworth_table(rwanda, replicates=500, seed=3)
    assert (table["linearised_se"] > 1.2 * table["binomial_se"]).all()
    np.testing.assert_allclose(table["sd"], table["linearised_se"], rtol=0.15)
    assert table.loc["sex.workers", "respondents"] == 2406


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 50))
def test_estimates_ignore_row_order_and_the_scale_of_weights(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    survey = pd.DataFrame(rng.poisson([3, 2, 0.5], size=(30, 3)), columns=["a", "b", "h"])
    survey.loc[rng.integers(30, size=3), "a"] = np.nan
    survey["w"] = rng.uniform(0.5, 2, 30)
    groups = pd.DataFrame(
        {
            "group": ["a", "b", "h"],
            "kind": ["known", "known", "hidden"],
            "size": [400, 600, None],
            "population": 10_000,
        }
    )
    one = killworth(make_ard(survey, groups, weight="w"))
    other = killworth(
        make_ard(
            survey.sample(frac=1, random_state=seed).assign(w=lambda t: t["w"] * scale),
            groups,
            weight="w",
        )
    )
    np.testing.assert_allclose(one.estimate, other.estimate)
    np.testing.assert_allclose(one.standard_error(), other.standard_error())
    np.testing.assert_allclose(one.binomial_error(), other.binomial_error())

"""Answers that can hardly be true are said; usual ones are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smallarea.nsum import fit_nsum, killworth
from smallarea.nsum.bayesian.predictive import leave_one_out, predictive_check
from smallarea.nsum.plausible import doubts, implausible, within_population
from smallarea.nsum.raised import answer_warnings, model_warnings
from smallarea.nsum.shell import nsum_survey
from smallarea.nsum.thresholds import (
    design_effect_warnings,
    disagreement_warnings,
    fit_warnings,
    known_group_warnings,
)
from smallarea.run.said import survey_warnings
from smallarea.survey import ARD, make_ard

SHARES = {"k1": 0.03, "k2": 0.02, "k3": 0.01, "k4": 0.02}
PEOPLE = 1_000_000


def survey(seed: int = 0, n: int = 1_000, power: float = 0.0) -> ARD:
    """A survey with a rate of the hidden group that goes with degree to some power."""
    rng = np.random.default_rng(seed)
    d = rng.lognormal(5.3, 0.6, n)
    answers = {g: rng.poisson(d * s) for g, s in SHARES.items()}
    answers["h"] = rng.poisson(0.005 * d * (d / 200) ** power)
    groups = pd.DataFrame({"group": list(answers), "kind": "known", "population": PEOPLE})
    groups["size"] = [s * PEOPLE for s in SHARES.values()] + [np.nan]
    groups.loc[4, "kind"] = "hidden"
    return make_ard(pd.DataFrame(answers), groups)


def changed(ard: ARD, row: int, column: str, answer: float) -> ARD:
    counts = ard.counts.copy()
    counts.iloc[row - 1, counts.columns.get_loc(column)] = answer
    return replace(ard, counts=counts)


@pytest.mark.parametrize("seed", range(5))
def test_a_usual_survey_raises_nothing(seed: int) -> None:
    assert answer_warnings(survey(seed))[0] == []


def test_a_real_survey_raises_its_codes_only(rwanda_tables) -> None:
    ard = make_ard(*rwanda_tables, respondent="id", psu="cluster", stratum="region")
    found = implausible(ard)
    assert set(found["answer"]) == {72, 80, 95}  # 95 or more, it seems
    assert len(found) == 6


@pytest.mark.parametrize(("column", "answer"), [("h", 5_000), ("k1", 20_000), ("h", 60)])
def test_a_typo_is_said_with_the_estimate_without_it(column: str, answer: float) -> None:
    ard = survey()
    found = doubts(changed(ard, 17, column, answer))
    assert found.answers[["row", "column", "answer"]].to_numpy().tolist() == [[17, column, answer]]
    empty = killworth(changed(ard, 17, column, np.nan)).estimate["h"]
    assert found.without["h"] == pytest.approx(empty)
    said = "\n".join(found.warnings())
    assert f"column '{column}': row 17: {answer:,.0f}" in said
    assert f"{empty:,.0f} without them" in said
    assert ("one respondent (row 17)" in said) == (answer > 60)
    assert found.facts()["implausible"][0]["row"] == 17


def test_an_answer_above_a_summed_degree_contradicts_itself() -> None:
    table = pd.DataFrame({"young": [5, 3, 0], "old": [5, 1, 0], "h": [1, 6, 1]})
    groups = pd.DataFrame(
        {
            "group": list(table),
            "kind": ["known", "known", "hidden"],
            "size": [400.0, 600.0, np.nan],
            "population": 1000.0,
            "network": "child",
        }
    )
    found = implausible(make_ard(table, groups))
    assert found["row"].tolist() == [2, 3]


def test_no_total_is_above_its_population() -> None:
    table = pd.DataFrame(
        {"mean": [50.0, 150.0], "sd": [5.0, 40.0], "q025": 10.0, "q975": [90.0, 300.0]},
        index=["a", "b"],
    )
    cut, said = within_population(table, pd.Series({"a": 100.0, "b": 200.0}))
    assert cut.loc["b", ["mean", "q975"]].tolist() == [150, 200]
    assert (cut.loc["a", "sd"], len(said)) == (5, 1)
    assert "b: the interval went to 300, beyond the population of 200" in said[0]


def test_known_groups_that_are_far_off_are_raised() -> None:
    ard = survey()
    wrong = ard.groups.assign(size=ard.groups["size"].where(ard.groups.index != "k3", 2_000))
    (said,) = known_group_warnings(replace(ard, groups=wrong))
    assert "1 of 4 by more than a factor of 2 (k3 " in said


def test_known_groups_are_checked_against_a_degree_that_was_asked() -> None:
    ard = survey()
    table = ard.counts.reset_index(drop=True)
    table["reach"] = np.rint(table["k1"] / SHARES["k1"] + 1)
    groups = ard.groups.reset_index()
    groups.loc[groups["group"] == "k2", "size"] *= 3
    asked = make_ard(table, groups, degree="reach")
    (said,) = known_group_warnings(asked)
    assert "estimated from the degree that was asked" in said
    assert "1 of 4 by more than a factor of 2 (k2 0.3" in said


def test_a_large_design_effect_is_raised() -> None:
    result = killworth(changed(survey(), 3, "h", 300))
    assert "h: design effect" in design_effect_warnings(result)[0]


def test_checks_beyond_their_thresholds_are_raised() -> None:
    checks = pd.DataFrame(
        {
            "kind": ["posterior", "posterior", "prior", "posterior"],
            "group": ["h", "h", "h", "k1"],
            "statistic": ["sd", "mean", "mean", "mean"],
            "observed": 9.0,
            "predicted": 2.0,
            "tail": [0.001, 0.3, 0.0, 0.0],
        }
    )
    left_out = pd.DataFrame({"group": ["h", "k1"], "bad": [0.78, 0.02]})
    tail, pareto = fit_warnings(checks, left_out, ["h"])
    assert tail == "h: the model does not describe the answers (sd 9 where it expects 2)"
    assert "h: Pareto k is above 0.7 for 78% of the answers" in pareto


def test_a_model_far_from_the_design_is_shown_beside_it() -> None:
    ard = survey(power=-0.5)
    result = killworth(ard)
    design = pd.DataFrame({"estimate": result.estimate, "se": result.standard_error()})
    near = pd.DataFrame({"median": result.estimate, "q025": 0.0, "q975": 1.0})
    assert disagreement_warnings(design, near, ard) == []
    (said,) = disagreement_warnings(design, near * 1.5, ard)
    assert "respondents who know few report at 1." in said
    assert "killworth and power follow the design" in said


def test_a_model_that_weighs_large_networks_down_is_told_from_the_design() -> None:
    rng = np.random.default_rng(5)
    d = np.rint(rng.lognormal(4, 1, 2_000)) + 1
    table = pd.DataFrame({"h": rng.poisson(d * 0.05 * (d / 55) ** -0.5 * rng.gamma(1, size=2_000))})
    groups = pd.DataFrame({"group": ["h"], "kind": "hidden", "size": np.nan, "population": PEOPLE})
    table["reach"] = d
    ard = make_ard(table, groups, degree="reach")
    child = replace(ard, groups=ard.groups.assign(network="child"))
    fit = fit_nsum(child, "barrier", degree="summation", draws=200, tune=200, chains=2,
                   sampler="gibbs")  # fmt: skip
    left_out = leave_one_out(fit).rename_axis("group").reset_index()
    checks = predictive_check(fit).reset_index().assign(kind="posterior")
    said = model_warnings(child, {"child": fit}, checks, left_out)
    assert any("standard errors apart: respondents who know few report at" in one for one in said)


def test_two_respondents_give_numbers_that_nobody_should_trust(tmp_path) -> None:
    (tmp_path / "s.csv").write_text("a,b,c,h\n3,1,2,1\n2,0,1,0\n")
    groups = "".join(f"{g},known,10000,1000000\n" for g in "abc")
    (tmp_path / "g.csv").write_text(f"group,kind,size,population\n{groups}h,hidden,,1000000\n")
    for model in ("killworth", "pimle", "power"):
        files = tmp_path / "s.csv", tmp_path / "g.csv"
        found = nsum_survey(*files, model, out=tmp_path / model)
        assert any("2 respondents in all" in said for said in found["warnings"])
        assert 0 <= found["groups"][0]["q975"] <= 1_000_000


def test_a_run_passes_on_what_its_survey_was_warned_of(tmp_path) -> None:
    assert survey_warnings(tmp_path) == []  # direct estimates from elsewhere
    (tmp_path / "warnings.json").write_text('["h: something"]')
    assert survey_warnings(tmp_path) == ["h: something"]

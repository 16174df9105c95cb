"""What the survey says: planted facts are found, and nothing that must not be told is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from study import COMPONENTS, INDICATORS, SUMS

from smallarea.findings import FILES, Asked, FitChecks, answer_findings, map_findings
from smallarea.findings.checks import casework_table, safe_checks, safe_left_out
from smallarea.findings.people import described, safe_relative, who_tells_more
from smallarea.nsum.annex.group_tables import known_group_tables, largest_figure
from smallarea.nsum.annex.plots import svg_text
from smallarea.publish.interviews import interviews

BY = {"sex": {"F": "women", "M": "men"}, "age": [18, 40], "island": None, "income": None}


def findings(
    ard, table, direct, indicators, *, rates, counts, tau, casework, by, top_k, **of_answers
):
    """Return all tables, in the order of `FILES`, and notes."""
    anchors = None if casework is None else casework["areas"].query("used").index.tolist()
    asked = Asked(ard, by, anchors, top_k)
    tables, notes = answer_findings(
        ard, table, direct, indicators, casework=casework, by=by, **of_answers
    )
    tables |= map_findings(table, direct, indicators, rates, counts, tau, asked)
    return {name: tables[name] for name in FILES if name in tables}, notes


@pytest.fixture(scope="module")
def checks(country) -> FitChecks:
    rows = [
        (fit, "posterior", group, statistic, 0.98, 0.99, 0.97, 1.0, tail)
        for fit, group, tail in (
            ("children", "victims_live", 0.4),
            ("adults", "traffickers_live", 0.01),
            ("adults", "teachers", 0.5),
        )
        for statistic in ("largest", "mean", "sd", "zeros")
    ]
    columns = ["fit", "kind", "group", "statistic", "observed", "predicted", "q05", "q95", "tail"]
    left_out = pd.DataFrame({"fit": "adults", "group": ["teachers", "traffickers_live"]})
    left_out = left_out.assign(elpd=-1234.56, se=12.3456, p_loo=3.21987, bad=0.012345, rhat=1.0)
    return FitChecks(pd.DataFrame(rows, columns=columns), left_out)


@pytest.fixture(scope="module")
def casework() -> dict[str, pd.DataFrame]:
    rows = {
        name: {"q025": 0.03, "q50": 0.05, "q975": 0.08} for name in ("tau prior", "tau posterior")
    }
    return {
        "summary": pd.DataFrame(rows).T,
        "sensitivity": pd.DataFrame(
            {"detection_mean": [0.01, 0.02], "tau_q50": [0.05, 0.06]},
            index=pd.Index([1.0, 2.0], name="factor"),
        ),
        "areas": pd.DataFrame(
            {"used": [True] * 4 + [False]},
            index=pd.Index([f"{i:010d}" for i in (0, 1, 2, 3, 28)], name="area_id"),
        ),
    }


@pytest.fixture(scope="module")
def found(country, checks, casework) -> tuple[dict[str, pd.DataFrame], list[str]]:
    return findings(
        country.ard, country.table, country.direct, INDICATORS,
        rates=country.rates, counts=country.counts, tau=country.tau,
        checks=checks, casework=casework, by=BY, numbers=["age", "profit"], top_k=10,
    )  # fmt: skip


@pytest.fixture(scope="module")
def tables(found) -> dict[str, pd.DataFrame]:
    return found[0]


def test_every_table_is_made_and_a_column_the_survey_lacks_is_said(found):
    tables, notes = found
    assert list(tables) == list(FILES)
    assert len(notes) == 2
    assert "income" in notes[0]
    assert "profit" in notes[1]


def test_who_told_is_rounded_and_a_level_of_one_place_is_withheld(tables, country):
    table = tables["who_reported"].set_index(["variable", "level"])
    told = table[table["note"] == ""]
    assert (told[["respondents", "reporters"]] % 5 == 0).all(axis=None)
    assert (told["reporters"] >= 10).all()
    assert {"women", "men"} == set(table.loc["sex"].index)
    assert table.loc[("island", "far"), "note"] == "suppressed"
    # and neither can it be had by subtraction: another level goes with it
    assert (table.loc["island", "note"] == "suppressed").sum() >= 2
    everybody = country.ard.counts[list(COMPONENTS)].sum(axis=1, skipna=False)
    share = np.average(everybody > 0, weights=country.ard.weights)
    assert table.loc[("all", "all"), "share"] == pytest.approx(share, abs=0.0026)


def test_answers_in_numbers_are_told_in_the_survey_s_own_units(tables, country):
    (row,) = tables["numbers"].to_dict("records")
    age = country.ard.design["age"].astype(float)
    assert row["mean"] == pytest.approx(np.average(age, weights=country.ard.weights), abs=0.05)
    assert row["mean_low"] < row["mean"] < row["mean_high"]
    assert interviews(tables, INDICATORS)["numbers"] == [row]


def test_women_are_found_to_tell_twice_as_readily(tables):
    table = tables["relative_reporting"].set_index(["indicator", "variable", "level"])
    for indicator in SUMS:
        women, men = (table.loc[(indicator, "sex", sex)] for sex in ("women", "men"))
        assert women["low"] > men["high"]
        assert 1.5 < women["relative"] / men["relative"] < 2.6
    assert "island" not in table.index.get_level_values("variable")  # a place's people share it


def test_a_level_or_characteristic_that_is_hardly_compared_is_not_told(country):
    design = country.ard.design
    towns = design["psu"].where(design["psu"].isin(["p0", "p1"]))
    people = design.assign(
        two_places=np.where(towns.notna(), design["sex"], "F"),
        faith=np.where(np.arange(len(design)) % 2, "x", "y"),
    )
    people.iloc[:6, people.columns.get_loc("faith")] = "z"
    counts = country.ard.counts.copy()
    counts.iloc[:6, [counts.columns.get_loc(c) for c in COMPONENTS]] = 0.0
    ard = type(country.ard)(counts, country.ard.groups, country.ard.design)
    relative = who_tells_more(ard, people, ["two_places", "faith"], country.direct, INDICATORS)
    assert set(relative["variable"]) == {"faith"}
    table = safe_relative(relative, ard, people, INDICATORS).set_index(["indicator", "level"])
    assert set(table["note"].xs("z", level="level")) == {"suppressed"}


def test_a_level_that_only_skipped_the_question_counts_as_average(country, checks):
    design = country.ard.design.assign(faith=1)
    design.iloc[::2, design.columns.get_loc("faith")] = 2
    design.iloc[0, design.columns.get_loc("faith")] = 3
    counts = country.ard.counts.astype(float)
    counts.iloc[0, counts.columns.get_loc("victims_live")] = np.nan
    tables, _ = findings(
        type(country.ard)(counts, country.ard.groups, design),
        country.table, country.direct, INDICATORS,
        rates=country.rates, counts=country.counts, tau=country.tau,
        checks=checks, casework=None, by={"faith": None}, top_k=10,
    )  # fmt: skip
    scenarios = tables["sensitivity_reporting"]["scenario"]
    assert "people tell as measured by faith" in set(scenarios)
    assert set(tables["relative_reporting"].query("indicator == 'victims'")["level"]) == {"1", "2"}


def test_scenarios_keep_the_nation_where_tau_is_its_average(country, checks):
    tables, _ = findings(
        country.ard, country.table, country.direct, INDICATORS,
        rates=country.rates, counts=country.counts, tau=country.tau,
        checks=checks, casework=None, by=BY, top_k=10,
    )  # fmt: skip
    assert "casework" not in tables
    scenarios = tables["sensitivity_reporting"].set_index("areas")
    assert scenarios.loc[30, "total_ratio"].to_numpy() == pytest.approx(1.0)
    assert scenarios.loc[30, "moved"].min() > 0.02
    assert scenarios.loc[24, "total_ratio"].to_numpy() == pytest.approx(1.0, abs=0.05)


def test_a_scenario_moves_the_total_where_casework_taught_tau(tables):
    ratio = tables["sensitivity_reporting"].set_index("areas").loc[30, "total_ratio"]
    assert (ratio.iloc[0] - 1) * (ratio.iloc[1] - 1) < 0
    assert (ratio == ratio.round(2)).all()


def test_casework_of_two_places_leaves_no_trace(country, checks, casework):
    areas = casework["areas"].assign(used=[True] * 2 + [False] * 3)
    ratio = pd.DataFrame({"q50": 0.9}, index=["detection / tau", "detection posterior"])
    summary = pd.concat([casework["summary"], ratio])
    tables, _ = findings(
        country.ard, country.table, country.direct, INDICATORS,
        rates=country.rates, counts=country.counts, tau=country.tau,
        checks=checks, casework=casework | {"summary": summary, "areas": areas}, by={}, top_k=10,
    )  # fmt: skip
    assert set(tables["casework"]["quantity"]) == {"tau prior", "areas with casework"}
    assert (tables["sensitivity_reporting"].query("areas == 30")["total_ratio"] == 1).all()
    said = interviews(tables, INDICATORS)["casework"]
    assert said["after"] is None
    assert said["scaled"] == []


def test_totals_fall_as_the_reporting_rate_rises(tables, country):
    curve = tables["sensitivity_tau"].set_index(["indicator", "tau"]).loc["victims", "median"]
    assert (curve * curve.index).to_numpy() == pytest.approx(curve.iloc[0] * curve.index[0])
    overlap = tables["sensitivity_overlap"].set_index(["indicator", "overlap"])
    assert overlap.loc["victims", "q50"].is_monotonic_decreasing
    victims = country.counts.sel(component=list(SUMS["victims"])).sum(("component", "area_id"))
    assert overlap.loc[("victims", 0.0), "q50"] == pytest.approx(float(victims.median()))
    assert "mean" not in overlap.columns


def test_the_group_counted_six_times_too_often_is_trimmed_first(tables):
    path = tables["trimming"].query("network == 'adult'")
    assert path.query("step == 1")["removed"].eq("twins").all()
    assert (path.query("step == 0")["relative"] == 1).all()
    after = path[path["step"] == path["step"].max()].set_index("group")
    assert (after["relative"] > 1.02).all()  # degrees were too large by the twins
    side = tables["side_by_side"].set_index("group")
    moved = side["trimmed"] / side["untrimmed"]
    assert after["relative"].to_dict() == pytest.approx(moved[after.index].to_dict())
    back = tables["known_groups"].set_index("group")
    assert back["ratio"].idxmax() == "twins"


def test_a_network_that_cannot_be_judged_is_said_and_not_fatal(country):
    counts = country.ard.counts.copy()
    counts["boys"] = 0.0  # leaving the girls out, nobody knows a child
    tables, notes = known_group_tables(
        type(country.ard)(counts, country.ard.groups, country.ard.design)
    )
    assert set(tables["known_groups"]["network"]) == {"adult"}
    assert len(notes) == 1
    assert "child network" in notes[0]


def test_next_places_are_covered_and_carry_no_rate(tables, country):
    plan = tables["next_places"]
    assert plan["step"].max() == 13  # of 27 places; a list of all would choose none
    assert set(plan["area_id"]) <= set(country.table.index[country.table["covered"]])
    assert set(plan.columns) == {
        "target", "step", "area_id", "name", "province", "region", "nation_sd", "areas_sd"
    }  # fmt: skip
    assert (plan.groupby("target")["areas_sd"].diff().dropna() <= 0).all()


def test_checks_hide_single_answers_and_groups_few_told_of(country, checks):
    counts = country.ard.counts.copy()
    counts["traffickers_live"] = 0.0
    counts.iloc[:9, counts.columns.get_loc("traffickers_live")] = 1.0
    few = type(country.ard)(counts, country.ard.groups, country.ard.design)
    table = safe_checks(checks.predictive, few).set_index(["group", "statistic"])
    assert table.xs("largest", level="statistic")[["observed", "q95"]].isna().all(axis=None)
    assert table.loc["traffickers_live", ["observed", "predicted"]].isna().all(axis=None)
    assert table.loc[("teachers", "mean"), "observed"] == 0.98
    assert not table.loc["traffickers_live", "reproduced"].any()
    left_out = safe_left_out(checks.left_out, few).set_index("group")[["elpd", "se", "bad"]]
    assert left_out.loc["traffickers_live"].isna().all()
    assert left_out.loc["teachers"].tolist() == [-1230.0, 12.3, 0.0123]


def test_casework_is_told_without_places(casework):
    table = casework_table(**casework)
    value = table.set_index(["quantity", "statistic"])["value"]
    assert value["areas with casework", "used"] == 4
    assert value["areas with casework", "left out"] == 1
    assert value["detection x 2", "tau_q50"] == 0.06
    assert not table.astype(str).stack().str.contains("00000000").any()  # noqa: PD013


def test_nothing_to_describe_by_leaves_the_whole(country, checks):
    tables, notes = findings(
        country.ard, country.table, country.direct, INDICATORS,
        rates=country.rates, counts=country.counts, tau=country.tau,
        checks=checks, casework=None, by={}, top_k=10,
    )  # fmt: skip
    assert notes == []
    assert tables["who_reported"]["variable"].tolist() == ["all"]
    assert tables["relative_reporting"].empty
    assert len(tables["sensitivity_reporting"]) == 2
    assert not interviews(tables, INDICATORS)["told"]["compared"]


def test_levels_of_respondents():
    people = pd.DataFrame({"urban": ["1", "0", None], "age": ["17", "64", ""]})
    named, lacking = described(people, {"urban": {"1": "town"}, "age": [18, 40], "sex": None})
    assert named["urban"].fillna("none").tolist() == ["town", "0", "none"]
    assert named["age"].fillna("none").tolist() == ["none", "40+", "none"]
    assert lacking == ["sex"]
    coded = pd.DataFrame({"all": [1, 2, 1], "some": [1.0, np.nan, 2.0], "share": [0.5, 1.0, 2.0]})
    text, _ = described(coded, {"all": None, "some": {"1": "one"}, "share": None})
    assert text["all"].tolist() == ["1", "2", "1"]
    assert text["some"].fillna("none").tolist() == ["one", "none", "2"]
    assert text["share"].tolist() == ["0.5", "1.0", "2.0"]


def test_the_figure_shows_the_network_with_most_known_groups(country):
    svg = svg_text(largest_figure(country.ard))
    assert "twins" in svg
    assert svg.startswith("<svg")


def test_words_name_the_worst_and_survive_missing_parts(tables):
    said = interviews(tables, INDICATORS)
    assert said["trimming"][0]["removed"][0][0] == "twins"
    assert said["known"][0]["highest"][0] == "twins"
    assert said["casework"]["scaled"] == [(2.0, 0.06)]
    assert said["checks"]["hidden"] == (4, 8)
    assert said["checks"]["known"] == (4, 4)
    line = said["known"][0]
    error = tables["recall"].set_index("network").loc["adult", "slope_se"]
    assert line["slope_high"] - line["slope"] == pytest.approx(3.182 * error, rel=1e-3)  # t of 3
    assert line["slope"] - line["slope_low"] == pytest.approx(3.182 * error, rel=1e-3)
    partly = interviews({"checks": tables["checks"]}, INDICATORS)
    assert partly["told"] is None
    assert partly["checks"]["hidden"] == said["checks"]["hidden"]

"""Weights step by step, and the errors of totals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smallarea.fieldwork import counting, totals
from smallarea.fieldwork.calibration import membership
from smallarea.fieldwork.weights import make_weights
from smallarea.nsum import killworth


def weigh(made, people, **how):
    units = counting.units(made.sample, people, made.visits)
    placed = people.join(made.sample[["stratum"]], on="psu")
    margins = membership(placed, made.population, "population.csv")
    return make_weights(made.sample, people, units, margins, **how), units


def test_all_steps_stand_for_the_population(made):
    weights, _ = weigh(made, made.respondents)
    whole = made.population.loc[made.population["variable"] == "sex", "people"].sum()
    people = weights.table["people"]
    assert people["response"] == pytest.approx(whole, rel=0.05)  # PPS: all samples say the same
    assert people[["calibrated", "trimmed"]].to_numpy() == pytest.approx(whole)
    assert (weights.table["deff"] >= 1).all()
    by_sex = weights.final.groupby(made.respondents["sex"]).sum()
    assert by_sex.to_numpy() == pytest.approx([whole / 2] * 2, rel=1e-6)
    middle = weights.steps["calibrated"].median()
    assert weights.final.max() <= 5 * middle * (1 + 1e-9)


def test_who_stands_in_has_the_people_of_the_slot(made):
    weights, units = weigh(made, made.respondents)
    slot = units["slot"].reindex(made.respondents["psu"]).to_numpy()
    people = weights.steps["response"].groupby(slot).sum()
    drawn = made.sample.loc[people.index]
    share = people / (drawn["population"] / drawn["p_area"] / drawn["p_psu"])
    spread = share.groupby(drawn["stratum"]).agg(["min", "max"])
    assert spread["min"].to_numpy() == pytest.approx(spread["max"].to_numpy())
    assert set(units["status"]) >= {"replaced", "expanded"}


def test_those_who_answered_carry_those_who_did_not(made):
    half = made.respondents[
        (made.respondents.groupby("psu").cumcount() < 6) | (made.respondents["sex"] == "F")
    ]
    full, _ = weigh(made, made.respondents)
    part, _ = weigh(made, half)
    want = full.steps["response"].groupby(made.respondents["psu"]).sum()
    got = part.steps["response"].groupby(half["psu"]).sum()
    assert got.sum() == pytest.approx(want.sum())
    assert part.table.loc["response", "deff"] > full.table.loc["response", "deff"]


def test_people_chosen_among_many_stand_for_more(made):
    people = made.respondents.assign(eligible=np.arange(len(made.respondents)) % 3 + 1.0)
    weights, _ = weigh(made, people)
    one, three = (weights.steps["response"][people["eligible"] == k].mean() for k in (1, 3))
    assert three == pytest.approx(3 * one, rel=0.1)


def test_strata_without_interviews_are_said(made):
    stratum = made.sample["stratum"].reindex(made.respondents["psu"]).to_numpy()
    some = made.respondents[stratum != "stratum 0"]
    weights, _ = weigh(made, some)
    assert any("1 of 4 strata (stratum 0)" in note for note in weights.notes)
    assert any("not calibrated by stratum" in note for note in weights.notes)


def test_interviewers_as_clusters_never_make_errors_smaller(made, study):
    ard = study.answers(made)
    result = killworth(ard)
    plain = totals.total_table(result)
    both = totals.total_table(result, interviewer=made.respondents["enumerator"])
    assert (both["se"] >= plain["se"]).all()
    each = pd.Series(ard.counts.index, ard.counts.index)  # everybody has his own: nothing changes
    assert totals.total_table(result, interviewer=each)["se"].to_numpy() == pytest.approx(
        plain["se"].to_numpy(), rel=0.02
    )
    assert plain["se"].to_numpy() == pytest.approx(result.standard_error().to_numpy())


def test_rates_of_two_parts_are_compared_by_clusters(made, study):
    ard = study.answers(made)
    y, one = ard.counts["hidden"], pd.Series(1.0, ard.counts.index)
    women = made.respondents["sex"] == "F"
    found = totals.contrast(y, one, ard.design, women)
    assert found["difference"] == pytest.approx(y[women].mean() - y[~women].mean())
    assert found["low"] < found["difference"] < found["high"]
    area = ard.design["psu"]
    few = totals.contrast(y, one, ard.design, area == area.iloc[0])
    assert np.isnan(few["difference"])
    assert few["n"] == (area == area.iloc[0]).sum()

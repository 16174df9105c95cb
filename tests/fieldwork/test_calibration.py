"""Calibration against R's survey 4.1.1, trimming, and what both keep.

The oracle, on the school files of the golden folder (R 4.2.2)::

    des <- svydesign(id = ~dnum + snum, weights = ~pw, data = apiclus2)
    pop <- c(`(Intercept)` = 6194, stypeH = 755, stypeM = 1018)
    calibrate(des, ~stype, pop)                                            # GREG on one margin
    calibrate(des, ~stype + sch.wide, c(pop, sch.wideYes = 5122))          # on two
    calibrate(..., calfun = "raking", epsilon = 1e-12, maxit = 200)
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.fieldwork.calibration import calibrate, kish, membership, trim
from smallarea.fieldwork.totals import fitted
from smallarea.nsum.classical.variance import total_covariance

MARGINS = pd.DataFrame(
    [("stype", "E", 4421), ("stype", "H", 755), ("stype", "M", 1018), ("sch.wide", "Yes", 5122),
     ("sch.wide", "No", 1072)],
    columns=["variable", "category", "people"],
).astype({"people": float})  # fmt: skip


def mean_and_error(schools: pd.DataFrame, weight: np.ndarray, cells: np.ndarray | None):
    mean = np.average(schools["api00"], weights=weight)
    residual = (schools[["api00"]] - mean).to_numpy()
    if cells is not None:
        residual = residual - fitted(residual, cells, schools["pw"].to_numpy())  # as R does
    psu = schools["dnum"] if "dnum" in schools else pd.Series(None, schools.index, dtype=object)
    stratum = "all" if "dnum" in schools else schools["stype"]
    design = pd.DataFrame({"weight": weight, "psu": psu, "stratum": stratum}, schools.index)
    return mean, np.sqrt(total_covariance(residual, design)[0, 0]) / weight.sum()


def test_means_and_errors_are_those_of_the_golden_file(golden):
    want = json.loads((golden / "sae/outputs/api_direct_survey.json").read_text())
    schools = pd.read_csv(golden / "sae/inputs/apiclus2.csv")
    found = mean_and_error(schools, schools["pw"].to_numpy(), None)
    expected = (want["clus2_nofpc"]["est"], want["clus2_nofpc"]["se"])
    assert found == pytest.approx(expected, rel=1e-10)
    stratified = pd.read_csv(golden / "sae/inputs/apistrat.csv")
    weight = stratified["pw"].to_numpy()
    mean, _ = mean_and_error(stratified, weight, None)
    assert mean == pytest.approx(want["strat_mean"]["est"], rel=1e-10)
    parts = [  # the file's error is that of finite strata
        mean_and_error(rows, rows["pw"].to_numpy(), None)[1] ** 2
        * (rows["pw"].sum() / weight.sum()) ** 2 * (1 - len(rows) / rows["fpc"].iloc[0])
        for _, rows in stratified.groupby("stype")
    ]  # fmt: skip
    assert np.sqrt(sum(parts)) == pytest.approx(want["strat_mean"]["se"], rel=1e-10)


@pytest.mark.parametrize(
    ("variables", "method", "mean", "error", "squares"),
    [
        (["stype"], "greg", 673.0023112744673, 29.3889168086472, None),
        (["stype", "sch.wide"], "greg", 681.6992986820421, 26.4648852136952, 859720.9963078265),
        (["stype", "sch.wide"], "raking", 681.702227595406, 26.4249466087452, 856044.235113394),
    ],
)
def test_calibrated_means_and_errors_are_those_of_r(
    golden, variables, method, mean, error, squares
):
    schools = pd.read_csv(golden / "sae/inputs/apiclus2.csv")
    wanted = MARGINS[MARGINS["variable"].isin(variables)]
    margins = membership(schools, wanted, "population.csv")
    cells = margins.cells.to_numpy()
    weight = calibrate(schools["pw"].to_numpy(), cells, margins.totals.to_numpy(), method)
    assert mean_and_error(schools, weight, cells) == pytest.approx((mean, error), rel=1e-8)
    if squares is not None:
        assert (weight**2).sum() == pytest.approx(squares, rel=1e-8)


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(30, 200),
    method=st.sampled_from(["raking", "greg"]),
)
def test_margins_are_met_and_the_same_margins_change_nothing(seed, n, method):
    rng = np.random.default_rng(seed)
    cells = np.hstack([np.eye(2)[rng.integers(2, size=n)], np.eye(3)[rng.integers(3, size=n)]])
    weight = rng.uniform(0.5, 2, n)
    truth = weight * rng.uniform(0.7, 1.4, n)
    totals = cells.T @ truth  # some weights do meet them
    if (cells.sum(axis=0) == 0).any():
        return
    new = calibrate(weight, cells, totals, method)
    assert cells.T @ new == pytest.approx(totals, rel=1e-6)
    assert calibrate(new, cells, totals, method) == pytest.approx(new, rel=1e-6)
    assert 1 <= kish(new) <= n
    cut = trim(new, cells, totals, times=1.8, method=method)
    assert cut.weight.min() >= cut.low * (1 - 1e-9)
    assert cut.weight.max() <= cut.high * (1 + 1e-9)
    assert cut.off < 1e-6 or cut.trimmed > 0


def test_trimming_keeps_margins_where_it_can():
    rng = np.random.default_rng(0)
    cells = np.eye(2)[np.arange(400) % 2]
    weight = rng.lognormal(0, 0.9, 400)
    totals = cells.T @ weight
    cut = trim(weight, cells, totals, times=4)
    assert cut.off < 1e-6
    assert 0 < cut.trimmed < 100
    assert kish(cut.weight) < kish(weight)
    with pytest.raises(InputError, match="above 1"):
        trim(weight, cells, totals, times=1)


def test_ages_are_ranges_and_who_gave_none_is_spread():
    people = pd.DataFrame({"age": [18, 29, 30, 64, 71, np.nan]})
    ages = pd.DataFrame({"variable": "age", "category": ["18-29", "30-64", "65+"],
                         "people": [30.0, 50.0, 20.0]})  # fmt: skip
    made = membership(people, ages, "population.csv")
    assert made.cells.iloc[:5].to_numpy().argmax(axis=1).tolist() == [0, 0, 1, 1, 2]
    assert made.cells.iloc[5].tolist() == pytest.approx([0.3, 0.5, 0.2])
    assert "without age" in made.notes[0]
    with pytest.raises(InputError, match="in no category"):
        membership(people.assign(age=[12, *people["age"][1:]]), ages, "population.csv")
    nobody = membership(people.iloc[:4], ages, "population.csv")
    assert list(nobody.cells) == ["all"]
    assert "nobody yet in age: 65+" in nobody.notes[0]


def test_impossible_margins_are_said():
    cells = np.array([[1.0, 0, 1, 0], [0, 1, 0, 1]] * 5)  # two variables that are one
    with pytest.raises(InputError, match="no weights that meet all margins"):
        calibrate(np.ones(10), cells, np.array([5.0, 5, 8, 2]))

"""The page's own arithmetic, run by node, against the engine's."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from smallarea.projection.choosing import best_set
from smallarea.projection.conditions import Conditions, Minimum
from smallarea.publish.map import TEMPLATES
from smallarea.publish.map_draws import LETTERS, pack_draws


def by_page(expression: str, **names: object) -> object:
    """Evaluate an expression with the functions of map_sets.js."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("NO NODE: node not found")
    script = (TEMPLATES / "map_sets.js").read_text(encoding="utf-8")
    script += "".join(f"const {name} = {json.dumps(value)};" for name, value in names.items())
    script += f"console.log(JSON.stringify({expression}));"
    done = subprocess.run([node], input=script, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(("k", "least"), [(1, 0), (7, 0), (12, 2), (5, 1), (30, 0)])
def test_the_page_chooses_the_set_that_the_engine_chooses(k, least):
    rng = np.random.default_rng(k)
    worth = rng.lognormal(0, 1, 30)
    unit = np.array([f"u{i}" for i in rng.integers(0, 5, 30)])
    minimums = (Minimum("level", unit, least),) if least else ()
    engine = best_set(worth, Conditions(30, k, minimums))
    asked = {"k": k, "min": least, "unit": unit.tolist()}
    chosen = by_page("choose(worth, asked)", worth=worth.tolist(), asked=asked)
    assert sorted(chosen) == np.flatnonzero(engine).tolist()


def test_minimums_that_cannot_be_met_give_no_set():
    asked = {"k": 2, "min": 1, "unit": [0, 1, 2]}
    assert by_page("choose(worth, asked)", worth=[3, 2, 1], asked=asked) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_budgets_set_keeps_to_it_and_its_bound_holds(seed):
    rng = np.random.default_rng(seed)
    worth, cost = rng.lognormal(0, 1, 40), rng.uniform(1, 5, 40)
    exact = best_set(worth, Conditions(40, None, (), cost, 25.0))
    asked = {"budget": 25.0, "cost": cost.tolist()}
    chosen, most = by_page(
        "[choose(worth, asked), mostWorth(worth, asked)]", worth=worth.tolist(), asked=asked
    )
    assert cost[chosen].sum() <= 25
    assert worth[chosen].sum() <= worth[exact].sum() * (1 + 1e-9) <= most * (1 + 2e-9)
    assert worth[chosen].sum() > 0.9 * worth[exact].sum()


@pytest.fixture(scope="module")
def packed():
    rng = np.random.default_rng(5)
    ids = [f"a{i:02d}" for i in range(40)]
    values = np.exp(rng.normal(5, 1, (40, 1)) + rng.normal(0, 0.8, (40, 1000)))
    counts = xr.DataArray(values, {"area_id": ids}, ("area_id", "draw"))
    tau = rng.beta(9, 170, 1000)
    return counts, tau, pack_draws({"left": counts}, pd.Index(ids[:30]), tau)


def test_draws_come_back_within_a_step_and_sums_within_a_percent(packed):
    counts, tau, (facts, text) = packed
    assert set(text) <= set(LETTERS)
    assert len(text) == 30 * facts["n"] == 30 * 256
    back = by_page(
        "Array.from(unpack(line, facts, n))",
        line=text, facts=facts["totals"]["left"], n=facts["n"],
    )  # fmt: skip
    used = np.unique(np.linspace(0, 999, 256).astype(int))
    known = counts.to_numpy()[:30][:, used]
    back = np.array(back).reshape(30, 256)
    step = np.array(facts["totals"]["left"]["step"])
    assert (np.abs(np.log(back / known)) <= step[:, None] / 2 + 2e-3).all()
    np.testing.assert_allclose(back.sum(axis=0), known.sum(axis=0), rtol=0.03)
    np.testing.assert_allclose(back.sum(axis=0).mean(), known.sum(axis=0).mean(), rtol=0.002)
    np.testing.assert_allclose(facts["tau"], tau[used], rtol=0.005)


def test_of_places_not_shown_there_is_no_draw(packed):
    counts, _, (facts, _text) = packed
    assert len(facts["totals"]["left"]["low"]) == 30
    least = np.log(counts.to_numpy()[30:]).min(axis=1).round(3)
    assert not set(facts["totals"]["left"]["low"]) & set(least)


def test_plans_reach_is_of_sums_within_draws():
    rng = np.random.default_rng(2)
    people = np.exp(
        rng.normal(3, 1, (20, 1)) + rng.normal(0, 1, (1, 200)) + rng.normal(0, 0.3, (20, 200))
    )
    size = rng.integers(1000, 9000, 20).tolist()
    found = by_page(
        "(() => { const f = plan(people, people, weight, size, {k: 4}); "
        "return { ...f, belongs: Array.from(f.belongs) }; })()",
        people=people.ravel().tolist(), weight=[1.0] * 200, size=size,
    )  # fmt: skip
    chosen = sorted(found["set"])
    assert chosen == sorted(np.argsort(-people.mean(axis=1))[:4].tolist())
    np.testing.assert_allclose(found["kinds"]["chosen"], people[chosen].sum(axis=0))
    best = np.sort(people, axis=0)[-4:].sum(axis=0)
    np.testing.assert_allclose(found["kinds"]["best"], best)
    truly = np.argsort(-people, axis=0)[:4]
    chance = [(truly == i).any(axis=0).mean() for i in range(20)]
    np.testing.assert_allclose(found["belongs"], chance, atol=1e-9)
    assert found["overlap"] == pytest.approx(sum(np.array(chance)[chosen]))
    ends = by_page("quantiles(x, [0.1, 0.9])", x=found["kinds"]["chosen"])
    np.testing.assert_allclose(ends, np.quantile(people[chosen].sum(axis=0), [0.1, 0.9]))


def test_chances_between_places_count_ties_half():
    assert by_page("chanceMore([1, 2, 3, 4], [1, 1, 4, 4])") == 0.5

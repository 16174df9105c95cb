"""Draws of a tier withstand the attack that a run's do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from smallarea.indicators import Indicators
from smallarea.models import Candidate, LatentGaussian
from smallarea.models.counts import rows
from smallarea.nsum.direct.estimates import Direct
from smallarea.release.attack import auc, judge, scores
from smallarea.release.audit import check_attack
from smallarea.release.groups import cells, groups_of, sampling_units
from smallarea.release.safe import medians, safe_rates, unasked, unseen_draws

N, AREAS = 1000, 480
_HIDDEN = {"population": "population", "label": "Hidden", "definition": "d", "excludes": "e"}
INDICATORS = Indicators.model_validate(
    {
        "title": "Hidden",
        "populations": {"population": {"label": "people"}},
        "components": {"hidden": _HIDDEN | {"reference_period": "t"}},
    }
)
MODELS = {"place": Candidate("place", LatentGaussian(components=1, points=1), "all")}


class World:
    """480 areas in 48 units of 12 larger ones; every fourth is surveyed, most tell of nobody."""

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        ids = pd.Index([f"a{i:03d}" for i in range(AREAS)], name="area_id")
        number = np.arange(AREAS)
        unit, above = number // 10, number // 40
        self.areas = pd.DataFrame(
            {
                "unit_id": [f"u{i:02d}" for i in unit],
                "unit": [f"Unit {i}" for i in unit],
                "large_id": [f"l{i:02d}" for i in above],
                "large": [f"Large {i}" for i in above],
                "covered": True,
            },
            index=ids,
        )
        x = rng.normal(size=AREAS)
        by_group = 0.5 * rng.normal(size=48)[unit] + 0.4 * rng.normal(size=12)[above]
        rate = 0.002 * np.exp(0.4 * x + by_group + 0.8 * rng.normal(size=AREAS))
        self.X = pd.DataFrame({"x": x, "y": rng.normal(size=AREAS)}, ids)
        asked = ids[::4]
        exposure = pd.DataFrame({"hidden": 400.0}, asked)
        reports = pd.DataFrame({"hidden": rng.poisson(rate[::4] * 400.0).astype(float)}, asked)
        self.direct = Direct(reports, exposure, reports / 400.0**2, pd.Series({"hidden": 1.0}))
        self.sizes = xr.DataArray(
            np.full((1, AREAS), 5000.0), dims=("component", "area_id"),
            coords={"component": ["hidden"], "area_id": ids.to_numpy(object)},
        )  # fmt: skip
        total = 5000 * rate.sum() * np.exp(0.1 * rng.normal(size=(1, N)))
        self.national = xr.DataArray(
            total, dims=("component", "draw"), coords={"component": ["hidden"]}
        )
        self.groups = groups_of(self.areas, cells(self.areas, sampling_units(self.direct)))

    def unseen(self, direct: Direct):
        return unseen_draws(
            MODELS, self.X, direct, self.areas, self.groups,
            lambda left: rows(direct, direct.reports.index.difference(left)), n=N, seed=1,
        )  # fmt: skip

    def pooled(self, direct: Direct) -> xr.DataArray:
        fit = MODELS["place"].fit(self.X, direct, self.areas, 1)
        return fit.draws(self.X, self.areas, N, 1)

    def safe(self, unseen: xr.DataArray) -> xr.DataArray:
        return safe_rates(unseen, self.sizes, self.national, self.areas, INDICATORS)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def drawn(world):
    return world.unseen(world.direct)


def test_the_attack_succeeds_on_a_run_and_gains_nothing_from_a_tier(world, drawn):
    surveyed = world.direct.reports.index
    told = world.direct.reports > 0

    def score(rates: pd.DataFrame) -> dict[str, pd.DataFrame]:
        return scores(rates, world.areas, surveyed)

    safe = world.safe(drawn.rates)
    found = judge(
        told,
        score(medians(world.pooled(world.direct))),
        score(medians(safe)),
        unasked(drawn, score, surveyed),
    )
    unit = found[found["component"] == "all"].set_index("attack").loc["unit"]
    assert unit["pooled"] > 0.8
    assert unit["safe"] < unit["pooled"] - 0.2
    assert found["gain"].abs().max() <= 0.03
    assert check_attack(found).holds
    # The same attack on draws of which only the surveyed areas' were made anew: neighbours tell.
    mixed = world.pooled(world.direct)
    mixed.loc[{"area_id": surveyed}] = drawn.rates.sel(area_id=surveyed).values
    halfway = judge(
        told, score(medians(mixed)), score(medians(mixed)), unasked(drawn, score, surveyed)
    )
    assert not check_attack(halfway).holds
    assert not check_attack(found.assign(gain=0.2)).holds


def looked(attack: str, one: float, se: float) -> pd.DataFrame:
    """What an attack on two components found: `one` of the first, the opposite of the second."""
    gains = {"c0": one, "c1": -one, "all": 0.0}
    rows = [{"attack": attack, "component": name, "gain": each} for name, each in gains.items()]
    table = pd.DataFrame(rows).assign(se=se, pooled=0.8, safe=0.6, unasked=0.6)
    return table.assign(low=table["gain"] - 1.96 * se, high=table["gain"] + 1.96 * se)


@pytest.mark.parametrize(
    ("attack", "one", "se", "holds"),
    [
        ("unit", 0.01, 0.008, True),
        ("unit", 0.02, 0.008, False),  # the bound is beyond the limit
        ("unit", 0.06, 0.001, False),  # that both cancel is no excuse
        ("above", 0.02, 0.02, True),
        ("above", 0.04, 0.04, False),
        ("unit/above", 0.04, 0.04, True),  # may be chance
        ("unit/above", 0.04, 0.01, False),
    ],
)
def test_what_an_attack_may_gain(attack, one, se, holds):
    assert check_attack(looked(attack, one, se)).holds is holds


def test_components_are_taken_together_over_the_same_places():
    rng = np.random.default_rng(8)
    places = pd.Index([f"p{i}" for i in range(140)])
    told = pd.DataFrame(rng.random((140, 3)) < 0.3, places, list("abc"))

    def one(shift: float) -> dict[str, pd.DataFrame]:
        noise = pd.DataFrame(rng.normal(size=(140, 3)), places, list("abc"))
        return {"unit": noise + shift * told}

    found = judge(told, one(2.0), one(1.0), one(0.0)).set_index("component")
    three = found.loc[["a", "b", "c"]]
    assert found.loc["all", "gain"] == pytest.approx(three["gain"].mean())
    assert found.loc["all", "safe"] == pytest.approx(three["safe"].mean())
    assert found.loc["all", "se"] < three["se"].mean()
    assert found.loc["all", "gain"] > 0.15
    error = found["gain"] - (found["low"] + found["high"]) / 2
    assert error.abs().max() < 0.02


@pytest.mark.parametrize("told", [0.0, 300.0])
def test_a_units_answers_move_its_group_only_as_a_whole(world, drawn, told):
    """Before agreement not a bit of its group; after it, it moves as its group does, within 2 %.

    Its neighbours do within 5 %: how a median of a thousand draws moves is chance, too.
    """
    area = world.direct.reports.index[50]
    reports = world.direct.reports.copy()
    reports.loc[area] = told
    changed = replace(world.direct, reports=reports)
    again = world.unseen(changed)
    group = world.groups.index[world.groups == world.groups[area]]
    before = drawn.rates.sel(area_id=group).values
    assert again.rates.sel(area_id=group).values.tobytes() == before.tobytes()
    assert (again.rates != drawn.rates).any()
    now, was = world.safe(again.rates), world.safe(drawn.rates)
    moved = (medians(now) / medians(was)).loc[group, "hidden"]
    beyond = moved / moved.median() - 1
    assert abs(beyond[area]) <= 0.02
    assert beyond.abs().max() <= 0.05


def test_an_auc_counts_ties_half_and_leaves_out_what_is_not_known():
    told = np.array([True, True, False, False])
    assert auc(told, np.array([3.0, 1.0, 1.0, 0.0])) == 0.875
    assert auc(told, np.array([3.0, np.nan, 1.0, np.nan])) == 1.0
    assert np.isnan(auc(told, np.array([1.0, 1.0, np.nan, np.nan])))

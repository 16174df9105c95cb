"""A toy country of 30 areas, 24 of them with interviews, whose women tell twice as readily."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from study import COMPONENTS

from smallarea.nsum import Direct, direct_estimates
from smallarea.survey import ARD, make_ard

KNOWN = {"teachers": 0.03, "drivers": 0.05, "nurses": 0.01, "twins": 0.004, "guards": 0.02}


@dataclass(frozen=True)
class Country:
    table: pd.DataFrame
    ard: ARD
    direct: Direct
    rates: xr.DataArray
    counts: xr.DataArray
    tau: xr.DataArray


@pytest.fixture(scope="session")
def country() -> Country:
    rng = np.random.default_rng(3)
    ids = pd.Index([f"{i:010d}" for i in range(30)], name="area_id")
    table = pd.DataFrame(
        {
            "name": [f"Town {i}" for i in range(30)],
            "province_id": [f"p{i // 5}" for i in range(30)],
            "region_id": [f"r{i // 10}" for i in range(30)],
            "province": [f"Province {i // 5}" for i in range(30)],
            "region": [f"Region {i // 10}" for i in range(30)],
            "urban_share": rng.random(30),
            "adults": rng.lognormal(10, 0.5, 30),
            "children": rng.lognormal(9, 0.5, 30),
            "covered": np.arange(30) < 27,
        },
        index=ids,
    )
    survey, groups = interviews(ids[:24], rng)
    ard = make_ard(survey, groups, respondent="id", weight="weight", psu="psu", area="area_id")
    prevalence = 0.02 * rng.lognormal(0, 0.4, 30)
    rates = xr.DataArray(
        prevalence[:, None] * rng.lognormal(0, 0.3, (4, 30, 200)),
        dims=("component", "area_id", "draw"),
        coords={"component": list(COMPONENTS), "area_id": ids.to_numpy(object)},
    )
    tau = xr.DataArray(rng.beta(20, 80, 200), dims="draw")
    return Country(table, ard, direct_estimates(ard), rates, rates * 10_000 / tau, tau)


def interviews(ids: pd.Index, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One PSU of 40 in each area; the last area is an island alone, the others share two."""
    n = 40 * len(ids)
    area = np.repeat(np.arange(len(ids)), 40)
    adults, children = rng.lognormal(5, 0.4, n), rng.poisson(rng.lognormal(3.5, 0.4, n), (2, n))
    sex = rng.choice(["F", "M"], n)
    told = np.where(sex == "F", 2.0, 1.0) * rng.lognormal(0, 0.3, len(ids))[area]
    answers = {name: rng.poisson(adults * share) for name, share in KNOWN.items()}
    answers["twins"] *= 6  # counted six times too often
    answers |= {"girls": children[0], "boys": children[1]}
    for component in COMPONENTS:
        people = children.sum(0) if component.startswith("victims") else adults
        answers[component] = rng.poisson(0.003 * people * told)
    survey = pd.DataFrame(answers).assign(
        id=[f"r{i}" for i in range(n)],
        area_id=ids[area],
        psu=[f"p{a}" for a in area],
        weight=rng.uniform(0.5, 1.5, n),
        sex=sex,
        age=rng.integers(18, 80, n).astype(str),
        island=np.where(area == len(ids) - 1, "far", np.where(area % 2, "west", "east")),
    )
    child = ["girls", "boys", "victims_live", "victims_nonlive"]
    sizes = {name: 1e6 * share for name, share in KNOWN.items()} | {"girls": 2e5, "boys": 2e5}
    groups = pd.DataFrame({"group": list(answers)})
    groups["size"] = groups["group"].map(sizes)
    groups["kind"] = groups["size"].isna().map({True: "hidden", False: "known"})
    groups["network"] = groups["group"].isin(child).map({True: "child", False: "adult"})
    groups["population"] = groups["network"].map({"child": 4e5, "adult": 1e6})
    return survey, groups

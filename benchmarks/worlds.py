"""Studies on real truth: surveys drawn from censuses, and what simple regressions make of them.

A world is a country's areas with features and a known truth; `surveys` draws one survey after the
other from it, the designs of `baselines.py` beside the data (see $SMALLAREA_SHARED/data/world).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import PoissonRegressor, Ridge, RidgeCV
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from smallarea.nsum.direct.estimates import Direct

SURVEYED, HOUSEHOLDS, DEFF = 150, 24, 1.5
EXPOSURE, REPORTS = 2400.0, 100  # Nepal's: people known of in an area, reports of a group


@dataclass(frozen=True)
class World:
    """Areas, features and truth.

    Attributes
    ----------
    X : features; areas : ids of levels, lon and lat where they are known; both by area_id.
    truth : shares, area_id x component. people : weights of the areas.
    family : of the observations: ``binomial``, yes of `HOUSEHOLDS`; ``poisson``, reports.
    points : errors are counted in points, unweighted; else in national rates, weighted by people,
        the national level taken out.
    """

    name: str
    X: pd.DataFrame
    areas: pd.DataFrame
    truth: pd.DataFrame
    people: pd.Series
    family: str
    points: bool


@dataclass(frozen=True)
class Survey:
    """One survey, the areas outside it, and rates that simple regressions predict there."""

    direct: Direct
    unsurveyed: pd.Index
    baselines: dict[str, pd.DataFrame]


def brazil(folder: Path, target: str) -> World:
    """Poverty, illiteracy or lack of electricity of 2010 by the census of 2000."""
    before = pd.read_parquet(folder / "brazil" / "atlas_2000.parquet").set_index("codmun7")
    after = pd.read_parquet(folder / "brazil" / "atlas_2010.parquet").set_index("codmun7")
    before.index = before.index.astype(str)
    after.index = after.index.astype(str)
    places = pd.read_csv(folder / "brazil" / "municipality_places.csv", dtype={"codigo_ibge": str})
    places = places.set_index("codigo_ibge").reindex(before.index)
    names = ["uf", "ano", "codmun6", "municipio", "ufn", target]
    areas = pd.DataFrame(
        {
            "state_id": before["uf"].astype(str),
            "lon": places["longitude"],
            "lat": places["latitude"],
        },
        index=before.index,
    )
    middle = areas.groupby("state_id")[["lon", "lat"]].transform("median")
    areas[["lon", "lat"]] = areas[["lon", "lat"]].fillna(middle)
    return World(
        f"Brazil {target}",
        _numbers(before.drop(columns=[c for c in names if c in before])),
        areas.rename_axis("area_id"),
        (after.loc[before.index, [target]].astype(float) / 100).clip(0, 1),
        before["pesotot"].astype(float),
        "binomial",
        True,
    )


def nepal(folder: Path) -> World:
    """Three rare groups of the census of 2011 by housing and literacy; units of over 200 people."""
    table = pd.read_parquet(folder / "nepal" / "census_2011.parquet")
    people = table["HOUSEHOLD_POPULATION_SIZE_TOTAL_POPULATION"].astype(float)
    table, people = table[people > 200].reset_index(drop=True), people[people > 200]
    ids = pd.Index([f"{i:05d}" for i in range(len(table))], name="area_id")
    table.index = people.index = ids
    households = table["HOUSEHOLD_POPULATION_SIZE_HOUSEHOLD"].replace(0, np.nan)
    kinds = (
        "COOKING", "DRINKING", "FOUNDATION", "HOUSEHOLD_FAC", "LIGHTING", "OUTER", "OWNERSHIP",
        "ROOF", "TOILET",
    )  # fmt: skip
    X = table[[c for c in table if c.startswith(kinds)]].div(households, axis=0)
    X["literacy"] = table["POPULATION_LITERACY_STATUS_AND_SEX_5_AND_ABOVE_LITERACY_RATE_BOTH_SEX"]
    groups = {"physical": "PHYSICAL", "speech": "SPEECH_PROBLEM", "mental": "MENTAL_DISABILITY"}
    counts = pd.DataFrame(
        {k: table[f"POPULATION_BY_DISABILITY_AND_SEX_{c}_BOTH_SEX"] for k, c in groups.items()}
    )
    district = next(c for c in table if c.lower() in ("district", "district_name"))
    return World(
        "Nepal",
        _numbers(X.assign(log_people=np.log(people))),
        pd.DataFrame({"district_id": table[district].astype(str)}),
        counts.astype(float).div(people, axis=0).clip(0, 0.2),
        people,
        "poisson",
        False,
    )


def philippines(shared: Path, target: str) -> World:
    """Poverty of 2009 (a model's own output, so without housing), or light or salvaged walls."""
    text = {"psgc": str}
    keys = pd.read_parquet(shared / "municipality_keys.parquet").set_index("psgc")
    housing = pd.read_csv(shared / "housing_materials_2010.csv", dtype=text).set_index("psgc")
    poverty = pd.read_csv(shared / "poverty_sae_2003_2009.csv", dtype=text)
    poverty = poverty[poverty["year"] == 2009].set_index("psgc")["poverty_incidence_pct"]
    walls = housing["share_light_or_salvaged_wall"]
    people = pd.read_csv(shared / "population_2015.csv", dtype=text).set_index("psgc")
    extra = shared / "world" / "philippines_extra"
    terrain = [
        pd.read_csv(extra / "geo_variable.csv").set_index("Mun_Code").drop(
            columns=["Mun_name", "poverty_perc"]
        ),
        pd.read_csv(extra / "landslide_stormsurge.csv").set_index("Mun_Code").drop(
            columns="Mun_Name"
        ),
    ]  # fmt: skip
    land = pd.read_csv(shared / "landcover_shares_2019.csv", dtype=text).set_index("psgc")
    conflict = pd.read_csv(shared / "ucdp_conflict_by_municipality.csv", dtype=text)
    known = keys[["city_class", "urban_pop_share", "urban_bgy_share", "n_barangays"]].copy()
    known["city"] = known.pop("city_class").notna().astype(float)
    known["density"] = np.log(keys["pop_density_2024"].astype(float))
    known["people"] = np.log(people["population_2015"].reindex(keys.index).astype(float))
    X = known.join([land, conflict.set_index("psgc")])
    for table in terrain:
        table = table[~table.index.duplicated()]
        X = X.join(table.reindex(keys["pcode_old"]).set_axis(keys.index))
    truth = poverty / 100 if target == "poverty" else walls
    if target == "poverty":
        X = X.join((np.log1p(housing["housing_units"])).rename("units"))
    areas = keys[["province_code", "region_code"]].rename(
        columns={"province_code": "province_id", "region_code": "region_id"}
    )
    fine = truth.dropna().index.intersection(X.index).intersection(people.index)
    fine = fine[~fine.duplicated()].sort_values().rename("area_id")
    return World(
        f"Philippines {target}",
        _numbers(X.loc[fine].apply(pd.to_numeric, errors="coerce")),
        areas.loc[fine].rename_axis("area_id"),
        truth.loc[fine].clip(0, 1).to_frame(target),
        people.loc[fine, "population_2015"].astype(float),
        "binomial",
        True,
    )


def surveys(world: World, number: int) -> Iterator[Survey]:
    """Draw surveys of `SURVEYED` areas, with probability proportional to people, one by one."""
    rng, m = np.random.default_rng(0), SURVEYED
    chance = (world.people / world.people.sum()).to_numpy()
    Z, columns = normal_scores(world.X), list(world.truth)
    for draw in range(number):
        s = np.sort(rng.choice(len(chance), m, replace=False, p=chance))
        o = np.setdiff1d(np.arange(len(chance)), s)
        ids = world.X.index
        truth = world.truth.to_numpy()
        scale = StandardScaler().fit(Z[s])
        inside, outside = scale.transform(Z[s]), scale.transform(Z[o])
        if world.family == "binomial":
            n = HOUSEHOLDS / DEFF
            p = rng.beta(
                np.maximum(truth[s] * 3 * n, 0.05), np.maximum((1 - truth[s]) * 3 * n, 0.05)
            )
            y, d, deff = rng.binomial(HOUSEHOLDS, p), np.full(p.shape, float(HOUSEHOLDS)), DEFF
        else:
            nation = (world.truth.mul(world.people, axis=0).sum() / world.people.sum()).to_numpy()
            tau = REPORTS / (m * EXPOSURE * nation)
            y = np.column_stack(
                [rng.poisson(t * r * EXPOSURE * rng.gamma(4, 0.25, m)) for t, r in
                 zip(tau, truth[s].T, strict=True)]
            )  # fmt: skip
            d, deff = np.full(y.shape, EXPOSURE), 1.0
        made = [_regressions(world, inside, outside, y[:, k], draw) for k in range(y.shape[1])]
        yield Survey(
            direct=_direct(world, ids[s], y, d, deff),
            unsurveyed=ids[o],
            baselines={
                name: pd.DataFrame(np.column_stack([m[name] for m in made]), ids[o], columns)
                for name in made[0]
            },
        )


def normal_scores(X: pd.DataFrame) -> np.ndarray:
    """Normal scores of the columns that vary, without near copies."""
    X = X.loc[:, X.nunique() > 5]
    X = X.fillna(X.median())
    upper = X.corr().abs().where(np.triu(np.ones((X.shape[1],) * 2), 1).astype(bool))
    X = X.loc[:, ~(upper > 0.98).any()]
    ranks = QuantileTransformer(output_distribution="normal", n_quantiles=min(500, len(X)))
    return np.asarray(ranks.fit_transform(X))


def _numbers(X: pd.DataFrame) -> pd.DataFrame:
    X = X.apply(pd.to_numeric, errors="coerce").replace([np.inf, -np.inf], np.nan)
    return X.loc[:, X.notna().any()].astype(float).rename_axis("area_id")


def _regressions(
    world: World, inside: np.ndarray, outside: np.ndarray, y: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Rates outside the sample: the survey's own, and regressions on all features."""
    if world.family == "poisson":
        ridge = PoissonRegressor(alpha=10, max_iter=1000).fit(inside, y / y.mean())
        return {"survey mean": np.ones(len(outside)), "ridge": ridge.predict(outside)}
    rate = y / HOUSEHOLDS
    shrunk = (y + 0.5) / (HOUSEHOLDS + 1)
    weight = 1 / (shrunk * (1 - shrunk))
    trees = ExtraTreesRegressor(200, min_samples_leaf=5, max_features=0.3, random_state=seed)
    path = np.geomspace(1, 1e4, 25)
    ridge = RidgeCV(path).fit(inside, rate)
    weighted = Ridge(RidgeCV(path).fit(inside, rate, sample_weight=weight).alpha_)
    made = {
        "survey mean": np.full(len(outside), rate.mean()),
        "ridge": ridge.predict(outside),
        "weighted ridge": weighted.fit(inside, rate, sample_weight=weight).predict(outside),
        "extra trees": trees.fit(inside, rate).predict(outside),
    }
    return {name: np.clip(value, 0, 1) for name, value in made.items()}


def _direct(world: World, ids: pd.Index, y: np.ndarray, d: np.ndarray, deff: float) -> Direct:
    names = list(world.truth)
    reports, exposure = (pd.DataFrame(a.astype(float), ids, names) for a in (y, d))
    rate = reports.sum() / exposure.sum()
    noise = rate * (1 - rate) if world.family == "binomial" else rate
    return Direct(reports, exposure, deff * noise / exposure, pd.Series(deff, names, name="deff"))

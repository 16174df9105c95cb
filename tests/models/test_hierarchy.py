"""The municipal hierarchy: an exact likelihood, and intervals that cover what it generated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smallarea.errors import InputError
from smallarea.models.bym2 import Icar, nearest_neighbours
from smallarea.models.hierarchy import AreaHierarchy
from smallarea.models.units import collapse, log_likelihood
from smallarea.nsum.direct.estimates import Direct, Units

AREAS, SURVEYED, TAKE = 100, 45, 24
NAMES = ["live", "nonlive"]
KAPPA = np.array([0.4, 0.8])


class World:
    """A country drawn from the model, and a survey of 45 of its areas, two of them twice."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        ids = pd.Index([f"{i:010d}" for i in range(AREAS)], name="area_id")
        self.areas = pd.DataFrame(
            {
                "region_id": [f"r{i // 25}" for i in range(AREAS)],
                "province_id": [f"p{i // 5}" for i in range(AREAS)],
                "lon": 120 + np.arange(AREAS) % 10 * 0.1,
                "lat": 10 + np.arange(AREAS) // 10 * 0.1,
            },
            ids,
        )
        self.X = pd.DataFrame(rng.normal(size=(AREAS, 2)), ids, ["lights", "roads"])
        K = Icar(nearest_neighbours(self.areas)).correlations(np.arange(len(self.areas)))
        root = np.linalg.cholesky(0.6 * K + 0.4 * np.eye(AREAS))
        spatial = root @ rng.normal(size=AREAS)
        province = rng.normal(0, 0.2, AREAS // 5)[np.arange(AREAS) // 5]
        region = rng.normal(0, 0.2, 4)[np.arange(AREAS) // 25]
        eta = 0.3 * self.X["lights"].to_numpy() + region + province + 0.5 * spatial
        own = rng.normal(0, 0.25, (AREAS, 2))
        self.rate = pd.DataFrame(0.003 * np.exp(eta[:, None] + own), ids, NAMES)

        surveyed = rng.choice(AREAS, SURVEYED, replace=False)
        area = np.repeat(np.r_[surveyed, surveyed[:2]], TAKE)
        psu = np.repeat(np.arange(SURVEYED + 2), TAKE)
        effect = np.exp(rng.normal(-0.045, 0.3, SURVEYED + 2))[psu]
        people = pd.Index([f"i{i}" for i in range(len(area))], name="respondent_id")
        degree = rng.lognormal(3.5, 0.6, len(area)).round() + 1
        mean = (degree * effect)[:, None] * self.rate.to_numpy()[area]
        reports = rng.poisson(rng.gamma(mean / KAPPA, KAPPA)).astype(float)
        self.units = Units(
            pd.DataFrame(reports, people, NAMES),
            pd.DataFrame(dict.fromkeys(NAMES, degree), people),
            pd.Series(ids[area], people),
            pd.Series([f"b{j}" for j in psu], people),
        )
        by_area = self.units.area_id.rename("area_id")
        exposure = self.units.exposure.groupby(by_area).sum()
        self.direct = Direct(
            reports=self.units.reports.groupby(by_area).sum(),
            exposure=exposure,
            variance=(1 + KAPPA) * 0.003 / exposure,
            deff=pd.Series(1 + KAPPA, NAMES),
            components=pd.DataFrame({"phi": 1 + KAPPA, "between": 0.1}, NAMES),
            units=self.units,
        )

    def fit(self, with_units: bool = True) -> AreaHierarchy:
        model = AreaHierarchy(chains=2, tune=700, draws_per_chain=1000, random_state=1)
        direct = self.direct if with_units else replace(self.direct, units=None)
        return model.fit(self.X, direct, self.areas)


def test_the_collapsed_likelihood_is_the_negative_binomial_of_every_respondent():
    world = World(1)
    y, d = world.units.reports, world.units.exposure
    y.iloc[3, 0], y.iloc[5, 1], y.iloc[7, 1] = 4, 2, np.nan
    data = collapse(world.units, world.areas.index)
    psu = pd.factorize(pd.MultiIndex.from_arrays([world.units.area_id, world.units.psu]))[0]
    rng = np.random.default_rng(2)
    values = []
    for kappa in (KAPPA, np.array([2.0, 1e-7])):
        log_w = rng.normal(-6, 0.5, data.exposure.shape)
        extra = (data.extra_degree, data.extra_m, np.ones(len(data.extra_m)))
        ours = log_likelihood(
            log_w,
            kappa,
            data.exposure,
            data.reporters,
            data.reports.sum(axis=0),
            (data.extra_psu, data.extra_component),
            extra,
        ).eval(mode="FAST_COMPILE")
        mean = d.to_numpy() * np.exp(log_w)[psu]
        reference = stats.nbinom.logpmf(y, mean / kappa, 1 / (1 + kappa))
        values.append(float(ours) - np.nansum(reference))
    assert values[0] == pytest.approx(values[1], abs=1e-4)  # what has no parameter in it


@pytest.fixture(scope="module")
def fitted() -> list[tuple[World, AreaHierarchy]]:
    worlds = [World(seed) for seed in range(4)]
    return [(world, world.fit()) for world in worlds]


@pytest.mark.slow
def test_intervals_cover_surveyed_areas_and_the_others(fitted):
    inside = {True: [], False: []}
    for world, model in fitted:
        draws = model.draws(world.X, world.areas, 500, seed=3)
        low, high = draws.quantile([0.1, 0.9], "draw").transpose("quantile", "area_id", "component")
        rate = world.rate.to_numpy()
        hit = (rate >= low.to_numpy()) & (rate <= high.to_numpy())
        surveyed = world.areas.index.isin(world.direct.reports.index)
        for which in inside:
            inside[which].append(hit[surveyed == which].mean())
    for which, hits in inside.items():
        assert 0.7 < np.mean(hits) < 0.9, f"surveyed: {which}"


@pytest.mark.slow
def test_the_sampler_converged_and_its_estimates_beat_direct_ones(fitted):
    for world, model in fitted:
        assert model.diagnostics_["weak"] == 0
        surveyed = world.direct.reports.index
        mean = model.draws(world.X, world.areas, 500, 3).mean("draw").to_pandas().T.loc[surveyed]
        direct = world.direct.reports / world.direct.exposure
        truth = world.rate.loc[surveyed]
        assert ((mean - truth) ** 2).mean().sum() < 0.6 * ((direct - truth) ** 2).mean().sum()


@pytest.mark.slow
def test_area_totals_stand_in_for_respondents(fitted):
    world, model = fitted[0]
    by_totals = world.fit(with_units=False).draws(world.X, world.areas, 500, 4).mean("draw")
    by_units = model.draws(world.X, world.areas, 500, 4).mean("draw")
    ratio = np.log(by_totals / by_units).to_numpy()
    assert np.abs(ratio).mean() < 0.15


@pytest.mark.slow
def test_draws_do_not_depend_on_the_order_of_areas(fitted):
    world, model = fitted[0]
    shuffled = world.X.sample(frac=1, random_state=1)
    first = model.draws(world.X, world.areas, 50, 5)
    second = model.draws(shuffled, world.areas, 50, 5)
    assert np.array_equal(first.sel(area_id=second["area_id"]), second)


def test_impossible_answers_are_refused():
    world = World(2)
    world.units.exposure.iloc[:TAKE] = 0
    world.units.reports.iloc[0] = 1
    with pytest.raises(InputError, match="nobody knows anybody"):
        world.fit()
    world = World(2)
    world.units.area_id.iloc[0] = "9999999999"
    with pytest.raises(InputError, match="not in the frame"):
        world.fit()

"""Group shares from the household roster, and the degrees they give."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.survey.ard import ARD, make_ard
from smallarea.survey.roster import (
    RosterShares,
    household_effect,
    local_degrees,
    roster_degrees,
    roster_members,
    roster_shares,
)

AGES = {"children_0_2": "0-2", "children_3_5": "3-5", "children_6_12": "6-12"}
AGES |= {"children_13_17": "13-17"}
NATION = {"doctors": 0.0012, "lawyers": 0.0007, "teachers": 0.016, "drivers": 0.04}
NATION |= {"nurses": 0.007, "guards": 0.01, "construction_workers": 0.045, "bpo_workers": 0.018}
NATION |= {"store_owners": 0.03, "social_workers": 0.0005}
CHILD_NATION = {"children_0_2": 0.16, "children_3_5": 0.17, "children_6_12": 0.39}
CHILD_NATION |= {"children_13_17": 0.28}
AREAS, HOUSEHOLDS, ADULTS_HOME, CHILDREN_HOME = 150, 24, 2.9, 1.6
CHILD_PART = 0.36
NETWORK = pd.Series("adult", list(NATION)).combine_first(pd.Series("child", list(CHILD_NATION)))


class World:
    """150 municipalities in 50 provinces: local shares, a roster, and answers from 24 people each.

    Occupations vary between municipalities (log sd 0.35, half of it by province), child ages
    hardly; answers have a barrier effect (negative binomial).
    """

    def __init__(self, seed: int, spread: float = 0.35) -> None:
        rng = np.random.default_rng(seed)
        self.ids = pd.Index([f"{i:010d}" for i in range(AREAS)], name="area_id")
        self.province = pd.Series(np.arange(AREAS) // 3, self.ids, name="province_id")
        groups = list(NATION) + list(CHILD_NATION)
        part = np.array([1 - CHILD_PART] * len(NATION) + [CHILD_PART] * len(CHILD_NATION))
        nation = np.array([*NATION.values(), *CHILD_NATION.values()])
        sd = np.array([spread] * len(NATION) + [0.05] * len(CHILD_NATION)) / np.sqrt(2)
        province = rng.normal(0, sd, (AREAS // 3, len(groups)))[self.province]
        local = nation * np.exp(province + rng.normal(0, sd, (AREAS, len(groups))) - sd**2)
        local[:, -4:] /= local[:, -4:].sum(axis=1, keepdims=True)
        self.true = pd.DataFrame(local, self.ids, groups)
        self.nation = pd.Series(nation, groups)
        self.part = pd.Series(part, groups)  # reference population as a share of everybody

        home = np.repeat(np.arange(AREAS), HOUSEHOLDS)
        self.respondents = pd.Index([f"r{i}" for i in range(len(home))], name="respondent_id")
        self.area = pd.Series(self.ids[home], self.respondents)
        people = []
        for mean, columns in ((ADULTS_HOME, slice(0, -4)), (CHILDREN_HOME, slice(-4, None))):
            who = np.repeat(np.arange(len(home)), rng.poisson(mean, len(home)))
            names = [*groups[columns], "other"]
            p = local[home[who], columns]
            p = np.column_stack([p, 1 - p.sum(axis=1).round(12)]).cumsum(axis=1)
            kind = np.array(names)[(rng.random(len(who))[:, None] > p).sum(axis=1)]
            people.append(pd.DataFrame({"respondent_id": self.respondents[who], "kind": kind}))
        adults, children = people
        adults = adults.assign(age_group="18-34", occupation=adults["kind"])
        children = children.assign(age_group=children["kind"].map(AGES), occupation=None)
        self.roster = pd.concat([adults, children], ignore_index=True).drop(columns="kind")

        self.degree = rng.lognormal(4.5, 0.7, len(home))
        mean = self.degree[:, None] * (local * part)[home]
        shape = mean / 2.0  # variance three times the mean
        self.answers = pd.DataFrame(rng.poisson(rng.gamma(shape, 2.0)), self.respondents, groups)

    def ard(self, groups: list[str]) -> ARD:
        table = pd.DataFrame(
            {
                "group": [*groups, "hidden"],
                "kind": ["known"] * len(groups) + ["hidden"],
                "size": [*(self.nation * self.part)[groups] * 1e6, None],
                "population": 1e6,
            }
        )
        survey = self.answers[groups].assign(hidden=0, area_id=self.area).reset_index()
        return make_ard(survey, table, respondent="respondent_id", area="area_id")

    def shares(self) -> RosterShares:
        counts = roster_members(self.roster, list(NATION), AGES)
        return roster_shares(*counts, self.area, self.province, NETWORK)

    def log_rmse(self, share: pd.DataFrame) -> float:
        """Error of the areas' mean log degree; an area without any listed member has none."""
        part = self.part[share.columns]
        estimate = local_degrees(self.ard(list(share.columns)), share * part)
        mean = estimate.groupby(self.area).mean()
        error = np.log(mean / np.exp(4.5 + 0.7**2 / 2)).replace([np.inf, -np.inf], np.nan)
        return float(np.sqrt((error**2).mean()))


@pytest.fixture(scope="module")
def errors() -> pd.Series:
    """Log-degree error by method, mean over three worlds."""
    rows = []
    for seed in range(3):
        world = World(seed)
        shares = world.shares()
        occupations, children = list(NATION), list(CHILD_NATION)
        national = pd.DataFrame([world.nation] * AREAS, world.ids)
        rows.append(
            {
                "true": world.log_rmse(world.true),
                "national": world.log_rmse(national),
                "shrunk": world.log_rmse(shares.share),
                "roster": world.log_rmse(shares.observed),
                "roster, occupations": world.log_rmse(shares.observed[occupations]),
                "roster, children": world.log_rmse(shares.observed[children]),
                "shrunk, occupations": world.log_rmse(shares.share[occupations]),
                "national, occupations": world.log_rmse(national[occupations]),
                "true, occupations": world.log_rmse(world.true[occupations]),
            }
        )
    return pd.DataFrame(rows).mean()


def test_degree_errors_are_ordered_as_in_the_reference_study(errors: pd.Series, golden: Path):
    study = json.loads((golden / "nsum" / "roster_degree_error.json").read_text())
    reference = {row["method"]: row["rmse_log"] for row in study}
    same = {
        "national": "national sizes, all 15 (ratio of sums)",
        "shrunk": "shrunken roster (prior = 200 pseudo-persons at national share), all 15",
        "roster": "local roster sizes, all 15",
        "roster, occupations": "local roster sizes, 11 occupations only",
        "true": "true local sizes, all 15",
    }
    ours = errors[list(same)].set_axis(list(same.values()))
    theirs = pd.Series(reference)[list(same.values())]
    assert np.log(ours / theirs).abs().max() < 0.2
    assert errors.idxmax() == "roster, occupations"
    assert errors["roster"] > errors["shrunk"] == pytest.approx(errors["national"], rel=0.05)
    assert errors["shrunk, occupations"] < 0.7 * errors["roster, occupations"]
    assert errors["shrunk, occupations"] < errors["national, occupations"]


def test_shrinking_beats_both_the_roster_and_the_nation():
    world = World(11)
    shares = world.shares()
    occupations = list(NATION)

    def relative_error(estimate: pd.DataFrame) -> pd.Series:
        return (((estimate - world.true) / world.nation) ** 2).mean()[occupations] ** 0.5

    shrunk, raw = relative_error(shares.share), relative_error(shares.observed)
    national = relative_error(pd.DataFrame([world.nation] * AREAS, world.ids))
    assert (shrunk < 0.6 * raw).all()
    assert shrunk.mean() < national.mean()


def test_intervals_cover_true_local_shares_surveyed_or_not():
    inside = {"surveyed": [], "not surveyed": []}
    for seed in range(12):
        world = World(200 + seed)
        unseen = world.ids[::5]
        at = world.area[~world.area.isin(unseen)]
        roster = world.roster[world.roster["respondent_id"].isin(at.index)]
        counts = roster_members(roster, list(NATION), AGES)
        shares = roster_shares(*counts, at, world.province, NETWORK)
        low, high = np.quantile(shares.draws(500, seed), [0.05, 0.95], axis=2)
        hit = pd.DataFrame((world.true >= low) & (world.true <= high))[list(NATION)]
        inside["not surveyed"].append(hit.loc[unseen].to_numpy().mean())
        inside["surveyed"].append(hit.drop(unseen).to_numpy().mean())
    for which, hits in inside.items():
        assert 0.855 < np.mean(hits) < 0.945, which  # 0.90 and three standard errors


def test_an_area_without_interviews_takes_its_province_and_is_less_sure():
    world = World(1)
    unseen = world.ids[0]
    at = world.area[world.area != unseen]
    roster = world.roster[world.roster["respondent_id"].isin(at.index)]
    shares = roster_shares(*roster_members(roster, list(NATION), AGES), at, world.province, NETWORK)
    assert shares.observed.loc[unseen].isna().all()
    neighbour = world.ids[1]
    assert (shares.variance / shares.share**2).loc[unseen, list(NATION)].min() > 0
    relative = (shares.variance / shares.share**2)[list(NATION)]
    assert (relative.loc[unseen] > relative.loc[neighbour]).mean() > 0.8


def test_degrees_from_the_roster_are_those_of_the_adults_known():
    world = World(3)
    occupations = list(NATION)
    ard = world.ard(occupations)
    degree, cv = roster_degrees(ard, world.roster, world.province)
    expected = local_degrees(ard, world.shares().share[occupations])
    pd.testing.assert_series_equal(degree, expected)
    assert degree.mean() == pytest.approx((1 - CHILD_PART) * world.degree.mean(), rel=0.1)
    right = world.true[occupations].sum(axis=1) / world.shares().share[occupations].sum(axis=1)
    assert cv.mean() == pytest.approx(np.log(right).std(), rel=0.25)


def test_a_roster_without_the_known_groups_is_refused():
    world = World(3)
    with pytest.raises(InputError, match="no known group of adults"):
        roster_degrees(
            world.ard(list(NATION)), world.roster.assign(occupation="other"), world.province
        )


def test_household_effect_finds_shared_occupations_and_none_where_there_are_none():
    rng = np.random.default_rng(5)
    ids = [f"h{i}" for i in range(6000)]
    area = pd.Series(np.arange(6000) // 40, ids)
    people = pd.DataFrame({"alone": 4.0, "shared": 4.0}, ids)
    network = pd.Series({"alone": "adult", "shared": "child"})
    members = pd.DataFrame(
        {"alone": rng.binomial(4, 0.1, 6000), "shared": rng.binomial(4, rng.beta(0.5, 4.5, 6000))},
        ids,
    )
    effect = household_effect(members, people, area, network)
    assert effect["alone"] == pytest.approx(1.0, abs=0.06)
    assert effect["shared"] == pytest.approx(1 + 3 / 6, rel=0.08)  # 1 + (m - 1) icc


def test_local_degrees_use_only_answered_groups():
    world = World(2)
    ard = world.ard(["teachers", "drivers"])
    first = ard.counts.index[0]
    ard.counts.loc[first, "drivers"] = np.nan
    share = world.true[["teachers", "drivers"]]
    degree = local_degrees(ard, share)
    here = share.loc[world.area[first], "teachers"]
    assert degree[first] == pytest.approx(ard.counts.loc[first, "teachers"] / here)


def test_adults_without_an_answer_are_not_counted_as_non_members():
    roster = pd.DataFrame(
        {
            "respondent_id": ["a", "a", "a", "b"],
            "age_group": ["18-34", "35-59", "0-2", "60+"],
            "occupation": ["teachers", None, None, "other"],
        }
    )
    members, people = roster_members(roster, ["teachers"], {"children_0_2": "0-2"})
    assert people.to_dict() == {"teachers": {"a": 1, "b": 1}, "children_0_2": {"a": 1, "b": 0}}
    assert members.loc["a"].tolist() == [1, 1]


def test_bad_rosters_are_refused():
    world = World(3)
    with pytest.raises(InputError, match="missing columns: occupation"):
        roster_members(world.roster.drop(columns="occupation"), ["teachers"], AGES)
    counts = roster_members(world.roster, list(NATION), AGES)
    with pytest.raises(InputError, match="without an area"):
        roster_shares(*counts, world.area.iloc[:-24], world.province, NETWORK)

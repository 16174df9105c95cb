"""Known-group shares of every area from the household roster, shrunk to its neighbours'.

Nobody publishes how many teachers live in a small area, but the interviewed households list
their members (Feehan, Hai Son & Abdul-Quader 2022). About a hundred people per area are
too few for a share of one per cent, so its shares are pulled to the unit above's and those
to the nation's: a beta-binomial in a normal hierarchy, integrated on a grid, no sampler needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from smallarea.errors import InputError
from smallarea.survey.ard import ARD

_CV = np.geomspace(0.02, 1.5, 10)  # flat prior on each level's coefficient of variation
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_NEGLIGIBLE = 1e-4
_ADULT = 18


@dataclass(frozen=True)
class RosterShares:
    """Posterior of group shares, every area of the frame x group, surveyed or not.

    share, variance : mean and variance of the group's share of its reference population (adults
    for occupations, children for child ages).
    observed : the same share as the roster alone has it; NaN where nobody was listed.
    cv : network x level (unit, area): posterior mean of the coefficient of variation
    of true shares between the areas of one level, given the level above.
    deff : per group, variance inflation because households share occupations.
    """

    share: pd.DataFrame
    variance: pd.DataFrame
    observed: pd.DataFrame
    cv: pd.DataFrame
    deff: pd.Series

    def draws(self, draws: int, seed: int) -> np.ndarray:
        """Independent beta draws of the shares, shape (area, group, draws)."""
        size = self.share * (1 - self.share) / self.variance - 1
        rng = np.random.default_rng(seed)
        a, b = (self.share * size).to_numpy(), ((1 - self.share) * size).to_numpy()
        return rng.beta(a[..., None], b[..., None], (*a.shape, draws))


def roster_members(
    roster: pd.DataFrame, occupations: list[str], child_ages: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count, per household and group, the members and the people who could have been members.

    Parameters
    ----------
    roster : one row per person: respondent_id, age_group, occupation.
    occupations : groups of adults, by their name in the column `occupation`. Adults without an
        answer there are left out of both counts.
    child_ages : groups of children -> their age_group. Everyone else is an adult.

    Returns
    -------
    members, people : household (respondent_id) x group.
    """
    missing = {"respondent_id", "age_group", "occupation"} - set(roster.columns)
    if missing or roster.empty:
        raise InputError(
            f"missing columns: {', '.join(sorted(missing))}" if missing else "nobody is listed",
            where="roster",
            remedy="give one row per household member with respondent_id, age_group, occupation",
        )
    child = roster["age_group"].isin(list(child_ages.values()))
    asked = ~child & roster["occupation"].notna() & roster["age_group"].notna()
    groups = {g: asked & (roster["occupation"] == g) for g in occupations}
    groups |= {g: roster["age_group"] == age for g, age in child_ages.items()}
    base = dict.fromkeys(occupations, asked) | dict.fromkeys(child_ages, child)
    household = roster["respondent_id"]
    members = pd.DataFrame(groups).groupby(household).sum().astype(float)
    return members, pd.DataFrame(base).groupby(household).sum().astype(float)


def roster_shares(
    members: pd.DataFrame,
    people: pd.DataFrame,
    area: pd.Series,
    unit: pd.Series,
    network: pd.Series,
) -> RosterShares:
    """Shrink the roster's group shares: area to unit of a level to nation.

    Parameters
    ----------
    members, people : household x group, from `roster_members`.
    area : area_id of each household.
    unit : unit of every area of the frame, by area_id; it sets the rows of the result.
    network : network of each group (adult, child). The groups of one network share a coefficient
        of variation per level: a rare occupation has too few members for one of its own.

    Interviews are taken as self-weighting (PPS with an equal take). Counts are divided by the
    households' design effect first. Variances carry the uncertainty of the unit's and the
    nation's share and of how much areas differ.
    """
    where = area.reindex(members.index)
    if where.isna().any() or not where.isin(unit.index).all():
        raise InputError(
            "households without an area of the frame",
            where="roster",
            remedy="give the area_id of every respondent",
        )
    x, n = members.groupby(where).sum(), people.groupby(where).sum()
    deff = household_effect(members, people, where, network)
    observed = (x / n.where(n > 0)).reindex(unit.index)
    x, n = (t.div(deff).reindex(unit.index, fill_value=0.0) for t in (x, n))
    kinds = network.loc[x.columns].groupby(network.loc[x.columns]).groups
    parts = {kind: _integrate(x[list(g)], n[list(g)], unit) for kind, g in kinds.items()}
    share = pd.concat([p[0] for p in parts.values()], axis=1)[x.columns]
    variance = pd.concat([p[1] for p in parts.values()], axis=1)[x.columns]
    cv = pd.DataFrame({kind: p[2] for kind, p in parts.items()}).T
    return RosterShares(share, variance, observed, cv, deff)


def roster_degrees(ard: ARD, roster: pd.DataFrame, unit: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Adults' degrees by the group shares of each respondent's own area, from the roster alone.

    Returns
    -------
    degrees by respondent; and by area the coefficient of variation of the error they share,
    because the shares are estimates.

    Notes
    -----
    Known groups of adults that are occupations of the roster are used; who is under 18 by
    `age_group` (such as 13-17 or 60+) is no adult. `unit` : of every area of the frame, by
    area_id as in `ard.design`. Other parameters as in `roster_members`.

    Raises
    ------
    InputError : no known group is an occupation of the roster, or nobody is listed.
    """
    named = set(roster["occupation"].dropna()) if "occupation" in roster else set()
    adult = ard.groups["network"] == "adult"
    occupations = [g for g in ard.known("adult") if adult[g] and g in named]
    if not occupations:
        raise InputError(
            "no known group of adults is an occupation there",
            where="roster, column 'occupation'",
            remedy="spell occupations as groups.csv does, or set degrees to national",
        )
    youngest = roster["age_group"].str.extract(r"(\d+)", expand=False).astype(float)
    ages = roster.loc[youngest < _ADULT, "age_group"].unique()
    members, people = roster_members(roster, occupations, {age: age for age in ages})
    network = pd.Series("adult", index=occupations)
    area = ard.design["area_id"]
    shares = roster_shares(members[occupations], people[occupations], area, unit, network)
    cv = np.sqrt(shares.variance.sum(axis=1)) / shares.share.sum(axis=1)
    return local_degrees(ard, shares.share), cv


def local_degrees(ard: ARD, share: pd.DataFrame) -> pd.Series:
    """Degrees scaled up by the group shares of the respondent's own area.

    d_i = sum_k y_ik / sum_k share_ak over the groups answered: right where people outside the
    area were not to be counted. A ratio of sums; the mean of ratios does far worse.

    Parameters
    ----------
    share : area_id x group, e.g. `RosterShares.share` of the groups of one network.
    """
    answers = ard.counts[list(share.columns)]
    local = share.reindex(ard.design["area_id"]).set_axis(answers.index)
    asked = local.where(answers.notna()).sum(axis=1, min_count=1)
    return (answers.sum(axis=1) / asked.where(asked > 0)).rename("degree")


def household_effect(
    members: pd.DataFrame, people: pd.DataFrame, area: pd.Series, network: pd.Series
) -> pd.Series:
    """Variance of household counts over the binomial's, per group; at least one.

    Pearson residuals against the area's own share, less the areas' degrees of freedom, pooled
    over the groups of a network: noise of two per cent here would hide a third of what areas
    differ by.
    """
    x, n = members.groupby(area).transform("sum"), people.groupby(area).transform("sum")
    share, drawn = (x / n.where(n > 0)).fillna(0.0), (people / n.where(n > 0)).fillna(0.0)
    nation = members.sum() / people.sum()
    unbiased = share * (1 - share) * (n / (n - 1).where(n > 1))
    expected = (people * unbiased * (1 - drawn)).sum() / nation
    observed = ((members - people * share) ** 2).sum() / nation
    kind = network.loc[members.columns]
    deff = observed.groupby(kind).sum() / expected.groupby(kind).sum()
    return kind.map(deff.fillna(1.0).clip(lower=1.0)).rename("deff")


def _integrate(
    x: pd.DataFrame, n: pd.DataFrame, unit: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Posterior mean and variance of the shares of one network's groups, and of the two cvs.

    Nodes (j) stand for the unit's log odds, the grid for the cvs; both are weighted by the
    beta-binomial likelihood of the surveyed areas and then averaged over.
    """
    nation = ((x.sum() + 0.5) / (n.sum() + 1)).to_numpy()
    nation_cv2 = (1 - nation) / (nation * (n.sum().to_numpy() + 2))
    counts, listed = x.to_numpy(), n.to_numpy()
    code, names = pd.factorize(unit)
    seen = listed.sum(axis=1) > 0
    grid = [(u, v) for u in _CV for v in _CV]
    nodes = {u: _unit_shares(nation, u) for u in _CV}  # (J, G)
    by_node = [
        _node_likelihood(counts[seen], listed[seen], code[seen], len(names), nodes[u], v)
        for u, v in grid
    ]  # each (J, P, G)
    fit = [special.logsumexp(table, axis=0) for table in by_node]  # each (P, G)
    weight = special.softmax([f.sum() + np.log(u * v) for f, (u, v) in zip(fit, grid, strict=True)])

    first, second = np.zeros(counts.shape), np.zeros(counts.shape)
    for i in np.flatnonzero(weight > _NEGLIGIBLE * weight.max()):
        (u, v), at_node = grid[i], np.exp(by_node[i] - fit[i])[:, code]  # (J, A, G)
        p = nodes[u][:, None]
        k = _concentration(p, v)
        mean = (k * p + counts) / (k + listed)
        variance = mean * (1 - mean) / (k + listed + 1)
        variance = variance + mean**2 * nation_cv2 * (k / (k + listed)) ** 2
        first += weight[i] * (at_node * mean).sum(axis=0)
        second += weight[i] * (at_node * (variance + mean**2)).sum(axis=0)
    kept = weight[weight > _NEGLIGIBLE * weight.max()].sum()
    first, second = first / kept, second / kept
    cv = pd.Series(weight @ np.array(grid), ["unit", "area"])
    variance = second - first**2
    return pd.DataFrame(first, x.index, x.columns), pd.DataFrame(variance, x.index, x.columns), cv


def _unit_shares(nation: np.ndarray, cv: float) -> np.ndarray:
    """Shares at the nodes (J, G): normal on the log-odds scale, about the national mean."""
    centre = special.logit(nation) - cv**2 * (1 - 2 * nation) / 2
    return special.expit(centre + cv * _NODES[:, None])


def _node_likelihood(
    x: np.ndarray, n: np.ndarray, unit: np.ndarray, units: int, p: np.ndarray, cv: float
) -> np.ndarray:
    """Log of node weight x likelihood of a unit's areas, (J, P, G)."""
    p = p[:, None]
    k = _concentration(p, cv)
    a, b = k * p, k * (1 - p)
    by_area = special.betaln(a + x, b + n - x) - special.betaln(a, b)
    out = np.zeros((len(p), units, x.shape[1]))
    for i in range(units):
        out[:, i] = by_area[:, unit == i].sum(axis=1)
    return out + np.log(_NODE_WEIGHTS / _NODE_WEIGHTS.sum())[:, None, None]


def _concentration(mean: np.ndarray, cv: float) -> np.ndarray:
    """How many listed people a beta prior is worth (its cv is exact while the mean is small)."""
    return (1 - mean) / (mean * cv**2)

"""What respondents answer: whom they know, what of it they recall, what of it they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.simulate.groups import Groups, loadings
from smallarea.simulate.people import relative_reporting
from smallarea.simulate.settings import TwinSettings
from smallarea.simulate.truth import Truth, urban_mix, urban_share

if TYPE_CHECKING:
    from smallarea.areas import Frame


def known_shares(
    table: pd.DataFrame,
    groups: Groups,
    truth: Truth,
    interviews: pd.DataFrame,
    settings: TwinSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Shares of each unit's adults (children) in the known groups, respondent x group."""
    jobs, ages = list(groups.jobs), list(groups.ages)
    parts = [truth.known[jobs].div(table[groups.columns["adult"]].clip(lower=1), axis=0)]
    if ages:
        parts.append(truth.known[ages].div(table[groups.columns["child"]].clip(lower=1), axis=0))
    area = pd.concat(parts, axis=1).reindex(interviews["area_id"])
    shares = area.to_numpy(copy=True)
    shares[:, : len(jobs)] *= _unit_effects(interviews["psu"], np.eye(len(jobs)), settings, rng)
    crowded = shares[:, : len(jobs)].sum(axis=1, keepdims=True)
    shares[:, : len(jobs)] *= np.minimum(1, 0.9 / np.maximum(crowded, 1e-9))  # of one whole
    return pd.DataFrame(shares, interviews.index, area.columns)


def hidden_shares(
    frame: Frame,
    groups: Groups,
    truth: Truth,
    interviews: pd.DataFrame,
    settings: TwinSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Prevalence of the components among the people around, respondent x component."""
    base, counts = groups.base(frame.table), truth.counts.to_numpy()
    prevalence = counts / np.maximum(base, 1)
    near = frame.neighbours @ base
    around = np.where(near > 0, frame.neighbours @ counts / np.maximum(near, 1), prevalence)
    children = np.array([net == "child" for net in groups.networks.values()])
    spill = settings.spill * children
    seen = pd.DataFrame((1 - spill) * prevalence + spill * around, truth.counts.index)
    effect = _unit_effects(interviews["psu"], groups.correlation(settings), settings, rng)
    return pd.DataFrame(
        np.minimum(seen.reindex(interviews["area_id"]).to_numpy() * effect, 0.9),
        interviews.index,
        list(groups.components),
    )


def _unit_effects(
    psu: pd.Series, correlation: np.ndarray, settings: TwinSettings, rng: np.random.Generator
) -> np.ndarray:
    """Lognormal effects with mean 1, one per PSU and group, (respondents, groups)."""
    codes, names = pd.factorize(psu)
    sd = settings.unit_sd
    mix = loadings(correlation, len(correlation))
    normal = rng.normal(size=(len(names), len(correlation))) @ mix.T
    return np.exp(sd * normal - sd**2 / 2)[codes]


def network_sizes(
    interviews: pd.DataFrame, groups: Groups, settings: TwinSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """True degrees: lognormal, correlated, whole numbers; some know no child."""
    n, r = len(interviews), settings.degree_correlation
    shared = rng.normal(size=n)
    other = r * shared + np.sqrt(1 - r**2) * rng.normal(size=n)
    urban = np.where(interviews["urban"] == 1, settings.degree_urban, 1.0)
    adult = settings.adult_degree * urban * np.exp(settings.degree_sd * shared)
    child = settings.child_degree * np.exp(settings.degree_sd * other)
    child = np.where(rng.random(n) < settings.no_children, 0, child)
    degrees = {"adult_degree": np.rint(adult), "child_degree": np.rint(child)}
    kept = [f"{network}_degree" for network in ("adult", "child") if network in groups.columns]
    return pd.DataFrame(degrees, interviews.index)[kept].astype(int)


def known_reports(
    degrees: pd.DataFrame,
    shares: pd.DataFrame,
    table: pd.DataFrame,
    groups: Groups,
    truth: Truth,
    settings: TwinSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Answers on the known groups, respondent x known group."""
    people = {net: table[column].sum() for net, column in groups.columns.items()}
    national = truth.known.sum() / people["adult"]
    national[list(groups.straddling)] *= people["adult"] / sum(people.values())
    recall = (national / settings.recall_pivot) ** (settings.recall_slope - 1)
    adult, jobs = degrees["adult_degree"].to_numpy(), list(groups.jobs)
    y = binomial(
        np.repeat(adult[:, None], len(jobs), axis=1),
        shares[jobs].to_numpy(),
        np.broadcast_to(recall[jobs].to_numpy(), (len(adult), len(jobs))),
        settings.barrier,
        rng,
    )
    answers = pd.DataFrame(y, shares.index, jobs)
    if groups.ages:
        share = shares[list(groups.ages)].to_numpy()
        share = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-9)
        answers[list(groups.ages)] = rng.multinomial(degrees["child_degree"].to_numpy(), share)
    for name, group in groups.straddling.items():
        answers[name] = rng.binomial(adult, min(1, group.share * recall[name]))
        for age, part in group.of_ages.items():
            answers[name] += rng.binomial(answers[age], min(1, part * recall[name]))
    return answers[list(groups.known)]


def reporting(
    table: pd.DataFrame,
    truth: Truth,
    interviews: pd.DataFrame,
    people: pd.DataFrame,
    settings: TwinSettings,
) -> pd.DataFrame:
    """Each respondent's reporting rate: the area's, by urban/rural, age, sex and marital status.

    Averaged over an area's adults of 18-65 it is the area's `tau_areas`.
    """
    area = truth.tau_areas.reindex(interviews["area_id"])
    mean = urban_mix(urban_share(table).reindex(interviews["area_id"]), settings).to_numpy()
    own = np.where(interviews["urban"] == 1, 1.0, settings.tau_rural)
    if "urban_share" not in table:  # the units do not know either
        own = mean
    relative = own / mean * relative_reporting(people, settings)
    return pd.DataFrame(area.to_numpy() * relative[:, None], interviews.index, area.columns)


def binomial(
    degree: np.ndarray, mean: np.ndarray, rate: np.ndarray, rho: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw y ~ Binomial(degree, rate q), q ~ Beta(mean, correlation rho); all (n, groups)."""
    q = mean
    if rho > 0:
        size = 1 / rho - 1
        q = np.where(mean > 0, rng.beta(np.maximum(mean, 1e-9) * size, (1 - mean) * size), 0)
    return rng.binomial(degree, np.minimum(rate * q, 1))

"""Respondents and the members of their households."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from smallarea.simulate.groups import Groups
from smallarea.simulate.settings import TwinSettings

ADULT_AGES = np.arange(18, 91)
#: Shares of adults by single year of age: falling 3 % a year, faster from 65.
AGE_SHARES = np.exp(-0.03 * (ADULT_AGES - 18) - 0.05 * np.clip(ADULT_AGES - 65, 0, None))
AGE_SHARES /= AGE_SHARES.sum()
LAST_AGE = 65  # of respondents


def single_share(age: np.ndarray) -> np.ndarray:
    """Share of never married people at an age."""
    return 0.06 + 0.9 * expit((25 - age) / 4)


def respondents(
    interviews: pd.DataFrame, connectivity: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Return who answered: `age` (18-65), `sex` (F, M in turn), `marital`, `internet` (0/1).

    Parameters
    ----------
    interviews : from `draw_interviews`, PSU by PSU.
    connectivity : standardised surface at each interview.
    """
    n = len(interviews)
    eligible = ADULT_AGES <= LAST_AGE
    age = rng.choice(ADULT_AGES[eligible], n, p=AGE_SHARES[eligible] / AGE_SHARES[eligible].sum())
    ever = rng.choice(
        ["married", "cohabiting", "widowed", "separated"], n, p=[0.62, 0.26, 0.07, 0.05]
    )
    odds = 1.2 + 0.6 * connectivity + 0.4 * interviews["urban"].to_numpy() - 0.05 * (age - 35)
    return pd.DataFrame(
        {
            "age": age,
            "sex": np.where(np.arange(n) % 2 == 0, "F", "M"),
            "marital": np.where(rng.random(n) < single_share(age), "single", ever),
            "internet": (rng.random(n) < expit(odds)).astype(int),
        },
        index=interviews.index,
    )


def relative_reporting(people: pd.DataFrame, settings: TwinSettings) -> np.ndarray:
    """Return each respondent's reporting rate relative to the mean over the 18-65 population."""
    ages = ADULT_AGES[ADULT_AGES <= LAST_AGE]
    shares = AGE_SHARES[: len(ages)] / AGE_SHARES[: len(ages)].sum()
    old = np.where(ages >= 60, settings.tau_age60, 1.0)
    single = 1 + (settings.tau_single - 1) * single_share(ages)
    mean = (shares * old * single).sum() * (1 + settings.tau_female) / 2
    relative = np.where(people["age"] >= 60, settings.tau_age60, 1.0)
    relative = relative * np.where(people["marital"] == "single", settings.tau_single, 1.0)
    return relative * np.where(people["sex"] == "F", settings.tau_female, 1.0) / mean


def household_roster(
    people: pd.DataFrame,
    local: pd.DataFrame,
    shares: pd.DataFrame,
    groups: Groups,
    settings: TwinSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the members of each respondent's household, the respondent first.

    Parameters
    ----------
    people : index respondent_id; `age`, `sex`.
    local : index respondent_id; `adults`, `children` per head in the respondent's area.
    shares : respondent_id x known group, the group's share of local adults (or children).

    Returns
    -------
    Columns `respondent_id`, `person`, `age` (18 and above; -1 for children), `age_group`, `sex`,
    `occupation` (a known group, other, or "" where none is to be asked or the answer is missing).
    """
    adults = (settings.household_size * local["adults"]).to_numpy()
    adults = 1 + rng.poisson(np.maximum(adults - 1, 0))
    children = (settings.household_size * local["children"]).to_numpy()
    children = rng.poisson(children)
    owner = np.repeat(np.arange(len(people)), adults + children)
    person = np.arange(len(owner)) - np.repeat(np.cumsum(adults + children), adults + children)
    person += (adults + children)[owner]  # 0 is the respondent, then adults, then children
    is_child = person >= adults[owner]
    first = person == 0
    age = np.where(is_child, -1, rng.choice(ADULT_AGES, len(owner), p=AGE_SHARES))
    sex = np.where(rng.random(len(owner)) < 0.5, "F", "M")
    age[first], sex[first] = people["age"], people["sex"]

    adult_groups = np.array(["18-34", "35-59", "60+"])[np.digitize(age, [35, 60])]
    jobs = np.array([*groups.jobs, "other"])
    worker = shares[list(groups.jobs)].to_numpy()
    job = jobs[_pick(np.column_stack([worker, 1 - worker.sum(axis=1)]), owner, rng)]
    young = AGE_SHARES[ADULT_AGES < 35].sum()
    for name, group in groups.straddling.items():  # the adults among them are young
        drawn = (age < 35) & (rng.random(len(owner)) < group.share / young) & (job == "other")
        job = np.where(drawn, name, job)
    job = np.where(rng.random(len(owner)) < settings.missing, "", job)
    if groups.ages:
        child_shares = shares[list(groups.ages)].to_numpy()
        total = np.maximum(child_shares.sum(axis=1, keepdims=True), 1e-9)
        drawn_age = np.array(list(groups.ages))[_pick(child_shares / total, owner, rng)]
        labels = pd.Series(drawn_age).map({a: groups.age_label(a) for a in groups.ages})
        adult_groups = np.where(is_child, labels, adult_groups)
        job = np.where(is_child, "", job)
        for name, group in groups.straddling.items():
            share = pd.Series(drawn_age).map(dict(group.of_ages)).fillna(0).to_numpy()
            pupil = is_child & (job == "") & (rng.random(len(owner)) < share)
            job = np.where(pupil, name, job)
    return pd.DataFrame(
        {
            "respondent_id": people.index.to_numpy()[owner],
            "person": person + 1,
            "age": age,
            "age_group": adult_groups,
            "sex": sex,
            "occupation": job,
        }
    )


def _pick(shares: np.ndarray, owner: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one category per person from the shares (respondents, categories) of its household."""
    edges = np.cumsum(shares, axis=1)[owner, :-1]
    return (rng.random((len(owner), 1)) > edges).sum(axis=1)

"""One twin survey: who is interviewed and what they report, under the full scale-up model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.simulate.design import draw_interviews
from smallarea.simulate.groups import (
    ADULT_STUDENTS,
    CHILD_AGES,
    COMPONENTS,
    ENROLLED,
    KNOWN,
    OCCUPATIONS,
    REFERENCE,
    SCHOOL_AGES,
    group_table,
)
from smallarea.simulate.people import LAST_AGE, household_roster, relative_reporting, respondents
from smallarea.simulate.settings import TwinSettings, generator, wave_generator
from smallarea.simulate.truth import Truth, component_correlation, urban_mix

if TYPE_CHECKING:
    from smallarea.areas import Frame


@dataclass(frozen=True)
class Survey:
    """A survey as an analyst receives it, and apart from it what nobody receives.

    Attributes
    ----------
    respondents : index respondent_id; design, demography, then one column per group (Int64,
        <NA> = not answered).
    groups : index group; `kind`, `size`, `population`, `network`.
    roster : one row per household member.
    casework : index area_id, only areas with operations; `operations`, `victims_known`,
        `suspects_known`.
    hidden : index respondent_id; true `adult_degree`, `child_degree` and each component's
        reporting rate. Part of the truth.
    """

    respondents: pd.DataFrame
    groups: pd.DataFrame
    roster: pd.DataFrame
    casework: pd.DataFrame
    hidden: pd.DataFrame


def simulate_survey(frame: Frame, truth: Truth, settings: TwinSettings) -> Survey:
    """Interview the twin, without touching a file.

    A respondent with degree d reports y ~ Binomial(d, r q) people of a group, where q ~ Beta with
    mean m, the group's share of the people around, and correlation `barrier` (Maltiel et al.
    2015), and r is the reporting rate. m varies between areas and, with `barangay_sd`, between
    barangays. For hidden groups r is the respondent's tau; for known groups it is recall,
    (share / recall_pivot)^(recall_slope - 1): large groups under-, small ones over-recalled.
    The four child age answers sum to the child degree.

    With the same `truth`, other values of `settings.seed` give other surveys of one world. A later
    wave asks other people; where it goes back to the same barangays (`revisit`), their areas are
    as they were, while the barangay's own effect within its area is drawn anew.

    Raises
    ------
    InputError : the design cannot be drawn on this frame.
    """
    rng = wave_generator(settings, "interviews")
    places = generator(settings, "interviews") if settings.revisit else rng
    interviews = draw_interviews(frame, settings, places)
    interviews.index = pd.Index(
        [f"SYNTHETIC-{i:05d}" for i in range(1, len(interviews) + 1)], name="respondent_id"
    )
    area = interviews["area_id"].to_numpy()
    connectivity = truth.surfaces["connectivity"].reindex(area).to_numpy()
    people = respondents(interviews, connectivity, rng)
    local = frame.table[["adults", "children", "population"]].reindex(area)
    local.index = interviews.index
    shares = _known_shares(frame.table, truth, interviews, settings, rng)

    roster = household_roster(people, local, shares, settings, wave_generator(settings, "roster"))
    eligible = roster["age"].between(18, LAST_AGE).groupby(roster["respondent_id"]).sum()
    weight = interviews["households"] * eligible.reindex(interviews.index)
    roster.insert(1, "area_id", interviews["area_id"].reindex(roster["respondent_id"]).to_numpy())

    hidden = _degrees(interviews, settings, rng)
    known = _known_reports(hidden, shares, frame.table, truth, settings, rng)
    tau = _reporting(frame.table, truth, interviews, people, settings)
    prevalence = _hidden_shares(frame, truth, interviews, settings, rng)
    degree = _component_degrees(hidden)
    reports = _binomial(degree, prevalence.to_numpy(), tau.to_numpy(), settings.barrier, rng)
    reported = pd.DataFrame(reports, interviews.index, list(COMPONENTS))
    answers = pd.concat([known, reported], axis=1).astype("Int64")
    answers = answers.mask(rng.random(answers.shape) < settings.missing)

    design = interviews[["area_id", "psu", "stratum"]].assign(
        weight=weight.round(3), urban=interviews["urban"], replicate=interviews["replicate"]
    )
    return Survey(
        respondents=pd.concat([design, people, answers], axis=1),
        groups=group_table(truth.known, frame.table),
        roster=roster.drop(columns="age"),
        casework=simulate_casework(truth, settings),
        hidden=hidden.join(tau.add_prefix("tau_")),
    )


def simulate_casework(truth: Truth, settings: TwinSettings) -> pd.DataFrame:
    """Return the areas with operations: they map police work, mostly urban, as much as harm.

    Index area_id; `operations` (sum: the setting), `victims_known` and `suspects_known`, never
    more than the area's true counts.
    """
    rng = wave_generator(settings, "casework")
    people = truth.known[list(CHILD_AGES)].sum(axis=1)
    attention = rng.gamma(0.5, size=len(people))  # where a unit works is largely chance
    pull = people * np.exp(0.5 * truth.surfaces["urbanicity"]) * attention
    cases = pd.DataFrame(index=truth.counts.index)
    cases["operations"] = rng.multinomial(settings.operations, pull / pull.sum())
    for column, kind, rate in (
        ("victims_known", "victims", settings.victims_per_operation),
        ("suspects_known", "traffickers", settings.suspects_per_operation),
    ):
        most = truth.counts[[f"{kind}_live", f"{kind}_nonlive"]].max(axis=1)
        cases[column] = np.minimum(rng.poisson(rate * cases["operations"]), most)
    return cases[cases["operations"] > 0]


def _known_shares(
    table: pd.DataFrame,
    truth: Truth,
    interviews: pd.DataFrame,
    settings: TwinSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Shares of each barangay's adults (children) in the known groups, respondent x group."""
    occupations = truth.known[list(OCCUPATIONS)].div(table["adults"], axis=0)
    ages = truth.known[list(CHILD_AGES)].div(table["children"], axis=0)
    area = pd.concat([occupations, ages], axis=1).reindex(interviews["area_id"])
    effect = _barangay_effects(interviews["psu"], np.eye(len(OCCUPATIONS)), settings, rng)
    shares = area.to_numpy()
    shares[:, : len(OCCUPATIONS)] *= effect
    crowded = shares[:, : len(OCCUPATIONS)].sum(axis=1, keepdims=True)
    shares[:, : len(OCCUPATIONS)] *= np.minimum(1, 0.9 / crowded)  # shares of one whole
    return pd.DataFrame(shares, interviews.index, area.columns)


def _hidden_shares(
    frame: Frame,
    truth: Truth,
    interviews: pd.DataFrame,
    settings: TwinSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Prevalence of the components among the people around, respondent x component."""
    base = frame.table[[REFERENCE[k] for k in COMPONENTS]].to_numpy(float)
    prevalence = truth.counts.to_numpy() / base
    around = (frame.neighbours @ truth.counts.to_numpy()) / (frame.neighbours @ base)
    children = np.array([REFERENCE[k] == "children" for k in COMPONENTS])
    spill = settings.spill * children
    seen = pd.DataFrame((1 - spill) * prevalence + spill * around, truth.counts.index)
    effect = _barangay_effects(interviews["psu"], component_correlation(settings), settings, rng)
    return pd.DataFrame(
        np.minimum(seen.reindex(interviews["area_id"]).to_numpy() * effect, 0.9),
        interviews.index,
        list(COMPONENTS),
    )


def _barangay_effects(
    psu: pd.Series, correlation: np.ndarray, settings: TwinSettings, rng: np.random.Generator
) -> np.ndarray:
    """Lognormal effects with mean 1, one per PSU and group, (respondents, groups)."""
    codes, names = pd.factorize(psu)
    sd = settings.barangay_sd
    normal = rng.normal(size=(len(names), len(correlation))) @ np.linalg.cholesky(correlation).T
    return np.exp(sd * normal - sd**2 / 2)[codes]


def _degrees(
    interviews: pd.DataFrame, settings: TwinSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """True network sizes: lognormal, correlated, whole numbers; some know no child."""
    n, r = len(interviews), settings.degree_correlation
    shared = rng.normal(size=n)
    other = r * shared + np.sqrt(1 - r**2) * rng.normal(size=n)
    urban = np.where(interviews["urban"] == 1, settings.degree_urban, 1.0)
    adult = settings.adult_degree * urban * np.exp(settings.degree_sd * shared)
    child = settings.child_degree * np.exp(settings.degree_sd * other)
    child = np.where(rng.random(n) < settings.no_children, 0, child)
    degrees = {"adult_degree": np.rint(adult), "child_degree": np.rint(child)}
    return pd.DataFrame(degrees, interviews.index).astype(int)


def _component_degrees(degrees: pd.DataFrame) -> np.ndarray:
    network = ["child_degree" if REFERENCE[k] == "children" else "adult_degree" for k in COMPONENTS]
    return degrees[network].to_numpy()


def _known_reports(
    degrees: pd.DataFrame,
    shares: pd.DataFrame,
    table: pd.DataFrame,
    truth: Truth,
    settings: TwinSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Answers on the known groups, respondent x KNOWN."""
    adult, child = degrees["adult_degree"].to_numpy(), degrees["child_degree"].to_numpy()
    national = truth.known.sum() / table["adults"].sum()
    national["students"] = truth.known["students"].sum() / table["population"].sum()
    recall = (national / settings.recall_pivot) ** (settings.recall_slope - 1)
    jobs = list(OCCUPATIONS)
    y = _binomial(
        np.repeat(adult[:, None], len(jobs), axis=1),
        shares[jobs].to_numpy(),
        np.broadcast_to(recall[jobs].to_numpy(), (len(adult), len(jobs))),
        settings.barrier,
        rng,
    )
    answers = pd.DataFrame(y, shares.index, jobs)
    ages = shares[list(CHILD_AGES)].to_numpy()
    answers[list(CHILD_AGES)] = rng.multinomial(child, ages / ages.sum(axis=1, keepdims=True))
    pupils = answers[list(SCHOOL_AGES)].sum(axis=1).to_numpy()
    answers["students"] = rng.binomial(pupils, min(1, ENROLLED * recall["students"]))
    answers["students"] += rng.binomial(adult, min(1, ADULT_STUDENTS * recall["students"]))
    return answers[list(KNOWN)]


def _reporting(
    table: pd.DataFrame,
    truth: Truth,
    interviews: pd.DataFrame,
    people: pd.DataFrame,
    settings: TwinSettings,
) -> pd.DataFrame:
    """Each respondent's reporting rate: the area's, by urban/rural, age, sex and marital status.

    Averaged over an area's adults of 18-65 it is the area's `tau_areas`.
    """
    area = truth.tau_areas.reindex(interviews["area_id"]).to_numpy()
    mean = urban_mix(table["urban_share"].reindex(interviews["area_id"]), settings).to_numpy()
    own = np.where(interviews["urban"] == 1, 1.0, settings.tau_rural)
    relative = own / mean * relative_reporting(people, settings)
    return pd.DataFrame(area * relative[:, None], interviews.index, list(COMPONENTS))


def _binomial(
    degree: np.ndarray, mean: np.ndarray, rate: np.ndarray, rho: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw y ~ Binomial(degree, rate q), q ~ Beta(mean, correlation rho); all (n, groups)."""
    q = mean
    if rho > 0:
        size = 1 / rho - 1
        q = np.where(mean > 0, rng.beta(np.maximum(mean, 1e-9) * size, (1 - mean) * size), 0)
    return rng.binomial(degree, np.minimum(rate * q, 1))

"""One twin survey: who is interviewed and what they report, under the full scale-up model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.simulate.answers import (
    binomial,
    hidden_shares,
    known_reports,
    known_shares,
    network_sizes,
    reporting,
)
from smallarea.simulate.design import draw_interviews
from smallarea.simulate.groups import Groups, group_table
from smallarea.simulate.people import LAST_AGE, household_roster, respondents
from smallarea.simulate.settings import TwinSettings, generator, wave_generator
from smallarea.simulate.truth import Truth

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
    casework : index area_id, only areas with operations; `operations`, and what they found.
    hidden : index respondent_id; true degree in each network and each component's reporting
        rate. Part of the truth.
    """

    respondents: pd.DataFrame
    groups: pd.DataFrame
    roster: pd.DataFrame
    casework: pd.DataFrame
    hidden: pd.DataFrame


def simulate_survey(
    frame: Frame, indicators: Indicators, truth: Truth, settings: TwinSettings
) -> Survey:
    """Interview the twin, without touching a file.

    A respondent with degree d reports y ~ Binomial(d, r q) people of a group, where q ~ Beta with
    mean m, the group's share of the people around, and correlation `barrier` (Maltiel et al.
    2015), and r is the reporting rate. m varies between areas and, with `unit_sd`, between
    sampling units. For hidden groups r is the respondent's tau; for known groups it is recall,
    (share / recall_pivot)^(recall_slope - 1): large groups under-, small ones over-recalled.
    The answers on ages of children sum to the child degree.

    With the same `truth`, other values of `settings.seed` give other surveys of one world. A later
    wave asks other people; where it goes back to the same units (`revisit`), their areas are
    as they were, while the unit's own effect within its area is drawn anew.

    Raises
    ------
    InputError : the design cannot be drawn on this frame.
    """
    groups = Groups.of(indicators, settings)
    rng = wave_generator(settings, "interviews")
    places = generator(settings, "interviews") if settings.revisit else rng
    interviews = draw_interviews(frame, groups.columns["adult"], settings, places)
    interviews.index = pd.Index(
        [f"SYNTHETIC-{i:05d}" for i in range(1, len(interviews) + 1)], name="respondent_id"
    )
    area = interviews["area_id"].to_numpy()
    connectivity = truth.surfaces["connectivity"].reindex(area).to_numpy()
    people = respondents(interviews, connectivity, rng)
    local = _local(frame.table, groups).reindex(area).set_axis(interviews.index)
    shares = known_shares(frame.table, groups, truth, interviews, settings, rng)

    roster_rng = wave_generator(settings, "roster")
    roster = household_roster(people, local, shares, groups, settings, roster_rng)
    eligible = roster["age"].between(18, LAST_AGE).groupby(roster["respondent_id"]).sum()
    weight = interviews["households"] * eligible.reindex(interviews.index)
    roster.insert(1, "area_id", interviews["area_id"].reindex(roster["respondent_id"]).to_numpy())

    hidden = network_sizes(interviews, groups, settings, rng)
    known = known_reports(hidden, shares, frame.table, groups, truth, settings, rng)
    tau = reporting(frame.table, truth, interviews, people, settings)
    prevalence = hidden_shares(frame, groups, truth, interviews, settings, rng)
    degree = hidden[[groups.degree(k) for k in groups.components]].to_numpy()
    reports = binomial(degree, prevalence.to_numpy(), tau.to_numpy(), settings.barrier, rng)
    reported = pd.DataFrame(reports, interviews.index, list(groups.components))
    answers = pd.concat([known, reported], axis=1).astype("Int64")
    answers = answers.mask(rng.random(answers.shape) < settings.missing)

    design = interviews[["area_id", "psu", "stratum"]].assign(
        weight=weight.round(3), urban=interviews["urban"], replicate=interviews["replicate"]
    )
    asked = {name: c.group or name for name, c in indicators.components.items()}
    return Survey(
        respondents=pd.concat([design, people, answers.rename(columns=asked)], axis=1),
        groups=group_table(truth.known, frame.table, groups).rename(index=asked),
        roster=roster.drop(columns="age"),
        casework=simulate_casework(frame.table, groups, truth, settings),
        hidden=hidden.join(tau.add_prefix("tau_")),
    )


def _local(table: pd.DataFrame, groups: Groups) -> pd.DataFrame:
    """Return `adults` and `children` per head of each area's population."""
    heads = {"adults": table[groups.columns["adult"]] / table["population"]}
    if groups.ages:
        heads["children"] = table[groups.columns["child"]] / table["population"]
    return pd.DataFrame(heads, table.index).reindex(columns=["adults", "children"], fill_value=0.0)


def simulate_casework(
    table: pd.DataFrame, groups: Groups, truth: Truth, settings: TwinSettings
) -> pd.DataFrame:
    """Return the areas with operations: they map police work, mostly urban, as much as harm.

    Index area_id; `operations` (sum: the setting), and people found, never more than the area's
    true counts.

    Raises
    ------
    InputError : a column counts what is no component or sum.
    """
    rng = wave_generator(settings, "casework")
    attention = rng.gamma(0.5, size=len(table))  # where a unit works is largely chance
    people = table["population"].to_numpy(float)
    pull = people * np.exp(0.5 * truth.surfaces["urbanicity"]) * attention
    cases = pd.DataFrame(index=truth.counts.index)
    cases["operations"] = rng.multinomial(settings.operations, pull / pull.sum())
    for column, found in settings.casework.items():
        parts = groups.parts.get(found.of, (found.of,))
        if unknown := set(parts) - set(groups.components):
            raise InputError(
                f"{min(unknown)!r} is no component or sum",
                where=f"twin setting 'casework.{column}.of'",
                remedy="name one that the indicators declare",
            )
        most = truth.counts[list(parts)].max(axis=1)
        cases[column] = np.minimum(rng.poisson(found.per_operation * cases["operations"]), most)
    return cases[cases["operations"] > 0]

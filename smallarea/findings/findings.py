"""All findings of one run, table by table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import xarray as xr

from smallarea.areas.levels import levels_of
from smallarea.findings.checks import FEWEST_PLACES, casework_table, safe_checks, safe_left_out
from smallarea.findings.numbers import answered_numbers
from smallarea.findings.people import (
    Levels,
    described,
    reports_and_exposure,
    safe_relative,
    who_tells_more,
    who_told,
)
from smallarea.findings.places import where_next
from smallarea.findings.reporting import (
    measured_scenarios,
    totals_by_overlap,
    totals_by_tau,
    urban_scenarios,
)
from smallarea.indicators import Indicators
from smallarea.nsum import Direct
from smallarea.nsum.annex.group_tables import known_group_tables
from smallarea.survey import ARD

#: Every table, in the order in which to read them, and what it tells.
FILES = {
    "who_reported": "who told of anyone, by characteristics of the respondents",
    "numbers": "what respondents answered in numbers, in their own units",
    "known_groups": "groups of known size, each estimated from the others (people)",
    "recall": "how answers grow with a group's size; slope 1 is perfect recall",
    "side_by_side": "the reported size of each hidden group by every classical method (people)",
    "trimming": "what leaving out the worst known groups, one by one, would do; not done",
    "casework": "what casework says about the reporting rate",
    "sensitivity_tau": "national totals at fixed reporting rates (people)",
    "sensitivity_overlap": "national totals by the share of two components who are the same",
    "relative_reporting": "who tells more than others of the same place",
    "sensitivity_reporting": "totals and map, did some tell more readily than others",
    "next_places": "where further interviews would tell most, first place first",
    "checks": "answers as they were and as the fitted model (and its priors) would give them",
    "leave_one_out": "how well each group's answers are predicted from the others (PSIS-LOO)",
}


@dataclass(frozen=True)
class FitChecks:
    """What `smallarea.nsum.bayesian.predictive.check_fits` returned."""

    predictive: pd.DataFrame
    left_out: pd.DataFrame


def findings(
    ard: ARD,
    table: pd.DataFrame,
    direct: Direct,
    indicators: Indicators,
    *,
    rates: xr.DataArray,
    counts: xr.DataArray,
    tau: xr.DataArray | None,
    checks: FitChecks,
    casework: Mapping[str, pd.DataFrame] | None,
    by: Mapping[str, Levels],
    numbers: Sequence[str] = (),
    seed: int = 0,
    top_k: int,
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Make every table of `FILES` that the survey allows, fit to publish.

    Parameters
    ----------
    ard : the survey; `area_id` in its design are those of `table`, the frame's.
    rates : the models' draws of reported rates. counts, tau : the projection's draws; tau is None
        where no reporting rate is set: what is scaled by it is then left out.
    casework : `summary`, `sensitivity`, `areas`, as `casework_table` takes them.
    by : characteristics of respondents, see `described`; levels are those of their area.
    numbers : respondents' columns to describe, see `answered_numbers`; seed : of its bootstrap.

    Returns
    -------
    Flat tables by name; and notes: what could not be told, in sentences without a full stop.
    """
    design = ard.design
    lacking_levels = [level for level in levels_of(table) if level not in design.columns]
    design = design.join(table[lacking_levels], on="area_id")
    people, lacking = described(design, by)
    notes = [f"the survey has no column {column}, so nothing is told by it" for column in lacking]
    groups, unjudged = known_group_tables(ard)
    notes += unjudged
    asked = [column for column in by if column not in lacking]
    relative = who_tells_more(ard, people, asked, direct, indicators)
    headline = indicators.headline
    parts = list(indicators.parts(headline))
    _, exposure = reports_and_exposure(ard, parts)
    reported = (counts if tau is None else counts * tau).sel(component=parts)
    expected = reported.sum("component").mean("draw").to_series()
    used = [] if casework is None else casework["areas"].query("used").index.tolist()
    # The urban share of one place, and so the place, could be had from the totals it anchors.
    anchor = used if len(used) >= FEWEST_PLACES else None
    psus = design["area_id" if design["psu"].isna().all() else "psu"].nunique()
    urban = []
    if "urban_share" in table:
        urban = [urban_scenarios(expected, table["urban_share"], anchor, top_k)]
    scenarios = [
        *urban,
        measured_scenarios(
            relative[relative["indicator"] == headline], people, exposure, expected, top_k
        ),
    ]
    made = {
        "who_reported": who_told(ard, people, asked, indicators).reset_index(),
        **groups,
        "sensitivity_overlap": totals_by_overlap(counts, indicators),
        "relative_reporting": safe_relative(relative, ard, people, indicators),
        "sensitivity_reporting": pd.concat(scenarios, ignore_index=True).round({"total_ratio": 2}),
        "next_places": where_next(
            rates, table, direct, psus, list(table.index[table["covered"]]), indicators
        ),
        "checks": safe_checks(checks.predictive, ard),
        "leave_one_out": safe_left_out(checks.left_out, ard),
    }
    if numbers:
        made["numbers"], unheard = answered_numbers(ard.design, numbers, seed=seed)
        notes += unheard
    if tau is not None:
        made["sensitivity_tau"] = totals_by_tau(counts, tau, indicators)
    if casework is not None:
        made["casework"] = casework_table(**casework)
    return {name: made[name] for name in FILES if name in made}, notes


def direct_findings(
    table: pd.DataFrame,
    direct: Direct,
    indicators: Indicators,
    rates: xr.DataArray,
    counts: xr.DataArray,
    tau: xr.DataArray | None,
) -> dict[str, pd.DataFrame]:
    """Make the tables of `FILES` that need no respondents, for direct estimates from elsewhere.

    Parameters as in `findings`; a direct estimate's area counts as one sampling unit.
    """
    candidates = list(table.index[table["covered"]])
    made = {
        "sensitivity_overlap": totals_by_overlap(counts, indicators),
        "next_places": where_next(
            rates, table, direct, len(direct.reports), candidates, indicators
        ),
    }
    if tau is not None:
        made["sensitivity_tau"] = totals_by_tau(counts, tau, indicators)
    return {name: made[name] for name in FILES if name in made and len(made[name])}

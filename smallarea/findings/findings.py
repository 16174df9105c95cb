"""All findings of one run, table by table: what answers alone say, and what the map adds."""

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


@dataclass(frozen=True)
class Asked:
    """Who was asked, for findings that hold respondents against the map.

    Parameters
    ----------
    ard : the survey; `area_id` in its design are those of the frame.
    by : characteristics of respondents, see `described`; levels are those of their area.
    anchors : areas whose casework informed tau; None without casework.
    top_k : the k of "among the k highest areas".
    """

    ard: ARD
    by: Mapping[str, Levels]
    anchors: Sequence[str] | None
    top_k: int


def answer_findings(
    ard: ARD,
    table: pd.DataFrame,
    direct: Direct,
    indicators: Indicators,
    *,
    checks: FitChecks,
    casework: Mapping[str, pd.DataFrame] | None,
    by: Mapping[str, Levels],
    numbers: Sequence[str] = (),
    seed: int = 0,
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Make the tables of `FILES` that rest on answers alone, fit to publish.

    Parameters
    ----------
    ard, by : as in `Asked`. table : the frame's.
    casework : `summary`, `sensitivity`, `areas`, as `casework_table` takes them.
    numbers : respondents' columns to describe, see `answered_numbers`; seed : of its bootstrap.

    Returns
    -------
    Flat tables by name; and notes: what could not be told, in sentences without a full stop.
    """
    people, lacking = _people(ard, table, by)
    notes = [f"the survey has no column {column}, so nothing is told by it" for column in lacking]
    groups, unjudged = known_group_tables(ard)
    notes += unjudged
    asked = [column for column in by if column not in lacking]
    relative = who_tells_more(ard, people, asked, direct, indicators)
    made = {
        "who_reported": who_told(ard, people, asked, indicators).reset_index(),
        **groups,
        "relative_reporting": safe_relative(relative, ard, people, indicators),
        "checks": safe_checks(checks.predictive, ard),
        "leave_one_out": safe_left_out(checks.left_out, ard),
    }
    if numbers:
        made["numbers"], unheard = answered_numbers(ard.design, numbers, seed=seed)
        notes += unheard
    if casework is not None:
        made["casework"] = casework_table(**casework)
    return _in_order(made), notes


def map_findings(
    table: pd.DataFrame,
    direct: Direct,
    indicators: Indicators,
    rates: xr.DataArray,
    counts: xr.DataArray,
    tau: xr.DataArray | None,
    asked: Asked | None = None,
) -> dict[str, pd.DataFrame]:
    """Make the tables of `FILES` that need the map, fit to publish.

    Parameters
    ----------
    rates : the models' draws of reported rates. counts, tau : the projection's draws; tau is None
        where no reporting rate is set: what is scaled by it is then left out.
    asked : the survey; None of direct estimates from elsewhere, each area then being one sampling
        unit.

    Returns
    -------
    Flat tables by name; none that is empty.
    """
    psus = len(direct.reports)
    if asked is not None:
        design = asked.ard.design
        psus = design["area_id" if design["psu"].isna().all() else "psu"].nunique()
    made = {
        "sensitivity_overlap": totals_by_overlap(counts, indicators),
        "next_places": where_next(
            rates, table, direct, psus, list(table.index[table["covered"]]), indicators
        ),
    }
    if tau is not None:
        made["sensitivity_tau"] = totals_by_tau(counts, tau, indicators)
    if asked is not None:
        reported = counts if tau is None else counts * tau
        made["sensitivity_reporting"] = _scenarios(table, direct, indicators, reported, asked)
    return _in_order({name: table for name, table in made.items() if len(table)})


def _scenarios(
    table: pd.DataFrame,
    direct: Direct,
    indicators: Indicators,
    reported: xr.DataArray,
    asked: Asked,
) -> pd.DataFrame:
    """Total and map of the headline count, had some people told more readily than others."""
    headline, ard, top_k = indicators.headline, asked.ard, asked.top_k
    parts = list(indicators.parts(headline))
    expected = reported.sel(component=parts).sum("component").mean("draw").to_series()
    people, lacking = _people(ard, table, asked.by)
    by = [column for column in asked.by if column not in lacking]
    relative = who_tells_more(ard, people, by, direct, indicators)
    _, exposure = reports_and_exposure(ard, parts)
    # The urban share of one place, and so the place, could be had from the totals it anchors.
    anchors = asked.anchors
    anchor = anchors if anchors is not None and len(anchors) >= FEWEST_PLACES else None
    told = relative[relative["indicator"] == headline]
    scenarios = [measured_scenarios(told, people, exposure, expected, top_k)]
    if "urban_share" in table:
        scenarios.insert(0, urban_scenarios(expected, table["urban_share"], anchor, top_k))
    return pd.concat(scenarios, ignore_index=True).round({"total_ratio": 2})


def _people(
    ard: ARD, table: pd.DataFrame, by: Mapping[str, Levels]
) -> tuple[pd.DataFrame, list[str]]:
    """Describe the respondents, with the units that their area belongs to; see `described`."""
    lacking = [level for level in levels_of(table) if level not in ard.design.columns]
    return described(ard.design.join(table[lacking], on="area_id"), by)


def _in_order(made: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: made[name] for name in FILES if name in made}

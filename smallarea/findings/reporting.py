"""What totals and map would be, were reporting other than assumed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from smallarea.indicators import Indicators
from smallarea.nsum import totals_given_tau
from smallarea.nsum.reporting.sensitivity import (
    map_change,
    overlap_sensitivity,
    respondent_multipliers,
    tau_variation,
)

#: Illustrative: no survey tells how much more or less readily people of towns tell.
URBAN_SCENARIOS = {
    "people in urban places tell half as often as in rural ones": {"urban": 0.5, "rural": 1.0},
    "people in urban places tell twice as often as in rural ones": {"urban": 2.0, "rural": 1.0},
}


def totals_by_tau(counts: xr.DataArray, tau: xr.DataArray, indicators: Indicators) -> pd.DataFrame:
    """National totals at fixed reporting rates; by indicator and tau.

    counts : (component, area_id, draw) people. tau : (draw,) the rates that they were made with.
    """
    tables = {
        name: totals_given_tau((_total(counts, indicators.parts(name)) * tau).to_numpy())
        for name in indicators.totals
    }
    return pd.concat(tables, names=["indicator"]).reset_index()


def totals_by_overlap(counts: xr.DataArray, indicators: Indicators) -> pd.DataFrame:
    """National totals of sums of two, for each share of the smaller that is in both.

    Quantiles only: means add up over areas, so that one of an area withheld could be had from them.
    """
    tables = {}
    for name, added in indicators.sums.items():
        if len(added.of) == 2:
            one, other = (_total(counts, (part,)).to_numpy() for part in added.of)
            tables[name] = overlap_sensitivity(one, other).drop(columns="mean")
    if not tables:
        return pd.DataFrame(columns=["indicator", "overlap", "q025", "q50", "q975"])
    return pd.concat(tables, names=["indicator"]).reset_index()


def urban_scenarios(
    expected: pd.Series, urban_share: pd.Series, anchor: Sequence[str] | None, top_k: int
) -> pd.DataFrame:
    """Total and map of the headline count under `URBAN_SCENARIOS`; see `tau_variation`.

    expected : expected by area. anchor : areas whose casework informed tau, None if none did.
    """
    shares = pd.DataFrame({"urban": urban_share, "rural": 1 - urban_share})
    table = tau_variation(expected, shares, URBAN_SCENARIOS, anchor=anchor, top_k=top_k)
    return table.drop(columns="total").assign(areas=len(expected), top=top_k).reset_index()


def measured_scenarios(
    relative: pd.DataFrame,
    people: pd.DataFrame,
    exposure: pd.Series,
    expected: pd.Series,
    top_k: int,
) -> pd.DataFrame:
    """Total and surveyed areas' map of the headline count, had people told as the survey measured.

    Each area's rate is re-estimated from exposures multiplied by its respondents' relative
    reporting, one characteristic at a time. A level that nobody reported from, or that was not
    compared, counts as average.

    Parameters
    ----------
    relative : variable, level, relative; one indicator. people : respondents with these variables,
        `area_id` and `weight`. exposure : people known, by respondent.
    """
    before = exposure.groupby(people["area_id"]).sum()
    surveyed = expected.loc[before.index[before > 0]]
    top = min(top_k, max(len(surveyed) // 10, 1))
    rows = []
    for variable, table in relative.groupby("variable", sort=False):
        measured = table[table["relative"] > 0].set_index("level")["relative"].to_dict()
        rates = dict.fromkeys(people[variable].dropna(), 1.0) | measured
        told = exposure * respondent_multipliers(people, {str(variable): rates}, exposure)
        after = told.groupby(people["area_id"]).sum()
        other = surveyed * (before / after).loc[surveyed.index]
        ratio = (exposure * people["weight"]).sum() / (told * people["weight"]).sum()
        scenario = {"scenario": f"people tell as measured by {variable}", "total_ratio": ratio}
        size = {"areas": len(surveyed), "top": top}
        rows.append(scenario | map_change(surveyed, other, top) | size)
    figures = dict.fromkeys(["total_ratio", "moved", "rank_correlation", "top_kept"], float)
    types = {"scenario": "str"} | figures | {"areas": int, "top": int}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def _total(counts: xr.DataArray, components: Sequence[str]) -> xr.DataArray:
    return counts.sel(component=list(components)).sum(("component", "area_id"))

"""Where further interviews would tell most: a plan, not an estimate."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.levels import levels_of
from smallarea.findings.people import mean_over
from smallarea.indicators import Indicators
from smallarea.nsum import Direct
from smallarea.projection.next_places import next_places

NUMBER = 30
TARGETS: tuple[Literal["nation", "areas"], ...] = ("nation", "areas")


def where_next(
    rates: xr.DataArray,
    table: pd.DataFrame,
    direct: Direct,
    psus: int,
    candidates: list[str],
    indicators: Indicators,
    number: int = NUMBER,
) -> pd.DataFrame:
    """Choose where to interview next for the sake of the headline count, one PSU a place.

    Parameters
    ----------
    rates : draws of reported rates, (component, area_id, draw). table : the frame's.
    number : how many places, at most half of the candidates.
    psus : PSUs that were interviewed; a new one is taken to reach as many people.

    Returns
    -------
    One row per target (nation, areas) and step: area_id, name, levels above, and `nation_sd`,
    `areas_sd`: the national total's standard deviation and the areas' mean one with this place and
    all before it, as shares of today's. No rate of a place: the list is a plan.
    """
    parts = list(indicators.parts(indicators.headline))
    exposure = float(direct.exposure[parts].mean(axis=1).sum()) / psus
    chosen = {}
    for target in TARGETS:
        chosen[target] = next_places(
            rates.sel(component=parts).sum("component"),
            table[indicators.reference[parts[0]]],
            exposure,
            number=min(number, max(len(candidates) // 2, 1)),
            target=target,
            candidates=candidates,
            deff=mean_over(direct, "phi", parts),
            psu_cv=float(np.sqrt(mean_over(direct, "between", parts))),
        ).drop(columns="rate")
    plan = pd.concat(chosen, names=["target"]).reset_index()
    plan.insert(1, "step", plan.groupby("target").cumcount() + 1)
    plan[["nation_sd", "areas_sd"]] = plan[["nation_sd", "areas_sd"]].round(3)
    return plan.join(table[["name", *levels_of(table)]], on="area_id")

"""Everything the map's script reads; arrays are in the order of `areas.id`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.boundaries import drawn_from_points
from smallarea.indicators import Indicators
from smallarea.projection.indicators import count_draws
from smallarea.projection.summaries import QUANTILES
from smallarea.publish.basis import STEPS
from smallarea.publish.estimates import estimate_groups, levels_in
from smallarea.publish.map_draws import pack_draws
from smallarea.publish.map_numbers import (
    chances_above,
    level_numbers,
    percents,
    shared_rates,
    short,
    stored,
)
from smallarea.publish.topology import build_topology

if TYPE_CHECKING:
    import geopandas as gpd

#: Flags of places that are hatched, each its own way.
HATCHED = {"uncovered": "not_covered_by_survey", "unlike": "extrapolated"}


@dataclass(frozen=True)
class Beside:
    """What a map may show beside the estimates; whatever is not given it does not speak of.

    tau : reporting rate by draw. basis : see `smallarea.publish.basis.basis_table`. plan : where to
    interview next, rows in order, columns area_id and areas_sd. earlier, earlier_name : the long
    table of an earlier release of the same places, and what it is called. links : key of a word ->
    a file beside the page. scenarios : name of a word -> how much more readily towns tell.
    """

    tau: np.ndarray | None = None
    basis: pd.DataFrame | None = None
    plan: pd.DataFrame | None = None
    earlier: pd.DataFrame | None = None
    earlier_name: str = ""
    links: Mapping[str, str] = field(default_factory=dict)


def map_data(
    estimates: pd.DataFrame,
    counts: xr.DataArray,
    places: pd.DataFrame,
    geometry: gpd.GeoSeries,
    indicators: Indicators,
    labels: Mapping[str, str],
    k: int,
    reporting: bool,
    standing: str,
    beside: Beside,
) -> dict[str, Any]:
    """Return what the page reads; for the parameters see `smallarea.publish.map.write_map`."""
    by = {name: rows.set_index("area_id") for name, rows in estimates.groupby("indicator")}
    first = by[f"{indicators.headline}_rate"].sort_index()
    ids = first.index
    by = {name: rows.loc[ids] for name, rows in by.items()}
    places = places.loc[ids]
    counts = counts.sel(area_id=ids.to_numpy())
    national = estimate_groups(counts, places.assign(nation="nation"), "nation", indicators)
    whole = national.set_index("indicator")[list(QUANTILES)].astype(float)
    flag, flags = pd.factorize(first["flags"])
    levels = levels_in(estimates)
    above = level_numbers(counts, places, indicators)
    drawn = drawn_from_points(places)
    return {
        "start": indicators.headline,
        "k": k,
        "notice": max(estimates["notice"]),
        "standing": standing,
        "reporting": reporting,
        "links": dict(beside.links),
        "cells": [int(drawn), len(ids)],
        "hatch": HATCHED,
        "meaning": indicators.meaning,
        "whats": [
            {"id": name, "rate": rate if rate != name else None}
            for name, rate in shared_rates(indicators).items()
        ],
        "indicators": {
            name: {
                "label": indicators.labels[name],
                "unit": unit,
                "base": indicators.rates.get(name, name),
                "per": indicators.reference[indicators.rates[name]]
                if name in indicators.rates
                else None,
                "ratio": name in indicators.ratios,
            }
            for name, unit in indicators.units.items()
        },
        "reference": dict(indicators.reference),
        "national": {
            name: {q: short(whole[q][name]) for q in QUANTILES} for name in indicators.units
        },
        "labels": dict(labels),
        "levels": [
            {"key": level, "label": labels[level], "names": _names(places, level, found["id"])}
            | found
            for level, found in zip(levels, above, strict=True)
        ],
        "flags": [[word for word in text.split(";") if word] for text in flags],
        "areas": {
            "id": ids.tolist(),
            "name": first["name"].tolist(),
            "levels": [_codes(places, level) for level in levels],
            "flags": flag.tolist(),
            "people": places["population"].round().astype(int).tolist(),
        }
        | ({"surveyed": first["surveyed"].astype(int).tolist()} if "surveyed" in first else {})
        | ({"urban": percents(places["urban_share"])} if _urban(places) and reporting else {})
        | {name: places[name].round().astype(int).tolist() for name in indicators.populations},
        "numbers": {
            name: [list(map(short, by[name][q])) for q in QUANTILES] for name in stored(indicators)
        },
        "ranks": {
            name: [
                [None if pd.isna(rank) else int(rank) for rank in by[name][column]]
                for column in ("rank_low", "rank_high")
            ]
            for name in indicators.units
        },
        "top": {name: percents(by[name]["p_top"]) for name in indicators.units},
        "above": chances_above(counts, places, indicators, _shown(estimates)),
        "basis": _basis(beside.basis, ids),
        "plan": _plan(beside.plan, ids),
        "earlier": _earlier(beside, ids, indicators),
        "shapes": build_topology(geometry.loc[ids]).packed(),
    }


def panel_draws(
    estimates: pd.DataFrame,
    counts: xr.DataArray,
    places: pd.DataFrame,
    indicators: Indicators,
    tau: np.ndarray | None,
) -> tuple[dict[str, Any], str]:
    """Return draws of the totals of places whose numbers are shown, in the order of `areas.id`.

    In a unit of the lowest level with one withheld place, the next smallest has no draws either:
    from the unit's range and all others' draws the withheld one's could be had.
    """
    ids = pd.Index(np.sort(estimates["area_id"].unique()))
    shown = ids[ids.isin(_shown(estimates))]
    unit = places[f"{levels_in(estimates)[0]}_id"]
    held = unit.loc[ids.difference(shown)].value_counts()
    alone = places.loc[shown][unit.loc[shown].isin(held.index[held == 1])]
    second = alone.sort_values("population").groupby(unit.loc[alone.index]).head(1).index
    shown = shown.difference(second)
    totals = {name: count_draws(counts, name, indicators) for name in indicators.totals}
    facts, text = pack_draws(totals, shown, tau)
    return facts | {"places": ids.get_indexer(shown).tolist()}, text


def _shown(estimates: pd.DataFrame) -> pd.Index:
    held = estimates.groupby("area_id")["q50"].apply(lambda q: q.isna().all())
    return pd.Index(held.index[~held.to_numpy()])


def _names(places: pd.DataFrame, level: str, units: list[str]) -> list[str]:
    names = places.assign(unit=places[f"{level}_id"].astype(str)).groupby("unit")[level].first()
    return names.loc[units].astype(str).tolist()


def _codes(places: pd.DataFrame, level: str) -> list[int]:
    return np.unique(places[f"{level}_id"].to_numpy(dtype=str), return_inverse=True)[1].tolist()


def _urban(places: pd.DataFrame) -> bool:
    return "urban_share" in places and bool(places["urban_share"].notna().all())


def _basis(table: pd.DataFrame | None, ids: pd.Index) -> dict[str, Any] | None:
    """Return by total and model the parts' effects by place, and the steps after them."""
    if table is None or table.empty:
        return None
    parts = [part for part in table["part"].unique() if part not in STEPS]
    found: dict[str, Any] = {"parts": parts, "totals": {}}
    for total, rows in table.groupby("indicator"):
        wide = rows.pivot_table("effect", "area_id", ["model", "part"]).reindex(ids)
        found["totals"][total] = {
            "models": {
                model: [_whole(wide.get((model, part)), len(ids)) for part in parts]
                for model in rows["model"].unique()
                if model
            },
            "steps": [_whole(wide["", step], len(ids)) for step in STEPS],
        }
    return found


def _whole(column: pd.Series | None, number: int) -> list[int | None]:
    if column is None:
        return [None] * number
    return [None if np.isnan(x) else int(x) for x in column.astype(float)]


def _plan(plan: pd.DataFrame | None, ids: pd.Index) -> list[list[float]] | None:
    if plan is None or plan.empty:
        return None
    return [
        [int(at), round(float(sd), 3)]
        for at, sd in zip(ids.get_indexer(pd.Index(plan["area_id"])), plan["areas_sd"], strict=True)
    ]


def _earlier(beside: Beside, ids: pd.Index, indicators: Indicators) -> dict[str, Any] | None:
    """Return the 80 % ranges of an earlier release, by indicator and place."""
    if beside.earlier is None:
        return None
    ends = ["q10", "q50", "q90"]
    table = beside.earlier.set_index(["indicator", "area_id"])[ends].astype(float)
    return {
        "name": beside.earlier_name,
        "numbers": {
            name: [list(map(short, table.xs(name).reindex(ids)[q])) for q in ends]
            for name in (*indicators.totals, *(f"{total}_rate" for total in indicators.totals))
            if name in table.index.get_level_values(0)
        },
    }

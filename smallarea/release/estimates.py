"""The numbers of a tier: of areas or of units above them, and areas in classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.boundaries import EMBEDDED, from_points
from smallarea.areas.levels import level_ids, levels_of
from smallarea.indicators import Indicators
from smallarea.projection import indicator_draws, probability_top, summarise
from smallarea.projection.indicators import add_up
from smallarea.projection.summaries import ranks
from smallarea.publish.estimates import NUMBERS, SYNTHETIC, column_order, estimate_areas
from smallarea.release.tiers import ABOVE, BELOW, SURE, UNTOLD, WIDEST


@dataclass(frozen=True)
class Measured:
    """Counts that may be released, and what is needed to summarise them.

    counts : persons, (component, area_id, draw). table : the frame's. mean, sd : whether these
    moments exist. synthetic : whether the survey was invented.
    """

    counts: xr.DataArray
    table: pd.DataFrame
    indicators: Indicators
    mean: bool
    sd: bool
    synthetic: bool


def unit_table(table: pd.DataFrame, number: int, populations: tuple[str, ...]) -> pd.DataFrame:
    """Return the units of a level as if they were a frame's areas, index area_id.

    number : of the level, counted from the lowest. A highest level gets one above it, the nation.
    """
    level, above = levels_of(table)[number], levels_of(table)[number + 1 :]
    by = table.groupby(level_ids(table, number).rename("area_id"))
    people = list(dict.fromkeys(["population", *populations]))
    first = by[[level, *(c for name in above for c in (f"{name}_id", name))]].first()
    units = first.rename(columns={level: "name"}).join(by[people].sum())
    if "urban_share" in table:
        townspeople = (table["urban_share"] * table["population"]).groupby(level_ids(table, number))
        units["urban_share"] = townspeople.sum(min_count=1) / units["population"]
    if not above:
        units.insert(1, "nation_id", "all")
        units.insert(2, "nation", "The whole country")
    cut = from_points(table).groupby(level_ids(table, number)).any()
    sources = cut.map({True: EMBEDDED, False: ""})
    return units.assign(covered=by["covered"].any(), geometry_note="", geometry_source=sources)


def added_up(counts: xr.DataArray, unit: pd.Series) -> xr.DataArray:
    """Return the counts of units (component, area_id, draw), the units in the place of areas."""
    key = unit.loc[counts["area_id"].values].to_numpy()
    parts = [add_up(counts.sel(component=c), key, "area_id") for c in counts["component"].values]
    return xr.concat(parts, pd.Index(counts["component"].values, name="component"))


def area_numbers(made: Measured, flags: pd.Series, k: int) -> pd.DataFrame:
    """Return the long table of areas, without who was surveyed."""
    every = estimate_areas(
        made.counts, made.table, flags, (), made.indicators, k=k, mean=made.mean, sd=made.sd
    )
    return every.drop(columns="surveyed")


def unit_numbers(
    made: Measured, units: pd.DataFrame, number: int, flags: pd.Series, k: int
) -> pd.DataFrame:
    """Return the same of the units of a level, see :func:`unit_table`."""
    parts = []
    by = f"{levels_of(made.table)[number]}_id"
    for name, draws in indicator_draws(made.counts, made.table, made.indicators, by=by):
        ratio, rank = name in made.indicators.ratios, ranks(draws)
        part = summarise(draws, mean=made.mean or ratio, sd=made.sd or ratio, rank=rank)
        parts.append(part.assign(indicator=name, p_top=probability_top(draws, k, rank).round(2)))
    long = pd.concat(parts)
    levels = levels_of(units)
    for column in ("name", *levels):
        long[column] = units.loc[long.index, column]
    long["flags"] = flags.loc[long.index]
    long["notice"] = SYNTHETIC if made.synthetic else ""
    columns = [column for column in column_order(levels) if column != "surveyed"]
    return long.rename_axis("area_id").reset_index()[columns]


def level_numbers(made: Measured, first: int, minimum: float = 0.0) -> pd.DataFrame:
    """Return `LEVEL_COLUMNS` for every level from `first` up, and for the nation.

    minimum : numbers of units with fewer people of a reference population are blank. Means and
        standard deviations are blank everywhere if such an area's numbers are withheld: they add
        up, across tiers too, so that a withheld one would be known.
    """
    parts = []
    levels = levels_of(made.table)
    table = made.table.assign(nation_id="all", nation="The whole country")
    populations = list(made.indicators.populations)
    for level in [*levels[first:], "nation"]:
        by = f"{level}_id"
        names = table.drop_duplicates(by).set_index(by)[level]
        for indicator, draws in indicator_draws(made.counts, table, made.indicators, by=by):
            ratio = indicator in made.indicators.ratios
            part = summarise(draws, mean=made.mean or ratio, sd=made.sd or ratio)
            part = part.rename_axis("unit_id").reset_index()
            part = part.assign(level=level, name=part["unit_id"].map(names), indicator=indicator)
            few = few_people(table.groupby(by)[populations].sum(), populations, minimum)
            small = part["unit_id"].map(few)
            for column in NUMBERS:
                empty = pd.NA if column.startswith("rank") else np.nan
                part[column] = part[column].where(~small, empty)
            parts.append(part.assign(notice=SYNTHETIC if made.synthetic else ""))
    columns = ["level", "unit_id", "name", "indicator", *NUMBERS, "notice"]
    levels_told = pd.concat(parts, ignore_index=True)[columns]
    if few_people(table, populations, minimum).any():
        levels_told[["mean", "sd"]] = np.nan
    return levels_told


def few_people(table: pd.DataFrame, populations: list[str], minimum: float) -> pd.Series:
    """Return which places have fewer than `minimum` people of a reference population."""
    return ~(table[populations] >= minimum).all(axis=1)


def classes(made: Measured, unreliable: pd.Series) -> pd.DataFrame:
    """Put every area in a class for each rate of a total: above or below the national one.

    Reliable where the 80 % interval is no wider than `WIDEST` times its lower end, and the chance
    of being above the nation's rate at least `SURE`, or at most 1 - `SURE`.

    unreliable : bool, index area_id: areas put in no class whatever their draws.

    Returns
    -------
    area_id, name, the levels; per rate one column, `<rate>_class`; notice.
    """
    levels = levels_of(made.table)
    result = made.table[["name", *levels]].copy()
    whole: Any = made.table.assign(nation="all")
    of_nation = dict(indicator_draws(made.counts, whole, made.indicators, by="nation"))
    wanted = [f"{name}_rate" for name in made.indicators.totals]
    for rate, draws in indicator_draws(made.counts, made.table, made.indicators):
        if rate not in wanted:
            continue
        values = draws.values
        chance = (values > of_nation[rate].values).mean(axis=1)
        low, high = np.quantile(values, [0.1, 0.9], axis=1)
        told = (high <= WIDEST * low) & ~unreliable.loc[draws["area_id"].values].to_numpy()
        words = np.where(chance >= SURE, ABOVE, np.where(chance <= 1 - SURE, BELOW, UNTOLD))
        result[f"{rate}_class"] = pd.Series(
            np.where(told, words, UNTOLD), index=draws["area_id"].values
        )
    result["notice"] = SYNTHETIC if made.synthetic else ""
    return result.rename_axis("area_id").reset_index()

"""Numbers of the map: three significant digits, chances in whole percents, from all draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.levels import levels_of
from smallarea.indicators import Indicators
from smallarea.projection import indicator_draws

_ENDS = {"q10": 0.1, "q50": 0.5, "q90": 0.9}


def short(number: float) -> float | int | None:
    """Three significant digits; None when missing."""
    if np.isnan(number):
        return None
    value = float(f"{number:.3g}")
    return int(value) if value.is_integer() else value


def percents(chances: Sequence[float] | np.ndarray | pd.Series) -> list[int | None]:
    """Whole percents; None when missing."""
    return [None if np.isnan(p) else round(100 * p) for p in chances]


def stored(indicators: Indicators) -> list[str]:
    """Return the indicators of which numbers are on the page: counts and ratios; rates follow."""
    return [name for name in indicators.units if name not in indicators.rates]


def shared_rates(indicators: Indicators) -> dict[str, str]:
    """Return each stored indicator -> the one that compares places: a count's rate, or itself."""
    by_count = {count: rate for rate, count in indicators.rates.items()}
    return {name: by_count.get(name, name) for name in stored(indicators)}


def level_numbers(
    counts: xr.DataArray, places: pd.DataFrame, indicators: Indicators
) -> list[dict[str, Any]]:
    """Return for every level, lowest first: its units' codes, people, and 80 % ranges.

    `id`: codes of units, sorted; `people`: population -> by unit; `numbers`: stored indicator ->
    `q10`, `q50`, `q90` by unit. No means: those of units and of places would add up.
    """
    found = []
    for level in levels_of(places):
        by = f"{level}_id"
        units = np.unique(places[by].to_numpy(dtype=str))
        people = places.groupby(places[by].astype(str))[list(indicators.populations)].sum()
        numbers = {}
        for name, draws in indicator_draws(counts, places, indicators, by=by):
            if name in indicators.rates:
                continue
            ends = np.quantile(draws.to_numpy(), list(_ENDS.values()), axis=1)
            numbers[name] = {q: list(map(short, row)) for q, row in zip(_ENDS, ends, strict=True)}
        sizes = {name: people[str(name)].loc[units].round().astype(int).tolist() for name in people}
        found.append({"id": units.tolist(), "people": sizes, "numbers": numbers})
    return found


def chances_above(
    counts: xr.DataArray, places: pd.DataFrame, indicators: Indicators, shown: pd.Index
) -> dict[str, dict[str, list[int | None]]]:
    """Return chances, in percent, that a place's rate (or ratio) is above that around it.

    By stored indicator: `nation`, above the whole country's; `level`, above that of its unit of the
    lowest level. None for places that are not shown. All draws are used, as they are.
    """
    table = places.assign(nation="all")
    lowest = f"{levels_of(places)[0]}_id"
    around = {
        "nation": dict(indicator_draws(counts, table, indicators, by="nation")),
        "level": dict(indicator_draws(counts, table, indicators, by=lowest)),
    }
    unit = {"nation": table["nation"], "level": table[lowest]}
    of = {rate: name for name, rate in shared_rates(indicators).items()}
    found: dict[str, dict[str, list[int | None]]] = {}
    for rate, draws in indicator_draws(counts, table, indicators):
        if rate not in of:
            continue
        ids = pd.Index(draws["area_id"].values)
        values = draws.to_numpy()
        found[of[rate]] = {}
        for name, whole in around.items():
            dim = whole[rate].dims[0]
            other = whole[rate].sel({dim: unit[name].loc[ids].astype(str).to_numpy()}).to_numpy()
            chance = np.where(np.isnan(values).any(axis=1), np.nan, (values > other).mean(axis=1))
            table_of = pd.Series(chance, ids).where(ids.isin(shown))
            found[of[rate]][name] = percents(table_of.loc[places.index])
    return found

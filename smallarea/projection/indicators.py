"""Every published indicator, recomputed from component counts draw by draw.

Counts add up; rates and the ratio do not. Units of a level and the nation therefore sum counts
and recompute the rest from the sums; nothing is ever averaged from other indicators.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy import sparse

from smallarea.indicators import PER, Indicators


def count_draws(counts: xr.DataArray, name: str, indicators: Indicators) -> xr.DataArray:
    """Draws of one count (a component or a sum), dims (area_id, draw).

    counts : components, dims (component, area_id, draw).

    A sum's `overlap` is the share of the smaller of its two components whose members are in both.
    0 (nobody) makes the sum an upper bound on people; 1 gives the larger of the two, the lower
    bound. The survey does not identify it.
    """
    if name not in indicators.sums:
        return counts.sel(component=name, drop=True)
    added = indicators.sums[name]
    parts = [counts.sel(component=part, drop=True) for part in added.of]
    total = parts[0].copy()
    for part in parts[1:]:
        total = total + part
    return total - added.overlap * np.minimum(parts[0], parts[1]) if added.overlap else total


def indicator_draws(
    counts: xr.DataArray, table: pd.DataFrame, indicators: Indicators, *, by: str | None = None
) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield (indicator, draws) in the order of `indicators.units`, one at a time.

    All at once would need several times the memory of the components.

    Parameters
    ----------
    counts : component counts in persons, dims (component, area_id, draw).
    table : the frame's table, index area_id, with the reference populations and the
        column `by`.
    by : a column of `table` to add areas up by (`district_id`, `district`, ...); None keeps areas.
        A column of one value, such as ``table.assign(nation="PH")``, gives the nation.

    Yields
    ------
    Draws with dims (area_id, draw), or (`by`, draw). Rates are per 1,000 of the reference
    population; a rate without reference population, and a ratio where a draw has
    nobody below the line, is NaN in that draw.
    """
    counts = counts.transpose("component", "area_id", "draw")
    areas = table.loc[counts["area_id"].values]
    key = areas[by].to_numpy(dtype=object) if by else None

    @cache
    def added_up(name: str) -> xr.DataArray:
        return add_up(count_draws(counts, name, indicators), np.asarray(key), str(by))

    def count(name: str) -> xr.DataArray:
        return count_draws(counts, name, indicators) if key is None else added_up(name)

    people = areas[list(indicators.populations)]
    people = people if key is None else people.groupby(key).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, unit in indicators.units.items():
            if name in indicators.ratios:
                above, below = map(count, indicators.ratios[name].of)
                draws = above / below.where(below > 0)
            elif name in indicators.rates:
                counted = indicators.rates[name]
                size = people[indicators.reference[counted]].astype(float)
                draws = PER * count(counted) / size.where(size > 0).to_numpy()[:, None]
            else:
                draws = count(name)
            yield name, draws.rename(name).assign_attrs(units=unit)


def add_up(draws: xr.DataArray, key: np.ndarray, dim: str) -> xr.DataArray:
    """Sum (area_id, draw) draws of counts over areas with the same `key`; groups sorted."""
    groups, index = np.unique(key.astype(str), return_inverse=True)
    areas = np.arange(index.size)
    member = sparse.csr_array((np.ones(index.size), (index, areas)), (groups.size, index.size))
    summed = member @ draws.transpose("area_id", "draw").values
    return xr.DataArray(summed, dims=(dim, "draw"), coords={dim: groups.astype(object)})

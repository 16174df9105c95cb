"""Every published indicator, recomputed from component counts draw by draw.

Counts add up; rates and the ratio do not. Provinces, regions and the nation therefore sum counts
and recompute the rest from the sums; nothing is ever averaged from other indicators.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError
from smallarea.indicators import REFERENCE, SUMS, UNITS


def count_draws(counts: xr.DataArray, name: str, overlap: float = 0.0) -> xr.DataArray:
    """Draws of one count (a component, `victims` or `traffickers`), dims (area_id, draw).

    counts : components, dims (component, area_id, draw).
    overlap : share of the smaller of the two components whose members are in both. 0 (nobody)
        makes live + non-live an upper bound on people; 1 gives the larger of the two, the
        lower bound. The survey does not identify it.
    """
    if name not in SUMS:
        return counts.sel(component=name, drop=True)
    if not 0 <= overlap <= 1:
        raise InputError(
            f"{overlap} is not a share", where="overlap", remedy="give a number from 0 to 1"
        )
    live, nonlive = (counts.sel(component=part, drop=True) for part in SUMS[name])
    total = live + nonlive
    return total - overlap * np.minimum(live, nonlive) if overlap else total


def indicator_draws(
    counts: xr.DataArray, table: pd.DataFrame, *, by: str | None = None, overlap: float = 0.0
) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield (indicator, draws) in the order of `smallarea.indicators.UNITS`, one at a time.

    All thirteen at once would need three times the memory of the components.

    Parameters
    ----------
    counts : component counts in persons, dims (component, area_id, draw).
    table : the frame's table, index area_id, with the reference populations `adults` and
        `children`, and the column `by`.
    by : a column of `table` to add areas up by (`province_id`, `region`, ...); None keeps areas.
        A column of one value, such as ``table.assign(nation="PH")``, gives the nation.

    Yields
    ------
    Draws with dims (area_id, draw), or (`by`, draw). Rates are per 1,000 of the reference
    population; a rate without reference population, and the ratio where a draw has no
    trafficker, is NaN in that draw.
    """
    counts = counts.transpose("component", "area_id", "draw")
    areas = table.loc[counts["area_id"].values]
    key = areas[by].to_numpy(dtype=object) if by else None

    def count(name: str) -> xr.DataArray:
        draws = count_draws(counts, name, overlap)
        return draws if key is None else add_up(draws, key, str(by))

    people = areas[sorted(set(REFERENCE.values()))]
    people = people if key is None else people.groupby(key).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, unit in UNITS.items():
            if name == "ratio":
                below = count("traffickers")
                draws = count("victims") / below.where(below > 0)
            elif name.endswith("_rate"):
                top = count(name.removesuffix("_rate"))
                size = people[reference(name)].astype(float)
                draws = 1000 * top / size.where(size > 0).to_numpy()[:, None]
            else:
                draws = count(name)
            yield name, draws.rename(name).assign_attrs(units=unit)


def reference(indicator: str) -> str:
    """The reference population of a count or rate: a column of the frame's table."""
    count = indicator.removesuffix("_rate")
    return REFERENCE[SUMS[count][0] if count in SUMS else count]


def add_up(draws: xr.DataArray, key: np.ndarray, dim: str) -> xr.DataArray:
    """Sum (area_id, draw) draws of counts over areas with the same `key`; groups sorted."""
    groups, index = np.unique(key.astype(str), return_inverse=True)
    summed = np.zeros((groups.size, draws.sizes["draw"]))
    np.add.at(summed, index, draws.transpose("area_id", "draw").values)
    return xr.DataArray(summed, dims=(dim, "draw"), coords={dim: groups.astype(object)})

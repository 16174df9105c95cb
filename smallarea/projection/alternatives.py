"""Other ways to make rates of areas add up to a total, for comparison with the shift.

All are functions of rates (draw, area), sizes (area,) and a total (draw,), and return rates of the
same shape, between 0 and 1, whose sum of size x rate is the total in every draw.

Deville & Särndal 1992 (raking); Pfeffermann 2013 (ratio and difference).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, logit

from smallarea.models.fay_herriot.benchmarking import adjust
from smallarea.projection.shift import solve_shift

Array = np.ndarray
#: Draws that a comparison rests on: means of so many are near enough.
COMPARED = 200


def raking(rates: Array, size: Array, total: Array) -> Array:
    """Rake the table of areas by counted or not, onto the areas' people and the total.

    What iterative proportional fitting comes to: one factor on the odds of all areas.
    """
    eta = logit(rates)
    return np.asarray(expit(eta + solve_shift(eta, np.ones_like(size), size, total)[:, None]))


def ratio(rates: Array, size: Array, total: Array) -> Array:
    """Multiply all rates by one factor; a rate that would exceed 1 is 1, and the rest more."""
    made = adjust(rates, size, total, "ratio")
    for draw in np.flatnonzero((made > 1).any(axis=1)):
        full = np.zeros(len(size), dtype=bool)
        while (over := (made[draw] > 1) & ~full).any():
            full |= over
            rest = total[draw] - size[full].sum()
            made[draw, full] = 1
            made[draw, ~full] = adjust(rates[draw, ~full], size[~full], np.asarray(rest), "ratio")
    return made


def difference(rates: Array, size: Array, total: Array) -> Array:
    """Add one number to all rates; those that would leave 0 to 1 stay there, and the rest moves."""
    made = adjust(rates, size, total, "difference")
    bad = ((made < 0) | (made > 1)).any(axis=1)
    if bad.any():
        low, high = -np.ones(bad.sum()), np.ones(bad.sum())
        for _ in range(80):
            middle = (low + high) / 2
            below = np.clip(rates[bad] + middle[:, None], 0, 1) @ size < total[bad]
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        made[bad] = np.clip(rates[bad] + high[:, None], 0, 1)
        made[bad] *= np.minimum(total[bad] / (made[bad] @ size), 1)[:, None]
    return made


METHODS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "raking": raking, "ratio": ratio, "difference": difference
}  # fmt: skip


def side_by_side(
    rates: xr.DataArray, agreed: xr.DataArray, sizes: xr.DataArray, held: pd.Series
) -> pd.DataFrame:
    """Say how far areas' mean rates would be elsewhere, had other methods made the totals hold.

    Parameters
    ----------
    rates, agreed : before and after agreement, dims (component, area_id, draw), in (0, 1).
    sizes : people. held : of each area, the unit whose total holds, or "", see `TopDown`.

    Returns
    -------
    Index component; per method `<method>_median` and `<method>_max`: over areas that are held and
    have people, the relative change of the mean rate, in shares of the published one.
    """
    rates = rates.transpose(*agreed.dims).sel(area_id=agreed["area_id"].values)
    sizes = sizes.transpose("component", "area_id").sel(
        component=agreed["component"].values, area_id=agreed["area_id"].values
    )
    step = max(agreed.sizes["draw"] // COMPARED, 1)
    held = held.loc[agreed["area_id"].values]
    rows = []
    for c in range(agreed.sizes["component"]):
        people = sizes.values[c]
        row: dict[str, float] = {}
        old, new = rates.values[c, :, ::step].T, agreed.values[c, :, ::step].T
        for name, method in METHODS.items():
            change = []
            for unit in sorted(set(held) - {""}):
                own = (held == unit).to_numpy() & (people > 0)
                if own.any():
                    made = method(old[:, own], people[own], new[:, own] @ people[own])
                    change.append(np.abs(made.mean(axis=0) / new[:, own].mean(axis=0) - 1))
            moved = np.concatenate(change)
            row |= {f"{name}_median": np.median(moved), f"{name}_max": moved.max()}
        rows.append(row)
    return pd.DataFrame(rows, pd.Index(agreed["component"].values, name="component"))

"""Ranks that hold for all areas at once, from joint draws.

Marginal rank intervals are each right nineteen times in twenty; a list made of hundreds of them is
hardly ever right as a whole. There are two answers, each right as a whole with the stated chance.

`rank_sets` holds whatever the truth is, as long as the draws lie about it as estimates do (Mogstad,
Romano, Shaikh & Wilhelm 2024). The areas that could be among the top k are those with a set that
reaches k, for any k. Each area gets a comparison interval, and its set counts the intervals wholly
above and wholly below (Klein, Wright & Wieczorek 2020). Their common width is such that all
pairwise *differences* lie within the sum of two half widths: what areas have in common in a draw
(the reporting rate, the nation's level) cancels, and they are narrower than intervals that hold
the areas' values. For areas alike this is Tukey's range. The widest of all differences of a draw
is found without visiting pairs of areas, let alone m x m x draws of them: see `_widest_difference`.

`top_sets` takes the draws for what is known of the truth, prior and all, and says more.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError

LEVEL = 0.95
_BLOCK = 1 << 21  # numbers handled at once: 16 MB


def rank_sets(draws: xr.DataArray, *, level: float = LEVEL) -> pd.DataFrame:
    """Return sets of ranks that hold the true ones of all areas together.

    Parameters
    ----------
    draws : dims (area_id, draw), on a scale on which what areas have in common is added; take
        logarithms of counts and rates. Every second draw places and scales the areas, the others
        say how wide intervals have to be, so that nothing is judged by what it was fitted to.
    level : chance that every area's set holds its rank.

    Returns
    -------
    Index area_id; joint_low, joint_high, 1 = largest. Areas with an undefined (NaN) draw have none
    and are not counted in the ranks of others. One copy of the draws is held, and blocks of 16 MB.

    Raises
    ------
    InputError : too few draws for the level.
    """
    key, _ = draws.dims
    values = draws.to_numpy()
    defined = ~np.isnan(values).any(axis=1)
    low, high = comparison_intervals(values[defined], level)
    number = len(low)
    table = pd.DataFrame(index=pd.Index(draws[key].values, name=key))
    for column, rank in (
        ("joint_low", 1 + number - np.searchsorted(np.sort(low), high, side="right")),
        ("joint_high", number - np.searchsorted(np.sort(high), low, side="left")),
    ):
        found = np.zeros(len(defined), dtype=np.int64)
        found[defined] = rank
        table[column] = pd.array(found, dtype="Int64")
        table.loc[~defined, column] = pd.NA
    return table


def top_sets(rank: np.ndarray, k: int, *, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Return a short list that holds the whole true top k, and a long one that lies within it.

    rank : draws of ranks (areas, draws), 1 = largest.

    Areas are listed by their chance of being among the top k in every second draw; in the others
    is seen how far down the list the whole top k is found, and how far it is followed without
    an area that is not in it. Two arrays (areas,) of bool, each right with a chance of `level`.
    Raises InputError for too few draws.
    """
    placing, judging = rank[:, ::2], rank[:, 1::2]
    order = np.lexsort([placing.mean(axis=1), -(placing <= k).mean(axis=1)])
    listed = judging[order] <= k
    deepest = len(rank) - listed[::-1].argmax(axis=0)  # the last of the top k, counted from 1
    unbroken = np.where(listed.all(axis=0), len(rank), listed.argmin(axis=0))
    last = _order(judging.shape[1], level)
    could, surely = np.zeros(len(rank), dtype=bool), np.zeros(len(rank), dtype=bool)
    could[order[: np.sort(deepest)[last]]] = True
    surely[order[: np.sort(unbroken)[-1 - last]]] = True
    return could, surely


def comparison_intervals(values: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Return ends of intervals: two that do not meet differ, for all pairs together.

    values : draws (areas, draws) without NaN.
    """
    placing, judging = values[:, ::2], values[:, 1::2]
    order = _order(judging.shape[1], level)
    common = placing.mean(axis=0)
    centre = placing.mean(axis=1) - common.mean()
    spread = np.zeros(len(centre))
    for part in _blocks(*placing.shape):
        spread += ((placing[:, part] - common[part] - centre[:, None]) ** 2).sum(axis=1)
    spread = np.sqrt(spread / placing.shape[1])
    widest = [
        _widest_difference(judging[:, part] - centre[:, None], spread)
        for part in _blocks(*judging.shape)
    ]
    width = np.sort(np.concatenate(widest))[order] * spread
    return centre - width, centre + width


def _widest_difference(gap: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return max over pairs (j, k) of (gap_j - gap_k) / (spread_j + spread_k), per draw.

    gap : (areas, draws). The maximum c solves max_j(gap_j - c spread_j) = min_k(gap_k + c
    spread_k), whose left side less its right is convex and falls with c: Newton's method from 0
    (Dinkelbach 1967) reaches it in a handful of passes over the areas.
    """
    draws = np.arange(gap.shape[1])
    widest = np.zeros(gap.shape[1])
    while True:
        shift = spread[:, None] * widest
        above, below = (gap - shift).argmax(axis=0), (gap + shift).argmin(axis=0)
        apart = gap[above, draws] - gap[below, draws]
        both = spread[above] + spread[below]
        further = np.divide(apart, both, out=np.zeros_like(apart), where=both > 0)
        if not (further > widest * (1 + 1e-12)).any():
            return widest
        widest = np.maximum(widest, further)


def _order(draws: int, level: float) -> int:
    """Return the place, from 0, of the sorted draw that a new one is below with chance `level`."""
    order = int(np.ceil(level * (draws + 1)))
    if not 0 < level < 1 or order > draws:
        raise InputError(
            f"{2 * draws} draws do not tell what holds with a chance of {level}",
            where="joint ranks",
            remedy=f"give a level between 0 and 1, and for {LEVEL} at least 40 draws",
        )
    return order - 1


def _blocks(areas: int, draws: int) -> list[slice]:
    step = max(_BLOCK // max(areas, 1), 1)
    return [slice(start, start + step) for start in range(0, draws, step)]

"""What sets of areas reach in each draw, beside the best set of that draw and beside plain ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.indicators import PER
from smallarea.projection.choosing import best_set, best_sets, bounds_of_best
from smallarea.projection.conditions import Conditions
from smallarea.projection.counts import GRAIN
from smallarea.projection.summaries import ranks

By = Literal["count", "rate"]
Aim = Literal["largest", "top"]

ENDS = {"q025": 0.025, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q975": 0.975}

_RANDOM = 200  # random sets
_PROGRAMMES = 20  # of them, and
_RELAXED = 200  # of the draws, where every best set is a programme of its own


class AreaDraws:
    """Joint draws of the areas where anybody lives, of which some are free to be chosen."""

    def __init__(self, people: xr.DataArray, size: np.ndarray, free: np.ndarray, by: By) -> None:
        self.people, self.size, self.free, self.by = people, size, free, by
        self.ids = people.get_index("area_id")
        self.measure = people if by == "count" else PER * people / size[:, None]

    def best(
        self,
        conditions: Conditions,
        aim: Aim,
        top: int | None,
        weight: np.ndarray,
        rank: np.ndarray | None = None,
        relative: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which free areas are best in expectation, and what each adds to the sum.

        weight : of the draws. relative : reporting rates of all areas to divide by.
        """
        values = self.measure if relative is None else self.measure / relative[:, None]
        worth = values.to_numpy()[self.free] @ weight / len(weight)
        if aim == "largest" or top is None:
            return best_set(worth, conditions), worth
        place = ranks(values).to_numpy() if rank is None else rank
        hits = (place[self.free] <= top).mean(axis=1)  # among equal chances, the larger
        return best_set(hits + 1e-9 * worth / max(worth.max(), 1e-300), conditions), worth

    def logarithms(self) -> xr.DataArray:
        """Return logarithms of counts or rates; a count below its grain is taken as one grain."""
        logs = np.maximum(self.people.to_numpy(), GRAIN)
        np.log(logs, out=logs)
        return self.people.copy(
            data=logs if self.by == "count" else logs - np.log(self.size)[:, None]
        )

    def basket(self, some: Sequence[str]) -> np.ndarray:
        """Return the count of some areas together, or the rate of all their people; (draw,)."""
        inside = self.ids.isin(list(some))
        total = self.people.to_numpy()[inside].sum(axis=0)
        return total if self.by == "count" else PER * total / self.size[inside].sum()


@dataclass(frozen=True)
class Best:
    """The best set of each of some draws.

    sets : (areas, draws used), bool; or shares, if `relaxed`: areas may be taken in part, and what
        the sets reach is an upper bound. used : (draws used,) which draws of all.
    """

    sets: np.ndarray
    used: np.ndarray
    relaxed: bool


def best_of_draws(values: np.ndarray, conditions: Conditions) -> Best:
    """Return the best set of every draw of values (areas, draws), or of 200 if each is costly."""
    draws = values.shape[1]
    if conditions.simple:
        return Best(best_sets(values, conditions), np.arange(draws), relaxed=False)
    used = np.unique(np.linspace(0, draws - 1, min(draws, _RELAXED)).astype(int))
    return Best(bounds_of_best(values[:, used], conditions), used, relaxed=True)


def random_sets(conditions: Conditions, seed: int) -> np.ndarray:
    """Return sets drawn at random that meet the conditions, bool (areas, sets).

    With costs, each area counts in proportion to its cost, or cheap ones alone would be drawn.
    """
    rng = np.random.default_rng(seed)
    if conditions.simple:
        return best_sets(rng.random((conditions.areas, _RANDOM)), conditions)
    worth = 1.0 if conditions.cost is None else conditions.cost + conditions.cost.mean() * 1e-3
    drawn = (worth * rng.random(conditions.areas) for _ in range(_PROGRAMMES))
    return np.stack([best_set(values, conditions, gap=0.1) for values in drawn], axis=1)


def sums(values: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Add up values (areas, draws) over sets (areas, sets), dealt in turn to draws; (draws,)."""
    number = sets.shape[1]
    total = np.empty(values.shape[1])
    for turn in range(min(number, values.shape[1])):
        total[turn::number] = values[sets[:, turn], turn::number].sum(axis=0)
    return total


def reach_row(
    reached: np.ndarray, nation: np.ndarray, part: np.ndarray, members: np.ndarray, *, mean: bool
) -> dict[str, float]:
    """Summarise people reached (draws,): see `smallarea.projection.target.Target.sets`.

    nation : people of the nation in the same draws. part : what the set has of the best one's sum.
    members : true top k in the set. mean : whether people have a mean.
    """
    row = {"mean": float(reached.mean()) if mean else np.nan} | quantiles(reached)
    row |= {"members": float(members.mean())}
    for name, share in (("share", reached / nation), ("of_best", part)):
        row |= {name: float(share.mean())}
        row |= {f"{name}_{end}": value for end, value in quantiles(share).items()}
    return row


def reach_table(
    people: np.ndarray,
    measure: np.ndarray,
    nation: np.ndarray,
    hits: np.ndarray,
    sets: dict[str, np.ndarray],
    best: Best,
    *,
    mean: bool,
) -> pd.DataFrame:
    """Put sets beside the best ones: a row of :func:`reach_row` each, with the number of `areas`.

    people, measure, hits : (areas, draws): counts, what sets are chosen by, whether in the top k.
    sets : name -> (areas, sets).
    """
    used = best.used
    most = _paired(best, measure)
    rows = {}
    for name, kind in sets.items():
        part = _over(sums(measure, kind)[used], most)
        row = reach_row(sums(people, kind), nation, part, sums(hits, kind), mean=mean)
        rows[name] = {"areas": float(kind.sum(axis=0).mean())} | row
    row = reach_row(
        _paired(best, people),
        nation[used],
        _over(most, most),
        _paired(best, hits),
        mean=mean,
    )
    rows["best"] = {"areas": float(best.sets.sum(axis=0).mean())} | row
    return pd.DataFrame(rows).T.rename_axis("set")


def quantiles(values: np.ndarray) -> dict[str, float]:
    """Return the ends of the 80 and 95 % intervals and the median."""
    return dict(zip(ENDS, np.quantile(values, list(ENDS.values())).tolist(), strict=True))


def _paired(best: Best, values: np.ndarray) -> np.ndarray:
    """Add up values (areas, draws) over the best set of the same draw; (draws used,)."""
    return np.array(
        [
            values[part, draw].sum() if part.dtype == bool else part @ values[:, draw]
            for part, draw in zip(best.sets.T, best.used, strict=True)
        ],
        dtype=float,
    )


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return shares; where the best set holds nobody, every set has all of it."""
    return np.divide(part, whole, out=np.ones_like(part), where=whole > 0)

"""What a set of areas has to meet: how many, what they cost, how many of each unit of a level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.errors import InputError


@dataclass(frozen=True)
class Minimum:
    """At least `number` areas of every unit of a level; `units` (areas,) are their names."""

    level: str
    units: np.ndarray
    number: int


@dataclass(frozen=True)
class Conditions:
    """What a set of areas has to meet.

    number : how many areas; with a budget, at most so many. None: as many as the budget buys.
    cost, budget : cost of each area (areas,) and what they may cost together; both or none.
    minimums : see :class:`Minimum`.
    """

    areas: int
    number: int | None = None
    minimums: tuple[Minimum, ...] = ()
    cost: np.ndarray | None = None
    budget: float = np.inf

    @property
    def nested(self) -> bool:
        """Whether the levels with a minimum lie within each other."""
        pairs = zip(self._upwards, self._upwards[1:], strict=False)
        return all(_within(low.units, high.units) for low, high in pairs)

    @property
    def simple(self) -> bool:
        """Whether taking the largest is exact."""
        return self.cost is None and self.nested

    @property
    def _upwards(self) -> list[Minimum]:
        return sorted(self.minimums, key=lambda m: -len(set(m.units)))

    def quotas(self) -> Iterator[tuple[np.ndarray, int]]:
        """Yield each unit's areas and how many beyond those of units within, lowest level first."""
        taken = np.zeros(self.areas)  # areas asked for so far, noted at one area of their unit
        for minimum in self._upwards:
            code, units = pd.factorize(minimum.units)
            for unit in range(len(units)):
                members = np.flatnonzero(code == unit)
                more = max(minimum.number - int(taken[members].sum()), 0)
                yield members, more
                taken[members[0]] += more

    def check(self) -> None:
        """Raise InputError, naming it, for a condition that no set can meet."""
        if self.number is not None and not 1 <= self.number <= self.areas:
            raise InputError(
                f"{self.number} areas are wanted of {self.areas} that can be chosen",
                where="k",
                remedy=f"give a number from 1 to {self.areas}",
            )
        for minimum in self.minimums:
            units, sizes = np.unique(minimum.units.astype(str), return_counts=True)
            if minimum.number < 0 or (sizes < minimum.number).any():
                few = int(sizes.argmin())
                raise InputError(
                    f"{minimum.number} areas are wanted in every unit, and {units[few]} has "
                    f"{sizes[few]} that can be chosen",
                    where=f"minimum per {minimum.level}",
                    remedy=f"give a number from 0 to {sizes[few]}",
                )
        asked = sum(more for _, more in self.quotas()) if self.nested else 0
        if self.number is not None and asked > self.number:
            raise InputError(
                f"the minimums alone ask for {asked} areas",
                where="minimum per " + ", ".join(m.level for m in self.minimums),
                remedy=f"choose at least {asked} areas, or lower the minimums",
            )
        if self.cost is not None:
            self._check_budget(self.cost)

    def _check_budget(self, cost: np.ndarray) -> None:
        least = float(cost.min())
        if self.minimums:
            least = max(
                sum(np.sort(cost[m.units == unit])[: m.number].sum() for unit in set(m.units))
                for m in self.minimums
            )
        if least > self.budget:
            raise InputError(
                f"a budget of {self.budget:,.6g} is too small: at least {least:,.6g} is needed",
                where="budget",
                remedy="raise it, or lower the minimums",
            )


def read_conditions(
    table: pd.DataFrame,
    k: int | None,
    budget: float | None,
    costs: pd.Series | None,
    min_per: Mapping[str, int] | None,
    own: Sequence[str],
) -> Conditions:
    """Return the checked conditions on the areas of `table`, those that can be chosen.

    For the parameters, and what is raised, see :func:`smallarea.projection.target.target`; `own`
    are the places given. One cost for all is a number of areas.
    """
    areas = len(table)
    if own:
        if not (k is None and budget is None and costs is None and not min_per):
            raise InputError(
                "areas are given, so that there is nothing to choose",
                where="places",
                remedy="leave out k, budget, costs and minimums, or the places",
            )
        return Conditions(areas, len(own))
    if k is None and budget is None:
        raise InputError("neither is given", where="k, budget", remedy="say how many areas")
    if costs is not None and budget is None:
        raise InputError("costs without a budget", where="costs", remedy="give a budget")
    if budget is not None and not 0 < budget < np.inf:
        raise InputError(f"{budget} is no budget", where="budget", remedy="give a positive number")
    cost = None if costs is None else _costs(costs, table.index)
    number = k
    if cost is not None and cost.max() == cost.min() > 0:
        budget, cost = float(budget or 0) / cost[0], None
    if cost is None and budget is not None:
        number = min(areas if k is None else k, int(budget * (1 + 1e-12)))
    minimums = tuple(_minimum(table, *given) for given in (min_per or {}).items())
    conditions = Conditions(
        areas, number, minimums, cost, np.inf if cost is None else float(budget or 0)
    )
    conditions.check()
    return conditions


def _minimum(table: pd.DataFrame, level: str, number: int) -> Minimum:
    levels = levels_of(table)
    if level not in levels:
        raise InputError(
            f"there is no level {level!r}",
            where="minimum per level",
            remedy=f"choose one of {', '.join(levels)}",
        )
    codes, names = table[f"{level}_id"].astype(str), table[level].astype(str)
    labels = names.where(codes == names, names + " (" + codes + ")")
    return Minimum(level, labels.to_numpy(dtype=object), number)


def _costs(costs: pd.Series, area_ids: pd.Index) -> np.ndarray:
    for what, wrong in (
        ("have no cost", area_ids.difference(costs.index)),
        ("have two costs", costs.index[costs.index.duplicated()]),
        ("have a cost that is no number from 0 up", costs.index[~(costs >= 0)]),
    ):
        if len(wrong):
            raise InputError(
                f"{len(wrong)} areas {what}, first {wrong[0]}",
                where="costs",
                remedy="give each area that can be chosen one cost",
            )
    return costs.loc[area_ids].to_numpy(dtype=float)


def _within(low: np.ndarray, high: np.ndarray) -> bool:
    """Whether every unit of the one level lies in a single unit of the other."""
    return bool(pd.Series(high).groupby(low).nunique().le(1).all())

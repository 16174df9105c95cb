"""A total is shared among the units of a level, theirs among the units within, and last by areas.

On each step down parts are shifted together on the logit scale until they add up, each in
proportion to its variance: what is known well moves least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from smallarea.projection.shift import close, solve_shift

#: A unit's share of a total is at least this, in people: rates stay above 0.
LEAST = 1e-9


@dataclass(frozen=True)
class Rates:
    """One component's draws of rates (area, draw), which `settle` changes in place.

    people, v : of areas. units : of each level with totals, highest first, the areas' units.
    """

    values: np.ndarray
    people: np.ndarray
    v: np.ndarray
    units: Sequence[np.ndarray]

    def sum(self, own: np.ndarray) -> np.ndarray:
        """Add up people of some areas, (draw,)."""
        return np.asarray(self.people[own] @ self.values[own])

    def settle(
        self, own: np.ndarray, total: np.ndarray, free: np.ndarray, *, below: int = 0
    ) -> None:
        """Make areas add up to a total (draw,), level by level from that numbered `below`.

        own : bool, the areas that do. free : areas that move along with those of their unit, of
        which no total is asked.
        """
        if not self.people[own].sum() > 0:
            return
        if below == len(self.units):
            v = _scaled(self.v)
            areas = own | free
            _, self.values[areas] = close(
                self.values[areas].T, v[areas], self.people[areas], total, own[areas]
            )
            return
        unit = self.units[below]
        codes = np.unique(unit[own & (self.people > 0)])
        parts = [own & (unit == code) for code in codes]
        size = np.array([self.people[part].sum() for part in parts])
        eta = logit(np.stack([self.sum(part) for part in parts]) / size[:, None]).T
        v = _scaled(eta.var(axis=0))
        moved = expit(eta + solve_shift(eta, v, size, total)[:, None] * v) * size
        moved *= (total / moved.sum(axis=1))[:, None]
        for code, part, people in zip(codes, parts, moved.T, strict=True):
            here = free & (unit == code)
            self.settle(part, np.maximum(people, LEAST), here, below=below + 1)


def _scaled(variance: np.ndarray) -> np.ndarray:
    """Variances as shares of the largest; all alike where nothing varies."""
    largest = variance.max()
    return np.maximum(variance / largest, 1e-6) if largest > 0 else np.ones_like(variance)

"""A level's units share what the units above them have, and their areas what they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit

from smallarea.projection.shift import close, solve_shift

#: Marks, in the name of a block, the part of a unit that the survey does not cover.
_OUTSIDE = " (not covered)"


@dataclass(frozen=True)
class Shared:
    """Rates on their way down (component, area, draw), and what each area is held to.

    people, v : (component, area). held : whether the sum over the areas of its `block` stands.
    """

    rates: np.ndarray
    people: np.ndarray
    v: np.ndarray
    held: np.ndarray
    block: np.ndarray

    def sums(self, c: int, own: np.ndarray) -> np.ndarray:
        """Add up people of some areas, (draw,)."""
        return np.asarray(self.people[c, own] @ self.rates[c, own])

    def within(self, unit: np.ndarray, targets: Mapping[tuple[int, str], np.ndarray]) -> Shared:
        """Return rates that meet the targets as far as the blocks above them allow.

        Held then are the units of what was held, and the rest of every unit that has a target.
        """
        there = replace(self, rates=self.rates.copy())
        for (c, code), total in targets.items():
            own = unit == code
            there._meet(c, own, own, total)
        for c in range(len(self.rates)):
            for block in np.unique(self.block[self.held]):
                there._share(c, self.held & (self.block == block), unit, self)
        told = np.isin(unit, [code for _, code in targets])
        outside = np.where(self.held & ~_outside(self.block), "", _OUTSIDE)
        block = np.char.add(unit.astype(str), outside)
        return replace(there, held=self.held | told, block=block)

    def _share(self, c: int, inside: np.ndarray, unit: np.ndarray, before: Shared) -> None:
        """Shift, in place, the units within a block onto its sum, and their areas onto each."""
        populated = inside & (self.people[c] > 0)
        codes = np.unique(unit[populated])
        if not codes.size:
            return
        parts = [inside & (unit == code) for code in codes]
        size = np.array([self.people[c, part].sum() for part in parts])
        share = np.stack([self.sums(c, part) for part in parts]) / size[:, None]
        eta = logit(share).T
        spread = eta.var(axis=0)
        spread = spread / spread.max() if spread.max() > 0 else np.ones_like(spread)
        whole = before.sums(c, inside)
        moved = expit(eta + solve_shift(eta, spread, size, whole)[:, None] * spread)
        moved *= (whole / (moved @ size))[:, None]
        for code, part, total in zip(codes, parts, (moved * size).T, strict=True):
            along = part | (~self.held & (unit == code))
            self._meet(c, along, part, total)

    def _meet(self, c: int, areas: np.ndarray, inside: np.ndarray, total: np.ndarray) -> None:
        """Shift areas, in place, so that those `inside` add up to a total."""
        v = self.v[c, areas]
        v = v / v.max() if v.max() > 0 else np.ones_like(v)
        _, self.rates[c, areas] = close(
            self.rates[c, areas].T, v, self.people[c, areas], total, inside[areas]
        )


def _outside(block: np.ndarray) -> np.ndarray:
    return np.char.endswith(block.astype(str), _OUTSIDE)

"""The best set of areas under conditions: how many, what they cost, how many of each unit.

With one cost for all and minimums of levels that lie within each other, taking the largest is
exact: a unit's largest areas can be in the best set, whatever else is (swapping a smaller one of
the unit for a larger one breaks no condition). So minimums are met from the lowest level up, and
the rest is filled. Anything else is an integer programme.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.projection.conditions import Conditions

_GAP = 1e-9  # relative, to which the integer programme is solved


def best_set(values: np.ndarray, conditions: Conditions, *, gap: float = _GAP) -> np.ndarray:
    """Return which areas make up the set with the largest sum; bool (areas,).

    values : (areas,), at least 0. gap : by which share a set may fall short of the largest sum,
    where an integer programme is solved.

    Raises InputError if no set meets the conditions.
    """
    if conditions.simple:
        return best_sets(values[:, None], conditions)[:, 0]
    return _programme(values, conditions, gap)


def best_sets(values: np.ndarray, conditions: Conditions) -> np.ndarray:
    """Return the best set of every draw; bool (areas, draws), for `simple` conditions only.

    values : (areas, draws), at least 0. Held besides: the sets, and the columns of one block.
    """
    chosen = np.zeros(values.shape, dtype=bool)
    number = int(conditions.number or 0)
    step = max((1 << 21) // len(values), 1)
    quotas = [(members, more) for members, more in conditions.quotas() if more]
    for start in range(0, values.shape[1], step):
        part = values[:, start : start + step].astype(float)
        for members, more in quotas:
            _take(part, chosen[:, start : start + step], members, more)
        rest = number - sum(more for _, more in quotas)
        if rest:
            _take(part, chosen[:, start : start + step], np.arange(len(values)), rest)
    return chosen


def _take(left: np.ndarray, chosen: np.ndarray, members: np.ndarray, number: int) -> None:
    """Move each draw's `number` largest of `members` from `left` to `chosen`, both in place."""
    order = np.argpartition(-left[members], number - 1, axis=0)[:number]
    rows, columns = members[order], np.arange(left.shape[1])
    chosen[rows, columns] = True
    left[rows, columns] = -np.inf


def bounds_of_best(values: np.ndarray, conditions: Conditions) -> np.ndarray:
    """Return each draw's best set where areas may be taken in part: shares (areas, draws).

    Its sum is at least the best set's, and more than it by less than one area for each condition;
    a linear programme per draw is a tenth of the work of an integer one.
    """
    from scipy.optimize import linprog

    rows, low, high = _rows(conditions)
    upper, lower = np.isfinite(high), np.isfinite(low)
    found = np.zeros(values.shape)
    for draw, column in enumerate(values.T):
        solved = linprog(
            -column / max(column.max(), 1e-300),
            A_ub=_stack([rows[upper], -rows[lower]]),
            b_ub=np.concatenate([high[upper], -low[lower]]),
            bounds=(0, 1),
        )
        _solved(solved)
        found[:, draw] = solved.x
    return found


def _programme(values: np.ndarray, conditions: Conditions, gap: float) -> np.ndarray:
    from scipy.optimize import Bounds, LinearConstraint, milp

    rows, low, high = _rows(conditions)
    with _unheard():
        solved = milp(
            -values / max(values.max(), 1e-300),
            constraints=LinearConstraint(rows, low, high),
            integrality=np.ones(len(values)),
            bounds=Bounds(0, 1),
            options={"mip_rel_gap": gap, "presolve": False},  # twice as fast without
        )
    _solved(solved)
    return np.asarray(solved.x > 0.5)


@contextmanager
def _unheard() -> Iterator[None]:
    """Close standard output meanwhile: HiGHS writes remarks there, whatever it is told."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _rows(conditions: Conditions) -> tuple[Any, np.ndarray, np.ndarray]:
    """Rows of the programme's conditions (sparse), their lower and their upper bounds."""
    from scipy.sparse import csr_array

    rows: list[Any] = []
    low: list[float] = []
    high: list[float] = []
    if conditions.cost is not None:
        rows.append(csr_array(conditions.cost[None]))
        low.append(-np.inf)
        high.append(conditions.budget)
    if conditions.number is not None:
        rows.append(csr_array(np.ones((1, conditions.areas))))
        low.append(-np.inf if conditions.cost is not None else conditions.number)
        high.append(conditions.number)
    for minimum in conditions.minimums:
        code, units = pd.factorize(minimum.units)
        ones = np.ones(len(code)), (code, np.arange(len(code)))
        rows.append(csr_array(ones, shape=(len(units), len(code))))
        low += [minimum.number] * len(units)
        high += [np.inf] * len(units)
    return _stack(rows), np.array(low), np.array(high)


def _stack(rows: list[Any]) -> Any:
    from scipy.sparse import csr_array, vstack

    return csr_array(vstack(rows))


def _solved(result: Any) -> None:
    if result.status != 0:
        raise InputError(
            "no set of areas meets all conditions together",
            where="budget, k and minimums",
            remedy="raise the budget or k, or lower the minimums",
        )

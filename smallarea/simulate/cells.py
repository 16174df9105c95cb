"""The cells of one declared column: of its type, in its range, following the latent surfaces."""

from __future__ import annotations

import re

import numpy as np
from scipy.special import expit, logit

from smallarea.reading.column import Column
from smallarea.simulate.world import World

#: Bounds within which whole numbers are taken for years.
YEARS = (1000, 3000)


def last_year(vintage: str) -> int | None:
    """Return the last year that a source's vintage names."""
    years = [int(year) for year in re.findall(r"\b[12]\d{3}\b", vintage)]
    return max(years, default=None)


def listed(column: Column, vintage: str) -> list[str] | list[int]:
    """Return the values that a column takes one after the other; none if it cannot tell.

    Declared values; a short range of whole numbers (months); for years the last three up to the
    vintage.
    """
    if column.type == "text":
        return list(column.values)
    if column.type != "integer" or column.min is None or column.max is None:
        return []
    low, high = int(column.min), int(column.max)
    if low >= YEARS[0] and high <= YEARS[1]:
        high = min(high, last_year(vintage) or high)
        low = max(low, high - 2)
    return list(range(low, high + 1)) if high - low < 60 else []


def cells(
    world: World, name: str, column: Column, at: np.ndarray, people: np.ndarray | None
) -> np.ndarray:
    """Return one value per row.

    Parameters
    ----------
    name : the column's, from which its direction over the surfaces is drawn.
    at : position of each row's area, (rows,).
    people : those behind each row, (rows,), for totals; None where rows are single things.
    """
    z = world.measure(name)[at] + world.rng.normal(0, 0.1, len(at))
    if column.type == "text":
        return _words(world, name, column, z)
    whole = column.type == "integer"
    low, high = column.min, column.max
    if people is not None and column.is_total:
        rate = world.typical(name, 0.02)
        if whole and 0 < rate < 1:  # what nearly everybody is varies little
            mean = people * expit(logit(rate) + 0.4 * z)
        else:
            mean = people * rate * np.exp(0.4 * z)
        values = world.rng.poisson(np.minimum(mean, 1e15)).astype(float) if whole else mean
    elif low is not None and high is not None:
        values = _within(world, name, low, high, z, whole)
    elif low is not None or high is not None:
        edge, sign = (low, 1) if low is not None else (high, -1)
        assert edge is not None
        middle = abs(world.typical(name, edge + sign * 3) - edge)
        mean = middle * np.exp(0.5 * z)
        values = edge + sign * (world.rng.poisson(mean) if whole else mean)
    else:
        values = world.typical(name, 0.0) + (10 * z if whole else z)
    values = np.rint(values) if whole else _rounded(values)
    values = np.clip(values, low, high) if low is not None or high is not None else values
    return values.astype("int64") if whole else values


def _words(world: World, name: str, column: Column, z: np.ndarray) -> np.ndarray:
    """Declared values, the first the commonest; without any, numbered names."""
    if not column.values:
        return np.array([f"SYNTHETIC {name} {i}" for i in range(1, len(z) + 1)], dtype=object)
    number = np.arange(len(column.values))
    lean = world.names(f"{name} values").normal(size=len(number))
    score = np.outer(z, 0.5 * lean) - np.log1p(number)
    return np.array(column.values, object)[(score + world.rng.gumbel(size=score.shape)).argmax(1)]


def _within(
    world: World, name: str, low: float, high: float, z: np.ndarray, whole: bool
) -> np.ndarray:
    if whole and low >= YEARS[0] and high <= YEARS[1]:
        last = min(high, last_year(world.source.vintage) or high)
        return world.rng.integers(int(low), int(max(last, low)) + 1, len(z)).astype(float)
    middle = (world.typical(name, low + 0.3 * (high - low)) - low) / (high - low or 1)
    share = expit(logit(np.clip(middle, 0.01, 0.99)) + 0.6 * z)
    drawn = world.rng.binomial(int(high - low), share) if whole else share * (high - low)
    return low + drawn


def _rounded(values: np.ndarray) -> np.ndarray:
    """Round to five digits, as publishers do."""
    size = np.floor(np.log10(np.maximum(np.abs(values), 1e-12)))
    unit = 10.0 ** (size - 4)
    return np.round(np.rint(values / unit) * unit, 10)

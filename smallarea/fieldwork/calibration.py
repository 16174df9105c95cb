"""Calibration of weights to known totals, and trimming that keeps them.

Deville & Sarndal (1992): the weights nearest to the given ones whose sample totals are the known
ones. Nearest in squared distance are those of the regression estimator (GREG), in the entropy those
of raking. Libraries that do this bring a data frame engine of their own; these are the few lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallarea.errors import InputError

METHODS = ("raking", "greg")
ROUNDS = 100
CLOSE = 1e-8  # relative distance of every margin from its total


@dataclass(frozen=True)
class Margins:
    """What weights are calibrated to.

    cells : respondents x categories, membership; rows of a variable sum to 1. totals : people of
    each category. notes : variables that could not be used, and what was done with empty cells.
    """

    cells: pd.DataFrame
    totals: pd.Series
    notes: tuple[str, ...] = ()


def membership(people: pd.DataFrame, margins: pd.DataFrame, where: str) -> Margins:
    """Put respondents into the categories of the population's margins.

    people : columns named as the variables. Categories `18-29` and `60+` are of numbers, both ends
    included. Who has no answer is spread over the categories as the population is. A variable with
    a category in which nobody was interviewed yet is left out, and said. Variables that add up to
    other populations than the first are scaled to it.

    Raises
    ------
    InputError : no such column, or a respondent whose answer is in no category.
    """
    blocks, totals, notes = [], [], []
    population = float(margins["people"][margins["variable"] == margins["variable"].iloc[0]].sum())
    for variable, rows in margins.groupby("variable", sort=False):
        if variable not in people:
            raise InputError(
                f"respondents have no column '{variable}'",
                where=f"{where}, column 'variable'",
                remedy=f"leave it out, or use one of {', '.join(map(str, people.columns[:12]))}",
            )
        adds_up = float(rows["people"].sum())
        if abs(adds_up / population - 1) > 0.01:
            notes.append(
                f"margins of {variable} add up to {adds_up:,.0f} people, not {population:,.0f}: "
                "their shares were used"
            )
        share = rows.set_index("category")["people"] / adds_up
        label = _category(people[str(variable)], list(share.index))
        lost = label.isna() & people[str(variable)].notna()
        if lost.any():
            answer = people.loc[lost, str(variable)].iloc[0]
            answer = f"{answer:g}" if isinstance(answer, float) else f"'{answer}'"
            raise InputError(
                f"{answer} of {variable} (respondent {lost.idxmax()}) is in no category",
                where=where,
                remedy=f"the categories are {', '.join(map(str, share.index))}: add one, or "
                "correct the answer",
            )
        block = pd.DataFrame(
            {f"{variable}: {c}": (label == c).astype(float) for c in share.index}, people.index
        )
        none = block.columns[block.sum() == 0]
        if len(none):
            notes.append(f"weights are not calibrated by {variable}: nobody yet in {none[0]}")
            continue
        if label.isna().any():
            block[label.isna()] = share.to_numpy()
            notes.append(
                f"{int(label.isna().sum())} respondents without {variable} were spread over its "
                "categories as the population is"
            )
        blocks.append(block)
        totals.append(pd.Series(share.to_numpy() * population, block.columns))
    if not blocks:
        one = pd.DataFrame({"all": 1.0}, people.index)
        return Margins(one, pd.Series({"all": population}), tuple(notes))
    return Margins(pd.concat(blocks, axis=1), pd.concat(totals), tuple(notes))


def _category(values: pd.Series, categories: list[str]) -> pd.Series:
    """Return the category of each value, None where there is none."""
    bounds = {c: _bounds(str(c)) for c in categories}
    if pd.api.types.is_numeric_dtype(values) and all(bounds.values()):
        label = pd.Series(None, values.index, dtype=object)
        for category, (low, high) in bounds.items():  # type: ignore[misc]
            label[values.between(low, high)] = category
        return label
    known = {str(c).strip().casefold(): c for c in categories}
    text = values.map(lambda v: str(v).strip().casefold(), na_action="ignore")
    return text.map(known).astype(object)


def _bounds(category: str) -> tuple[float, float] | None:
    low, dash, high = category.strip().replace("–", "-").partition("-")
    try:
        if category.strip().endswith("+"):
            return float(category.strip()[:-1]), np.inf
        return (float(low), float(high) + 0.999) if dash else None
    except ValueError:
        return None


def calibrate(
    weight: np.ndarray, cells: np.ndarray, totals: np.ndarray, method: str = "raking"
) -> np.ndarray:
    """Return weights with cells' @ weights = totals, nearest to the given ones.

    weight : (n,), at least 0. cells : (n, k), which may be redundant. totals : (k,).

    Raises
    ------
    InputError : no method of that name, or raking finds no positive weights with these totals.
    """
    if method not in METHODS:
        raise InputError(
            f"no method '{method}'", where="calibration", remedy=f"use {' or '.join(METHODS)}"
        )
    if method == "greg":
        lagrange = _solve(cells, weight, totals - cells.T @ weight)
        return weight * (1 + cells @ lagrange)
    new = weight * totals.sum() / max((cells.T @ weight).sum(), 1e-300)
    for _ in range(ROUNDS):  # Newton steps of the entropy's dual
        gap = totals - cells.T @ new
        if np.abs(gap / totals).max() < CLOSE:
            return new
        step = cells @ _solve(cells, new, gap)
        new = new * np.exp(np.clip(step, -1.0, 1.0))
    raise InputError(
        "raking finds no weights that meet all margins",
        where="calibration",
        remedy="join categories with few respondents, or use --calibration greg",
    )


def _solve(cells: np.ndarray, weight: np.ndarray, gap: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq((cells * weight[:, None]).T @ cells, gap, rcond=1e-10)[0]


@dataclass(frozen=True)
class Trimmed:
    """Weights within the bounds, how many were outside, and the worst margin that is left off."""

    weight: np.ndarray
    low: float
    high: float
    trimmed: int
    off: float


def trim(
    weight: np.ndarray,
    cells: np.ndarray,
    totals: np.ndarray,
    *,
    times: float,
    method: str = "raking",
) -> Trimmed:
    """Bring weights within [median / times, median x times] and give the rest back.

    What is cut off goes to all others by calibrating those within the bounds anew, until none is
    outside; bounds are of the weights before trimming. Where both cannot be had the bounds hold,
    and `off` says by how much a margin is missed. Potter (1990) on bounds by the median.
    """
    if not times > 1:
        raise InputError(
            f"{times:g} times the median", where="--trim", remedy="give a number above 1"
        )
    middle = float(np.median(weight))
    low, high = middle / times, middle * times
    new, fixed = weight.copy(), np.zeros(len(weight), bool)
    outside = (weight < low) | (weight > high)
    for _ in range(20):
        over = ~fixed & ((new < low * (1 - 1e-9)) | (new > high * (1 + 1e-9)))
        if not over.any():
            break
        fixed |= over
        new = np.clip(new, low, high)
        rest = totals - cells[fixed].T @ new[fixed]
        try:
            kept = cells[~fixed].sum(axis=0) > 0
            new[~fixed] = calibrate(
                new[~fixed], cells[~fixed][:, kept], np.maximum(rest[kept], 1e-9), method
            )
        except InputError:
            break
    new = np.clip(new, low, high)
    off = float(np.abs(cells.T @ new / totals - 1).max())
    return Trimmed(new, low, high, int(outside.sum()), off)


def kish(weight: np.ndarray) -> float:
    """Design effect of unequal weights, 1 + cv^2 (Kish 1965); 1 where all are equal."""
    total = weight.sum()
    return float(len(weight) * (weight**2).sum() / total**2) if total > 0 else float("nan")

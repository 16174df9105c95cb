"""Small area estimates made to agree with a total known from elsewhere, matched by identifier."""

from __future__ import annotations

from typing import Literal, NoReturn

import numpy as np
import pandas as pd

from smallarea.errors import InputError

Adjustment = Literal["difference", "ratio", "mse"]


def benchmark(
    estimate: pd.Series,
    weight: pd.Series,
    total: float,
    method: Adjustment = "difference",
    mse: pd.Series | None = None,
) -> pd.Series:
    """Return estimates whose weighted sum is `total`, in the order of `estimate`.

    Parameters
    ----------
    estimate : estimates by area. weight : each area's weight in the total, such as its share of
        the population; matched by index, never by position.
    total : what the sum of weight times estimate must be.
    method : ``difference`` adds one constant to all; ``ratio`` multiplies all by one factor;
        ``mse`` moves uncertain areas most, in proportion to `mse` (Wang, Fuller & Qu 2008).
    mse : mean squared errors by area, for method ``mse``.

    Raises
    ------
    InputError : areas that differ, appear twice or lack a value, weights that are negative or sum
        to zero, an unknown method, or a ratio to a sum of zero or of the other sign.

    References
    ----------
    Pfeffermann 2013 (difference and ratio); Datta, Ghosh, Steorts & Maples 2011.
    """
    w = _aligned(weight, estimate.index, "weights")
    theta = _aligned(estimate, estimate.index, "estimates")
    if (w < 0).any() or not w.sum() > 0:
        _fail("weights are negative or sum to zero", "give shares or populations")
    if not np.isfinite(total):
        _fail(f"the total is {total}", "give a number")
    used = mse if method == "mse" else None
    movable = None if used is None else _aligned(used, estimate.index, "mean squared errors")
    adjusted = adjust(theta, w, np.asarray(total), method, movable)
    return pd.Series(adjusted, estimate.index, name=estimate.name)


def adjust(
    theta: np.ndarray,
    w: np.ndarray,
    total: np.ndarray,
    method: Adjustment = "difference",
    mse: np.ndarray | None = None,
) -> np.ndarray:
    """Return `benchmark` on arrays: theta (..., areas), w and mse (areas,), total (...)."""
    reached = theta @ w
    missing = np.asarray(total - reached)[..., None]
    if method == "difference":
        return theta + missing / w.sum()
    if method == "ratio":
        if not ((reached != 0) & (total / np.where(reached == 0, 1, reached) > 0)).all():
            _fail("estimates and total have no ratio above zero", "use method='difference'")
        return theta * np.asarray(total / reached)[..., None]
    if method != "mse":
        _fail(f"unknown method {method!r}", "use difference, ratio or mse")
    if mse is None:
        _fail("method 'mse' without mean squared errors", "give mse")
    if (mse < 0).any() or not w @ mse > 0:
        _fail("mean squared errors are negative or all zero", "use method='difference'")
    return theta + missing * mse / (w @ mse)


def _aligned(values: pd.Series, index: pd.Index, what: str) -> np.ndarray:
    """Return `values` in the order of `index`: the same areas, each once, all finite."""
    if not (index.is_unique and values.index.is_unique):
        _fail(f"areas of {what} appear twice", "give each area one row")
    if len(values) != len(index) or not index.isin(values.index).all():
        other = list(index.symmetric_difference(values.index)[:3])
        _fail(f"areas of {what} differ from those of the estimates: {other}", "give the same areas")
    found = values.loc[index].to_numpy(dtype=float)
    if not np.isfinite(found).all():
        _fail(f"{what} are missing or infinite", "give every area a number")
    return found


def _fail(what: str, remedy: str) -> NoReturn:
    raise InputError(what, where="benchmark", remedy=remedy)

"""Probabilities a decision can rest on, from joint draws after agreement with the nation.

A bare rank hides that hundreds of areas could hold it; the probability of being among the top k
and of exceeding a threshold do not (Shen & Louis 1998 on why estimated ranks mislead).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError
from smallarea.projection.summaries import ranks


def probability_top(
    draws: xr.DataArray, k: int = 100, rank: xr.DataArray | None = None
) -> pd.Series:
    """Probability that an area is among the `k` largest; draws (area_id, draw), sums to k.

    An area with an undefined (NaN) draw has none (NaN). `rank` is `ranks(draws)`, from whoever has
    them already.
    """
    if not 1 <= k <= draws.shape[0]:
        raise InputError(
            f"{k} is not between 1 and {draws.shape[0]} areas", where="k", remedy="lower k"
        )
    rank = ranks(draws) if rank is None else rank
    return _per_area(draws, (rank <= k).values)


def probability_above(draws: xr.DataArray, threshold: float) -> pd.Series:
    """Probability that an area exceeds `threshold`, in the unit of the draws (area_id, draw)."""
    return _per_area(draws, draws.values > threshold)


def probability_greater(first: np.ndarray, second: np.ndarray) -> float:
    """Probability that one basket of areas exceeds another; draws (draw,) of both, joint.

    Add counts up within draws before: neither chances nor ends of intervals add up. A tie counts
    half.
    """
    return float(((first > second) + 0.5 * (first == second)).mean())


def _per_area(draws: xr.DataArray, event: np.ndarray) -> pd.Series:
    key, _ = draws.dims
    share = np.where(np.isnan(draws.values).any(axis=1), np.nan, event.mean(axis=1))
    return pd.Series(share, index=pd.Index(draws[key].values, name=key))

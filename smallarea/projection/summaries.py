"""From draws to the numbers of a table: quantiles, moments where they exist, ranges of ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

QUANTILES: dict[str, float] = {
    "q025": 0.025,
    "q10": 0.10,
    "q25": 0.25,
    "q50": 0.50,
    "q75": 0.75,
    "q90": 0.90,
    "q975": 0.975,
}
RANK_INTERVAL = (0.05, 0.95)
_BLOCK = 1 << 21  # numbers ranked at once: 16 MB


def summarise(
    draws: xr.DataArray, *, mean: bool = True, sd: bool = True, rank: xr.DataArray | None = None
) -> pd.DataFrame:
    """Summarise one indicator's joint draws.

    Parameters
    ----------
    draws : dims (area_id or another grouping, draw).
    mean, sd : whether these moments exist. Counts are reports / tau, and with tau ~ Beta(a, b)
        E[1/tau] is infinite for a <= 1, its variance for a <= 2; an average of draws would then
        be a number without meaning, so the column is NaN.
    rank : `ranks(draws)`, from whoever has them already.

    Returns
    -------
    Index = the first dimension; columns mean, sd, q025, q10, q25, q50, q75, q90, q975 in the
    unit of the draws, rank_low, rank_high: the 90 % interval of the rank, 1 = largest, from
    the joint draws. An area with an undefined (NaN) draw has no quantiles, moments or ranks.
    """
    key, _ = draws.dims
    values = draws.values
    # Sorting first is cheaper than seven partitions, and gives the same numbers.
    quantiles = np.quantile(np.sort(values, axis=1), list(QUANTILES.values()), axis=1)
    undefined = np.isnan(quantiles[0])
    low, high = np.quantile((ranks(draws) if rank is None else rank).values, RANK_INTERVAL, axis=1)
    columns = {
        "mean": values.mean(axis=1) if mean else np.nan,
        "sd": values.std(axis=1, ddof=1) if sd and values.shape[1] > 1 else np.nan,
        **dict(zip(QUANTILES, quantiles, strict=True)),
        "rank_low": pd.array(np.floor(low), dtype="Int64"),
        "rank_high": pd.array(np.ceil(high), dtype="Int64"),
    }
    table = pd.DataFrame(columns, index=pd.Index(draws[key].values, name=key))
    table.loc[undefined, ["rank_low", "rank_high"]] = pd.NA
    return table


def ranks(draws: xr.DataArray) -> xr.DataArray:
    """Rank of every area within each draw, 1 = largest, same dims; NaN ranks last."""
    values = draws.values  # (area, draw)
    rank = np.empty(values.shape, dtype=np.int32)
    places = np.arange(1, len(values) + 1, dtype=np.int32)[None]
    step = max(_BLOCK // max(len(values), 1), 1)
    for start in range(0, values.shape[1], step):
        part = values[:, start : start + step].T
        ranked = np.empty(part.shape, dtype=np.int32)
        np.put_along_axis(ranked, np.argsort(-part, axis=1), places, axis=1)
        rank[:, start : start + step] = ranked.T
    return draws.copy(data=rank)

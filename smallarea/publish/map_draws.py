"""Joint draws small enough for a page: some of them, each in 64 steps of a logarithm.

A step is a 63rd of what lies between a place's least and greatest logarithm, some 7 % where draws
range over a factor of 100: rounding errors of places are independent, and sums hardly have any.
The letters are those of words, so that whoever searches a page for forbidden words sees one word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.projection.counts import GRAIN

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MOST = 256
_CODES = 850_000  # letters of a page, at most


def pack_draws(
    counts: Mapping[str, xr.DataArray], shown: pd.Index, tau: np.ndarray | None
) -> tuple[dict[str, Any], str]:
    """Return what the page reads before any draw, and the draws: a line of letters per count.

    Parameters
    ----------
    counts : name -> draws (area_id, draw), all of the same draws. shown : places whose draws may be
        on the page; of the others nothing is.
    tau : reporting rate of every draw, or None.

    The facts: `n` draws; `totals`: name -> `low` and `step`, logarithms, by place; `tau` by draw.
    """
    draws = next(iter(counts.values())).sizes["draw"]
    n = max(1, min(MOST, draws, _CODES // max(len(shown) * len(counts), 1)))
    used = np.unique(np.linspace(0, draws - 1, n).astype(int))
    alphabet = np.array(list(LETTERS))
    facts, lines = {}, []
    for name, each in counts.items():
        values = each.transpose("area_id", "draw").sel(area_id=shown.to_numpy()).to_numpy()[:, used]
        logs = np.log(np.maximum(values, GRAIN))
        low = np.round(logs.min(axis=1), 3)
        step = np.maximum(np.round((logs.max(axis=1) - low) / 63, 4), 1e-4)
        code = np.clip(np.rint((logs - low[:, None]) / step[:, None]), 0, 63).astype(int)
        facts[name] = {"low": low.tolist(), "step": step.tolist()}
        lines.append("".join(alphabet[code].ravel()))
    told = None if tau is None else [float(f"{x:.3g}") for x in np.asarray(tau, float)[used]]
    return {"n": len(used), "totals": facts, "tau": told}, "\n".join(lines)

"""Several models' draws as one: each area's distribution an average, and how areas hang together.

Of each area and component the pooled quantiles are geometric means of the models' (their
logs are averaged; Lichtendahl, Grushka-Cockayne & Winkler 2013). A mixture of models that disagree
on where an area lies is wider than any of them; this average is no wider than they are on average,
and its mean rates are nearly the geometric means of theirs.

Which draws are high together follows from the models too: each area's draws are ranked within their
model, ranks become normal scores, and the sum of scores ranks the pooled draws, so that
correlations between areas and between components are means of those of the models.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]

_BLOCK = 100  # areas at a time
_TIES = 1e-12  # of a score: sums of scores that are equal rank in the order of the draws


def pool(draws: Sequence[xr.DataArray]) -> xr.DataArray:
    """Return as many pooled draws as each model has; models weigh alike.

    Parameters
    ----------
    draws : positive rates (component, area_id, draw), alike in all but their values. Draws of
        two models are unrelated: made from unlike seeds.

    Raises
    ------
    ValueError : models differ in components, areas or number of draws.
    """
    first = draws[0]
    aligned = xr.align(*draws, join="exact", copy=False)
    if len(aligned) == 1:
        return first
    values = [each.transpose(*first.dims).to_numpy() for each in aligned]
    out = np.empty_like(values[0])
    for start in range(0, out.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        out[:, block] = _pooled([v[:, block] for v in values])
    return first.copy(data=out).assign_attrs({})


def _pooled(values: Sequence[Array]) -> Array:
    n = values[0].shape[-1]
    scores = ndtri((np.arange(n) + 0.5) / n)
    logs, common = np.zeros_like(values[0]), np.empty_like(values[0])
    common[:] = _TIES * np.arange(n)
    for value in values:
        order = value.argsort(axis=-1)
        logs += np.log(np.take_along_axis(value, order, -1))
        own = np.empty_like(value)
        np.put_along_axis(own, order, np.broadcast_to(scores, value.shape), -1)
        common += own
    out = np.empty_like(logs)
    np.put_along_axis(out, common.argsort(axis=-1), np.exp(logs / len(values)), -1)
    return out

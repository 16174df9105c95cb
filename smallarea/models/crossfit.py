"""Estimates of interviewed areas that have not seen their own interviews.

Pooled estimates of an area move with what its respondents told, so they can give away whether
anybody there told at all. Cross-fitted ones cannot: all that reads reports (design effects, levels,
standard deviations, trees, weights of models) is learned anew without the area.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from smallarea.models.candidates import Candidate
from smallarea.models.pooling import pool
from smallarea.models.stacking import stack
from smallarea.models.validation import cross_validate

if TYPE_CHECKING:
    from smallarea.nsum.municipal import Direct

FOLDS = 10


def deal(area_ids: pd.Index, key: str, folds: int = FOLDS) -> pd.Series:
    """Return the fold of each area, dealt by a keyed hash of its id.

    So it hangs on no answer, and nobody without the key knows who was dealt with whom.
    """
    digests = {a: hmac.digest(key.encode(), str(a).encode(), "sha256") for a in area_ids}
    order = sorted(area_ids, key=digests.__getitem__)
    return pd.Series({a: k % folds for k, a in enumerate(order)}, name="fold").loc[list(area_ids)]


def cross_fitted(
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    without: Callable[[pd.Index], Direct],
    areas: pd.DataFrame,
    fold: pd.Series,
    *,
    fitted: Mapping[str, Any],
    n: int,
    seed: int,
    folds: int = 5,
    progress: Callable[[str, float], None] | None = None,
) -> xr.DataArray:
    """Return draws (component, area_id, draw) of the surveyed areas, each made without itself.

    Parameters
    ----------
    models : those that take part in the estimates.
    without : the direct estimates as they would be had some areas not been surveyed.
    fold : of each surveyed area, from `deal`.
    fitted : the models' fits to everything, which only lend what hangs on no answer (``refit``).
    n, seed : as for the pooled draws: latent Gaussian models then condition the same draws of
        the prior, so that the draws of all areas may be added up.
    folds : of the cross-validation that weighs the models within each fold.
    """
    parts = []
    for k in sorted(fold.unique()):
        if progress:
            progress(f"without part {k + 1} of the interviews", k / fold.nunique())
        inside = fold.index[fold == k]
        direct = without(inside)
        fits = {
            name: fitted[name].refit(direct)
            if hasattr(fitted[name], "refit")
            else model.fit(X, direct, areas, seed + position)
            for position, (name, model) in enumerate(models.items())
        }
        cv = cross_validate(models, X, direct, areas, fitted=fits, folds=folds, seed=seed)
        weights = stack(cv.log_scores)
        draws = [
            fits[name].draws(model.select(X).loc[inside], areas, n, seed + position)
            for position, (name, model) in enumerate(models.items())
        ]
        parts.append(pool(draws, list(weights)))
    return xr.concat(parts, "area_id", combine_attrs="drop").sel(area_id=list(fold.index))

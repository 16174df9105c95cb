"""What covariates add, by degrees: measured on groups of areas that the models had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtr

from smallarea.models.pooling import pool
from smallarea.models.scores import by_area_and_component, clustered_sum, log_density
from smallarea.models.stacking import stack
from smallarea.models.validation import CrossValidation


@dataclass(frozen=True)
class Evidence:
    """How much rests on covariates, and what they gained where it could be checked.

    sentence : says both, and what a reader may conclude. figures : `weight`, the share of the
    published estimates that models with covariates have; `gain`, `gain_se` of the log score of
    held-out reports, `groups` it was measured on, and `chance` that the true gain is positive.
    """

    sentence: str
    figures: dict[str, float]


def covariate_evidence(
    cv: CrossValidation, weights: pd.Series, without: Sequence[str], seed: int = 0
) -> Evidence:
    """Compare the pool of all models with the pool of those without covariates, on held-out groups.

    Parameters
    ----------
    weights : of the models that are published. without : names of those without covariates.

    Notes
    -----
    Both pools are weighted anew without each fold, so neither weights nor fits have seen what they
    are scored on. The error of the gain is clustered by group.
    """
    plain = [name for name in weights.index if name in without]
    share = float(weights.drop(plain).sum())
    groups = cv.group.nunique()
    if share == 0 or not plain:
        what = "No model uses covariates" if share == 0 else "Every model uses covariates"
        return Evidence(
            f"{what}, so nothing can be said about what covariates add.",
            {"weight": share, "groups": groups},
        )
    scores = [held_out_scores(cv, names) for names in (list(weights.index), plain)]
    gain, error = clustered_sum(scores[0] - scores[1], cv.group)
    chance = float(ndtr(gain / error)) if np.isfinite(error) and error > 0 else 0.5
    sentence = (
        f"{_verdict(gain, error)}: on {groups} held-out groups, models with them changed the log "
        f"score of the reports by {gain:+.1f} (standard error {error:.1f}), a chance of "
        f"{chance:.0%} that they help. Their weight in the estimates is {share:.0%}. "
        f"{_reading(gain, error)}"
    )
    figures = {"weight": share, "gain": gain, "gain_se": error, "groups": groups, "chance": chance}
    return Evidence(sentence, figures)


def held_out_scores(cv: CrossValidation, names: Sequence[str]) -> pd.Series:
    """Return log scores by (area_id, component) of a pool that is weighted without each fold."""
    parts = []
    for fold in np.unique(cv.fold):
        inside = cv.fold.index[cv.fold == fold]
        seen = cv.log_scores.index.get_level_values("area_id").isin(inside)
        weights = stack(cv.log_scores.loc[~seen, list(names)])
        draws: list[xr.DataArray] = [cv.draws[name].sel(area_id=list(inside)) for name in names]
        pooled = pool(draws, list(weights))
        parts.append(by_area_and_component(log_density(pooled, cv.direct_of(inside))))
    return pd.concat(parts).reindex(cv.log_scores.index)


def _verdict(gain: float, error: float) -> str:
    if gain > 2 * error:
        return "Covariates clearly help"
    if gain > error:
        return "Covariates probably help"
    if gain > -error:
        return "Whether covariates help cannot be told"
    return "Covariates did not help"


def _reading(gain: float, error: float) -> str:
    if gain > 2 * error:
        return "Differences between places where nobody was interviewed are supported."
    if gain > error:
        return (
            "Differences between places where nobody was interviewed are likely but not certain."
        )
    return "Take differences between places where nobody was interviewed as guesses to be checked."

"""From several models to one answer: weights, the verdict on covariates, and pooled draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from smallarea.models.scores import clustered_sum
from smallarea.models.validation import CrossValidation

Array = NDArray[np.float64]


def stack(log_scores: pd.DataFrame, iterations: int = 2000) -> pd.Series:
    """Return the weights of the mixture of models that predicts held-out reports best.

    Parameters
    ----------
    log_scores : log predictive densities, rows (area_id, component), one column per model.

    Notes
    -----
    Stacking of predictive distributions (Yao, Vehtari, Simpson & Gelman 2018). The problem is
    convex; expectation-maximisation climbs to its one maximum from equal weights.
    """
    density = np.exp(log_scores.sub(log_scores.max(axis=1), axis=0).to_numpy())
    weights = np.full(density.shape[1], 1 / density.shape[1])
    for _ in range(iterations):
        share = density * weights
        weights = (share / share.sum(1, keepdims=True)).mean(0)
    return pd.Series(weights, log_scores.columns, name="weight")


def stacked_log_scores(log_scores: pd.DataFrame, fold: pd.Series) -> pd.Series:
    """Return the log scores of a stack whose weights never saw the fold they are scored on."""
    area_fold = fold.loc[log_scores.index.get_level_values("area_id")].to_numpy()
    parts = []
    for k in np.unique(area_fold):
        weights = stack(log_scores[area_fold != k])
        held_out = log_scores[area_fold == k]
        top = held_out.max(axis=1)
        parts.append(top + np.log(np.exp(held_out.sub(top, axis=0)) @ weights))
    return pd.concat(parts).reindex(log_scores.index)


@dataclass(frozen=True)
class Decision:
    """Whether covariates help, in one sentence, with the figures behind it."""

    help: bool
    sentence: str
    figures: dict[str, float]


def covariates_help(cv: CrossValidation, without: Sequence[str]) -> Decision:
    """Decide whether models with covariates predict unseen groups better than those without.

    The stack of all models is set against the stack of the models without covariates, both with
    weights from other folds. Covariates help if the sum over held-out reports of log scores
    rises by more than one standard error, clustered by group.
    """
    all_models = stacked_log_scores(cv.log_scores, cv.fold)
    plain = stacked_log_scores(cv.log_scores[list(without)], cv.fold)
    gain, error = clustered_sum(all_models - plain, cv.group)
    helps = bool(gain > error)
    folds, groups = cv.fold.nunique(), cv.group.nunique()
    verdict = (
        "Covariates help" if helps else "Covariates did not help, so the estimates do not use them"
    )
    sentence = (
        f"{verdict}: on {folds} folds of held-out groups the models with covariates changed "
        f"the log score of the reports by {gain:+.1f} (standard error {error:.1f}, "
        f"{groups} groups); more than one standard error is needed."
    )
    return Decision(helps, sentence, {"gain": gain, "gain_se": error, "groups": groups})


def allocate(weights: pd.Series, n: int) -> pd.Series:
    """Return how many of `n` draws each model gives: shares rounded by largest remainder."""
    exact = weights / weights.sum() * n
    counts = np.floor(exact).astype(int)
    short = n - int(counts.sum())
    counts[(exact - counts).nlargest(short).index] += 1
    return counts[counts > 0]


def pool(draws: Sequence[xr.DataArray], seed: int) -> xr.DataArray:
    """Return the draws of several models as one mixture, in an order shuffled by `seed`.

    A pooled draw is one model's draw of all areas and components together, so what belongs
    together within a draw stays together.
    """
    pooled = xr.concat(draws, "draw", combine_attrs="drop", join="exact")
    order = np.random.default_rng(seed).permutation(pooled.sizes["draw"])
    return pooled.isel(draw=order)

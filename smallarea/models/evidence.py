"""What covariates add, by degrees: measured on groups of areas that the models had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t

from smallarea.models.pooling import pool
from smallarea.models.scores import by_area_and_component, clustered_sum, log_density
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
    cv: CrossValidation, published: Sequence[str], without: Sequence[str]
) -> Evidence:
    """Compare the published pool with that of models without covariates, on held-out groups.

    Parameters
    ----------
    published, without : names of models, of those without covariates one at least.

    Notes
    -----
    The error of the gain is clustered by group, and the chance is that of a t distribution with one
    degree of freedom less than groups: four groups say little.
    """
    share = len(set(published) - set(without)) / len(published)
    groups = cv.group.nunique()
    if share == 0:
        sentence = "No model uses covariates, so nothing can be said about what they add."
        return Evidence(sentence, {"weight": share, "groups": groups})
    gain, error = clustered_sum(
        held_out_scores(cv, published) - held_out_scores(cv, without), cv.group
    )
    chance = float(t.cdf(gain / error, groups - 1)) if np.isfinite(error) and error > 0 else 0.5
    sentence = (
        f"{_verdict(chance)}: on {groups} held-out groups, models with them changed the log score "
        f"of what was observed by {gain:+.1f} (standard error {error:.1f}), a chance of "
        f"{_percent(chance)} that they help. Their weight in the estimates is {share:.0%}. "
        f"{_reading(chance)}"
    )
    figures = {"weight": share, "gain": gain, "gain_se": error, "groups": groups, "chance": chance}
    return Evidence(sentence, figures)


def held_out_scores(cv: CrossValidation, names: Sequence[str]) -> pd.Series:
    """Return log scores by (area_id, component) of the pool of some models."""
    pooled = pool([cv.draws[name] for name in names])
    return by_area_and_component(log_density(pooled, cv.direct))


def pool_without_each(cv: CrossValidation, published: Sequence[str]) -> pd.DataFrame:
    """Return, by model, what the pool's held-out log score loses without it: `worth` and its error.

    A model whose worth is negative beyond its error does harm: its file should say ``stack=False``.
    """
    whole = held_out_scores(cv, published)
    found = {}
    for name in published:
        others = [other for other in published if other != name]
        loss = whole - held_out_scores(cv, others) if others else whole * np.nan
        found[name] = clustered_sum(loss, cv.group)
    return pd.DataFrame(found, index=["worth", "worth_se"]).T.rename_axis("model")


# Chances of two standard errors and of one, were there many groups.
_CLEARLY, _PROBABLY = 0.977, 0.841


def _verdict(chance: float) -> str:
    if chance > _CLEARLY:
        return "Covariates clearly help"
    if chance > _PROBABLY:
        return "Covariates probably help"
    if chance > 1 - _PROBABLY:
        return "Whether covariates help cannot be told"
    return "Covariates did not help"


def _percent(chance: float) -> str:
    if chance > 0.995:
        return "over 99%"
    return "under 1%" if chance < 0.005 else f"{chance:.0%}"


def _reading(chance: float) -> str:
    if chance > _CLEARLY:
        return (
            "Differences between places where nobody was interviewed are supported on the whole, "
            "not between any two of them."
        )
    if chance > _PROBABLY:
        return "Differences between places where nobody was interviewed are likely but not certain."
    return "Take differences between places where nobody was interviewed as guesses to be checked."

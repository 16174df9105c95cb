"""The stage: cross-validate the candidates, weigh them, decide, and draw for every area."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from smallarea.models.candidates import Candidate
from smallarea.models.stacking import Decision, allocate, covariates_help, pool, stack
from smallarea.models.validation import cross_validate

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct


@dataclass(frozen=True)
class FittedModels:
    """What the stage hands on.

    Attributes
    ----------
    draws : pooled draws of reported rates (component, area_id, draw), every area of the features.
    weights : each candidate's share of the draws; 0 for those not used.
    scores : the cross-validation's table, see `CrossValidation`.
    decision : whether covariates help.
    diagnostics : model, quantity, value of the fits that gave draws.
    """

    draws: xr.DataArray
    weights: pd.Series
    scores: pd.DataFrame
    decision: Decision
    diagnostics: pd.DataFrame


def fit_models(
    models: dict[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    *,
    folds: int = 5,
    n: int = 1000,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> FittedModels:
    """Compare the candidates on held-out groups of areas and draw from the best mixture of them.

    If covariates do not help, only the models without them give draws. Models whose weight
    rounds to no draw are not refitted.
    """

    def tell(what: str, share: float) -> None:
        if progress:
            progress(what, share)

    whole = folds / (folds + 1)
    cv = cross_validate(
        models,
        X,
        direct,
        areas,
        folds=folds,
        seed=seed,
        progress=lambda what, share: tell(what, whole * share),
    )
    plain = [name for name, candidate in models.items() if not candidate.has_covariates]
    decision = covariates_help(cv, plain)
    predicted = pd.concat([cv.log_scores, cv.thinned_scores])
    weights = stack(predicted if decision.help else predicted[plain])
    parts, diagnostics = [], []
    shares = allocate(weights, n)
    for position, (name, count) in enumerate(shares.items()):
        tell(f"{name} on all surveyed areas", whole + (1 - whole) * position / len(shares))
        candidate = models[str(name)]
        own = candidate.select(X)
        fitted = candidate.unfitted(seed + position).fit(own, direct, areas)
        parts.append(fitted.draws(own, areas, int(count), seed + position))
        diagnostics += [(name, key, value) for key, value in fitted.diagnostics_.items()]
    return FittedModels(
        draws=pool(parts, seed),
        weights=weights.reindex(list(models), fill_value=0.0),
        scores=cv.scores,
        decision=decision,
        diagnostics=pd.DataFrame(diagnostics, columns=["model", "quantity", "value"]),
    )

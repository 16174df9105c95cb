"""The stage: fit the candidates, weigh them on held-out groups, and draw for every area."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from smallarea.models.candidates import Candidate
from smallarea.models.counts import rows
from smallarea.models.crossfit import cross_fitted, deal
from smallarea.models.evidence import Evidence, covariate_evidence
from smallarea.models.pooling import pool
from smallarea.models.stacking import stack
from smallarea.models.validation import cross_validate

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct


@dataclass(frozen=True)
class FittedModels:
    """What the stage hands on.

    Attributes
    ----------
    draws : pooled draws of reported rates (component, area_id, draw), every area of the features.
    cross_fitted : the same of the surveyed areas, each without its own interviews.
    weights : each candidate's weight in the pool; 0 for those that are only compared.
    scores : the cross-validation's table, see `CrossValidation`.
    evidence : what covariates add.
    diagnostics : model, quantity, value of the fits.
    """

    draws: xr.DataArray
    cross_fitted: xr.DataArray
    weights: pd.Series
    scores: pd.DataFrame
    evidence: Evidence
    diagnostics: pd.DataFrame


def fit_models(
    models: dict[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    *,
    without: Callable[[pd.Index], Direct] | None = None,
    folds: int = 5,
    n: int = 1000,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> FittedModels:
    """Compare the candidates on held-out groups of areas and draw from their weighted pool.

    Parameters
    ----------
    without : direct estimates had some areas not been surveyed; by default those of the others as
        they are, which holds where no estimate reads another area's answers.
    folds, n, seed, progress : of the cross-validation; draws; progress is told shares done.
    """

    def tell(start: float, end: float) -> Callable[[str, float], None] | None:
        if progress is None:
            return None
        return lambda what, share: progress(what, start + (end - start) * share)

    told = tell(0.0, 0.25)
    fitted = {}
    for position, (name, model) in enumerate(models.items()):
        if told:
            told(f"{name} on all surveyed areas", position / len(models))
        fitted[name] = model.fit(X, direct, areas, seed + position)
    cv = cross_validate(
        models, X, direct, areas, fitted=fitted, folds=folds, seed=seed, progress=tell(0.25, 0.4)
    )
    chosen = {name: model for name, model in models.items() if model.stack}
    weights = stack(cv.log_scores[list(chosen)])
    plain = [name for name, model in chosen.items() if not model.has_covariates]
    told = tell(0.4, 0.6)
    draws = []
    for position, (name, model) in enumerate(chosen.items()):
        if told:
            told(f"{name} for every area", position / len(chosen))
        draws.append(fitted[name].draws(model.select(X), areas, n, seed + position))
    surveyed = direct.reports.index
    return FittedModels(
        draws=pool(draws, list(weights)),
        cross_fitted=cross_fitted(
            chosen,
            X,
            without or (lambda left: rows(direct, surveyed.difference(left))),
            areas,
            deal(surveyed.sort_values(), key=str(seed)),
            fitted=fitted,
            n=n,
            seed=seed,
            folds=folds,
            progress=tell(0.6, 1.0),
        ),
        weights=weights.reindex(list(models), fill_value=0.0),
        scores=cv.scores,
        evidence=covariate_evidence(cv, weights, plain),
        diagnostics=pd.DataFrame(
            [(m, k, v) for m in fitted for k, v in fitted[m].diagnostics_.items()],
            columns=["model", "quantity", "value"],
        ),
    )

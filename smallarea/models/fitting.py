"""The stage: fit the candidates, pool their draws for every area, and hold areas out.

Two passes over parts of the survey leave areas out. Without whole groups: what covariates add, and
what each model is worth. Without each area: draws of the surveyed areas that have not seen their
own interviews. Pooled draws of such an area move with what its respondents told, so they can give
away whether anybody there told at all; in cross-fitted ones all that reads reports (design effects,
levels, standard deviations, trees) was learned without the area.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from smallarea.errors import InputError
from smallarea.executors import spread
from smallarea.models.calibration import calibration
from smallarea.models.candidates import Candidate
from smallarea.models.counts import rows
from smallarea.models.evidence import Evidence, covariate_evidence, pool_without_each
from smallarea.models.explaining import centred, parts_of
from smallarea.models.pooling import pool
from smallarea.models.splits import at_random
from smallarea.models.validation import cross_validate, held_out

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct


CROSS_FITS = 10  # parts of the survey left out in turn


@dataclass(frozen=True)
class FittedModels:
    """What the stage hands on.

    Attributes
    ----------
    draws : pooled draws of reported rates (component, area_id, draw), every area of the features.
    cross_fitted : the same of the surveyed areas, each without its own interviews.
    members : by candidate, its `weight` in the pool (0 if it is only compared), and what the pool's
        held-out log score would lose without it, `worth` with its error `worth_se`.
    scores : the cross-validation's table, see `CrossValidation`.
    calibration : of the pool on the groups held out, see `calibration.calibration`.
    evidence : what covariates add.
    diagnostics : model, quantity, value of the fits.
    parts : index model, component, area_id: what each area's rate is made of, by the pool's models,
        see `explaining.parts_of`.
    fits : by name, each member of the pool and its fit to all surveyed areas.
    """

    draws: xr.DataArray
    cross_fitted: xr.DataArray
    members: pd.DataFrame
    scores: pd.DataFrame
    calibration: pd.DataFrame
    evidence: Evidence
    diagnostics: pd.DataFrame
    parts: pd.DataFrame
    fits: dict[str, tuple[Candidate, Any]]


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
    stream: Mapping[str, str] | None = None,
) -> FittedModels:
    """Compare the candidates on held-out groups of areas and draw from their pool.

    Parameters
    ----------
    without, folds, n, seed, progress : see `cross_validate`. stream : of each feature.

    Raises
    ------
    InputError : as `cross_validate`, or no model takes part in the estimates.
    """

    def tell(start: float, end: float) -> Callable[[str, float], None] | None:
        if progress is None:
            return None
        return lambda what, share: progress(what, start + (end - start) * share)

    published = [name for name, model in models.items() if model.stack]
    if not published:
        raise InputError(
            "no model takes part in the estimates",
            where="models",
            remedy="leave out `stack=False` in one of the model files",
        )
    told, names = tell(0.0, 0.2), list(models)

    def tell_fits(done: int) -> None:
        if told:
            told(f"{names[done]} on all surveyed areas", done / len(names))

    made = spread(
        _fitted, list(models.values()), X, direct, areas, n, seed, stream or {}, tell=tell_fits
    )
    fitted = {name: fit for name, (fit, *_) in zip(names, made, strict=True)}
    pooled = pool([drawn for _, drawn, _ in made if drawn is not None])
    parts = {
        name: apart for name, (*_, apart) in zip(names, made, strict=True) if apart is not None
    }
    del made  # every model's draws, of every area: the pool is what is kept
    shared: dict[str, Any] = {"fitted": fitted, "seed": seed}
    cv = cross_validate(
        models, X, direct, areas, without=without, folds=folds, progress=tell(0.2, 0.55), **shared
    )
    ids = direct.reports.index.sort_values()
    blind = held_out(
        {name: model for name, model in models.items() if model.stack},
        X,
        without or (lambda left: rows(direct, ids.difference(left))),
        areas,
        at_random(areas, ids, CROSS_FITS, key=str(seed)),
        n=n,
        progress=tell(0.55, 1.0),
        **shared,
    )
    return FittedModels(
        draws=pooled,
        cross_fitted=pool(list(blind.values())),
        members=pool_without_each(cv, published)
        .assign(weight=1 / len(published))
        .reindex(list(models))
        .fillna({"weight": 0.0}),
        scores=cv.scores,
        calibration=calibration(
            pool([cv.draws[name] for name in published]), cv.direct, cv.group, seed
        ),
        evidence=covariate_evidence(
            cv, published, [name for name, model in models.items() if not model.has_covariates]
        ),
        diagnostics=pd.DataFrame(
            [(m, k, v) for m in fitted for k, v in fitted[m].diagnostics_.items()],
            columns=["model", "quantity", "value"],
        ),
        parts=pd.concat(parts, names=["model"]),
        fits={name: (models[name], fitted[name]) for name in published},
    )


def _fitted(
    model: Candidate,
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    n: int,
    seed: int,
    stream: Mapping[str, str],
) -> tuple[Any, xr.DataArray | None, pd.DataFrame | None]:
    """Return a model's fit to all surveyed areas; of a member of the pool its draws and parts."""
    fit = model.fit(X, direct, areas, seed)
    if not model.stack:
        return fit, None, None
    own = model.select(X)
    drawn = fit.draws(own, areas, n, model.seed(seed))
    return fit, drawn, centred(parts_of(fit, own, areas, stream))

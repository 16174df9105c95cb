"""Cross-validation of models that give draws, on held-out groups of areas.

What is held out are reports, not rates: a model is judged by the probability its draws give to
the reports that came (negative binomial around rate x exposure, with the survey's design
effect), by its squared error net of sampling variance, and by how often its intervals cover.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.levels import level_ids
from smallarea.errors import InputError
from smallarea.models.counts import check_areas, rows
from smallarea.models.scores import by_area_and_component, log_density, summarise

if TYPE_CHECKING:
    from smallarea.models.candidates import Candidate
    from smallarea.nsum.direct.estimates import Direct


@dataclass(frozen=True)
class CrossValidation:
    """How well models predict the reports of groups of areas they have not seen.

    Attributes
    ----------
    draws : by model, rates of the surveyed areas (component, area_id, draw) given the reports of
        other groups.
    log_scores : log predictive density of the reports; index (area_id, component) of areas with
        exposure, one column per model.
    fold, group : of each surveyed area.
    scores : one row per model and component, see `scores.summarise`.
    direct : what was predicted.
    """

    draws: dict[str, xr.DataArray]
    log_scores: pd.DataFrame
    fold: pd.Series
    group: pd.Series
    scores: pd.DataFrame
    direct: Direct

    def direct_of(self, area_ids: pd.Index) -> Direct:
        """Return the direct estimates of some of the surveyed areas."""
        return rows(self.direct, area_ids)


def cross_validate(
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    *,
    fitted: Mapping[str, Any] | None = None,
    folds: int = 5,
    n: int = 500,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> CrossValidation:
    """Score models on groups of areas they have not seen: those of the lowest level.

    An estimator that tells what it would have predicted without each group, from the one fit
    (its method ``held_out``), is asked; any other is refitted without each fold of groups.

    Parameters
    ----------
    models : name -> candidate; the first is the baseline of ``gain``.
    X : features of all areas (area_id x feature). areas : the frame's table.
    fitted : the candidates, fitted to all of `direct`; those absent are fitted if they need be.
    folds : groups of whole groups, balanced by exposure. n : draws per model.
    progress : called before every model with its name and the share of them done.

    Raises
    ------
    InputError : areas missing from `X` or `areas`, or surveyed areas in a single group.
    """
    check_areas(X, direct, areas)
    surveyed = direct.reports.index.sort_values()
    direct = rows(direct, surveyed)
    group = level_ids(areas)[surveyed]
    fold = group_folds(group, direct.exposure.sum(axis=1), folds, seed)
    draws: dict[str, xr.DataArray] = {}
    for position, (name, model) in enumerate(models.items()):
        if progress:
            progress(f"{name} on held-out groups", position / len(models))
        if hasattr(model.estimator, "held_out"):
            done = (fitted or {}).get(name) or model.fit(X, direct, areas, seed)
            draws[name] = done.held_out(n, seed + position)
        else:
            draws[name] = refitted(model, X, direct, areas, fold, n, seed)
    tables = {name: by_area_and_component(log_density(d, direct)) for name, d in draws.items()}
    table = pd.DataFrame(tables)
    summary = summarise(draws, table, direct, group, seed)
    return CrossValidation(draws, table, fold, group, summary, direct)


def refitted(
    model: Candidate,
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    fold: pd.Series,
    n: int,
    seed: int,
) -> xr.DataArray:
    """Return draws (component, area_id, draw) of each fold's areas from a fit without the fold."""
    own, parts = model.select(X), []
    for k in sorted(fold.unique()):
        inside = fold.index[fold == k]
        training = rows(direct, fold.index[fold != k])
        fitted = model.fit(X, training, areas, seed + int(k))
        parts.append(fitted.draws(own.loc[inside], areas, n, seed + int(k)))
    return xr.concat(parts, "area_id", combine_attrs="drop").sel(area_id=list(fold.index))


def group_folds(group: pd.Series, exposure: pd.Series, folds: int, seed: int) -> pd.Series:
    """Return each area's fold: whole groups, dealt so that folds have like exposure.

    Groups go, largest first (in an order shaken by `seed`), to the fold with least so far.
    """
    size = exposure.groupby(group).sum()
    if len(size) < 2:
        raise InputError(
            "all surveyed areas are in one group of the lowest level",
            where="cross-validation",
            remedy="survey at least two, or declare a lower level",
        )
    rng = np.random.default_rng(seed)
    order = (size.sort_index() * rng.uniform(0.5, 1.5, len(size))).sort_values(ascending=False)
    total = np.zeros(min(folds, len(size)))
    fold = {}
    for name in order.index:
        fold[name] = int(np.argmin(total))
        total[fold[name]] += size[name]
    return group.map(fold).rename("fold")

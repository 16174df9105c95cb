"""Cross-validation of models that give draws, on held-out groups of areas.

What is held out are reports, not rates: a model is judged by the probability its draws give to
the reports that came (negative binomial around rate x exposure, with the survey's design
effect), by its squared error net of sampling variance, and by how often its intervals cover.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.levels import level_ids
from smallarea.errors import InputError
from smallarea.executors import spread
from smallarea.models.counts import check_areas, rows
from smallarea.models.scores import by_area_and_component, log_density, summarise
from smallarea.models.splits import Split, by_level, part_of

if TYPE_CHECKING:
    from smallarea.models.candidates import Candidate
    from smallarea.nsum.direct.estimates import Direct


@dataclass(frozen=True)
class CrossValidation:
    """How well models predict the reports of groups of areas they have not seen.

    Attributes
    ----------
    draws : by model, rates of the surveyed areas (component, area_id, draw), each area's from a
        fit in which nothing was learned from its group.
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


def cross_validate(
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    *,
    without: Callable[[pd.Index], Direct] | None = None,
    fitted: Mapping[str, Any] | None = None,
    folds: int = 5,
    n: int = 500,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> CrossValidation:
    """Score models on groups of areas (of the lowest level) that they have not seen.

    Parameters
    ----------
    models : name -> candidate; the first is the baseline of ``gain``.
    folds : of whole groups, see `splits.by_level`. n : draws per model.
    X, areas, without, fitted, seed, progress : see `held_out`.

    Raises
    ------
    InputError : areas missing from `X` or `areas`, or surveyed areas in a single group.
    """
    check_areas(X, direct, areas)
    surveyed = direct.reports.index.sort_values()
    direct = rows(direct, surveyed)
    without = without or (lambda left: rows(direct, surveyed.difference(left)))
    group = level_ids(areas)[surveyed]
    splits = by_level(areas, surveyed, folds, key=str(seed))
    draws = held_out(
        models, X, without, areas, splits, fitted=fitted, n=n, seed=seed, progress=progress
    )
    log_scores = pd.DataFrame(
        {name: by_area_and_component(log_density(each, direct)) for name, each in draws.items()}
    )
    summary = summarise(draws, log_scores, direct, group, seed)
    return CrossValidation(draws, log_scores, part_of(splits), group, summary, direct)


def held_out(
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    without: Callable[[pd.Index], Direct],
    areas: pd.DataFrame,
    splits: Sequence[Split],
    *,
    fitted: Mapping[str, Any] | None = None,
    n: int = 500,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, xr.DataArray]:
    """Return each model's draws (component, area_id, draw) from fits that have not seen the area.

    Areas are sorted.

    Parameters
    ----------
    models : name -> candidate. X : features of all areas (area_id x feature). areas : the
        frame's table.
    without : direct estimates had some areas not been surveyed.
    splits : which areas to draw, and which no fit may see meanwhile.
    fitted : fits to all areas; those with a method ``refit`` lend what hangs on no answer.
    seed : the draws of a model are made from the same seed in every fold, and as `fit_models` makes
        those of all areas: what areas have in common is alike, and draws may be added up.
    progress : called before every fold with what it is and the share of them done.

    Folds are spread, see `smallarea.executors`.
    """
    lending = lenders(fitted or {})

    def tell(done: int) -> None:
        if progress:
            progress(f"without part {done + 1} of the survey", done / len(splits))

    parts = spread(
        _drawn_unseen, splits, dict(models), X, without, areas, lending, n, seed, tell=tell
    )
    ids = sorted(area for split in splits for area in split.test)
    return {
        name: xr.concat([each[name] for each in parts], "area_id", combine_attrs="drop").sel(
            area_id=ids
        )
        for name in models
    }


def lenders(fitted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fits that can lend what hangs on no answer."""
    return {name: fit for name, fit in fitted.items() if hasattr(fit, "refit")}


def fits_without(
    left_out: pd.Index,
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    without: Callable[[pd.Index], Direct],
    areas: pd.DataFrame,
    lending: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    """Return a fit of each model that has not seen some areas.

    lending : fits to all areas with a method ``refit``: they lend what hangs on no answer.
    """
    training = without(left_out)
    return {
        name: lending[name].refit(training)
        if name in lending
        else model.fit(X, training, areas, seed)
        for name, model in models.items()
    }


def _drawn_unseen(
    split: Split,
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    without: Callable[[pd.Index], Direct],
    areas: pd.DataFrame,
    lending: Mapping[str, Any],
    n: int,
    seed: int,
) -> dict[str, xr.DataArray]:
    """Return each model's draws of the areas that a split tests."""
    fits = fits_without(split.left_out, models, X, without, areas, lending, seed)
    return {
        name: fits[name].draws(model.select(X).loc[split.test], areas, n, model.seed(seed))
        for name, model in models.items()
    }


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

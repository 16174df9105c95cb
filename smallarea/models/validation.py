"""Cross-validation of models that give draws: on held-out groups, and on thinned reports.

What is held out are reports, not rates: a model is judged by the probability its draws give to
the reports that came (negative binomial around rate x exposure, with the survey's design
effect), by its squared error net of sampling variance, and by how often its intervals cover.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
    """How well models predict reports they have not seen.

    Attributes
    ----------
    log_scores : log predictive density of the reports of held-out groups; index (area_id,
        component) of areas with exposure, one column per model.
    thinned_scores : the same for reports taken out of areas whose other reports were seen.
    fold, group : of each surveyed area.
    scores : one row per model and component, see `scores.summarise`.
    """

    log_scores: pd.DataFrame
    thinned_scores: pd.DataFrame
    fold: pd.Series
    group: pd.Series
    scores: pd.DataFrame


def cross_validate(
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    *,
    folds: int = 5,
    n: int = 500,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> CrossValidation:
    """Score models on groups they have not seen, and on reports thinned out of areas they have.

    The first tells how well areas without respondents are predicted, the second how well a model
    learns from an area's own respondents.

    Parameters
    ----------
    models : name -> candidate; the first is the baseline of ``gain``.
    X : features of all areas (area_id x feature). areas : the frame's table.
    folds : groups of whole groups, balanced by exposure. n : draws per model.
    progress : called before every fit with what it is and the share of fits done.

    Raises
    ------
    InputError : areas missing from `X` or `areas`, or surveyed areas in a single group.
    """
    check_areas(X, direct, areas)
    surveyed = direct.reports.index.sort_values()
    direct = rows(direct, surveyed)
    group = level_ids(areas)[surveyed]
    fold = group_folds(group, direct.exposure.sum(axis=1), folds, seed)
    kept, taken = thin(direct, seed=seed)
    splits = [
        (f"without fold {k + 1} of {fold.nunique()}", rows(direct, surveyed[fold != k]), fold == k)
        for k in range(fold.nunique())
    ]
    splits.append(("without some of each area's reports", kept, fold >= 0))

    held_out: dict[str, xr.DataArray] = {}
    log_scores, thinned = {}, {}
    for position, (name, model) in enumerate(models.items()):
        own = model.select(X)
        parts = []
        for k, (what, training, tested) in enumerate(splits):
            if progress:
                progress(f"{name} {what}", (position + k / len(splits)) / len(models))
            fitted = model.unfitted(seed + k).fit(own, training, areas)
            parts.append(fitted.draws(own.loc[surveyed[tested]], areas, n, seed + k))
        thinned[name] = by_area_and_component(log_density(parts.pop(), taken))
        draws = xr.concat(parts, "area_id", combine_attrs="drop").sel(area_id=list(surveyed))
        held_out[name] = draws
        log_scores[name] = by_area_and_component(log_density(draws, direct))
    table = pd.DataFrame(log_scores)
    summary = summarise(held_out, table, direct, group, seed)
    return CrossValidation(table, pd.DataFrame(thinned), fold, group, summary)


def thin(direct: Direct, share: float = 0.75, seed: int = 0) -> tuple[Direct, Direct]:
    """Split every area's reports in two, as if `share` of its exposure had been asked first.

    A negative binomial count of dispersion `deff` splits into two independent ones of the same
    dispersion by a beta-binomial draw (data thinning: Neufeld, Dharamshi, Gao & Witten 2024). Its
    parameter needs the mean, for which the national rate stands in, so independence
    is approximate where dispersion is large.
    """
    rng = np.random.default_rng(seed)
    national = direct.reports.sum() / direct.exposure.sum()
    size = direct.exposure * national / (direct.deff - 1).clip(lower=1e-3)
    size = size.where(size > 0, 1e-6)
    known = direct.reports.notna()
    count = direct.reports.where(known, 0.0).round().astype(int)
    first = rng.binomial(count, rng.beta(share * size, (1 - share) * size))
    kept = pd.DataFrame(first, count.index, count.columns, dtype=float).where(known)

    def part(reports: pd.DataFrame, size: float) -> Direct:
        exposure, variance = size * direct.exposure, direct.variance / size
        return replace(
            direct, reports=reports, exposure=exposure, variance=variance, raw=None, units=None
        )

    return part(kept, share), part(direct.reports - kept, 1 - share)


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

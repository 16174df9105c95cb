"""Every candidate, and the pool of the published ones, judged on areas that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from smallarea.models import skill
from smallarea.models.counts import check_areas, rows
from smallarea.models.parts import Parts
from smallarea.models.pooling import pool
from smallarea.models.scores import log_density, pit_bounds
from smallarea.models.splits import Split
from smallarea.models.validation import held_out

if TYPE_CHECKING:
    from smallarea.models.candidates import Candidate
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

POOL = "pool (published)"
SHARES = (50, 80, 95)
REPLICATES = 500
#: Bins of the histogram of transforms.
BINS = 10


@dataclass(frozen=True)
class Compared:
    """How well models predict the reports of areas that they have not seen.

    Attributes
    ----------
    scores : index model, component (`all` last: sums of log scores; of `top`, `rank` and `pit` that
        of all reports together; means of the others). Each score has a 95 % interval, from groups
        of areas drawn anew: `<score>_low`, `<score>_high`. `log_score` of the reports; `gain` over
        the baseline and `over_pool`, paired differences of it; `crps` (in reports); `error` beyond
        sampling variance, in national rates; `cover_50`, `cover_80`, `cover_95` of intervals of
        reports; `pit`, Kolmogorov's distance of their transforms from uniform; `top`, the share of
        reports in the fifth of areas predicted highest, and `top_exposure`, what a random fifth of
        as many people asked about would hold; `rank`, the rank correlation of predicted with true
        rates: that with observed ones over the root of their `reliability`, NaN where no spread
        beyond sampling is found.
    transforms : index model, columns the bins of the histogram of transforms of reports (middle of
        each); 1 in every bin where predictive distributions are right. All components together.
    parts : how areas were held out. baseline : the model without covariates that gains are over.
    losses : what the pool loses without each stream or domain (`losing.loss_without`), or None.
    draws : of each model, held-out rates (component, area_id, draw), areas sorted.
    """

    scores: pd.DataFrame
    transforms: pd.DataFrame
    parts: Parts
    baseline: str
    losses: pd.DataFrame | None
    draws: dict[str, xr.DataArray]


def compare(
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    parts: Parts,
    *,
    without: Callable[[pd.Index], Direct] | None = None,
    n: int = 500,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Compared:
    """Predict every part of a survey from fits to the others, and score that.

    Parameters
    ----------
    models : name -> candidate, the first of which is the baseline. The pool is of those with
        ``stack``, as in what is published.
    parts : of the surveyed areas, `make_parts`.
    without, n, seed, progress : as for `held_out`.

    Raises
    ------
    InputError : surveyed areas that are missing from `X` or `areas`.
    """
    check_areas(X, direct, areas)
    direct = rows(direct, direct.reports.index.sort_values())
    without = without or (lambda left: rows(direct, direct.reports.index.difference(left)))
    draws = refitted(models, X, direct, without, areas, parts.splits, n, seed, progress)
    published = [draws[name] for name, model in models.items() if model.stack]
    if published:
        draws[POOL] = pool(published)
    weights = skill.group_weights(parts.group, REPLICATES, seed)
    densities = {name: log_density(each, direct) for name, each in draws.items()}
    levels = training_levels(direct, parts.splits)
    one = skill.together(direct, levels)[0]
    reliable = pd.concat([skill.reliability(each, seed) for each in (direct, one)])
    scores, transforms = {}, {}
    for name, each in draws.items():
        found, curve = _scores(each, direct, levels, reliable, weights, seed)
        found["log_score"] = skill.total(densities[name], weights)
        for score, other in (("gain", next(iter(models))), ("over_pool", POOL)):
            if other in densities:
                found[score] = skill.total(densities[name] - densities[other], weights)
        scores[name] = _table(found, reliable)
        transforms[name] = np.diff(curve[:: (len(curve) - 1) // BINS]) * BINS
    middles = (np.arange(BINS) + 0.5) / BINS
    return Compared(
        pd.concat(scores, names=["model", "component"]),
        pd.DataFrame(transforms, index=middles.round(3)).T.rename_axis("model"),
        parts,
        next(iter(models)),
        None,
        draws,
    )


def refitted(
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    without: Callable[[pd.Index], Direct],
    areas: pd.DataFrame,
    splits: Sequence[Split],
    n: int,
    seed: int,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, xr.DataArray]:
    """Return held-out draws; models that lend what hangs on no answer are fitted to all first."""
    lending = {k: m for k, m in models.items() if hasattr(m.estimator, "refit")}
    fitted: dict[str, Any] = {k: m.fit(X, direct, areas, seed) for k, m in lending.items()}
    return held_out(
        models, X, without, areas, splits, fitted=fitted, n=n, seed=seed, progress=progress
    )


def training_levels(direct: Direct, splits: Sequence[Split]) -> pd.DataFrame:
    """Return the rate of all areas together that a tested area's models have seen.

    Rates are ranked relative to it: the level is lower where what is left out was high, so that
    one rate for all would else seem to rank areas, and upside down.
    """
    levels: dict[str, pd.Series] = {}
    for split in splits:
        seen = ~direct.reports.index.isin(split.left_out)
        level = (direct.reports[seen].sum() + 0.5) / direct.exposure[seen].sum()
        levels |= dict.fromkeys(split.test, level)
    return pd.DataFrame(levels).T.loc[direct.reports.index]


def _scores(
    draws: xr.DataArray,
    direct: Direct,
    levels: pd.DataFrame,
    reliable: pd.Series,
    weights: Array,
    seed: int,
) -> tuple[dict[str, Array], Array]:
    """Return replicates of a model's scores by name, and its curve of transforms."""
    rate = pd.DataFrame(draws.mean("draw").to_pandas()).T
    rate = rate.loc[direct.reports.index, list(direct.reports)]
    below, at = pit_bounds(draws, direct)
    relative = rate / levels
    judged = [(direct, relative), skill.together(direct, relative)]
    curve = skill.pit_curve(below, at, weights)
    curve = np.hstack([curve, skill.over_components(curve)[:, None]])
    found = {
        "crps": skill.mean(skill.crps(draws, direct, seed), weights),
        "error": skill.error_net(rate, direct, weights),
        **{
            f"cover_{share}": skill.mean(skill.covered(below, at, share / 100), weights)
            for share in SHARES
        },
        "pit": skill.pit_distance(curve),
        "top": np.hstack([skill.top_share(p, d.reports, d.exposure, weights) for d, p in judged]),
        "top_exposure": np.hstack(
            [skill.top_share(p, d.exposure, d.exposure, weights) for d, p in judged]
        ),
        "rank": np.hstack([skill.rank_correlation(p, d.rate, weights) for d, p in judged])
        / np.sqrt(reliable.to_numpy()),
    }
    return found, curve[0, -1]


def _table(found: dict[str, Array], reliable: pd.Series) -> pd.DataFrame:
    """Return scores and intervals, component x column, with a row for all components."""
    order = ["log_score", "gain", "over_pool", *found]
    columns = {}
    for score in dict.fromkeys(name for name in order if name in found):
        values = found[score]
        if values.shape[1] < len(reliable):
            summed = score in ("log_score", "gain", "over_pool")
            whole = values.sum(axis=1) if summed else skill.over_components(values)
            values = np.column_stack([values, whole])
        columns[score] = values[0]
        if score != "top_exposure":
            low, high = pd.DataFrame(values[1:]).quantile([0.025, 0.975]).to_numpy()
            columns |= {f"{score}_low": low, f"{score}_high": high}
    return pd.DataFrame(columns, index=reliable.index).assign(reliability=reliable)

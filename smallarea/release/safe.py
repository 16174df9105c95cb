"""The draws a tier is made of.

The groups (`smallarea.release.groups`) are dealt to folds; for each fold the models are fitted as
if nobody in it had been asked, and every area of the fold, surveyed or not, is drawn from that fit.
Drawing only the surveyed ones anew would not do: their never-surveyed neighbours, drawn from
everybody's interviews, would stand too high beside them where somebody told (docs/decisions/9).

In the end all areas are shifted together, so that they agree with the nation: the level of a group
rests on the interviews of others, as all else of it does. Every number of a tier, of whatever
level, is a sum of these draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.executors import spread
from smallarea.models.explaining import centred, parts_of
from smallarea.models.pooling import pool
from smallarea.models.splits import deal
from smallarea.models.validation import fits_without, lenders
from smallarea.projection import agree_top_down, bound_rates

if TYPE_CHECKING:
    from smallarea.indicators import Indicators
    from smallarea.models.candidates import Candidate
    from smallarea.nsum import Direct
    from smallarea.projection import Given

FOLDS = 10
Told = Callable[[str, float], None]


@dataclass(frozen=True)
class Unseen:
    """What the models know of areas whose group was never interviewed, before agreement.

    rates : draws of reported rates (component, area_id, draw); each area's from the fit without its
        fold. fold : of each area. worlds : (fold, component, area_id), medians of *all* areas in
        that fit, what anybody would see had the fold's people not been asked.
    parts : index model, component, area_id: what each area's rate is made of in the same fits, see
        `smallarea.models.explaining.parts_of`.
    """

    rates: xr.DataArray
    fold: pd.Series
    worlds: xr.DataArray
    parts: pd.DataFrame


def unseen_draws(
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    group: pd.Series,
    without: Callable[[pd.Index], Direct],
    *,
    n: int,
    seed: int,
    folds: int = FOLDS,
    progress: Told | None = None,
    stream: Mapping[str, str] | None = None,
) -> Unseen:
    """Draw every area from fits that have not seen its group.

    Parameters
    ----------
    models : those that are pooled. X : features of all areas. areas : the frame's table.
    group : of each area, index area_id. without : direct estimates had some areas not been
        surveyed. n : draws. seed : of the models, as in the run. stream : of each feature.
    """
    surveyed = direct.reports.index
    fold = deal(group, folds, key=str(seed))
    lending = lenders({name: model.fit(X, direct, areas, seed) for name, model in models.items()})
    numbers = sorted(fold.unique())

    def tell(done: int) -> None:
        if progress:
            progress(f"without part {done + 1} of the survey", done / len(numbers))

    def unseen(k: int) -> tuple[xr.DataArray, xr.DataArray, dict[str, pd.DataFrame]]:
        left = surveyed[fold.loc[surveyed].to_numpy() == k].sort_values()
        every = X.index.sort_values()
        fits = fits_without(left, models, X, without, areas, lending, seed)
        drawn = [
            fits[name].draws(model.select(X).loc[every], areas, n, model.seed(seed))
            for name, model in models.items()
        ]
        world, inside = pool(drawn), fold.index[fold == k]
        apart = {
            name: parts_of(fits[name], model.select(X).loc[inside], areas, stream or {})
            for name, model in models.items()
        }
        own = [a for a in world["area_id"].values if fold[a] == k]
        return world.sel(area_id=own), world.median("draw"), apart

    parts, worlds, told = zip(*spread(unseen, numbers, tell=tell), strict=True)
    rates = xr.concat(parts, "area_id", combine_attrs="drop").sel(area_id=X.index.sort_values())
    known = xr.concat(worlds, pd.Index(numbers, name="fold"), combine_attrs="drop")
    taken = {name: centred(pd.concat([each[name] for each in told])) for name in models}
    return Unseen(rates, fold, known, pd.concat(taken, names=["model"]))


def safe_rates(
    unseen: xr.DataArray,
    sizes: xr.DataArray,
    national: xr.DataArray,
    table: pd.DataFrame,
    indicators: Indicators,
    tau: np.ndarray | None = None,
    given: Given | None = None,
) -> xr.DataArray:
    """Return prevalences (component, area_id, draw) that a tier may be made of.

    All areas are shifted by the same, on the logit scale, until they agree with the nation.

    Parameters
    ----------
    unseen : see :func:`unseen_draws`.
    sizes, national, table, indicators, tau, given : those of the run's projection, see
        `smallarea.projection.agree_top_down`. Totals given of units come from elsewhere, and draws
        of a tier are made to agree with them as the run's are.
    """
    rates, _ = bound_rates(unseen)
    sizes = sizes.sel(component=rates["component"].values, area_id=rates["area_id"].values)
    made = (rates, sizes, national, table, indicators, given)
    return agree_top_down(*made, weight="flat", tau=tau).rates


def medians(rates: xr.DataArray) -> pd.DataFrame:
    """Return median rates, area_id x component."""
    values: Any = rates.median("draw").transpose("area_id", "component").values
    return pd.DataFrame(values, rates["area_id"].values, rates["component"].values)


def unasked(
    drawn: Unseen, score: Callable[[pd.DataFrame], dict[str, pd.DataFrame]], surveyed: pd.Index
) -> dict[str, pd.DataFrame]:
    """Return an attacker's scores of each surveyed area in the world without its fold.

    score : from median rates (area_id x component) to tables of surveyed area_id x component.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    for k in drawn.worlds["fold"].values:
        world = drawn.worlds.sel(fold=k).transpose("area_id", "component")
        names = (world["area_id"].values, world["component"].values)
        own = surveyed[drawn.fold.loc[surveyed].to_numpy() == k]
        for attack, table in score(pd.DataFrame(world.values, *names)).items():
            parts.setdefault(attack, []).append(table.loc[own])
    return {attack: pd.concat(tables).loc[surveyed] for attack, tables in parts.items()}

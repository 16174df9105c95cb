"""The draws a tier is made of: no area's have seen an interview of its own group.

The survey's groups are dealt to folds; for each fold the models are fitted as if nobody in it had
been asked, and every area of the fold, surveyed or not, is drawn from that fit. Drawing only the
surveyed ones anew would not do: their never-surveyed neighbours, drawn from everybody's interviews,
would then stand too high beside them where somebody told (measured: docs/decisions/9-tiers.md).

Every published cell is a sum of these draws, agreed with the nation by the same shift as a run's:
that total is everybody's, and the shift is common to all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.models.pooling import pool
from smallarea.models.splits import Split, deal
from smallarea.models.validation import held_out
from smallarea.projection import agree, bound_rates, to_counts

if TYPE_CHECKING:
    from smallarea.models.candidates import Candidate
    from smallarea.nsum import Direct

FOLDS = 10
Told = Callable[[str, float], None]


@dataclass(frozen=True)
class Unseen:
    """What the models know of areas whose group was never interviewed, before agreement.

    rates : draws of reported rates (component, area_id, draw); each area's from the fit without its
        fold. fold : of each area. worlds : (fold, component, area_id), medians of *all* areas in
        that fit, what anybody would see had the fold's people not been asked.
    """

    rates: xr.DataArray
    fold: pd.Series
    worlds: xr.DataArray


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
) -> Unseen:
    """Draw every area from fits that have not seen its group.

    Parameters
    ----------
    models : those that are pooled. X : features of all areas. areas : the frame's table.
    group : of each area, index area_id. without : direct estimates had some areas not been
        surveyed. n : draws. seed : of the models, as in the run.
    """
    surveyed = direct.reports.index
    fold = deal(group, folds, key=str(seed))
    fitted = {name: model.fit(X, direct, areas, seed) for name, model in models.items()}
    parts, worlds = [], []
    numbers = sorted(fold.unique())
    for k in numbers:
        if progress:
            progress(f"without part {k + 1} of the survey", k / len(numbers))
        left = surveyed[fold.loc[surveyed].to_numpy() == k].sort_values()
        drawn = held_out(
            models, X, without, areas, [Split(X.index.sort_values(), left)],
            fitted=fitted, n=n, seed=seed,
        )  # fmt: skip
        world = pool(list(drawn.values()))
        worlds.append(world.median("draw"))
        parts.append(world.sel(area_id=[a for a in world["area_id"].values if fold[a] == k]))
    rates = xr.concat(parts, "area_id", combine_attrs="drop").sel(area_id=X.index.sort_values())
    known = xr.concat(worlds, pd.Index(numbers, name="fold"), combine_attrs="drop")
    return Unseen(rates, fold, known)


def agreed(
    rates: xr.DataArray,
    sizes: xr.DataArray,
    national: xr.DataArray,
    covered: pd.Series,
    tau: np.ndarray | None = None,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return rates that agree with the nation, and counts in persons, as a run makes them.

    Parameters
    ----------
    rates : reported, (component, area_id, draw). sizes, national, covered, tau : those of the run's
        projection, see `smallarea.projection.agree`.
    """
    rates, _ = bound_rates(rates)
    prevalence, _ = agree(rates, sizes, national, covered, tau=tau)
    return prevalence, to_counts(prevalence, sizes, covered)


def medians(rates: xr.DataArray) -> pd.DataFrame:
    """Return median rates, area_id x component."""
    values: Any = rates.median("draw").transpose("area_id", "component").values
    return pd.DataFrame(values, rates["area_id"].values, rates["component"].values)

"""Where models may be believed: how far an area's features lie from what was surveyed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from smallarea.models.components import principal_components, usable

Array = NDArray[np.float64]


def distance_to_another_group(scores: Array, group: NDArray[np.object_]) -> Array:
    """Return each area's distance to the nearest one of another group, (m,); inf if there is none.

    These are the distances over which leaving out whole groups has tested a model.
    """
    between = cdist(scores, scores)
    between[group[:, None] == group] = np.inf
    return np.asarray(between.min(axis=1))


def applicability(
    X: pd.DataFrame,
    surveyed: pd.Index,
    group: pd.Series,
    components: int = 8,
    *,
    fitted: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return each area's dissimilarity to the surveyed areas, and whether it is too large.

    The index of Meyer & Pebesma (2021), on principal components: distance to the nearest surveyed
    area over the mean distance between surveyed areas. Too large is what exceeds the upper whisker
    (third quartile + 1.5 interquartile ranges) of the surveyed areas' own distances to the nearest
    one of another group, which is how far cross-validation has tested the models. Where all are of
    one group nothing has been tested, and nothing is marked.

    Parameters
    ----------
    X : area_id x feature, all areas, NaN allowed. surveyed : area_ids with interviews.
    group : of each area, index area_id.
    fitted : the features that models were fitted on, if `X` is what they are asked for later:
        components and surveyed areas are then those of the fit.

    Returns
    -------
    Index area_id; `dissimilarity` (NaN if only one area was surveyed, or no
    feature varies), `outside` (never for a
    surveyed area), and `near`, the surveyed areas that are no farther than what was tested: the
    local point density (as CAST's; Schumacher, Knoth, Ludwig & Meyer 2025).
    """
    X = X.sort_index()
    if not len(usable(X if fitted is None else fitted)):
        nothing = {"dissimilarity": np.nan, "outside": False, "near": len(surveyed)}
        return pd.DataFrame(nothing, index=X.index)
    base = X if fitted is None else fitted.sort_index()
    pipeline = principal_components(base, components)
    scores = pd.DataFrame(pipeline.transform(X), X.index)
    here = scores.loc[surveyed]
    if fitted is not None:
        here = pd.DataFrame(pipeline.transform(base.loc[surveyed]), surveyed)
    typical = pdist(here).mean() if len(here) > 1 else np.nan
    tested = distance_to_another_group(here.to_numpy(), group.loc[surveyed].to_numpy())
    tested = tested[np.isfinite(tested)]
    low, high = np.quantile(tested, [0.25, 0.75]) if len(tested) else (0.0, np.inf)
    most = high + 1.5 * (high - low) if len(tested) else np.inf
    distance = cdist(scores, here)
    nearest = distance.min(axis=1)
    return pd.DataFrame(
        {
            "dissimilarity": nearest / typical,
            "outside": (nearest > most) & ~scores.index.isin(surveyed),
            "near": (distance <= most).sum(axis=1),
        },
        index=X.index,
    )

"""Whose interviews the numbers of an area must not rest on: those of its group.

A cell (a unit of any level) that holds only a few sampling units tells, by its own numbers, what
was answered in them; so does a place whose number can be set beside its neighbours'. A tier is
therefore made of draws that have not seen any interview of the area's group: its unit of the
lowest level, or the largest unit above it that is too thinly surveyed. Groups hang on where
people were interviewed, never on an answer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.areas.levels import level_ids, levels_of
from smallarea.errors import InputError

#: A cell with fewer sampling units, or with one that has more than half of its people known, is
#: thin (threshold and dominance rules of the UK Data Service's handbook on output checking).
FEWEST_UNITS = 3
MOST = 0.5


def cells(table: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Return every unit of every level that holds interviews, and whether it is thin.

    Parameters
    ----------
    table : the frame's, index area_id.
    units : a row per sampling unit: `area_id`, `exposure` (people its respondents know).

    Returns
    -------
    Index level, unit (of the frame's codes; the nation is the last level); `units`, `largest` (share
    of the largest in the exposure), `thin`.
    """
    parts = {}
    levels = levels_of(table)
    for number, level in enumerate([*levels, "nation"]):
        own = level_ids(table, number).loc[units["area_id"]].to_numpy()
        by = units["exposure"].groupby(own)
        share = by.max() / by.sum().where(lambda total: total > 0)
        parts[level] = pd.DataFrame({"units": by.size(), "largest": share.fillna(1.0)})
    found = pd.concat(parts, names=["level", "unit"])
    return found.assign(thin=(found["units"] < FEWEST_UNITS) | (found["largest"] > MOST))


def groups_of(table: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """Return each area's group (index area_id): the largest thin unit it is in, else the lowest.

    found : see :func:`cells`.

    Raises
    ------
    InputError : the nation itself is thin, or all interviews lie in one group: nothing would be left
        to learn from.
    """
    levels = levels_of(table)
    group = levels[0] + " " + level_ids(table)
    for number, level in enumerate(levels):
        rows = found.xs(level)
        thin = level_ids(table, number).isin(rows.index[rows["thin"]])
        group = group.where(~thin, level + " " + level_ids(table, number))
    lowest = found.xs(levels[0]).index
    held = group[level_ids(table).isin(lowest)].nunique()
    if found.xs("nation")["thin"].any() or held < 2:
        raise InputError(
            "too few sampling units, or all of them in one thinly surveyed part of the country",
            where="survey",
            remedy="a tier needs interviews in several units of the levels above the areas",
        )
    return group.astype(str).rename("group")


def unseen(X: pd.DataFrame, surveyed: pd.Index, group: pd.Series, components: int = 8) -> pd.Series:
    """Return whether each area lies outside of what the surveyed areas of *other* groups show.

    As `smallarea.models.applicability.applicability`, where a surveyed area is its own nearest and
    never outside, which would tell that others are not surveyed. Index area_id, bool.
    """
    from scipy.spatial.distance import cdist

    from smallarea.models.components import principal_components

    X = X.sort_index()
    scores = principal_components(X, components).fit_transform(X)
    here = X.index.isin(surveyed)
    between = cdist(scores, scores[here])
    own = group.loc[X.index].to_numpy()
    between[own[:, None] == own[here]] = np.inf
    nearest = between.min(axis=1)
    low, high = np.quantile(nearest[here], [0.25, 0.75])
    return pd.Series(nearest > high + 1.5 * (high - low), index=X.index, name="outside")

"""Whose interviews the numbers of an area must not rest on: those of its group.

A place is set beside its neighbours. So within a *group*, a unit of the second level above the
areas, nothing of what makes one place differ from another has been learned from interviews of the
group: neither the place's own nor its neighbours' (these would stand too low beside it, had it
told). A larger unit that is thinly surveyed is a group as a whole. Groups hang on where people were
interviewed, never on an answer.

Nor does the level of a group as a whole rest on its interviews: with the few reports that a group
has, whoever knows other such surveys could tell from it who told (docs/decisions/9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.areas.levels import level_ids, levels_of
from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.nsum import Direct

#: A cell with fewer sampling units, or with one that has more than half of its people known or of
#: its reports, is thin (threshold and dominance: UK Data Service, Handbook on Statistical
#: Disclosure Control for Outputs).
FEWEST_UNITS = 3
MOST = 0.5


def sampling_units(direct: Direct) -> pd.DataFrame:
    """Return a row per sampling unit: `area_id`, `exposure` (people known), reports by component.

    Where only estimates of areas are known, each area counts as one unit.
    """
    if direct.units is None:
        exposure = direct.exposure.sum(axis=1).rename("exposure")
        table = direct.reports.fillna(0.0).rename_axis("area_id").reset_index()
        return table.assign(exposure=exposure.to_numpy())
    units = direct.units
    exposure = units.exposure.sum(axis=1).rename("exposure")
    table = pd.concat([units.reports.fillna(0.0), exposure], axis=1)
    return (
        table.groupby([units.area_id.rename("area_id"), units.psu.rename("psu")])
        .sum()
        .reset_index()
    )


def cells(table: pd.DataFrame, units: pd.DataFrame) -> pd.DataFrame:
    """Return every unit of every level that holds interviews, and whether it is thin.

    Parameters
    ----------
    table : the frame's, index area_id. units : see :func:`sampling_units`.

    Returns
    -------
    Index level, unit (codes of the frame; the last level is the nation); `units`, `largest` (the
    largest one's share in the people known), `thin`.
    """
    parts = {}
    for number, level in enumerate([*levels_of(table), "nation"]):
        own = level_ids(table, number).loc[units["area_id"]].to_numpy()
        parts[level] = pd.DataFrame(
            {"units": units.groupby(own).size(), "largest": _largest(units["exposure"], own)}
        )
    found = pd.concat(parts, names=["level", "unit"])
    return found.assign(thin=(found["units"] < FEWEST_UNITS) | (found["largest"] > MOST))


def groups_of(table: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """Return each area's group (index area_id), as `level code`.

    The largest thin unit it is in; if none is thin, its unit of the second level (of the only one,
    where there is no second).

    found : see :func:`cells`.

    Raises
    ------
    InputError : the nation itself is thin, or all interviews lie in one group: nothing would be
        left to learn from.
    """
    levels = levels_of(table)
    first = min(1, len(levels) - 1)
    group = levels[first] + " " + level_ids(table, first)
    for number in range(first, len(levels)):
        rows = found.xs(levels[number])
        thin = level_ids(table, number).isin(rows.index[rows["thin"]])
        group = group.where(~thin, levels[number] + " " + level_ids(table, number))
    lowest = level_ids(table).isin(found.xs(levels[0]).index)
    if found.xs("nation")["thin"].any() or group[lowest].nunique() < 2:
        raise InputError(
            "too few sampling units, or all of them in one thinly surveyed part of the country",
            where="survey",
            remedy="a tier needs interviews in several units of the levels above the areas",
        )
    return group.astype(str).rename("group")


def _largest(values: pd.Series, key: np.ndarray) -> pd.Series:
    """Return the largest value's share in the sum of each key; 1 where all are 0."""
    by = values.groupby(key)
    total = by.sum()
    return (by.max() / total.where(total > 0)).fillna(1.0)


def unseen(X: pd.DataFrame, surveyed: pd.Index, group: pd.Series, components: int = 8) -> pd.Series:
    """Return whether each area lies outside of what the surveyed areas of *other* groups show.

    As `smallarea.models.applicability.applicability`, where a surveyed area is its own nearest and
    never outside, which would tell that others are not surveyed. Index area_id, bool.
    """
    from scipy.spatial.distance import cdist

    from smallarea.models.components import principal_components

    X = X.sort_index()
    points = principal_components(X, components).fit_transform(X)
    here = X.index.isin(surveyed)
    between = cdist(points, points[here])
    own = group.loc[X.index].to_numpy()
    between[own[:, None] == own[here]] = np.inf
    nearest = between.min(axis=1)
    low, high = np.quantile(nearest[here], [0.25, 0.75])
    return pd.Series(nearest > high + 1.5 * (high - low), index=X.index, name="outside")

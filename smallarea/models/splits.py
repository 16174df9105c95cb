"""Ways of holding surveyed areas out: who is tested, and whom the models do not see meanwhile.

Every splitter is a plain function of the frame's table, the surveyed area_ids, a number of folds
and a key; the order of rows is irrelevant and no answer is looked at. Every surveyed area is tested
exactly once. Those that go by distance are in `spatial_splits`.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

import pandas as pd

from smallarea.areas.levels import level_ids, levels_of
from smallarea.errors import InputError


class Split(NamedTuple):
    """Some surveyed areas held out.

    test : area_ids whose reports are predicted. left_out : area_ids that no fit sees: those tested,
    and any others that lie too near to them to be fair teachers.
    """

    test: pd.Index
    left_out: pd.Index


def by_level(
    areas: pd.DataFrame, surveyed: pd.Index, folds: int, key: str, level: str | None = None
) -> list[Split]:
    """Hold out whole groups of a level, by default of the lowest, dealt to folds (`deal`).

    Raises
    ------
    InputError : no such level, or all surveyed areas are in one group.
    """
    return of_folds(deal(group_of(areas, surveyed, level), folds, key))


def at_random(areas: pd.DataFrame, surveyed: pd.Index, folds: int, key: str) -> list[Split]:
    """Hold out areas one by one, wherever they lie.

    Near neighbours of a tested area stay with the models: too easy, where surveyed areas lie closer
    to each other than other areas lie to them (Ploton et al. 2020).
    """
    return of_folds(deal(surveyed.sort_values().to_series(), folds, key))


def excluded(areas: pd.DataFrame, surveyed: pd.Index, level: str | None = None) -> list[Split]:
    """Hold out each surveyed group of a level alone, as the survey left out whole groups of it.

    level : by default `excluded_level`.

    Raises
    ------
    InputError : as `excluded_level`, or all surveyed areas are in one group.
    """
    group = group_of(areas, surveyed, level or excluded_level(areas))
    return of_folds(deal(group, group.nunique(), key=""))


def of_folds(fold: pd.Series) -> list[Split]:
    """Return a split per fold, in the order of their numbers; `fold` is of each surveyed area."""
    tests = [fold.index[fold == k].sort_values() for k in sorted(fold.unique())]
    return [Split(test, test) for test in tests]


def part_of(splits: list[Split]) -> pd.Series:
    """Return the number of the split that tests each area, index area_id, sorted."""
    parts = [pd.Series(k, split.test) for k, split in enumerate(splits)]
    return pd.concat(parts).sort_index().rename("fold")


def group_of(areas: pd.DataFrame, surveyed: pd.Index, level: str | None = None) -> pd.Series:
    """Return each surveyed area's code at a level, by default the lowest; sorted by area_id."""
    surveyed = surveyed.sort_values()
    if level is None:
        return level_ids(areas)[surveyed]
    if level not in levels_of(areas):
        raise InputError(
            f"no level {level!r}",
            where="level",
            remedy=f"choose one of {', '.join(levels_of(areas)) or 'none: there are no levels'}",
        )
    return areas.loc[surveyed, f"{level}_id"]


def deal(group: pd.Series, folds: int, key: str) -> pd.Series:
    """Return each area's fold: whole groups, dealt in the order of a keyed hash of their names.

    So it hangs on no answer, and nobody without the key knows who was dealt with whom. Areas that
    are groups of their own are dealt one by one.

    Raises
    ------
    InputError : all areas are in one group.
    """
    names = sorted(map(str, group.unique()))
    if len(names) < 2:
        raise InputError(
            "all surveyed areas are in one group",
            where="cross-validation",
            remedy="hold out groups of a lower level, or survey at least two",
        )
    order = sorted(names, key=lambda name: hashed(key, name))
    fold = {name: k % folds for k, name in enumerate(order)}
    return group.astype(str).map(fold).rename("fold")


def hashed(key: str, name: str) -> bytes:
    """Return the keyed hash of a name."""
    return hmac.digest(key.encode(), name.encode(), "sha256")


def excluded_level(areas: pd.DataFrame) -> str:
    """Return the level at which the survey left out whole groups.

    The highest at which most areas that it does not cover (column `covered`) lie in groups that it
    does not cover anywhere. Raises InputError where it leaves out no whole group of any level.
    """
    out = ~areas["covered"].astype(bool) if "covered" in areas else pd.Series(False, areas.index)
    for level in reversed(levels_of(areas)):
        whole = out.groupby(areas[f"{level}_id"]).transform("all")
        if out.any() and whole[out].mean() > 0.5:
            return level
    raise InputError(
        "the survey leaves out no whole group of any level"
        if out.any()
        else "the survey covers every area",
        where="by excluded",
        remedy="name a level, hold areas out by level, block or knn, or declare what was not "
        "covered in `frame.not_covered`",
    )

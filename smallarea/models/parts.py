"""How a survey was parted to test models, by name: the splits, the groups, and it in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.errors import InputError
from smallarea.models.spatial_splits import (
    blocks,
    matched,
    mismatch,
    predicted_distances,
    tested_distances,
)
from smallarea.models.splits import Split, at_random, by_level, excluded, excluded_level, group_of

WAYS = ("level", "block", "knn", "random", "excluded")


@dataclass(frozen=True)
class Parts:
    """The parts of a survey, each held out in turn.

    splits : see `Split`. group : of each surveyed area, the groups that intervals are drawn over.
    words : how the parts were made. figures : the same as numbers: `parts`, `groups`, `left_out`
    (share of the areas that teach nobody, though they are not tested, in the mean part), and where
    areas have coordinates (km) `tested_km`, `predicted_km` (medians of distances to the nearest
    area that taught), `mismatch_km` and `mismatch_random_km` (see `spatial_splits.mismatch`).
    """

    splits: list[Split]
    group: pd.Series
    words: str
    figures: dict[str, float]


def make_parts(
    areas: pd.DataFrame,
    surveyed: pd.Index,
    by: str = "level",
    *,
    folds: int = 5,
    key: str = "0",
    level: str | None = None,
    side: float | None = None,
    buffer: float | None = None,
) -> Parts:
    """Part a survey.

    Parameters
    ----------
    areas : the frame's table. surveyed : area_ids.
    by : `level`, `block`, `knn`, `random` or `excluded`: see `splits` and `spatial_splits`.
    level : of whole groups (`level`, `excluded`). side, buffer : of blocks, in km.

    Raises
    ------
    InputError : another way, fewer than two folds, an option that the way does not take, or as the
        splitter.
    """
    _check(by, folds, {"level": level, "side": side, "buffer": buffer})
    group = group_of(areas, surveyed, level)
    if by == "level":
        splits = by_level(areas, surveyed, folds, key, level)
        name = level or next(iter(levels_of(areas)), "none")
        made = f"{len(splits)} parts of whole groups of level {name} ({group.nunique()})"
    elif by == "excluded":
        level = level or excluded_level(areas)
        group = group_of(areas, surveyed, level)
        splits = excluded(areas, surveyed, level)
        made = f"{len(splits)} parts, each a whole group of level {level}, as the survey left out"
    elif by == "block":
        found = blocks(areas, surveyed, folds, key, side, buffer)
        splits = found.splits
        made = f"{len(splits)} parts of {found.number} blocks of {found.side:.0f} km"
        made += f" with a buffer of {found.buffer:.0f} km" if found.buffer else ""
    elif by == "knn":
        splits, clusters = matched(areas, surveyed, folds, key)
        made = f"{len(splits)} parts of {clusters} clusters"
    else:
        splits = at_random(areas, surveyed, folds, key)
        made = f"{len(splits)} parts, area by area at random"
    idle = np.mean([1 - len(split.test) / len(split.left_out) for split in splits])
    figures = {"parts": len(splits), "groups": group.nunique(), "left_out": float(idle)}
    distances = _distances(areas, surveyed, splits, folds, key)
    return Parts(splits, group, f"{by}: {made}{_words(distances)}", figures | distances)


def _check(by: str, folds: int, given: dict[str, object]) -> None:
    if by not in WAYS:
        raise InputError(
            f"no way {by!r} of holding out", where="by", remedy=f"choose one of {', '.join(WAYS)}"
        )
    if folds < 2:
        raise InputError(f"{folds} folds", where="folds", remedy="take at least two")
    taken = {"level": {"level"}, "excluded": {"level"}, "block": {"side", "buffer"}}
    useless = [o for o, value in given.items() if value is not None and o not in taken.get(by, ())]
    if useless:
        raise InputError(
            f"{useless[0]} says nothing where areas are held out by {by}",
            where=useless[0],
            remedy="leave it out, or choose another way",
        )


def _distances(
    areas: pd.DataFrame, surveyed: pd.Index, splits: list[Split], folds: int, key: str
) -> dict[str, float]:
    known = {"lon", "lat"} <= set(areas) and areas[["lon", "lat"]].notna().all(axis=None)
    if not known or len(areas) == len(surveyed):
        return {}
    return {
        "tested_km": float(np.median(tested_distances(areas, splits))),
        "predicted_km": float(np.median(predicted_distances(areas, surveyed))),
        "mismatch_km": mismatch(areas, splits),
        "mismatch_random_km": mismatch(areas, at_random(areas, surveyed, folds, key)),
    }


def _words(distances: dict[str, float]) -> str:
    if not distances:
        return ""
    d = {name: f"{km:.0f} km" for name, km in distances.items()}
    return (
        f"; tested areas lie {d['tested_km']} from the nearest that taught (median), areas nobody "
        f"visited {d['predicted_km']} from the nearest visited; distance between the two "
        f"distributions W = {d['mismatch_km']}, at random it would be {d['mismatch_random_km']}"
    )

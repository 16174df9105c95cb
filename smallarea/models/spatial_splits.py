"""Holding out by distance: square blocks with a buffer, and folds as far apart as prediction is.

How far a tested area lies from what the models have learned from decides how hard the test is. It
should be as hard as the task: `mismatch` says how far the distances of tested areas to those that
taught are from the distances of unsurveyed areas to surveyed ones. All are great circles, in km.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial import cKDTree
from scipy.stats import wasserstein_distance

from smallarea.errors import InputError
from smallarea.models.kernels import EARTH_RADIUS_KM, on_the_globe
from smallarea.models.splits import Split, at_random, deal, hashed, of_folds, part_of

Array = NDArray[np.float64]

_SIZES = 100  # numbers of clusters, and sides of blocks, that are tried
_LARGEST = 0.5  # share of the surveyed areas that a fold may hold (Linnenbrink et al. 2024)
_FEWEST = 2  # areas that models can learn from


class Blocks(NamedTuple):
    """Surveyed areas held out in blocks: `side` and `buffer` in km, `number` of blocks."""

    splits: list[Split]
    side: float
    buffer: float
    number: int


class Matched(NamedTuple):
    """Surveyed areas held out in folds of so many `clusters`."""

    splits: list[Split]
    clusters: int


def blocks(
    areas: pd.DataFrame,
    surveyed: pd.Index,
    folds: int,
    key: str,
    side: float | None = None,
    buffer: float | None = None,
) -> Blocks:
    """Cut the country into square blocks and hold out whole blocks.

    Parameters
    ----------
    side : of a block in km; by default such that about 4 x `folds` of them hold surveyed areas.
    buffer : an area nearer than this (km) to a tested one does not teach; a quarter of the side.

    Raises
    ------
    InputError : areas without coordinates, a single block, sizes that are not positive, or a buffer
        so wide that nothing is left to learn from.
    """
    surveyed = surveyed.sort_values()
    points = positions(areas, surveyed)
    if (side is not None and side <= 0) or (buffer is not None and buffer < 0):
        raise InputError(
            "a block needs a side above 0 km and a buffer of at least 0 km",
            where="by block",
            remedy="leave both out: they are then chosen",
        )
    if side is None:
        wanted = min(4 * folds, len(surveyed))
        sides = np.geomspace(2 * np.ptp(points, axis=0).max() + 1, 1, _SIZES)
        side = min(sides, key=lambda s: abs(_blocks(areas, surveyed, s).nunique() - wanted))
    buffer = side / 4 if buffer is None else buffer
    block = _blocks(areas, surveyed, side)
    splits = []
    for split in of_folds(deal(block, folds, key)):
        tested = surveyed.isin(split.test)
        out = tested | (_nearest(points, points[tested]) < buffer)
        if (~out).sum() < _FEWEST:
            raise InputError(
                f"with blocks of {side:.0f} km and a buffer of {buffer:.0f} km nothing is left to "
                "learn from",
                where="by block",
                remedy="take smaller ones, or more folds",
            )
        splits.append(Split(split.test, surveyed[out]))
    return Blocks(splits, float(side), float(buffer), block.nunique())


def matched(areas: pd.DataFrame, surveyed: pd.Index, folds: int, key: str) -> Matched:
    """Match nearest neighbour distances in k folds (kNNDM, Linnenbrink et al. 2024, GMD 17).

    Surveyed areas are clustered (Ward), for up to a hundred numbers of clusters from `folds` to one
    per area; clusters are merged into folds, the largest first, each into the smallest fold.
    Chosen is the number for which the distribution of distances from tested areas to the nearest
    that taught is nearest, in Wasserstein's distance, to that of `predicted_distances`. One cluster
    per area is `at_random`; folds of more than half the areas are not considered.

    Raises
    ------
    InputError : areas without coordinates, or none that is not surveyed.
    """
    surveyed = surveyed.sort_values()
    points, wanted = positions(areas, surveyed), predicted_distances(areas, surveyed)
    size = len(surveyed)
    best, chosen = part_of(at_random(areas, surveyed, folds, key)), size
    least = wasserstein_distance(_between_folds(points, best.to_numpy()), wanted)
    tree = linkage(points, "ward")
    for number in np.unique(np.geomspace(folds, size, _SIZES).astype(int))[:-1]:
        cluster = pd.Series(fcluster(tree, number, "maxclust"), surveyed)
        fold = _merge(cluster, folds, key)
        if fold.nunique() < 2 or fold.value_counts().max() > _LARGEST * size:
            continue
        distance = wasserstein_distance(_between_folds(points, fold.to_numpy()), wanted)
        if distance < least:
            best, chosen, least = fold, cluster.nunique(), distance
    return Matched(of_folds(best), int(chosen))


def mismatch(areas: pd.DataFrame, splits: list[Split]) -> float:
    """Return Wasserstein's distance between `tested_distances` and `predicted_distances`, km."""
    surveyed = part_of(splits).index
    return float(
        wasserstein_distance(tested_distances(areas, splits), predicted_distances(areas, surveyed))
    )


def tested_distances(areas: pd.DataFrame, splits: list[Split]) -> Array:
    """Return each tested area's distance to the nearest that its models have seen, km."""
    surveyed = part_of(splits).index
    points = positions(areas, surveyed)
    found = []
    for split in splits:
        teaching = ~surveyed.isin(split.left_out)
        found.append(_nearest(points[surveyed.isin(split.test)], points[teaching]))
    return np.concatenate(found)


def predicted_distances(areas: pd.DataFrame, surveyed: pd.Index) -> Array:
    """Return each unsurveyed area's distance to the nearest surveyed one, km."""
    others = areas.index.difference(surveyed)
    if others.empty:
        raise InputError(
            "every area is surveyed, so that none is to be predicted",
            where="distances",
            remedy="hold areas out by level or at random",
        )
    return _nearest(positions(areas, others), positions(areas, surveyed))


def positions(areas: pd.DataFrame, ids: pd.Index) -> Array:
    """Return areas' points on the globe, (n, 3) in km; raise InputError where one has none."""
    known = {"lon", "lat"} <= set(areas)
    degrees = areas.loc[ids, ["lon", "lat"]].astype(float) if known else None
    if degrees is None or degrees.isna().any(axis=None):
        lacking = len(ids) if degrees is None else int(degrees.isna().any(axis=1).sum())
        raise InputError(
            f"{lacking} areas lack coordinates",
            where="frame, columns 'lon' and 'lat'",
            remedy="complete them, or hold areas out by level or at random",
        )
    return on_the_globe(*np.radians(degrees.to_numpy().T))


def _nearest(points: Array, others: Array) -> Array:
    """Return great-circle distances from each point to the nearest of the others, km."""
    chord = cKDTree(others).query(points)[0]
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.clip(chord / (2 * EARTH_RADIUS_KM), 0, 1))


def _between_folds(points: Array, fold: NDArray[np.int64]) -> Array:
    """Return each point's distance to the nearest of another fold, fold by fold."""
    return np.concatenate([_nearest(points[fold == k], points[fold != k]) for k in np.unique(fold)])


def _blocks(areas: pd.DataFrame, surveyed: pd.Index, side: float) -> pd.Series:
    """Name each surveyed area's block: rows of latitude, cut into columns as wide as high."""
    lon, lat = np.radians(areas.loc[surveyed, ["lon", "lat"]].astype(float).to_numpy().T)
    west, south = np.radians(areas[["lon", "lat"]].astype(float).min())
    row = np.floor(EARTH_RADIUS_KM * (lat - south) / side)
    middle = np.cos(np.clip(south + (row + 0.5) * side / EARTH_RADIUS_KM, -1.57, 1.57))
    column = np.floor(EARTH_RADIUS_KM * middle * (lon - west) / side)
    names = [f"{r:.0f}/{c:.0f}" for r, c in zip(row, column, strict=True)]
    return pd.Series(names, surveyed)


def _merge(cluster: pd.Series, folds: int, key: str) -> pd.Series:
    """Return folds of whole clusters: largest first, equal ones by keyed hash, to the smallest."""
    size = cluster.value_counts()
    order = sorted(size.index, key=lambda name: (-size[name], hashed(key, str(name))))
    filled, fold = np.zeros(folds), {}
    for name in order:
        fold[name] = int(np.argmin(filled))
        filled[fold[name]] += size[name]
    return cluster.map(fold).rename("fold")

"""What makes two areas alike: features, distance, groups above them. One kernel for each.

Kernels have no parameters of their own and a mean variance near 1; a model adds them up, each
times the square of a standard deviation it learns. Given features or places far from all that was
surveyed, smooth kernels let uncertainty return to the prior's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dtrmm
from scipy.spatial.distance import cdist
from sklearn.pipeline import Pipeline

from smallarea.errors import InputError

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Draw = Callable[[np.random.Generator, int, Rows], Array]

EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True)
class Places:
    """What kernels see of n areas.

    ids : their area_ids. features : (n, p) scores. position : (n, 3) km from the earth's centre,
    or None. groups : level -> label of each area's group.
    """

    ids: pd.Index
    features: Array
    position: Array | None
    groups: dict[str, NDArray[np.object_]]

    def take(self, rows: NDArray[np.intp]) -> Places:
        """Return some of the areas."""
        position = None if self.position is None else self.position[rows]
        groups = {level: labels[rows] for level, labels in self.groups.items()}
        return Places(self.ids[rows], self.features[rows], position, groups)

    def within(self, others: Places) -> bool:
        """Whether all of these areas are among the others, and look the same there."""
        rows = others.ids.get_indexer(self.ids)
        if (rows < 0).any() or (self.position is None) != (others.position is None):
            return False
        there = others.take(rows)
        same = np.array_equal(self.features, there.features)
        if self.position is not None and there.position is not None:
            same = same and np.array_equal(self.position, there.position)
        return same and all(
            np.array_equal(labels, there.groups[level]) for level, labels in self.groups.items()
        )

    def joined(self, others: Places) -> Places:
        """Return these areas and those of `others` that are not among them, sorted by area_id."""
        added = others.take(np.flatnonzero(~others.ids.isin(self.ids)))
        position = None
        if self.position is not None and added.position is not None:
            position = np.vstack([self.position, added.position])
        both = Places(
            self.ids.append(added.ids),
            np.vstack([self.features, added.features]),
            position,
            {k: np.concatenate([v, added.groups[k]]) for k, v in self.groups.items()},
        )
        return both.take(np.argsort(both.ids.to_numpy()))


def levels_above(areas: pd.DataFrame) -> list[str]:
    """Return the columns of the areas' table that name groups above the area, with two or more."""
    columns = [c for c in map(str, areas) if c.endswith("_id")]
    return [c for c in columns if 1 < areas[c].nunique() < len(areas)]


def places(features: Array, areas: pd.DataFrame, levels: Sequence[str]) -> Places:
    """Describe areas to the kernels.

    Parameters
    ----------
    features : (n, p), from `scaled_scores`. areas : the same areas' rows of the frame's table, in
        this order, with columns `levels` and, if known, `lon` and `lat` in degrees.

    Raises
    ------
    InputError : some of the areas lack coordinates or a group.
    """
    groups = areas[list(levels)]
    missing = groups.isna().any(axis=1)
    position = None
    if {"lon", "lat"} <= set(areas):
        degrees = areas[["lon", "lat"]].astype(float)
        missing |= degrees.isna().any(axis=1)
        position = on_the_globe(*np.radians(degrees.to_numpy().T))
    if missing.any():
        raise InputError(
            f"{missing.sum()} areas lack coordinates or a group: {list(areas.index[missing][:5])}",
            where="frame",
            remedy="complete the areas' table, or leave the column out",
        )
    labels = {level: groups[level].to_numpy(object) for level in levels}
    return Places(areas.index, features, position, labels)


def on_the_globe(lon: Array, lat: Array) -> Array:
    """Return points (n, 3) in km from the centre of the earth; lon, lat in radians."""
    unit = [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    return EARTH_RADIUS_KM * np.column_stack(unit)


def scaled_scores(pipeline: Pipeline, X: pd.DataFrame) -> Array:
    """Return principal components, each with its own share of variance: the first has 1."""
    spread = pipeline.named_steps["pca"].explained_variance_
    return pipeline.transform(X) * np.sqrt(spread / spread[0])


class Kernel(Protocol):
    """A covariance function, and draws from it."""

    @property
    def name(self) -> str:
        """Return what its standard deviation is called."""

    def between(self, a: Places, b: Places) -> Array:
        """Return covariances, (areas of a, areas of b)."""

    def field(self, at: Places, anchors: NDArray[np.intp]) -> Draw:
        """Return a function that makes n draws of the field from a generator, (rows, n).

        They are drawn at all areas: which rows are asked for changes none of the values.
        """


@dataclass(frozen=True)
class Linear:
    """A linear function of the features. scale : mean of their squared lengths."""

    scale: float
    name: str = "linear"

    def between(self, a: Places, b: Places) -> Array:
        return a.features @ b.features.T / self.scale

    def field(self, at: Places, anchors: NDArray[np.intp]) -> Draw:
        features = at.features / np.sqrt(self.scale)
        return lambda rng, n, rows: features[rows] @ rng.standard_normal((features.shape[1], n))


@dataclass(frozen=True)
class Same:
    """An effect of each group of a level, or of each area (level None)."""

    level: str | None
    name: str

    def _labels(self, at: Places) -> pd.Index:
        return at.ids if self.level is None else pd.Index(at.groups[self.level])

    def between(self, a: Places, b: Places) -> Array:
        codes = pd.factorize(self._labels(a).append(self._labels(b)))[0]
        return (codes[: len(a.ids), None] == codes[len(a.ids) :]).astype(float)

    def field(self, at: Places, anchors: NDArray[np.intp]) -> Draw:
        codes, groups = pd.factorize(self._labels(at))
        return lambda rng, n, rows: rng.standard_normal((len(groups), n))[codes[rows]]


@dataclass(frozen=True)
class Smooth:
    """A smooth function of the features, exp(-d^2 / 2 scale), or of place, exp(-d / scale).

    scale : a squared distance between scores; or kilometres, straight through the earth (an
        exponential is a covariance in space, where it need not be one on a sphere's maps).
    """

    of: str
    scale: float

    @property
    def name(self) -> str:
        return self.of

    def between(self, a: Places, b: Places) -> Array:
        if self.of == "features":
            return np.exp(-cdist(a.features, b.features, "sqeuclidean") / (2 * self.scale))
        assert a.position is not None
        assert b.position is not None
        return np.exp(-cdist(a.position, b.position) / self.scale)

    def field(self, at: Places, anchors: NDArray[np.intp]) -> Draw:
        """Draw anchors jointly and other areas given them, as if independent of each other.

        So each area's own distribution, and its covariance with every anchor, are exact
        (Snelson & Ghahramani 2006; Katzfuss & Guinness 2021).
        """
        here = at.take(anchors)
        covariance = self.between(here, here)
        covariance.flat[:: len(anchors) + 1] += 1e-8
        root = np.asfortranarray(np.linalg.cholesky(covariance))
        others = np.setdiff1d(np.arange(len(at.ids)), anchors)
        weights = np.empty((len(others), len(anchors)))
        for part in np.array_split(np.arange(len(others)), len(others) // 2000 + 1):
            across = self.between(here, at.take(others[part]))
            weights[part] = solve_triangular(root, across, lower=True).T
        left = np.sqrt(np.maximum(1 - (weights**2).sum(axis=1), 0.0))[:, None]
        place = np.empty(len(at.ids), dtype=np.intp)  # of an area among the anchors, or the others
        place[anchors], place[others] = np.arange(len(anchors)), np.arange(len(others))
        is_anchor = np.isin(np.arange(len(at.ids)), anchors)

        def draw(rng: np.random.Generator, n: int, rows: Rows) -> Array:
            z = rng.standard_normal((n, len(anchors))).T
            own = rng.standard_normal((len(others), n))
            joint, rest = place[rows[is_anchor[rows]]], place[rows[~is_anchor[rows]]]
            out = np.empty((len(rows), n))
            whole = len(joint) == len(anchors) and (joint == np.arange(len(joint))).all()
            out[is_anchor[rows]] = dtrmm(1.0, root, z, lower=1) if whole else root[joint] @ z
            out[~is_anchor[rows]] = weights[rest] @ z + left[rest] * own[rest]
            return out

        return draw


def kernels(surveyed: Places, range_km: float | None) -> list[Kernel]:
    """Return the kernels that the surveyed areas allow for, each level's and the area's last.

    Without features there is none of features, without coordinates or a range none of space; a
    level is left out if the survey saw but one of its groups.
    """
    chosen: list[Kernel] = []
    if surveyed.features.shape[1]:
        squared = cdist(surveyed.features, surveyed.features, "sqeuclidean")
        apart = float(np.median(squared[np.triu_indices(len(squared), 1)]))
        length = float((surveyed.features**2).sum(axis=1).mean())
        if apart > 0:
            chosen += [Linear(length), Smooth("features", apart)]
    if surveyed.position is not None and range_km is not None:
        chosen.append(Smooth("space", range_km))
    for level, labels in surveyed.groups.items():
        if len(set(labels)) > 1:
            chosen.append(Same(level, level.removesuffix("_id")))
    return [*chosen, Same(None, "area")]

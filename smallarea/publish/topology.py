"""Small polygons for a page: shared borders found once, simplified once, stored once.

Neighbouring areas must stay neighbours when simplified, also where official boundaries overlap
a little and therefore form no valid coverage. So borders are cut into arcs at the points where
they fork, each arc is simplified by itself (Douglas & Peucker 1973) and polygons refer to arcs,
in the manner of TopoJSON. For drawing only: never compute statistics on the result.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    import geopandas as gpd

#: An area of islands that fit into so many degrees (about 11 km) gets a marker.
ISLAND = 0.1


@dataclass(frozen=True)
class Topology:
    """Polygons as arcs on a grid: longitude = west + grid * x, latitude = south + grid * y.

    arcs : per arc its points, int array (points, 2).
    rings : per area its rings, each a list of arc numbers; ~n stands for arc n reversed.
    markers : per area None, or (x, y) of a marker to draw wherever the polygon looks too small.
    """

    west: float
    south: float
    grid: float
    arcs: list[np.ndarray]
    rings: list[list[list[int]]]
    markers: list[tuple[int, int] | None]

    def packed(self) -> dict[str, Any]:
        """Return what a page needs as JSON: numbers as differences, as text (see `encode`).

        `arcs` has for each arc x, y, then steps, where the first x, y count from the last point
        of the arc before; a ring is arc numbers, each counted from the one before.
        """
        lengths = [len(points) for points in self.arcs]
        steps = np.diff(np.concatenate(self.arcs), axis=0, prepend=np.zeros((1, 2), dtype=int))
        arcs = np.split(steps, np.cumsum(lengths)[:-1])
        return {
            "west": self.west,
            "south": self.south,
            "grid": self.grid,
            "arcs": [encode(arc.ravel().tolist()) for arc in arcs],
            "rings": [
                [encode(np.diff(ring, prepend=0).tolist()) for ring in shape]
                for shape in self.rings
            ],
            "markers": self.markers,
        }


def build_topology(
    geometry: gpd.GeoSeries, *, grid: float = 0.001, tolerance: float = 0.003
) -> Topology:
    """Simplify polygons in degrees to a `Topology`, areas in the order of `geometry`.

    Parameters
    ----------
    geometry : polygons in EPSG:4326.
    grid : size of the integer grid in degrees (0.001 is about 110 m).
    tolerance : how far a simplified border may lie from the true one, in degrees. Islands and
        holes of less than tolerance squared are left out, except an area's largest part. An area
        that keeps less than four times that gets a marker, as does one of small islands only
        (under `ISLAND` degrees across), which nobody would find on a map of a whole country.
    """
    west, south, _, _ = geometry.total_bounds
    origin = np.array([west, south])
    rings, owner = _rings(geometry.to_numpy(), tolerance**2)
    chains, ring_arcs = _cut(rings)
    lines = shapely.linestrings(
        np.concatenate(chains), indices=np.repeat(np.arange(len(chains)), [len(c) for c in chains])
    )
    points = [
        np.rint((shapely.get_coordinates(line) - origin) / grid).astype(np.int64)
        for line in shapely.simplify(lines, tolerance, preserve_topology=False)
    ]

    shapes: list[list[list[int]]] = [[] for _ in range(len(geometry))]
    size = np.zeros(len(geometry))
    for area, arcs in zip(owner, ring_arcs, strict=True):
        outline = np.concatenate([points[n] if n >= 0 else points[~n][::-1] for n in arcs])
        x, y = outline.T
        enclosed = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        if enclosed > 0:
            shapes[area].append(arcs)
            size[area] += enclosed
    used = Counter(max(n, ~n) for shape in shapes for arcs in shape for n in arcs)
    alone = [all(used[max(n, ~n)] == 1 for arcs in shape for n in arcs) for shape in shapes]
    tiny = np.ptp(geometry.bounds.to_numpy().reshape(-1, 2, 2), axis=1).max(axis=1) < ISLAND
    small = (size * grid**2 < 4 * tolerance**2) | (tiny & alone)
    inner = shapely.get_coordinates(shapely.point_on_surface(geometry.to_numpy()))
    places = np.rint((inner - origin) / grid).astype(int)
    number = {n: i for i, n in enumerate(sorted(used))}
    return Topology(
        float(west),
        float(south),
        grid,
        [points[n] for n in sorted(used)],
        [
            [[number[n] if n >= 0 else ~number[~n] for n in arcs] for arcs in shape]
            for shape in shapes
        ],
        [(int(x), int(y)) if s else None for (x, y), s in zip(places, small, strict=True)],
    )


def _rings(polygons: np.ndarray, smallest: float) -> tuple[np.ndarray, np.ndarray]:
    """All rings worth drawing and the number of the area each belongs to."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    size = shapely.area(parts)
    largest = np.zeros(len(polygons))
    np.maximum.at(largest, owner, size)
    keep = (size >= smallest) | (size == largest[owner])
    rings, part = shapely.get_rings(parts[keep], return_index=True)
    first = np.concatenate([[True], part[1:] != part[:-1]])  # the exterior; others are holes
    keep_ring = first | (shapely.area(shapely.polygons(rings)) >= smallest)
    return rings[keep_ring], owner[keep][part[keep_ring]]


def _cut(rings: np.ndarray) -> tuple[list[np.ndarray], list[list[int]]]:
    """Cut rings where borders fork; return the unique chains of points and each ring's arcs."""
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    last = np.append(ring[1:] != ring[:-1], True)  # a ring's last point repeats its first
    xy, ring = xy[~last], ring[~last]
    _, starts = np.unique(ring, return_index=True)
    ends = np.append(starts[1:], len(xy))

    # Points closer than 1e-7 degrees (1 cm) are the same point.
    key = np.rint(xy * 1e7).astype(np.int64) @ np.array([2**32, 1])
    _, first, point = np.unique(key, return_index=True, return_inverse=True)
    before, after = np.roll(point, 1), np.roll(point, -1)
    before[starts], after[ends - 1] = point[ends - 1], point[starts]
    low, high = np.minimum(before, after), np.maximum(before, after)
    seen = first[point]
    fork = np.zeros(len(first), dtype=bool)
    fork[point[(low != low[seen]) | (high != high[seen])]] = True

    chains: list[np.ndarray] = []
    known: dict[bytes, int] = {}
    ring_arcs = []
    for start, end in zip(starts, ends, strict=True):
        loop = point[start:end]
        cuts = np.flatnonzero(fork[loop])
        if len(cuts) == 0:  # an island, or an enclave met from both sides: one starting point
            cuts = np.array([loop.argmin()])
        loop = np.append(np.roll(loop, -cuts[0]), loop[cuts[0]])
        bounds = np.append(cuts - cuts[0], len(loop) - 1)
        arcs = []
        for a, b in pairwise(bounds):
            chain = loop[a : b + 1]
            backward = chain[::-1].tolist() < chain.tolist()
            key = (chain[::-1] if backward else chain).tobytes()
            if key not in known:
                known[key] = len(chains)
                chains.append(xy[first[chain[::-1] if backward else chain]])
            arcs.append(~known[key] if backward else known[key])
        ring_arcs.append(arcs)
    return chains, ring_arcs


def encode(numbers: list[int]) -> str:
    """Write small whole numbers as text, five bits a character (Google's polyline algorithm)."""
    text = []
    for number in numbers:
        rest = ~(number << 1) if number < 0 else number << 1
        while rest >= 32:
            text.append(chr((rest & 31 | 32) + 63))
            rest >>= 5
        text.append(chr(rest + 63))
    return "".join(text)

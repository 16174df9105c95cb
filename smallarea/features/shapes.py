"""Polygons as exactextract takes them, without a detour over GeoJSON (half of its time)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from exactextract.feature import Feature, FeatureSource


class Shapes(FeatureSource):
    """Polygons, one feature each, without attributes.

    Parameters
    ----------
    polygons : array of shapely polygons. crs : theirs, as WKT.
    """

    def __init__(self, polygons: np.ndarray, crs: str) -> None:
        super().__init__()
        self._polygons, self._crs = polygons, crs

    def count(self) -> int:
        return len(self._polygons)

    def __iter__(self) -> Iterator[Shape]:
        import shapely

        return map(Shape, shapely.to_wkb(self._polygons))

    def srs_wkt(self) -> str:
        return self._crs


class Shape(Feature):
    """One polygon, as WKB."""

    def __init__(self, wkb: bytes) -> None:
        super().__init__()
        self._wkb = wkb
        self._told: dict[str, Any] = {}

    def geometry(self) -> bytes:
        return self._wkb

    def fields(self) -> list[str]:
        return list(self._told)

    def get(self, name: str) -> Any:
        return self._told[name]

    def set(self, name: str, value: Any) -> None:
        self._told[name] = value

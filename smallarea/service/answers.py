"""What the service says of a tier: plain functions of a shelf, without a word of HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from shapely import to_geojson

from smallarea.publish.estimates import levels_in
from smallarea.publish.words import NOT_SAID, TIER_MEANING
from smallarea.release.tiers import SURE, UNTOLD, WIDEST
from smallarea.service.shelf import WHOSE, Shelf

#: What OGC API Features calls what is offered here.
CONFORMS = tuple(
    f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{part}"
    for part in ("core", "oas30", "geojson")
)


@dataclass(frozen=True)
class Answers:
    """A tier's answers, made once and kept."""

    shelf: Shelf

    def make_ready(self) -> None:
        """Make now what the first reader would wait for."""
        assert len(self.features) == len(self.bounds)

    @cached_property
    def levels(self) -> list[str]:
        """Levels above the places, lowest first."""
        return levels_in(self.shelf.estimates)

    @cached_property
    def numbers(self) -> list[str]:
        """Columns of numbers in the tables of estimates."""
        names = set(WHOSE) | set(self.levels)
        return [str(name) for name in self.shelf.estimates if name not in names]

    @cached_property
    def places(self) -> pd.DataFrame:
        """A row per place: index area_id, its name, levels and flags."""
        table = self.shelf.estimates.drop_duplicates("area_id").set_index("area_id")
        return table[["name", *self.levels, "flags", "notice"]].sort_index()

    @cached_property
    def _by_place(self) -> dict[str, pd.DataFrame]:
        return {str(area): own for area, own in self.shelf.estimates.groupby("area_id")}

    @cached_property
    def bounds(self) -> np.ndarray:
        """West, south, east, north of each place in degrees, in the order of `places`."""
        return self.shelf.shapes.reindex(self.places.index).bounds.to_numpy()

    @cached_property
    def features(self) -> list[str]:
        """Return the GeoJSON feature of each place as text, in the order of `places`."""
        shapes = to_geojson(self.shelf.shapes.reindex(self.places.index).to_numpy())
        rounded = [json.dumps(_rounded(json.loads(shape))) for shape in shapes]
        return [
            f'{{"type":"Feature","id":{json.dumps(area)},"geometry":{shape},'
            f'"properties":{json.dumps(self._properties(str(area)))}}}'
            for area, shape in zip(self.places.index, rounded, strict=True)
        ]

    def _properties(self, area: str) -> dict[str, Any]:
        said = {"area_id": area} | _plain(self.places.loc[area].to_dict())
        for row in self._by_place[area].to_dict("records"):
            said |= {f"{row['indicator']}_{name}": _value(row[name]) for name in self.numbers}
        return said

    def within(self, box: Sequence[float] | None) -> np.ndarray:
        """Return positions of the places that meet a box (west, south, east, north)."""
        if box is None:
            return np.arange(len(self.places))
        west, south, east, north = self.bounds.T
        along = (west <= box[2]) & (east >= box[0])
        if box[0] > box[2]:  # over the date line
            along = (west <= box[2]) | (east >= box[0])
        return np.flatnonzero(along & (south <= box[3]) & (north >= box[1]))

    def estimates_of(
        self, indicator: str | None, place: str | None, level: str | None
    ) -> list[dict[str, Any]]:
        """Return rows of estimates: of places, or of units of a level."""
        table = self.shelf.estimates if level is None else self._level(level)
        if place is not None and level is None:
            table = self._by_place.get(place, table[:0])
        elif place is not None:
            table = table[table["unit_id"] == place]
        if indicator is not None:
            table = table[table["indicator"] == indicator]
        return [_plain(row) for row in table.to_dict("records")]

    def _level(self, level: str) -> pd.DataFrame:
        return self.shelf.levels[self.shelf.levels["level"] == level]

    @cached_property
    def level_names(self) -> list[str]:
        return list(dict.fromkeys(self.shelf.levels["level"]))

    def place(self, area: str) -> dict[str, Any] | None:
        """Return what the tier says of a place, or why it gives no numbers; None: unknown to it."""
        if area in self.places.index:
            return {
                "area_id": area,
                "released": True,
                **_plain(self.places.loc[area].to_dict()),
                "estimates": self.estimates_of(None, area, None),
            }
        classes = self.shelf.classes
        if classes is None or not (own := classes[classes["area_id"] == area]).shape[0]:
            return None
        unit = self.shelf.manifest.get("place", "unit")
        return {
            "area_id": area,
            "released": False,
            "because": f"numbers of this tier are by {unit}; of a smaller area only a class is "
            f"released, where its 80 % interval is no wider than {WIDEST:g} times its lower end "
            f"and its chance of being above, or below, the national rate is at least {SURE:.0%}; "
            f"else it {UNTOLD}",
            "classes": own.drop(columns="area_id").to_dict("records"),
        }

    def indicators_said(self) -> list[dict[str, Any]]:
        """List indicators with their labels and units."""
        labels, units = (self.shelf.manifest.get(part, {}) for part in ("labels", "units"))
        return [
            {"indicator": name, "label": labels.get(name, name), "unit": units.get(name)}
            for name in map(str, self.shelf.estimates["indicator"].unique())
        ]

    def meaning(self) -> dict[str, list[str]]:
        """Say what numbers mean and what they do not say."""
        own = self.shelf.manifest.get("meaning", [])
        return {"means": [*TIER_MEANING, *own], "does_not_say": [*NOT_SAID]}

    def extent(self) -> list[float]:
        """Return the box around all places."""
        low, high = np.nanmin(self.bounds, axis=0), np.nanmax(self.bounds, axis=0)
        return [round(float(v), 4) for v in (low[0], low[1], high[2], high[3])]


def _value(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    missing = value is pd.NA or (isinstance(value, float) and not np.isfinite(value))
    return None if missing else value


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): _value(value) for name, value in row.items()}


def _rounded(shape: Any) -> Any:
    """Return a shape with five decimals of a degree: a metre."""
    if isinstance(shape, float):
        return round(shape, 5)
    if isinstance(shape, list):
        return [_rounded(part) for part in shape]
    if isinstance(shape, dict):
        return {name: _rounded(part) for name, part in shape.items()}
    return shape

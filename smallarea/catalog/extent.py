"""Which areas a file of points or lines covers: no point means zero there, unknown elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.catalog.declare import Source
from smallarea.catalog.report import some
from smallarea.catalog.units import short, unit_labels, unit_names
from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.areas import Frame

OUTSIDE = "outside what the file covers"


def unobserved(
    source: Source, frame: Frame, seen: pd.Series
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the areas that a file does not cover, with the reason, and what is to be said.

    Without a declared extent, a unit of the second level (of the only one, if there is one) that
    has no row is taken as not covered: a file of the whole country has some everywhere.

    seen : the areas that have rows.

    Raises
    ------
    InputError : the declared extent names no level or unit of the frame.
    """
    match source.extent:
        case "all":
            return {}, ()
        case None:
            return _undeclared(source, frame, set(seen.dropna()))
        case dict():
            return _of_units(source, frame)
        case box:
            share = share_within(frame, box)
            out = share[share < source.least_observed - 1e-9]
            return {str(area): f"{OUTSIDE}: {s:.0%} of it is inside" for area, s in out.items()}, ()


def share_within(frame: Frame, box: Sequence[float]) -> pd.Series:
    """Return the share of each area that lies within west, south, east and north."""
    import shapely

    shapes = frame.geometry
    inside = shapely.intersection(shapes.to_numpy(), shapely.box(*box))
    return pd.Series(shapely.area(inside) / shapely.area(shapes.to_numpy()), shapes.index)


def _undeclared(
    source: Source, frame: Frame, seen: set[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    levels = levels_of(frame.table)
    level = levels[min(1, len(levels) - 1)]
    unit = frame.table[level]
    empty = sorted(set(unit) - set(unit[unit.index.isin(seen)]))
    if not empty:
        return {}, ()
    areas = unit.index[unit.isin(empty)]
    said = (
        f"no {source.kind} in {len(empty)} of {unit.nunique()} units of level {level}, which are "
        f"taken as not covered ({some(empty)}): declare `extent: all` if there are none, or the "
        "extent that the file has"
    )
    return dict.fromkeys(areas, OUTSIDE), (said,)


def _of_units(source: Source, frame: Frame) -> tuple[dict[str, str], tuple[str, ...]]:
    covered = pd.Series(False, index=frame.table.index)
    where = f"data_catalog.yaml, source {source.name}, extent"
    assert isinstance(source.extent, dict)
    for level, units in source.extent.items():
        if level not in levels_of(frame.table):
            raise InputError(
                f"there is no level '{level}'",
                where=where,
                remedy=f"use {', '.join(levels_of(frame.table))}",
            )
        names = unit_names(frame, level)
        for name in units:
            meant = names.loc[names["alias"] == short(name, level), "unit"]
            if meant.empty:
                raise InputError(
                    f"'{name}' is no {level} of the frame",
                    where=where,
                    remedy=f"use {some(frame.table[level].unique())}",
                )
            covered |= unit_labels(frame, level).isin(meant)
    return dict.fromkeys(covered.index[~covered], OUTSIDE), ()

"""What the map of a run shows: its areas, or, where a page cannot hold as many, the units above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from smallarea.areas.boundaries import united
from smallarea.areas.levels import level_ids, levels_of
from smallarea.publish import flag_areas, suppress
from smallarea.release.estimates import Measured, added_up, unit_numbers, unit_table

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

    from smallarea.settings import Settings

#: More areas than these make a page that browsers cannot draw (about 0.6 MB per 1,000).
MOST = 10_000


class Mapped(NamedTuple):
    """What `smallarea.publish.write_map` takes: estimates, counts, table, polygons, words, k.

    unit : of each area, if units are shown.
    """

    estimates: pd.DataFrame
    counts: xr.DataArray
    table: pd.DataFrame
    geometry: gpd.GeoSeries
    labels: Mapping[str, str]
    k: int
    unit: pd.Series | None = None


def mapped(areas: Mapped, made: Measured, settings: Settings) -> Mapped:
    """Return the areas, or the units of the lowest level that has few enough.

    areas : the run's estimates after suppression. made : what units are summed from.
    """
    table, levels = areas.table, levels_of(areas.table)
    numbers = [at for at in range(len(levels)) if level_ids(table, at).nunique() <= MOST]
    if len(table) <= MOST or not numbers:
        return areas
    number = numbers[0]
    units = unit_table(table, number, tuple(made.indicators.populations))
    k = max(1, round(len(units) / 10))
    flags = flag_areas(
        units, mean=made.mean, small=settings.small_population, synthetic=made.synthetic,
        extrapolated=set(),
    )  # fmt: skip
    every = unit_numbers(made, units, number, flags, k)
    estimates = suppress(every, units, made.indicators, settings.withhold_below)
    unit = level_ids(table, number)
    shapes = united(areas.geometry, unit)
    labels = {"nation": "Country", **areas.labels, "area": areas.labels[levels[number]]}
    counts = added_up(made.counts, unit)
    return Mapped(estimates, counts, units, shapes, labels, k, unit)

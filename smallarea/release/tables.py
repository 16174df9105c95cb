"""What a tier shows: its places, their numbers, shapes and draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.publish.map_data import Beside

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr


@dataclass(frozen=True)
class Tables:
    """What is written.

    estimates : the long table of `places` (the frame's areas, or units as
    `smallarea.release.estimates.unit_table` makes them). geometry : theirs, index area_id.
    levels : numbers of the levels above. classes : of areas, in a public tier.
    labels : what places and levels are called. k : of `p_top`.
    counts : draws of the places (component, area_id, draw), for the map. beside : what else the map
    shows; its `basis` is a file too.
    """

    estimates: pd.DataFrame
    places: pd.DataFrame
    geometry: gpd.GeoSeries
    levels: pd.DataFrame
    classes: pd.DataFrame | None
    labels: Mapping[str, str]
    spelling: Mapping[str, str]
    k: int
    counts: xr.DataArray
    beside: Beside

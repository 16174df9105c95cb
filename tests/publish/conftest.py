"""A toy country of 24 square municipalities with agreed draws, shared by the room's tests."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from shapely import box
from study import COMPONENTS, INDICATORS

from smallarea.projection import reference_sizes, to_counts
from smallarea.publish.disclosure import suppress
from smallarea.publish.estimates import estimate_areas, flag_areas


@dataclass(frozen=True)
class Toy:
    table: pd.DataFrame
    geometry: gpd.GeoSeries
    surveyed: list[str]
    counts: xr.DataArray
    tau: np.ndarray
    estimates: pd.DataFrame  # before suppression
    public: pd.DataFrame  # after it


@pytest.fixture(scope="session")
def toy() -> Toy:
    rng = np.random.default_rng(0)
    m, draws = 24, 200
    index = pd.Index([f"{i:010d}" for i in range(101, 101 + m)], name="area_id")
    population = rng.lognormal(10, 1, m).round().astype(int)
    population[4] = 400  # too small to publish
    table = pd.DataFrame(
        {
            "name": ["Peñarrubia", *(f"Town {i}" for i in range(1, m))],
            "province_id": [f"p{i // 4:02d}" for i in range(m)],
            "region_id": [f"r{i // 8}" for i in range(m)],
            "province": [f"Province {i // 4}" for i in range(m)],
            "region": [f"Region {i // 8}" for i in range(m)],
            "population": population,
            "adults": population * 0.62,
            "children": population * 0.38,
            "covered": np.arange(m) < 16,
            "geometry_note": ["placed by its neighbours", *[""] * (m - 1)],
        },
        index=index,
    )
    geometry = gpd.GeoSeries(
        [box(x, y, x + 1, y + 1) for y in range(4) for x in range(6)], index=index, crs=4326
    )
    rates = xr.DataArray(
        rng.beta(2, 300, (4, m, draws)) * rng.lognormal(0, 0.7, (1, m, 1)),
        dims=("component", "area_id", "draw"),
        coords={"component": list(COMPONENTS), "area_id": index.to_numpy(dtype=object)},
    )
    counts = to_counts(rates, reference_sizes(table, INDICATORS), table["covered"])
    surveyed = list(index[:5])
    flags = flag_areas(table, extrapolated=[index[-1]], synthetic=True)
    estimates = estimate_areas(counts, table, flags, surveyed, INDICATORS, k=5)
    return Toy(
        table,
        geometry,
        surveyed,
        counts,
        rng.beta(9, 170, draws),
        estimates,
        suppress(estimates, table, INDICATORS),
    )

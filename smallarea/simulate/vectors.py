"""The twin's point files and its road network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, triu
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree

from smallarea.simulate.settings import LABEL
from smallarea.simulate.world import World, expand


def conflict_events(world: World, path: Path) -> None:
    """Conflict events 1989-2021; those of where_prec 4 and above stand at a province's centre."""
    n, rng, table = 1_800, world.rng, world.frame.table
    pull = np.exp(1.2 * world.measure(conflict=1.0)) * world.people**-0.6
    events = world.places(pull, n)
    precision = rng.choice([1, 2, 3, 4, 5, 6], n, p=[0.5, 0.2, 0.15, 0.1, 0.04, 0.01])
    area = table.loc[events["area_id"]]
    centre = table.groupby("province_id")[["lat", "lon"]].mean().loc[area["province_id"]]
    vague = precision >= 4
    best = rng.negative_binomial(0.8, 0.2, n)
    start = pd.Timestamp("1989-01-01") + pd.to_timedelta(rng.integers(0, 12_052, n), unit="D")
    end = start + pd.to_timedelta(rng.poisson(1, n), unit="D")
    pd.DataFrame(
        {
            "id": np.arange(900_001, 900_001 + n),
            "year": start.year,
            "type_of_violence": rng.choice([1, 2, 3], n, p=[0.8, 0.05, 0.15]),
            "conflict_name": f"invented ({LABEL})",
            "side_a": "invented side A",
            "side_b": "invented side B",
            "where_prec": precision,
            "adm_1": (area["province"] + " province").to_numpy(),
            "adm_2": np.where(vague, "", (area["name"] + " municipality").to_numpy()),
            "latitude": np.where(vague, centre["lat"].round(5), events["latitude"]),
            "longitude": np.where(vague, centre["lon"].round(5), events["longitude"]),
            "date_prec": rng.choice([1, 2, 3], n, p=[0.8, 0.1, 0.1]),
            "date_start": start.strftime("%Y-%m-%d"),
            "date_end": end.strftime("%Y-%m-%d"),
            "best": best,
            "low": best,
            "high": best + rng.poisson(0.3, n),
            "deaths_civilians": rng.binomial(best, 0.15),
            "psgc": np.where(vague, "", events["area_id"]),
        }
    ).sort_values(["date_start", "id"]).to_csv(path, index=False)


def money_service_businesses(world: World, path: Path) -> None:
    """Outlets that pay out remittances, exchange money or take pawns."""
    n = 6_000
    outlets = world.places(np.exp(0.6 * world.measure(urbanicity=0.6, connectivity=0.4)), n, 0.002)
    kinds = ["remittance agent", "pawnshop", "money changer", "e-money agent"]
    outlets["type"] = world.rng.choice(kinds, n, p=[0.35, 0.45, 0.1, 0.1])
    outlets["outlet_id"] = [f"MSB-{i:05d}" for i in range(1, n + 1)]
    outlets["name"] = [f"Invented outlet {i}" for i in range(1, n + 1)]
    columns = ["outlet_id", "name", "latitude", "longitude", "type"]
    outlets[columns].to_csv(path, index=False)


def health_facilities(world: World, path: Path) -> None:
    """Facilities as GeoJSON points."""
    n = 4_500
    pull = np.exp(-0.3 * world.measure(remoteness=1.0)) * world.people**-0.4
    sites = world.places(pull, n, 0.004)
    kinds = ["barangay health station", "rural health unit", "birthing home", "hospital"]
    sites["type"] = world.rng.choice(kinds, n, p=[0.62, 0.18, 0.1, 0.1])
    features = [
        {
            "type": "Feature",
            "properties": {"facility": f"Invented facility {i}", "type": site.type},
            "geometry": {"type": "Point", "coordinates": [site.longitude, site.latitude]},
        }
        for i, site in enumerate(sites.itertuples(index=False), start=1)
    ]
    collection = {"type": "FeatureCollection", "name": LABEL, "features": features}
    path.write_text(json.dumps(collection), encoding="utf-8")


def relative_wealth(world: World, path: Path) -> None:
    """The wealth index at the centres of map tiles of about 2.4 km in which people live."""
    tile = 360 / 2**14
    psus = world.frame.psus
    wealth = -0.4 * world.measure(deprivation=1.0)[world.psu_areas]
    points = pd.DataFrame(
        {
            "latitude": ((np.floor(psus["lat"] / tile) + 0.5) * tile).round(6),
            "longitude": ((np.floor(psus["lon"] / tile) + 0.5) * tile).round(6),
            "rwi": wealth,
        }
    )[(psus["population"] > 0).to_numpy()]
    grid = points.groupby(["latitude", "longitude"], as_index=False)["rwi"].mean()
    grid["rwi"] = (grid["rwi"] + world.rng.normal(0, 0.15, len(grid))).round(3)
    grid["error"] = world.rng.gamma(20, 0.02, len(grid)).round(3)
    grid.to_csv(path, index=False)


def roads(world: World, path: Path) -> None:
    """Roads as straight, jittered lines: a spanning tree of the towns, more where people are."""
    import geopandas as gpd
    import pyogrio
    import shapely

    start, end, fclass = _road_links(world)
    bends = np.linspace(0, 1, 7)[None, :, None]  # (links, 7 bends, lon and lat)
    line = start[:, None, :] * (1 - bends) + end[:, None, :] * bends
    along = end - start
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)[:, None, :]
    jitter = world.rng.normal(0, 0.08, (len(start), 7, 1)) * (bends * (1 - bends) * 4)
    geometry = shapely.linestrings((line + jitter * across).round(5))
    lines = gpd.GeoDataFrame({"fclass": fclass}, geometry=geometry, crs="EPSG:4326")
    now = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2023-01-01T00:00:00.000Z"})
    try:
        pyogrio.write_dataframe(
            lines, path, layer="roads", driver="GPKG", layer_metadata={"description": LABEL}
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": now})


def _road_links(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the links' starts and ends, (links, 2) as lon, lat, and their classes."""
    rng, psus = world.rng, world.frame.psus
    towns = world.frame.table[["lon", "lat"]].to_numpy(float)
    tree = cKDTree(psus[["lon", "lat"]])
    a, b = triu(csr_array(world.frame.neighbours)).nonzero()
    steps = np.linspace(0, 1, 9)[None, :, None]
    path = towns[a][:, None, :] * (1 - steps) + towns[b][:, None, :] * steps
    inland = tree.query(path.reshape(-1, 2))[0].reshape(len(a), -1).max(axis=1) < 0.06
    a, b = a[inland], b[inland]  # no road over open water
    length = np.hypot(*(towns[a] - towns[b]).T)
    shape = (len(towns), len(towns))
    chosen = minimum_spanning_tree(csr_array((length, (a, b)), shape=shape)).nonzero()
    trunk = np.isin(a * len(towns) + b, chosen[0] * len(towns) + chosen[1])
    busy = world.measure(urbanicity=0.6, remoteness=-0.4)
    fclass = np.where(trunk, "secondary", "tertiary")
    fclass = np.where(trunk & (busy[a] + busy[b] > 0.5), "primary", fclass)
    kept = trunk | (busy[a] + busy[b] + rng.normal(0, 1, len(a)) > 0)

    local = rng.poisson(expand(np.ones(len(towns)), 3, 0.4 * busy))
    members = psus.groupby("area_id").indices
    drawn = [
        rng.choice(members[area_id], min(n, len(members[area_id])), replace=False)
        for area_id, n in zip(world.frame.table.index, local, strict=True)
    ]
    position = np.concatenate(drawn).astype(int)
    town = np.repeat(np.arange(len(towns)), [len(some) for some in drawn])
    starts = np.concatenate([towns[a[kept]], towns[town]])
    ends = np.concatenate([towns[b[kept]], psus[["lon", "lat"]].to_numpy()[position]])
    return starts, ends, np.concatenate([fclass[kept], np.full(len(town), "tertiary")])

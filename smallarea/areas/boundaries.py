"""Polygons for every area: from the declared file, from the register's points where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from smallarea.areas.codes import Crosswalk
from smallarea.areas.geography import WGS84, repaired, voronoi_polygons
from smallarea.areas.places import APPROXIMATE
from smallarea.areas.spec import Boundaries, FrameSpec, locate
from smallarea.errors import InputError

EMBEDDED = "drawn from points: Voronoi cells up to an approximate coast"


def polygons(
    areas: pd.DataFrame,
    psus: pd.DataFrame,
    crosswalk: Crosswalk,
    spec: FrameSpec,
    data_dirs: Sequence[Path],
) -> tuple[gpd.GeoSeries, pd.DataFrame]:
    """Return polygons (EPSG:4326) and, per area, geometry_source, geometry_note and area_km2.

    Where a polygon is drawn from points, the area is the sum of the register's own figures if it
    has them all.
    """
    path = locate(spec.boundaries.file, data_dirs) if spec.boundaries else None
    drawn = pd.DataFrame({"geometry_source": EMBEDDED, "geometry_note": ""}, index=areas.index)
    read = gpd.GeoSeries([], crs=WGS84)
    if spec.boundaries and path:
        read, note = _read(path, spec.boundaries, crosswalk)
        drawn["geometry_note"] = "not in the boundary file"
        drawn.loc[read.index, "geometry_source"] = spec.boundaries.source
        drawn.loc[read.index, "geometry_note"] = note
    if len(read) == len(areas):
        geometry = read.reindex(areas.index)
    else:
        believed = psus[~psus["note"].str.startswith(APPROXIMATE)]
        alone = psus[~psus["area_id"].isin(believed["area_id"])].drop_duplicates("area_id")
        cells = voronoi_polygons(pd.concat([believed, alone]), spec.crs, spec.coast)
        geometry = read.reindex(areas.index).fillna(cells)
        approximate = areas.index.isin(alone["area_id"]) & ~areas.index.isin(read.index)
        drawn.loc[approximate, "geometry_note"] = (
            drawn["geometry_note"] + "; " + APPROXIMATE
        ).str.removeprefix("; ")
    drawn["area_km2"] = geometry.to_crs(spec.area_crs).area / 1e6
    registered = psus.groupby("area_id")["area_km2"].sum(skipna=False)
    embedded = drawn["geometry_source"] == EMBEDDED
    drawn["area_km2"] = registered.where(embedded).fillna(drawn["area_km2"])
    return geometry, drawn


def _read(
    path: Path, boundaries: Boundaries, crosswalk: Crosswalk
) -> tuple[gpd.GeoSeries, pd.Series]:
    """Return the file's polygons by area_id, repaired, and notes on them."""
    table = gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)
    if boundaries.code not in table:
        raise InputError(
            f"column '{boundaries.code}' is missing",
            where=path.name,
            remedy="correct frame.boundaries.code in data_catalog.yaml",
        )
    where = f"{path.name}, column '{boundaries.code}'"
    area_id = crosswalk.match(table[boundaries.code], where)
    if area_id.isna().all():
        raise InputError(
            f"none of its {len(table)} codes is an area's",
            where=where,
            remedy="correct frame.boundaries.code in data_catalog.yaml, or the file",
        )
    table = table.assign(area_id=area_id).dropna(subset="area_id").to_crs(WGS84)
    valid = table.geometry.is_valid
    shapes = table.geometry.where(valid, table.geometry[~valid].map(repaired))
    shapes = gpd.GeoSeries(shapes.set_axis(table["area_id"]), crs=WGS84)
    if not shapes.index.is_unique:
        shapes = shapes.groupby(level=0).agg(lambda parts: shapely.union_all(parts.to_numpy()))
    mended = set(table["area_id"][~valid])
    note = pd.Series(["repaired" if a in mended else "" for a in shapes.index], shapes.index)
    return gpd.GeoSeries(shapes, crs=WGS84).sort_index(), note.sort_index()

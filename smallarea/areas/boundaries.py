"""Polygons for every area: from the declared file, from the register's points where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from smallarea.areas.codes import Crosswalk
from smallarea.areas.geography import WGS84, repaired, voronoi_polygons
from smallarea.areas.moved import with_moved_land
from smallarea.areas.registers.places import APPROXIMATE
from smallarea.areas.spec import Boundaries, FrameSpec, locate
from smallarea.errors import InputError
from smallarea.reading.shapes import read_shapes

EMBEDDED = "drawn from points: Voronoi cells up to an approximate coast"


def drawn_from_points(table: pd.DataFrame) -> int:
    """Return how many areas of a frame's table have a cell around their points for a shape."""
    return int(from_points(table).sum())


def from_points(table: pd.DataFrame) -> pd.Series:
    """Return which areas have such a cell, bool, index area_id."""
    if "geometry_source" not in table:
        return pd.Series(False, index=table.index)
    return table["geometry_source"] == EMBEDDED


def united(geometry: gpd.GeoSeries, unit: pd.Series) -> gpd.GeoSeries:
    """Return the shapes of units, index area_id: those of their areas put together.

    geometry, unit : of each area, index area_id.
    """
    shapes = geometry.to_frame("geometry").assign(unit=unit)
    return shapes.dissolve("unit").geometry.rename_axis("area_id")


@dataclass(frozen=True)
class Drawing:
    """Polygons of all areas and what is to be said about them.

    geometry : EPSG:4326, index area_id.
    notes : index area_id; geometry_source, geometry_note, area_km2.
    unmatched : codes in the boundary file that are no area's.
    """

    geometry: gpd.GeoSeries
    notes: pd.DataFrame
    unmatched: list[str]


def draw(
    areas: pd.DataFrame,
    psus: pd.DataFrame,
    crosswalk: Crosswalk,
    spec: FrameSpec,
    data_dirs: Sequence[Path],
) -> Drawing:
    """Return a polygon for every area: the boundary file's, else drawn from the area's units.

    Where a polygon is drawn from points, the area is the sum of the register's own figures if it
    has them all.

    Parameters
    ----------
    areas : index area_id.
    psus : area_id, lon, lat, area_km2, verified; see `smallarea.areas.registers.places.place`.
    """
    path = locate(spec.boundaries.file, data_dirs) if spec.boundaries else None
    notes = pd.DataFrame({"geometry_source": EMBEDDED, "geometry_note": ""}, index=areas.index)
    geometry = gpd.GeoSeries(None, index=areas.index, crs=WGS84)
    unmatched: list[str] = []
    if spec.boundaries and path:
        read, repairs, unmatched = _read(path, spec.boundaries, crosswalk)
        read, moves = with_moved_land(read, psus, spec.crs)
        geometry = read.reindex(areas.index)
        repairs = (repairs + "; " + moves.reindex(repairs.index)).str.strip("; ")
        notes["geometry_source"] = notes["geometry_source"].where(
            geometry.isna(), spec.boundaries.source
        )
        notes["geometry_note"] = repairs.reindex(areas.index).fillna("not in the boundary file")
    lacking = geometry.isna()
    if lacking.any():
        placeless = areas.index[lacking & areas.index.isin(psus.loc[psus["lon"].isna(), "area_id"])]
        if len(placeless):
            raise InputError(
                f"{len(placeless)} areas have neither polygon nor point, the first {placeless[0]}",
                where=path.name if path else "the frame's boundaries",
                remedy="complete the file, or name columns of longitude and latitude",
            )
        verified = psus[psus["verified"]]
        lost = psus[~psus["area_id"].isin(verified["area_id"].unique())].drop_duplicates("area_id")
        geometry = geometry.fillna(
            voronoi_polygons(pd.concat([verified, lost]), spec.crs, spec.coast)
        )
        approximate = lacking & areas.index.isin(lost["area_id"])
        said = notes["geometry_note"].where(
            notes["geometry_note"] == "", notes["geometry_note"] + "; "
        )
        notes["geometry_note"] = notes["geometry_note"].mask(approximate, said + APPROXIMATE)
    measured = geometry.to_crs(spec.area_crs).area / 1e6
    registered = psus.groupby("area_id")["area_km2"].sum(skipna=False)
    notes["area_km2"] = registered.reindex(areas.index).where(lacking).fillna(measured)
    return Drawing(geometry, notes, unmatched)


def _read(
    path: Path, boundaries: Boundaries, crosswalk: Crosswalk
) -> tuple[gpd.GeoSeries, pd.Series, list[str]]:
    """Return the file's polygons by area_id, repaired; which were; codes that are no area's."""
    table = _open(path, boundaries.code)
    where = f"{path.name}, column '{boundaries.code}'"
    area_id = crosswalk.match(table[boundaries.code], where)
    if area_id.isna().all():
        raise InputError(
            f"none of its {len(table)} codes is an area's",
            where=where,
            remedy="correct frame.boundaries.code in data_catalog.yaml, or the file",
        )
    unmatched = table.loc[area_id.isna(), boundaries.code].astype("str").tolist()
    shapes = gpd.GeoSeries(table.geometry.to_crs(WGS84).set_axis(area_id))
    shapes = shapes[shapes.index.notna() & (shapely.get_num_coordinates(shapes.to_numpy()) > 0)]
    broken = ~shapes.is_valid
    shapes[broken] = shapes[broken].map(repaired)
    if not shapes.index.is_unique:
        shapes = shapes.groupby(level=0).agg(lambda parts: shapely.union_all(parts.to_numpy()))
    note = broken.groupby(level=0).any().map({True: "repaired", False: ""})
    return gpd.GeoSeries(shapes, crs=WGS84), note, unmatched


def _open(path: Path, code: str) -> gpd.GeoDataFrame:
    try:
        table = read_shapes(path, path.name)
    except InputError:
        raise
    except Exception as error:  # every format's library has errors of its own
        raise InputError(
            f"the file cannot be read ({error})",
            where=path.name,
            remedy="export it again as GeoPackage or GeoParquet",
        ) from error
    if code not in table:
        raise InputError(
            f"column '{code}' is missing",
            where=path.name,
            remedy="correct frame.boundaries.code in data_catalog.yaml",
        )
    if table.crs is None:
        raise InputError(
            "it does not say its coordinate reference system",
            where=path.name,
            remedy="export it again with one, e.g. EPSG:4326",
        )
    return table

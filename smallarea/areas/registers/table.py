"""A register that is a table: one row per area, with polygons from a file, or with points only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator
from scipy.spatial import cKDTree

from smallarea.areas.boundaries import draw
from smallarea.areas.censuses import census_files, read_censuses
from smallarea.areas.codes import Crosswalk, with_aliases
from smallarea.areas.frame import ABSENT, Frame
from smallarea.areas.geography import WGS84, neighbours
from smallarea.areas.history import former_units_of, transfers_of
from smallarea.areas.levels import unit_aliases, with_groups
from smallarea.areas.registers.points import require_points
from smallarea.areas.registers.units import require_units
from smallarea.areas.spec import FrameSpec, free_name, locate, read_spec
from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.reading.cells import as_text, as_values, find_columns, read_cells, refuse_rows
from smallarea.reading.column import Column

YES, NO = frozenset({"1", "yes", "true", "y"}), frozenset({"0", "no", "false", "n"})

LIMITS = {
    "lon": Column(min=-180, max=180),
    "lat": Column(min=-90, max=90),
    "urban_share": Column(min=0, max=1),
    "population": Column(type="integer", min=0),
}


class TableSpec(FrameSpec):
    """The table's columns, beside the fields that all registers share."""

    file: str
    layer: str | None = None
    """Sheet of a workbook; by default the first."""
    code: str
    name: str
    population: str
    """Column of all people, whole numbers."""
    populations: dict[str, str] = Field(default_factory=dict)
    """Reference population -> its column; `population` is one already."""
    urban_share: str | None = None
    lon: str | None = None
    lat: str | None = None
    covered: str | None = None
    """Column that says (yes, no) whether the survey covers the area; by default it covers all."""

    @model_validator(mode="after")
    def _placed(self) -> TableSpec:
        if (self.lon is None) != (self.lat is None):
            raise ValueError("lon and lat go together")
        if self.lon is None and self.boundaries is None:
            raise ValueError("areas need a place: name lon and lat, or boundaries, or both")
        return self

    @field_validator("populations")
    @classmethod
    def _free(cls, populations: dict[str, str]) -> dict[str, str]:
        for name in populations:
            free_name(name)
        return populations

    @model_validator(mode="after")
    def _populations_are_no_levels(self) -> TableSpec:
        if both := self.populations.keys() & {level.name for level in self.levels}:
            raise ValueError(f"a level and a reference population are both called '{min(both)}'")
        return self


def table_files(block: Mapping[str, Any], data_dirs: Sequence[Path]) -> list[Path]:
    """Return the files that `table_frame` would read; raise InputError if there is no table."""
    spec = read_spec(dict(block), TableSpec)
    polygons = locate(spec.boundaries.file, data_dirs) if spec.boundaries else None
    censuses = census_files(spec.censuses, data_dirs)
    return [_table_of(spec, data_dirs), *([polygons] if polygons else []), *censuses]


def _table_of(spec: TableSpec, data_dirs: Sequence[Path]) -> Path:
    path = locate(spec.file, data_dirs)
    if path is None:
        raise InputError(
            f"its file is in none of {', '.join(map(str, data_dirs))}",
            where=f"data_catalog.yaml, frame.file ({spec.file})",
            remedy="put it there, or give its folder with --data",
        )
    return path


def table_frame(block: Mapping[str, Any], data_dirs: Sequence[Path]) -> Frame:
    """Build the frame of a catalog whose connector is `table`.

    Polygons come from the declared file. Areas that it lacks, or all if there is none, get Voronoi
    cells around their points; the table's geometry_source says which. A row is also the area's one
    sampling unit.

    Parameters
    ----------
    block : see `TableSpec`.
    data_dirs : searched in this order.

    Raises
    ------
    InputError : the block, the table or the boundaries are not as they should be; the column and
        the row are named.
    """
    spec = read_spec(dict(block), TableSpec)
    areas = _areas(_table_of(spec, data_dirs), spec)
    upper = areas.index.str.upper()  # as codes are compared
    codes = pd.DataFrame({"code": upper, "area_id": areas.index, "vintage": spec.vintage})
    codes = with_aliases(codes, spec.aliases)
    crosswalk = Crosswalk(codes, pd.Index([]))
    psus = _units(areas, spec)
    drawing = draw(areas, psus, crosswalk, spec, data_dirs)
    inside = drawing.geometry.representative_point()
    if spec.lon is None:
        areas["lon"], areas["lat"] = inside.x, inside.y
        psus["lon"], psus["lat"] = inside.x.to_numpy(), inside.y.to_numpy()
    provenance = {file.name: sha256(file) for file in table_files(block, data_dirs)}
    if spec.boundaries and locate(spec.boundaries.file, data_dirs) is None:
        provenance[ABSENT] = spec.boundaries.file
    if drawing.unmatched:
        provenance["boundaries that are no area's"] = ", ".join(drawing.unmatched)
    table = with_groups(areas.join(drawing.notes), spec.levels)
    moved = transfers_of(spec.transfers, table)
    return Frame(
        table=table,
        geometry=drawing.geometry,
        neighbours=neighbours(drawing.geometry, spec.crs, spec.contiguity_m),
        codes=codes,
        psus=psus[["area_id", "name", "population", "urban", "lon", "lat", "note"]],
        names=_names(table, spec),
        unit_aliases=unit_aliases(spec.aliases, table.index),
        transfers=moved,
        former_units=former_units_of(spec.former_units, table),
        censuses=read_censuses(
            spec.censuses, spec.population_year, table["population"], moved, crosswalk, data_dirs
        ),
        spelling=spec.spelling,
        provenance=provenance,
        labels=spec.labels,
    )


def _areas(path: Path, spec: TableSpec) -> pd.DataFrame:
    """Read the table: index area_id (sorted), the frame's columns but those of the drawing."""
    told = [level for level in spec.levels if level.of is None]
    text = {"code": spec.code, "name": spec.name}
    for level in told:
        text[level.name] = level.column or level.name
        if level.code:
            text[f"{level.name}_id"] = level.code
    people = {"population": spec.population} | spec.populations
    places = {"lon": spec.lon, "lat": spec.lat, "urban_share": spec.urban_share}
    numbers = people | {name: header for name, header in places.items() if header}
    flags = {"covered": spec.covered} if spec.covered else {}
    body = find_columns(
        read_cells(path, spec.layer, path.name), text | numbers | flags, set(), path.name
    )
    if len(body) < 2:
        raise InputError(
            "it holds one area", where=path.name, remedy="give every area of the country a row"
        )
    where = f"{path.name}, column '{{}}'"
    table = pd.DataFrame({name: as_text(body[name]) for name in text}, index=body.index)
    for name, header in text.items():
        _refuse(table[name].isna(), "the cell is empty", where.format(header))
    _refuse(
        table["code"].duplicated(), "the code stands in another row too", where.format(spec.code)
    )
    folded = table["code"].str.upper()  # as codes are compared
    _refuse(
        folded.duplicated(),
        "the code differs from another row's in capitals only",
        where.format(spec.code),
    )
    for name, header in numbers.items():
        table[name], _ = as_values(
            body[name], LIMITS.get(name, Column(min=0)), where.format(header)
        )
        _refuse(table[name].isna(), "the cell is empty", where.format(header))
    if spec.lon is not None:
        columns = f"{path.name}, columns '{spec.lon}' and '{spec.lat}'"
        require_points(table["lon"], table["lat"], spec.crs, columns)
    table["population"] = table["population"].astype("int64")
    table["covered"] = _yes(body["covered"], where.format(spec.covered)) if flags else True
    for level in told:
        if not level.code:
            table[f"{level.name}_id"] = table[level.name]
    require_units(table, [level.name for level in told], text, path.name)
    levels = [column for level in told for column in (f"{level.name}_id", level.name)]
    kept = ["name", *levels, *numbers, "covered"]
    table = table.astype({"code": "str"}).set_index("code").sort_index()[kept]
    return table.rename_axis("area_id").astype(dict.fromkeys(["name", *levels], "str"))


def _yes(cells: pd.Series, where: str) -> pd.Series:
    words = as_text(cells).str.lower()
    _refuse(~words.isin(YES | NO), "it says neither yes nor no", where)
    return words.isin(YES)


def _refuse(wrong: pd.Series, why: str, where: str) -> None:
    refuse_rows(wrong, why, where, "correct the table")


def _units(areas: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Return one sampling unit per area. Its size, which says how far land goes from its point, is
    that of a disc that reaches halfway to the third nearest other point.
    """
    units = pd.DataFrame(
        {
            "area_id": areas.index,
            "name": areas["name"].to_numpy(),
            "population": areas["population"].to_numpy(),
            "urban": (areas["urban_share"] >= 0.5).to_numpy() if "urban_share" in areas else False,
            "note": "",
            "verified": spec.lon is not None,
            "area_km2": np.nan,
            "lon": areas["lon"].to_numpy() if "lon" in areas else np.nan,
            "lat": areas["lat"].to_numpy() if "lat" in areas else np.nan,
        },
        index=pd.Index(areas.index, name="psu_id"),
    )
    if spec.lon is not None:
        at = gpd.GeoSeries.from_xy(units["lon"], units["lat"], crs=WGS84).to_crs(spec.crs)
        xy = np.column_stack([at.x, at.y]) / 1000
        far = cKDTree(xy).query(xy, k=min(4, len(xy)))[0][:, -1]
        units["area_km2"] = np.pi * far**2
    return units


def _names(table: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Return every name of every area under every name of its unit of the lowest level."""
    lowest = spec.levels[0].name
    own = pd.DataFrame({"area_id": table.index, "name": table["name"].to_numpy(), "former": False})
    other = pd.Series(table.index, table.index).map(dict(spec.aliases)).explode().dropna()
    own = pd.concat([own, other.rename("name").rename_axis("area_id").reset_index()])
    own["former"] = own["former"].fillna(True).astype(bool)
    within = table[lowest].rename("within").rename_axis("area_id")
    more = within.map(dict(spec.aliases)).explode().dropna()
    spellings = pd.concat([within.reset_index(), more.reset_index()])
    merged = own.merge(spellings.drop_duplicates(), on="area_id")
    return merged[["area_id", "within", "name", "former"]].reset_index(drop=True)

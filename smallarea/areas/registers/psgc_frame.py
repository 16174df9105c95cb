"""The frame from the PSGC register and the files at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from smallarea.areas.boundaries import draw
from smallarea.areas.censuses import census_files, read_censuses
from smallarea.areas.codes import Crosswalk, with_aliases
from smallarea.areas.frame import Frame
from smallarea.areas.geography import neighbours
from smallarea.areas.history import former_units_of, transfers_of
from smallarea.areas.levels import unit_aliases, with_groups
from smallarea.areas.registers.places import place
from smallarea.areas.registers.psgc import Register, read_psgc
from smallarea.areas.registers.psgc_ages import children_share
from smallarea.areas.registers.psgc_spec import PsgcSpec
from smallarea.areas.spec import locate, read_spec
from smallarea.errors import InputError
from smallarea.files import sha256


def psgc_frame(block: Mapping[str, Any], data_dirs: Sequence[Path]) -> Frame:
    """Build the frame of a catalog whose connector is `psgc`.

    Boundaries and age shares come from the declared files if `data_dirs` hold them, else from
    defaults; the table's geometry_source and age_source say which.

    Parameters
    ----------
    block : see `smallarea.areas.registers.psgc_spec.PsgcSpec`.
    data_dirs : searched in this order.

    Raises
    ------
    InputError : the block or one of the files is not as it should be.
    """
    spec = read_spec(dict(block), PsgcSpec)
    register = read_psgc(spec.code_prefix)
    _check(register, spec)
    areas = _named(register, spec)
    psus = _placed(register)
    codes = with_aliases(register.codes, spec.aliases)
    crosswalk = Crosswalk(codes, psus.index)
    drawing = draw(areas, psus, crosswalk, spec, data_dirs)
    geometry = drawing.geometry
    table = areas.join(_people(areas, psus, spec, data_dirs)).join(drawing.notes)
    table = table.join(_points(psus, geometry))
    provenance = {path.name: sha256(path) for path in psgc_files(block, data_dirs)}
    if drawing.unmatched:
        provenance["boundaries that are no area's"] = ", ".join(drawing.unmatched)
    table = with_groups(table[list(_COLUMNS)].astype(_COLUMNS), spec.levels)
    moved = transfers_of(spec.transfers, table)
    return Frame(
        table=table,
        geometry=geometry,
        neighbours=neighbours(geometry, spec.crs, spec.contiguity_m),
        codes=codes,
        psus=_within(psus, table, geometry).drop(columns=["verified", "origin", "area_km2"]),
        names=_names(register, areas, spec),
        unit_aliases=unit_aliases(spec.aliases, table.index),
        transfers=moved,
        former_units=former_units_of(spec.former_units, table),
        censuses=read_censuses(
            spec.censuses, spec.population_year, table["population"], moved, crosswalk, data_dirs
        ),
        spelling=spec.spelling,
        provenance=register.provenance | provenance,
        labels=spec.labels,
    )


_COLUMNS: dict[str, str] = (
    dict.fromkeys(
        ("name", "level", "province_id", "province", "region_id", "region", "income_class"), "str"
    )
    | {"population": "int64", "urban_share": "float", "adults": "float", "children": "float"}
    | {"age_source": "str", "lon": "float", "lat": "float", "area_km2": "float"}
    | {"covered": "bool", "geometry_source": "str", "geometry_note": "str"}
)


def psgc_files(block: Mapping[str, Any], data_dirs: Sequence[Path]) -> list[Path]:
    """Return the files that `psgc_frame` would read."""
    spec = read_spec(dict(block), PsgcSpec)
    declared = [part.file for part in (spec.boundaries, spec.ages.file) if part]
    found = [path for file in declared if (path := locate(file, data_dirs))]
    return found + census_files(spec.censuses, data_dirs)


def _named(register: Register, spec: PsgcSpec) -> pd.DataFrame:
    """Return the register's areas under the provinces a planner expects."""
    areas = register.areas.copy()
    own = pd.Series(areas.index, index=areas.index).map(spec.provinces)
    areas["province"] = own.fillna(areas["province"].replace(dict(spec.provinces)))
    # An independent city has a code of its own at this level; it goes with where it lies.
    by_province = areas.groupby("province")["province_id"]
    areas["province_id"] = by_province.transform(lambda codes: codes.mode().iloc[0])
    excluded = areas["province"].isin(spec.not_covered.provinces)
    areas["covered"] = ~excluded | areas.index.isin(spec.not_covered.except_areas)
    return areas


def _placed(register: Register) -> pd.DataFrame:
    """Return the sampling units at credible places, each urban or not."""
    psus = place(register.psus)
    known = psus["urban"].notna()
    majority = _urban_share(psus) >= 0.5
    psus["urban"] = psus["urban"].fillna(psus["area_id"].map(majority)).astype(bool)
    psus.loc[~known, "note"] = psus["note"].mask(psus["note"] != "", psus["note"] + "; ") + (
        "urban or rural as most of its area"
    )
    return psus


def _urban_share(psus: pd.DataFrame) -> pd.Series:
    """Return the share of the population in urban units, of those in units that are classified."""
    known = psus.dropna(subset="urban")
    urban = known["population"] * known["urban"].astype(float)
    area_id = known["area_id"]
    return urban.groupby(area_id).sum() / known["population"].groupby(area_id).sum()


def _people(
    areas: pd.DataFrame, psus: pd.DataFrame, spec: PsgcSpec, data_dirs: Sequence[Path]
) -> pd.DataFrame:
    share, source = children_share(areas, spec.ages, data_dirs)
    children = areas["population"] * share
    return pd.DataFrame(
        {
            "urban_share": _urban_share(psus),
            "adults": areas["population"] - children,
            "children": children,
            "age_source": source,
        }
    )


def _points(psus: pd.DataFrame, geometry: gpd.GeoSeries) -> pd.DataFrame:
    """Return a point inside each area: its unit nearest to where its people live, if possible."""
    weight = psus["population"].clip(lower=1)
    middle = psus[["lon", "lat"]].mul(weight, axis=0).groupby(psus["area_id"]).sum()
    middle = middle.div(weight.groupby(psus["area_id"]).sum(), axis=0)
    away = psus[["lon", "lat"]] - middle.loc[psus["area_id"]].to_numpy()
    away["lon"] *= np.cos(np.radians(psus["lat"]))
    distance = (away["lon"] ** 2 + away["lat"] ** 2) ** 0.5
    nearest = distance.groupby(psus["area_id"]).idxmin()
    points = psus.loc[nearest].set_index("area_id")[["lon", "lat"]].reindex(geometry.index)
    inside = shapely.contains_xy(geometry.to_numpy(), points["lon"], points["lat"])
    within = geometry.representative_point()
    return pd.DataFrame(
        {
            "lon": points["lon"].where(inside, within.x),
            "lat": points["lat"].where(inside, within.y),
        }
    )


def _within(psus: pd.DataFrame, table: pd.DataFrame, geometry: gpd.GeoSeries) -> pd.DataFrame:
    """Move units whose position is approximate to their area's point if they lie outside it."""
    shape = geometry.loc[psus["area_id"]].to_numpy()
    outside = ~shapely.contains_xy(shape, psus["lon"], psus["lat"])
    move = outside & ~psus["verified"]
    point = table.loc[psus["area_id"], ["lon", "lat"]].set_axis(psus.index)
    return psus.assign(
        lon=psus["lon"].mask(move, point["lon"]), lat=psus["lat"].mask(move, point["lat"])
    )


def _names(register: Register, areas: pd.DataFrame, spec: PsgcSpec) -> pd.DataFrame:
    """Return every name of every area under every spelling of its province."""
    present = areas["province"].rename_axis("area_id")
    aliases = present.map(lambda province: list(spec.aliases.get(province, ()))).explode().dropna()
    spellings = pd.concat([present.reset_index(), aliases.reset_index(), register.provinces])
    other = pd.Series(areas.index, areas.index).map(spec.aliases).explode().dropna()
    more = other.rename("name").reset_index().assign(former=True, part=False)
    names = pd.concat([register.names, more])
    merged = names.merge(spellings.drop_duplicates(), on="area_id")
    columns = ["area_id", "province", "name", "former", "part"]
    return merged[columns].rename(columns={"province": "within"})


def _check(register: Register, spec: PsgcSpec) -> None:
    """Refuse provinces and areas in the catalog that the register does not have."""
    area_ids, given = set(register.areas.index), set(register.areas["province"])
    provinces = given - set(spec.provinces) | set(spec.provinces.values())
    units = set(register.areas["region"]) | {unit.was for unit in spec.former_units}
    units |= {name for level in spec.levels for name in level.groups}
    declared: Mapping[str, set[str]] = {
        "provinces": set(spec.provinces) - given - area_ids,
        "aliases": set(spec.aliases) - provinces - area_ids - units,
        "not_covered.provinces": set(spec.not_covered.provinces) - provinces,
        "not_covered.except_areas": set(spec.not_covered.except_areas) - area_ids,
    }
    for entry, unknown in declared.items():
        if unknown:
            raise InputError(
                f"the frame has no '{min(unknown)}'",
                where=f"data_catalog.yaml, frame.{entry}",
                remedy="use the present name of a province or region, or an area's 10-digit code",
            )

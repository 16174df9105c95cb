"""The frame's data, and the two questions every reader asks it: whose code, whose name is this?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import pandas as pd
from scipy.sparse import csr_array, load_npz, save_npz

from smallarea.areas.censuses import population_in
from smallarea.areas.codes import Crosswalk
from smallarea.areas.history import former_units_of, shares_then, transfers_of, units_then
from smallarea.areas.levels import levels_of
from smallarea.areas.names import match_names
from smallarea.files import write_json, writing

#: The entry of a frame's provenance with the declared boundary file that was not found.
ABSENT = "boundaries that were not found"


def _no_names() -> pd.DataFrame:
    columns = {"area_id": "str", "within": "str", "name": "str", "former": "bool"}
    return pd.DataFrame(columns=list(columns)).astype(columns)


def _no_aliases() -> pd.DataFrame:
    return pd.DataFrame({"unit": [], "alias": []}).astype("str")


def _no_censuses() -> pd.DataFrame:
    empty = {"area_id": "str", "year": "int64", "population": "float"}
    return pd.DataFrame(columns=list(empty)).astype(empty)


@dataclass(frozen=True)
class Frame:
    """All areas of a country, and what is known of each before any survey.

    table : index area_id (text, sorted); name; for each level `x` above, lowest first, `x_id` and
        `x` (its name); population, the reference populations, lon, lat (a point inside), area_km2,
        covered (in the survey's frame), geometry_source, geometry_note ('' if there is nothing to
        say), and where they are known urban_share (0-1) and what else the register tells.
    geometry : polygons, EPSG:4326, index area_id.
    neighbours : symmetric 0/1 matrix in the table's order; one connected graph.
    codes : code, area_id, vintage: every spelling of a code that is understood. A code may stand
        for different areas in different vintages. Where `part` is true, it is a part of the area's.
    psus : sampling units, index psu_id; area_id, name, population, urban, lon, lat,
        note ('' if there is nothing to say).
    names : area_id, within, name, former: every name that is understood, and the unit of the
        lowest level that it is looked for in. Where `part` is true, it is a part of the area's.
    unit_aliases : unit, alias: other names of units of levels, now or before.
    transfers : origin, area_id, before, people: see `smallarea.areas.history.Transfer`.
    censuses : area_id, year, population: on the areas of now; empty if one year is all there is.
    former_units : level, before, was, area_id: see `smallarea.areas.history.FormerUnit`.
    spelling : see `smallarea.areas.names.canonical`.
    provenance : what the frame was built from.
    labels : what `area`, `areas` and the levels are called where people read.
    """

    table: pd.DataFrame
    geometry: gpd.GeoSeries
    neighbours: csr_array
    codes: pd.DataFrame
    psus: pd.DataFrame
    names: pd.DataFrame = field(default_factory=_no_names)
    unit_aliases: pd.DataFrame = field(default_factory=_no_aliases)
    transfers: pd.DataFrame = field(default_factory=lambda: transfers_of((), pd.DataFrame()))
    censuses: pd.DataFrame = field(default_factory=_no_censuses)
    former_units: pd.DataFrame = field(default_factory=lambda: former_units_of((), pd.DataFrame()))
    spelling: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> dict[str, str]:
        """What an area, areas and each level are called: `labels`, completed."""
        levels = {name: name.replace("_", " ").capitalize() for name in levels_of(self.table)}
        return {"area": "Area", "areas": "areas", **levels, **self.labels}

    @cached_property
    def _crosswalk(self) -> Crosswalk:
        return Crosswalk(self.codes, self.psus.index)

    def match(self, codes: pd.Series, *, where: str) -> pd.Series:
        """Return the area_id of each code of any vintage, <NA> where it is missing or unknown.

        A code that changed hands is read in the vintage that the other codes show.

        Raises
        ------
        InputError : the codes are, or once were, numbers (leading zeros are gone, and what is left
            may be another area's code); they are codes of units below the areas; or codes changed
            hands and their vintage does not show.
        """
        return self._crosswalk.match(codes, where)

    def match_names(self, within: pd.Series, name: pd.Series) -> pd.Series:
        """Return the area_id of each messy name, <NA> unless exactly one area fits.

        `within`, a unit of the lowest level, may be '' or missing: then the name must be unique.
        """
        return match_names(within, name, self.names, self.spelling)

    def units_then(self, level: str, year: int | None) -> pd.Series:
        """Return the name of each area's unit of a level in a year; None: as it is now."""
        return units_then(self.table, self.former_units, level, year)

    def population_in(self, year: int) -> pd.Series:
        """Return the population of each area in a year; as it is now if no census tells."""
        now = self.table["population"].astype(float)
        if self.censuses.empty:
            return now
        return population_in(self.censuses, year).reindex(now.index).fillna(now)

    def shares_then(self, year: int | None) -> pd.DataFrame:
        """Return where the people of areas of a year that changed since live now; see history."""
        return shares_then(self.table["population"], self.transfers, year)


_TABLES = (
    "table",
    "codes",
    "psus",
    "names",
    "unit_aliases",
    "transfers",
    "former_units",
    "censuses",
)


def save_frame(frame: Frame, directory: Path) -> None:
    """Write the frame to a directory, all or nothing."""
    with writing(directory) as folder:
        folder.mkdir()
        for part in _TABLES:
            getattr(frame, part).to_parquet(folder / f"{part}.parquet")
        frame.geometry.rename("geometry").to_frame().to_parquet(folder / "geometry.parquet")
        save_npz(folder / "neighbours.npz", frame.neighbours)
        extra = {"spelling": dict(frame.spelling), "provenance": dict(frame.provenance)}
        extra["labels"] = dict(frame.labels)
        write_json(folder / "frame.json", extra)


def load_frame(directory: Path) -> Frame:
    """Read what `save_frame` wrote."""
    extra = json.loads((directory / "frame.json").read_text(encoding="utf-8"))
    return Frame(
        geometry=gpd.read_parquet(directory / "geometry.parquet").geometry.rename(None),
        neighbours=csr_array(load_npz(directory / "neighbours.npz")),
        spelling=extra["spelling"],
        provenance=extra["provenance"],
        labels=extra["labels"],
        **{part: pd.read_parquet(directory / f"{part}.parquet") for part in _TABLES},
    )


def load_table(directory: Path) -> pd.DataFrame:
    """Read the table alone of what `save_frame` wrote."""
    return pd.read_parquet(directory / "table.parquet")

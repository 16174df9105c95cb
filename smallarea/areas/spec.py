"""What every `frame:` block of data_catalog.yaml says, whichever register makes the frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, field_validator, model_validator
from pyproj import CRS
from pyproj.exceptions import CRSError

from smallarea.areas.history import FormerUnit, Transfer
from smallarea.declared import Declared, read_block
from smallarea.errors import InputError
from smallarea.files import find_below, inside

#: What tables of a frame, a survey, a plan or estimates call their own columns, and keys of sources
#: their roles: no name for a level or a reference population.
RESERVED = frozenset({
    "area", "areas", "area_id", "name", "code", "population", "lon", "lat", "area_km2", "covered",
    "urban", "urban_share", "geometry", "geometry_source", "geometry_note", "former", "within",
    "origin", "destination", "respondent_id", "weight", "stratum", "psu", "psu_id", "psu_name",
    "size", "role", "replaces", "order", "p_area", "p_psu", "interviews", "rank", "target", "step",
    "nation_sd", "areas_sd", "component", "draw", "indicator", "unit", "units", "surveyed", "mean",
    "sd", "q025", "q10", "q25", "q50", "q75", "q90", "q975", "rank_mean", "rank_low", "rank_high",
    "flags", "p_top", "notice", "chosen", "cost", "free", "chance_top", "chance_best",
    "chance_above", "joint_low", "joint_high", "could_top", "surely_top", "list_top", "within_top",
    "level", "levels", "group", "groups", "index", "nation", "national", "all", "chain", "counts",
    "covered_total", "national_total", "label", "tau",
})  # fmt: skip


class Boundaries(Declared):
    """A file of polygons, in any format GeoPandas reads."""

    file: str
    code: str
    """The column of area codes, of any vintage."""
    source: str


class Census(Declared):
    """A table of the people of every area in one other year; it may be absent."""

    file: str
    code: str
    """The column of area codes, of any vintage."""
    population: str
    """The column of people."""
    year: int
    """When they were counted, on the areas of then."""


class Coast(Declared):
    """How the embedded polygons end at the sea, in kilometres."""

    reach: float = Field(default=1.2, gt=0)
    """Land reaches this many times the radius of a disc as large as the point's own unit."""
    nearest_km: float = Field(default=0.5, gt=0)
    farthest_km: float = Field(default=15, gt=0)
    smooth_km: float = Field(default=1, ge=0)
    """Gaps narrower than twice this are closed."""
    lakes: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Name -> a point (longitude, latitude); other holes in the land are filled."""


class Level(Declared):
    """A layer of areas above the estimated ones: the register knows it, or it is declared."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """The project's word for it, used in tables and keys."""
    column: str | None = None
    """What heads its names in the register's file; by default the level's name."""
    code: str | None = None
    """What heads its codes there; without, the names are the codes."""
    of: str | None = None
    """The level whose units it is made of, if it is declared here."""
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Its units, each with the names of the units of `of` in it."""

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        return free_name(name)


class FrameSpec(Declared):
    """The fields that all registers share."""

    connector: str
    publisher: str
    licence: str
    vintage: str
    crs: str
    """A projection of the country in metres, for distances and buffers."""
    area_crs: str
    """An equal-area projection."""
    contiguity_m: float = Field(default=100, ge=0)
    """Areas this close are neighbours: boundary files have slivers."""
    levels: tuple[Level, ...] = Field(min_length=1)
    """The levels above the areas, the lowest first."""
    coast: Coast = Coast()
    boundaries: Boundaries | None = None
    aliases: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Area code, or a unit of a level -> other names and codes of it seen in files. What stands
    under several units is all of them together."""
    population_year: int | None = None
    """When the frame's people were counted; needed with `censuses`."""
    censuses: tuple[Census, ...] = ()
    """Populations of other years: rates of those years are per the people of then."""
    transfers: tuple[Transfer, ...] = ()
    """Land that came to another area, new areas from their parents among it."""
    former_units: tuple[FormerUnit, ...] = ()
    """Units of levels that held other areas than now."""
    labels: dict[str, str] = Field(default_factory=dict)
    """What `area`, `areas` and the levels are called in map and report."""
    spelling: dict[str, str] = Field(default_factory=dict)
    """See `smallarea.areas.names.canonical`."""

    @field_validator("crs", "area_crs")
    @classmethod
    def _known(cls, crs: str) -> str:
        return projection(crs)

    @model_validator(mode="after")
    def _levels_differ(self) -> FrameSpec:
        if self.censuses and self.population_year is None:
            raise ValueError("censuses need population_year: when the frame's people were counted")
        names = [level.name for level in self.levels]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two levels are called '{twice[0]}'")
        return self


def projection(crs: str) -> str:
    """Return a declared projection; raise ValueError if it is none in metres."""
    try:
        known = CRS.from_user_input(crs)
    except CRSError:
        raise ValueError(f"no coordinate reference system is called '{crs}'") from None
    units = {axis.unit_name for axis in known.axis_info}
    if not known.is_projected or units != {"metre"}:
        raise ValueError(
            f"'{crs}' ({known.name}) is no projection in metres, as one of the country's UTM zones "
            "is: distances and areas would be wrong"
        )
    return crs


def free_name(name: str) -> str:
    """Return a declared name; raise ValueError if tables call a column of their own so."""
    if name in RESERVED or name.endswith("_id"):
        raise ValueError(f"'{name}' is what tables call a column of their own: choose another name")
    return name


Spec = TypeVar("Spec", bound=FrameSpec)


def read_spec(block: dict[str, Any], kind: type[Spec]) -> Spec:
    """Validate the `frame:` block as one register wants it; see `read_block`."""
    return read_block(block, kind, "frame", "correct that entry of the catalog")


def locate(file: str, data_dirs: Sequence[Path]) -> Path | None:
    """Return the file in the first of `data_dirs` that has it, or None."""
    try:
        return find_below(data_dirs, inside(file))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            str(error), where="data_catalog.yaml, frame", remedy="correct the file's name"
        ) from None

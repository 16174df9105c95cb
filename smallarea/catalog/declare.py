"""What `data_catalog.yaml` may say: every source, declared once, checked when it is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from smallarea.catalog.packs import is_pattern
from smallarea.catalog.terms import Terms
from smallarea.declared import Declared, Said
from smallarea.errors import InputError
from smallarea.files import inside
from smallarea.reading.column import Column
from smallarea.reading.yaml_text import read_yaml

#: Access tiers, the loosest first.
ACCESS = ("open", "agreement", "restricted")

Kind = Literal["table", "raster", "points", "lines", "flows", "programme"]
#: Rows are areas where somebody is at work, `start` is since when; never a covariate.
PROGRAMME = "programme"

#: The roles a key may give to columns, per kind of source. A table may also name one level of the
#: frame, alone (its rows are that level's units) or beside `name`.
KEYS: dict[Kind, tuple[frozenset[str], ...]] = {
    "table": (frozenset(["code"]), frozenset(["name"])),
    "programme": (frozenset(["code"]), frozenset(["name"])),
    "flows": (frozenset(["origin", "destination"]),),
    "points": (frozenset(["lat", "lon"]), frozenset()),
    "raster": (frozenset(),),
    "lines": (frozenset(),),
}


NAME = re.compile(r"\w(?:[\w.-]{0,98}\w)?")

#: Field -> the only kinds of source that it is for.
_ONLY: dict[str, tuple[Kind, ...]] = {
    "classes": ("raster",),
    "band": ("raster",),
    "nodata": ("raster",),
    "extent": ("points", "lines"),
    "least_observed": ("raster", "points", "lines"),
    "divisible": ("table",),
    "where": ("table", "flows", "points", "programme"),
}


class Source(Terms):
    """One file as its publisher gives it out: whose it is, and what must be in it."""

    name: str
    title: str
    """What it is, as its publisher says it."""
    publisher: str
    """Whose it is, as sources are named in the report."""
    licence: str
    """Under which it is given out; `data sharing agreement` is one."""
    access: Literal["open", "agreement", "restricted"]
    """Who may see it; whatever is made of several sources has the strictest of their tiers."""
    page: str | None = None
    """Its publisher's page about it; empty as long as that is not known for certain."""
    obtain: str = ""
    """How to get the file where no address gives it: whom to ask, what to choose."""
    verified: Literal["never"] | date = "never"
    """The day on which somebody last found it at these addresses, and looked at it."""
    file: str
    """Its name, or a pattern (`schools_*.csv`) of files that are parts of one table. A shapefile is
    named by its .shp; the files beside it are taken along."""
    kind: Kind
    """What the file holds, which decides how it is read and what `key` may say."""
    cadence: str
    """How often its publisher renews it."""
    vintage: Annotated[str, WithJsonSchema({"type": ["string", "integer"]})]
    """The year, or years, that it speaks of."""
    key: dict[str, str] = Field(default_factory=dict)
    """Role -> header of the column that finds a row's area; the roles are those of `KEYS`."""
    columns: dict[str, Column] = Field(default_factory=dict)
    """Name -> what the column must hold; stream files use the name."""
    areas_of: Literal["today"] | int | None = None
    """The year whose areas and levels its rows speak of; by default the year that `vintage` is."""
    where: Annotated[dict[str, tuple[str, ...]], WithJsonSchema({"type": "object"})] = Field(
        default_factory=dict
    )
    """Header -> what its cells say in the rows that count; all others are left out."""
    decimal: Literal[".", ","] | None = None
    """The sign before decimals; by default a point, or what a file cut by semicolons shows."""
    per: tuple[str, ...] = ()
    """Columns that, with the area, make a row unique (year, month, school...). Of points and lines:
    those that make one a thing of its own (an id)."""
    aggregate: Literal["sum", "mean"] | None = None
    """What to do with several rows of one area; by default that is an error."""
    divisible: bool = True
    """Whether a row can be divided when its area has been. False where rows are things (schools):
    an area that gained or lost land since is missing then."""
    layer: str | None = None
    """Sheet of a workbook or layer of a GeoPackage; by default the first. `Part *` is every sheet
    whose name begins so."""
    snap_km: float = Field(default=0, ge=0)
    """A point outside every area goes to the nearest one within this distance."""
    extent: (
        Literal["all"] | dict[str, tuple[str, ...]] | tuple[float, float, float, float] | None
    ) = None
    """What points or lines cover: `all` areas, units of a level (`shire: [North, South]`), or west,
    south, east and north in degrees. Outside is missing; inside, no point is 0. By default a unit
    of the highest level without any was not observed, and that is said."""
    least_observed: float = Field(default=0.9, gt=0, le=1)
    """The least share of an area that a raster or an extent in degrees must have observed."""
    band: int | None = Field(default=None, ge=1)
    """The band of a raster that counts; needed where there are several."""
    nodata: float | None = None
    """The value of pixels without one, as in the file, if the file does not say it."""
    classes: tuple[int, ...] = ()
    """The codes of a raster of classes; without them its pixels are amounts."""
    domain: str = ""
    """What the source is about (wealth, reach, safety...), to compare models by domain."""
    optional: bool = False
    """Without its file, streams on this source are left out, and that is reported."""
    min_coverage: float = Field(default=0, ge=0, le=1)
    """The least share of areas for which every feature made of it has a value; below it the file is
    not complete, see `smallarea.catalog.quarantine`."""
    no_persons: tuple[str, ...] = ()
    """Headers of columns that look like persons and are none, see `smallarea.reading.persons`."""
    most_shift: float | None = Field(default=None, gt=0, le=1)
    """How far the share of areas below any tenth of a feature's last good values may move at once;
    beyond it the file is set aside."""
    essential: bool = False
    """A file that cannot be used stops the run, though an earlier one could."""
    note: str = ""
    """What else a reader should know."""

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError(
                "a source's name is a folder's in the store: letters, digits, _ - and . inside, at "
                "most 100"
            )
        return name

    @field_validator("file")
    @classmethod
    def _inside(cls, file: str) -> str:
        return inside(file)

    @field_validator("where", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: [str(x) for x in (v if isinstance(v, list) else [v])] for k, v in value.items()}

    @field_validator("vintage", mode="before")
    @classmethod
    def _vintage_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    @model_validator(mode="after")
    def _consistent(self) -> Source:
        roles = frozenset(self.key)
        level = roles - {"code", "name"}
        of_level = self.of_areas and len(level) == 1 and roles <= level | {"name"}
        if roles not in KEYS[self.kind] and not of_level:
            forms = " or ".join(" + ".join(sorted(form)) or "none" for form in KEYS[self.kind])
            also = " or a level of the frame, alone or with name" if self.of_areas else ""
            raise ValueError(f"the key of a {self.kind} source must be: {forms}{also}")
        start = self.columns.get("start")
        if self.kind == PROGRAMME and (start is None or start.type != "text"):
            raise ValueError("a programme needs a column start: {type: text}, since when it works")
        for name, column in self.columns.items():
            if column.error and column.error not in self.columns:
                raise ValueError(f"the error of {name}, '{column.error}', is not declared")
        if unknown := set(self.per) - set(self.columns):
            raise ValueError(f"'per' names columns that are not declared: {', '.join(unknown)}")
        for field, kinds in _ONLY.items():
            if field in self.model_fields_set and self.kind not in kinds:
                raise ValueError(f"'{field}' is for {' and '.join(kinds)}, not for {self.kind}")
        if is_pattern(self.file) and not self.key:
            raise ValueError(
                f"'{self.file}' is a pattern, which only tables, flows and points have"
            )
        if self.kind == "raster" and (other := set(self.columns) - {"value"}):
            raise ValueError(f"the column of a raster is 'value', not '{min(other)}'")
        text = [n for n, c in self.columns.items() if c.type == "text" and n not in self.per]
        if self.aggregate and text:
            raise ValueError(f"text columns cannot be aggregated: {', '.join(text)}")
        return self

    @property
    def of_areas(self) -> bool:
        """Whether its rows are about areas, or about units of a level."""
        return self.kind in ("table", PROGRAMME)

    @property
    def year(self) -> int | None:
        """The year whose areas and levels its rows speak of; None: those of today."""
        if self.areas_of is not None:
            return None if self.areas_of == "today" else self.areas_of
        return int(self.vintage) if re.fullmatch(r"[12]\d{3}", self.vintage.strip()) else None


class Comparison(Declared):
    """A figure published elsewhere that readers will set beside the project's; never fitted."""

    figure: Said
    counts: Said
    """What it counts."""
    period: Annotated[Said, BeforeValidator(str)]
    source: Said
    comparable: Literal[True] | Said
    """True, or why it is not."""

    @model_validator(mode="before")
    @classmethod
    def _says_why(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("comparable") is False:
            raise ValueError("comparable: false says nothing; say why it is not, in words")
        return value


class Catalog(Declared):
    """A project's `data_catalog.yaml`: sources, and the blocks that other rooms read."""

    sources: dict[str, Source] = Field(default_factory=dict)
    frame: dict[str, Any] = Field(default_factory=dict)
    indicators: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    """Figures published elsewhere: one table in the report."""
    twin: dict[str, Any] = Field(default_factory=dict)
    """Knobs of the digital twin: fields of :class:`smallarea.simulate.TwinSettings`."""

    @model_validator(mode="before")
    @classmethod
    def _name_sources(cls, value: Any) -> Any:
        sources = value.get("sources") if isinstance(value, dict) else None
        if not isinstance(sources, dict):
            return value
        named = {k: {**v, "name": str(k)} if isinstance(v, dict) else v for k, v in sources.items()}
        return {**value, "sources": named}

    @model_validator(mode="after")
    def _levels_are_the_frames(self) -> Catalog:
        told = self.frame.get("levels")
        told = told if isinstance(told, list | tuple) else []
        levels = [level.get("name") for level in told if isinstance(level, dict)]
        for name, source in self.sources.items():
            if source.of_areas and (other := set(source.key) - {"code", "name", *levels}):
                raise ValueError(
                    f"the key of source {name} names '{min(other)}', which is no level of the "
                    f"frame ({', '.join(map(str, levels)) or 'none is declared'})"
                )
        return self


def load_catalog(path: Path) -> Catalog:
    """Read a data catalog.

    Raises
    ------
    InputError : the file is missing or not YAML, or an entry or field is unknown, missing or of
        the wrong kind; file, entry and field are named.
    """
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        raise InputError(
            "there is no such file",
            where=str(path),
            remedy="a project directory needs a data_catalog.yaml: `smallarea init` writes one",
        ) from None
    if not isinstance(content, dict):
        raise InputError(
            "the file holds no mapping", where=path.name, remedy="it must begin with `sources:`"
        )
    try:
        return Catalog.model_validate(content)
    except ValidationError as error:
        slips = [_place_and_reason(slip) for slip in error.errors()]
        place, reason = slips[0]
        also = "".join(f"; also {at}: {why}" for at, why in slips[1:4])
        raise InputError(
            reason + also, where=f"{path.name}, {place}", remedy="correct the catalog"
        ) from None


def _place_and_reason(slip: Mapping[str, Any]) -> tuple[str, str]:
    place = " > ".join(map(str, slip["loc"])) or "the whole file"
    unknown = slip["type"] == "extra_forbidden"
    return place, "unknown field" if unknown else slip["msg"].removeprefix("Value error, ")

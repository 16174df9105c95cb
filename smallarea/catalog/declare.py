"""What `data_catalog.yaml` may say: every source, declared once, checked when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from smallarea.errors import InputError

Kind = Literal["table", "raster", "points", "lines", "flows"]

#: The roles a key may give to columns, per kind of source.
KEYS: dict[Kind, tuple[frozenset[str], ...]] = {
    "table": tuple(map(frozenset, (["code"], ["province", "name"], ["province"], ["region"]))),
    "flows": (frozenset(["origin", "destination"]),),
    "points": (frozenset(["lat", "lon"]), frozenset()),
    "raster": (frozenset(),),
    "lines": (frozenset(),),
}


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Declared):
    """What a column must hold. Its key in the catalog is the name that stream files use."""

    header: str | None = None
    """What heads the column in the file, or how that begins; by default the column's name."""
    type: Literal["integer", "number", "text"] = "number"
    min: float | None = None
    max: float | None = None
    optional: bool = False
    """The file may lack the column; it is then all missing."""


class Source(_Declared):
    """One file as its publisher gives it out: whose it is, and what must be in it."""

    name: str
    title: str
    publisher: str
    licence: str
    access: Literal["open", "agreement", "restricted"]
    file: str
    kind: Kind
    cadence: str
    vintage: str
    key: dict[str, str] = Field(default_factory=dict)
    """Role -> header of the column that finds a row's area; the roles are those of `KEYS`."""
    columns: dict[str, Column] = Field(default_factory=dict)
    per: tuple[str, ...] = ()
    """Columns that, with the area, make a row unique (year, month, school...)."""
    aggregate: Literal["sum", "mean"] | None = None
    """What to do with several rows of one area; by default that is an error."""
    layer: str | None = None
    """Sheet of a workbook or layer of a GeoPackage; by default the first."""
    snap_km: float = Field(default=0, ge=0)
    """A point outside every area goes to the nearest one within this distance."""
    optional: bool = False
    """Without its file, streams on this source are left out, and that is reported."""
    note: str = ""

    @field_validator("vintage", mode="before")
    @classmethod
    def _vintage_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    @model_validator(mode="after")
    def _consistent(self) -> Source:
        if frozenset(self.key) not in KEYS[self.kind]:
            forms = " or ".join(" + ".join(sorted(form)) or "none" for form in KEYS[self.kind])
            raise ValueError(f"the key of a {self.kind} source must be: {forms}")
        if unknown := set(self.per) - set(self.columns):
            raise ValueError(f"'per' names columns that are not declared: {', '.join(unknown)}")
        text = [n for n, c in self.columns.items() if c.type == "text" and n not in self.per]
        if self.aggregate and text:
            raise ValueError(f"text columns cannot be aggregated: {', '.join(text)}")
        return self


class Catalog(_Declared):
    """A project's `data_catalog.yaml`: sources, and the blocks that other rooms read."""

    sources: dict[str, Source] = Field(default_factory=dict)
    frame: dict[str, Any] = Field(default_factory=dict)
    indicators: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _name_sources(cls, value: Any) -> Any:
        sources = value.get("sources") if isinstance(value, dict) else None
        if not isinstance(sources, dict):
            return value
        named = {k: {**v, "name": k} if isinstance(v, dict) else v for k, v in sources.items()}
        return {**value, "sources": named}


class _Loader(yaml.SafeLoader):
    """Safe YAML in which naming an entry twice is an error instead of a silent override."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"'{key}' is declared twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_catalog(path: Path) -> Catalog:
    """Read a data catalog.

    Raises
    ------
    InputError : the file is missing or not YAML, or an entry or field is unknown, missing or of
        the wrong kind; file, entry and field are named.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise InputError(
            "there is no such file",
            where=str(path),
            remedy="a project directory needs a data_catalog.yaml: `smallarea init` writes one",
        ) from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(
            str(error.problem), where=f"{path.name}{line}", remedy="correct the YAML"
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

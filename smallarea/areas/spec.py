"""What every `frame:` block of data_catalog.yaml says, whichever register makes the frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smallarea.errors import InputError, wrong_entry


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Boundaries(Block):
    """A file of polygons, in any format GeoPandas reads."""

    file: str
    code: str
    """The column of area codes, of any vintage."""
    source: str


class Coast(Block):
    """How the embedded polygons end at the sea, in kilometres."""

    reach: float = Field(default=1.2, gt=0)
    """Land reaches this many times the radius of a disc as large as the point's own unit."""
    nearest_km: float = Field(default=0.5, gt=0)
    farthest_km: float = Field(default=15, gt=0)
    smooth_km: float = Field(default=1, ge=0)
    """Gaps narrower than twice this are closed."""
    lakes: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Name -> a point (longitude, latitude); other holes in the land are filled."""


class Level(Block):
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


class FrameSpec(Block):
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
    """Area code, or unit of the lowest level -> other names of it seen in files."""
    labels: dict[str, str] = Field(default_factory=dict)
    """What `area`, `areas` and the levels are called in map and report."""
    spelling: dict[str, str] = Field(default_factory=dict)
    """See `smallarea.areas.names.canonical`."""


Spec = TypeVar("Spec", bound=FrameSpec)


def read_spec(block: dict[str, Any], kind: type[Spec]) -> Spec:
    """Validate the block as one register wants it.

    Raises
    ------
    InputError : a field is unknown, missing or out of range; the first is named.
    """
    try:
        return kind.model_validate(block)
    except ValidationError as error:
        field, said = wrong_entry(error.errors())
        raise InputError(
            said,
            where=f"data_catalog.yaml, frame.{field}".rstrip("."),
            remedy="correct that entry of the catalog",
        ) from None


def locate(file: str, data_dirs: Sequence[Path]) -> Path | None:
    """Return the file in the first of `data_dirs` that has it, or None."""
    return next((d / file for d in data_dirs if (d / file).is_file()), None)

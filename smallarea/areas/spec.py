"""The `frame:` block of data_catalog.yaml: everything about the country that the frame needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smallarea.errors import InputError

Share = Annotated[float, Field(ge=0, le=1)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Boundaries(_Block):
    """A file of polygons, in any format GeoPandas reads."""

    file: str
    code: str
    """The column of area codes, of any vintage."""
    source: str


class Coast(_Block):
    """How the embedded polygons end at the sea, in kilometres."""

    reach: float = Field(default=1.2, gt=0)
    """Land reaches this many times the radius of a disc as large as the point's own unit."""
    nearest_km: float = Field(default=0.5, gt=0)
    farthest_km: float = Field(default=15, gt=0)
    smooth_km: float = Field(default=1, ge=0)
    """Gaps narrower than twice this are closed."""
    lakes: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Name -> a point (longitude, latitude); other holes in the land are filled."""


class AgeFile(_Block):
    """A long table of population by age group for provinces, regions or the country."""

    file: str
    source: str
    area: str
    age: str
    population: str
    children: dict[str, Share]
    """Age group -> share of it that counts as children."""
    aliases: dict[str, str] = Field(default_factory=dict)
    """Area code, or name of a province, region or country here -> the name in the file."""


class Ages(_Block):
    """Which share of the population are children (0-17)."""

    children: Share
    source: str
    file: AgeFile | None = None


class NotCovered(_Block):
    """What the survey's frame leaves out."""

    provinces: tuple[str, ...] = ()
    except_areas: tuple[str, ...] = ()


class FrameSpec(_Block):
    """The `frame:` block."""

    connector: str
    publisher: str
    licence: str
    vintage: str
    crs: str
    """A projection of the country in metres, for distances and buffers."""
    area_crs: str
    """An equal-area projection."""
    code_prefix: str
    contiguity_m: float = Field(default=100, ge=0)
    """Areas this close are neighbours: boundary files have slivers."""
    coast: Coast = Coast()
    boundaries: Boundaries | None = None
    ages: Ages
    provinces: dict[str, str] = Field(default_factory=dict)
    """Area code or province of the register -> the province a planner files it under."""
    aliases: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Area code or province -> other names of it seen in files."""
    labels: dict[str, str] = Field(default_factory=dict)
    """What `area`, `areas` and the levels are called in map and report."""
    spelling: dict[str, str] = Field(default_factory=dict)
    """See `smallarea.areas.names.canonical`."""
    not_covered: NotCovered = NotCovered()


def read_spec(block: dict[str, Any]) -> FrameSpec:
    """Validate the block.

    Raises
    ------
    InputError : a field is unknown, missing or out of range; the first is named.
    """
    try:
        return FrameSpec.model_validate(block)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(
            first["msg"],
            where=f"data_catalog.yaml, frame.{field}",
            remedy="correct that entry of the catalog",
        ) from None


def locate(file: str, data_dirs: Sequence[Path]) -> Path | None:
    """Return the file in the first of `data_dirs` that has it, or None."""
    return next((d / file for d in data_dirs if (d / file).is_file()), None)

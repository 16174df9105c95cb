"""The `frame:` block of a frame made from the PSGC register."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from smallarea.areas.spec import FrameSpec
from smallarea.declared import Declared

Share = Annotated[float, Field(ge=0, le=1)]


class AgeFile(Declared):
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


class Ages(Declared):
    """Which share of the population are children (0-17)."""

    children: Share
    source: str
    file: AgeFile | None = None


class NotCovered(Declared):
    """What the survey's frame leaves out."""

    provinces: tuple[str, ...] = ()
    except_areas: tuple[str, ...] = ()


class PsgcSpec(FrameSpec):
    """The register's own fields beside the shared ones."""

    code_prefix: str
    ages: Ages
    provinces: dict[str, str] = Field(default_factory=dict)
    """Area code or province of the register -> the province a planner files it under."""
    not_covered: NotCovered = NotCovered()

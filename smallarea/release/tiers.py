"""What each tier may hold, in one place. What is not named here is in no tier.

`internal` is the run folder itself: pooled and direct estimates, draws, features under agreement,
who was surveyed, what was answered, where to survey next. None of that is in the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from smallarea.errors import InputError
from smallarea.publish.estimates import COLUMNS, NUMBERS
from smallarea.publish.words import STANDING

_TABLES = (
    *(f"estimates.{kind}" for kind in ("csv", "csv-metadata.json", "parquet", "xlsx", "gpkg")),
    "places.parquet", "overview.hxl.csv", "levels.csv",
)  # fmt: skip
_PAGE = ("basis.parquet", "map.html", "report.html", "review.csv", "README.md")


@dataclass(frozen=True)
class Tier:
    """A tier.

    areas : `numbers` with intervals per area, or `classes`, and numbers only for units of the
        levels above. reader : for whom it is. files : all that a folder has, but its manifest.
    columns : of its tables of estimates, besides the names of levels. level : of its places, where
        units of a level above the areas were asked for; it has no classes of areas then.
    """

    name: str
    areas: Literal["numbers", "classes"]
    reader: str
    files: tuple[str, ...]
    columns: tuple[str, ...] = tuple(name for name in COLUMNS if name != "surveyed")
    level: str | None = None

    @property
    def finest(self) -> str:
        """The finest level of which it tells anything."""
        return self.level or "area"

    @property
    def standing(self) -> str:
        """For whom it is, in the words of `smallarea.publish.words.STANDING`."""
        return "public" if self.areas == "classes" else "partner"

    def by(self, level: str, levels: Sequence[str]) -> Tier:
        """Return the tier with units of a level above the areas as its places, without classes.

        Raises InputError if it is not a public one, or there is no such level.
        """
        if self.areas != "classes" or level not in levels:
            raise InputError(
                f"there is no {self.name} tier by {level!r}",
                where="--level",
                remedy=f"a public tier can be by {' or '.join(levels)}",
            )
        files = tuple(name for name in self.files if name != "classes.csv")
        return replace(self, name=f"{self.name}-{level}", files=files, level=level)


TIERS = {
    tier.name: tier
    for tier in (
        Tier(
            "public",
            "classes",
            STANDING["public"],
            (*_TABLES, "classes.csv", *_PAGE),
        ),
        Tier(
            "partner",
            "numbers",
            STANDING["partner"],
            (*_TABLES, *_PAGE),
        ),
    )
}

#: Columns of levels.csv: units of every level above the one in the tables of estimates.
LEVEL_COLUMNS = ("level", "unit_id", "name", "indicator", *NUMBERS, "notice")

#: An area is put in a class where its 80 % interval is no wider than so many times its lower end...
WIDEST = 10.0
#: ... and the chance of being above the national rate is at least this, or at most one less this.
SURE = 0.9
ABOVE, BELOW = "probably above the national rate", "probably below the national rate"
UNTOLD = "cannot be told"
#: With less than this share of areas in a class, a public tier says why it shows units above them.
FEW = 0.5


def tier_called(name: str) -> Tier:
    """Return a tier by its name; raise InputError if there is none of that name."""
    if name not in TIERS:
        raise InputError(
            f"no tier {name!r}",
            where="tier",
            remedy=f"choose {' or '.join(TIERS)}; the internal tier is the run folder itself",
        )
    return TIERS[name]

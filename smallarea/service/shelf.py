"""The tiers that are served: found, compared with their manifests, read once into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from smallarea.errors import InputError
from smallarea.files import read_object
from smallarea.publish.estimates import levels_in
from smallarea.release.tiers import TIERS
from smallarea.run.record import MANIFEST, damage_of
from smallarea.run.records import some
from smallarea.spreadsheets import as_meant

#: Columns of a table of estimates that say whose number it is, not what it is.
WHOSE = ("area_id", "name", "indicator", "flags", "notice")
#: The same in the table of the levels above.
WHOSE_UNIT = ("level", "unit_id", "name", "indicator", "notice")


@dataclass(frozen=True)
class Shelf:
    """One tier of one run, intact when it was read.

    folder : as `smallarea publish` wrote it. manifest : its manifest. name : of the tier, such as
    `partner`, `public` or, by units of a larger level, `public-LEVEL`. tier : `public` or
    `partner`, whatever level its places are of.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def run(self) -> str:
        return str(self.manifest["run"])

    @property
    def name(self) -> str:
        return str(self.manifest["tier"])

    @property
    def tier(self) -> str:
        return kind_of(self.name)

    @property
    def seal(self) -> str:
        return str(self.manifest["seal"])

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """A row per place and indicator."""
        return pd.read_parquet(self.folder / "estimates.parquet")

    @cached_property
    def levels(self) -> pd.DataFrame:
        """A row per unit of the levels above and indicator."""
        table = _texts(self.folder / "levels.csv")
        numbers = [str(name) for name in table if name not in WHOSE_UNIT]
        return table.assign(**{name: pd.to_numeric(table[name]) for name in numbers})

    @cached_property
    def classes(self) -> pd.DataFrame | None:
        """Areas in classes, where the tier has them."""
        path = self.folder / "classes.csv"
        return _texts(path) if path.is_file() else None

    @cached_property
    def shapes(self) -> gpd.GeoSeries:
        """Return the places' shapes in degrees, index area_id."""
        table = gpd.read_file(self.folder / "estimates.gpkg", layer="areas", columns=["area_id"])
        return table.drop_duplicates("area_id").set_index("area_id").geometry.to_crs(4326)

    @cached_property
    def page(self) -> bytes:
        """The map."""
        return (self.folder / "map.html").read_bytes()

    @cached_property
    def report(self) -> bytes:
        """The report."""
        return (self.folder / "report.html").read_bytes()

    @cached_property
    def readme(self) -> bytes:
        """What stands in the folder, and what the numbers mean."""
        return (self.folder / "README.md").read_bytes()


def kind_of(name: str) -> str:
    """Return the kind of a tier, `public` or `partner` if it is one, from its name."""
    return name.split("-", 1)[0]


def _texts(path: Path) -> pd.DataFrame:
    """Read a table as text, as it was before it was made safe for spreadsheets."""
    return pd.read_csv(path, dtype=str, keep_default_na=False).map(as_meant)


def read_shelves(folder: Path) -> dict[tuple[str, str], Shelf]:
    """Return every tier below a folder by run and name, the newest run first.

    Of one run, tiers of more places come before those of larger units.

    Raises
    ------
    InputError : there is none, one was changed after it was made, or is no tier.
    """
    found = [read_shelf(path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}"))]
    if not found:
        raise InputError(
            "no published tier here",
            where=str(folder),
            remedy="make one with `smallarea publish --tier public`, or name its folder",
        )
    newest = sorted(found, key=_order, reverse=True)
    return {(one.run, one.name): one for one in newest}


def _order(one: Shelf) -> tuple[str, str, int, bool]:
    return one.run, one.tier, len(levels_in(one.estimates)), one.name == one.tier


def read_shelf(folder: Path) -> Shelf:
    """Return one tier; raise InputError if it is none, or is not what was published."""
    manifest = read_object(folder / MANIFEST) or {}
    if kind_of(str(manifest.get("tier", ""))) not in TIERS:
        raise InputError(
            "this is not a published tier, and only tiers are served",
            where=str(folder),
            remedy="a run is internal: make a tier of it with `smallarea publish`",
        )
    if said := damage_of(folder):
        raise InputError(
            f"this tier was changed after it was published: {some(said)}",
            where=str(folder),
            remedy="publish it again, or fetch an unchanged copy",
        )
    return Shelf(folder, manifest)


def runs(shelves: Sequence[Shelf]) -> list[dict[str, Any]]:
    """List runs, newest first, with the tiers of each that are among the shelves."""
    listed: dict[str, dict[str, Any]] = {}
    for one in shelves:
        entry = listed.setdefault(one.run, {"run": one.run, "tiers": []})
        entry["tiers"].append(one.name)
        entry["synthetic"] = bool(max(one.estimates["notice"]))
    return list(listed.values())

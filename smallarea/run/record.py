"""A finished run, read-only: its files, and the manifest that traces them to their inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.errors import InputError
from smallarea.files import differences, digest_of, read_object
from smallarea.indicators import Indicators
from smallarea.run.records import some

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

    from smallarea.findings.comparison import Change
    from smallarea.projection.target import Target


MANIFEST = "manifest.json"
#: What two runs that made the same files of the same inputs have in common.
SAME = ("profile", "seed", "settings", "inputs", "code", "libraries", "outputs")


def seal(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with the hash of all its other entries: edits of it are noticed too."""
    plain = json.loads(json.dumps(manifest, default=str))
    return {k: v for k, v in plain.items() if k != "seal"} | {"seal": _seal_of(plain)}


def _seal_of(manifest: Mapping[str, Any]) -> str:
    return digest_of({key: value for key, value in manifest.items() if key != "seal"})


def damage_of(folder: Path, *, added: bool = True) -> list[str]:
    """Say of every file of a published folder how it differs from the folder's manifest.

    Works for a run and for whatever else has a `manifest.json` with `outputs`: name -> SHA-256.

    added : whether files that the manifest does not list are told too.

    Raises
    ------
    InputError : there is no manifest.
    """
    if not (folder / MANIFEST).is_file():
        raise InputError(
            "no finished run here",
            where=str(folder),
            remedy=f"give a folder of runs/, or another with a {MANIFEST}",
        )
    manifest = read_object(folder / MANIFEST) or {}
    outputs = manifest.get("outputs")
    if not isinstance(outputs, dict):
        return [f"{MANIFEST} cannot be read"]
    edited = "seal" in manifest and manifest["seal"] != _seal_of(manifest)
    return [f"{MANIFEST} is not what was written"] * edited + differences(
        folder,
        {name: str(digest) for name, digest in outputs.items()},
        (MANIFEST,),
        added=added,
    )


def find_finished(
    runs: Path, manifest: Mapping[str, Any], tell: Callable[[str], None]
) -> Path | None:
    """Return an intact run of the same inputs, settings, code and outputs, the newest if several.

    `manifest` is that of a run about to be kept; `tell` is told of those that were changed.
    """
    wanted = seal({key: manifest.get(key) for key in SAME})["seal"]
    for folder in sorted(runs.iterdir(), reverse=True):
        if folder.is_symlink() or folder.name.startswith("."):
            continue
        found = read_object(folder / MANIFEST) or {}
        if seal({key: found.get(key) for key in SAME})["seal"] != wanted:
            continue
        if not (said := damage_of(folder, added=False)):
            return folder
        tell(f"run {folder.name} was changed after it was made: {some(said)}")
    return None


class Run:
    """One finished execution: published files and the manifest that traces them to inputs.

    Its files are compared with the manifest before the first is read: an edited run is refused
    with an InputError.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / MANIFEST).is_file():
            damage_of(folder)
        self.folder = folder
        self.manifest: dict[str, Any] = read_object(folder / MANIFEST) or {}
        self._intact = False
        if "outputs" not in self.manifest:
            self.require_intact()

    def require_intact(self) -> None:
        """Raise InputError naming the files that are not what the run wrote, if there are any.

        Files that somebody put beside them are let be.
        """
        said = [] if self._intact else damage_of(self.folder, added=False)
        if not said and "seal" not in self.manifest:
            said = [f"{MANIFEST} has no seal"]
        if said:
            raise InputError(
                f"this run was changed after it was made: {some(said)}",
                where=str(self.folder),
                remedy="make it again with `smallarea run`, or fetch an unchanged copy",
            )
        self._intact = True

    def __repr__(self) -> str:
        return f"Run({self.folder})"

    @property
    def synthetic(self) -> bool:
        """Whether the survey is the twin's: the numbers then describe no real place."""
        return bool(self.manifest["synthetic"])

    def table(self) -> pd.DataFrame:
        """Return the long table: one row per area and indicator."""
        self.require_intact()
        return pd.read_parquet(self.folder / "estimates.parquet")

    @cached_property
    def indicators(self) -> Indicators:
        """What the run publishes, as its project declared it."""
        return Indicators.model_validate(self.manifest["indicators"])

    def estimates(self, indicator: str | None = None) -> gpd.GeoDataFrame:
        """Return one indicator for every area: mean, sd, intervals, rank interval, flags, shape.

        By default the headline count. Raises InputError for an unknown indicator.
        """
        import geopandas as gpd

        units = self.indicators.units
        indicator = indicator or self.indicators.headline
        if indicator not in units:
            raise InputError(
                f"no indicator {indicator!r}",
                where="Run.estimates",
                remedy=f"choose one of {', '.join(units)}",
            )
        self.require_intact()
        shapes = gpd.read_parquet(self.folder / "areas.parquet").set_index("area_id")["geometry"]
        table = self.table()
        rows = table[table["indicator"] == indicator].set_index("area_id")
        return gpd.GeoDataFrame(rows, geometry=shapes.reindex(rows.index), crs=shapes.crs)

    def draws(self) -> xr.Dataset:
        """Return the component draws (component x area_id x draw) and the national ones."""
        from smallarea.publish.draws import read_draws

        self.require_intact()
        return read_draws(self.folder / "draws.nc")

    def target(self, k: int | None = None, **wanted: Any) -> Target:
        """Choose the `k` areas to go to, or judge a set, and say how sure that is.

        See :func:`smallarea.run.targeting.target_run` for what else can be said.
        """
        from smallarea.run.targeting import target_run

        made = (self.folder, self.manifest, self.table(), self.draws(), self.indicators)
        return target_run(*made, k, **wanted)

    def change_since(
        self, earlier: Run, *, tau_drift: float = 0.0, correlation: float = 0.0, seed: int = 0
    ) -> Change:
        """Compare this run's reported prevalence with that of a run of an earlier survey.

        See :func:`smallarea.findings.comparison.compare_runs`.
        """
        from smallarea.findings.comparison import compare_runs

        for run in (earlier, self):
            run.require_intact()
        return compare_runs(earlier, self, tau_drift=tau_drift, correlation=correlation, seed=seed)

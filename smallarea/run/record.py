"""A finished run, read-only: its files, and the manifest that traces them to their inputs."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.errors import InputError
from smallarea.indicators import Indicators

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

    from smallarea.findings.comparison import Change
    from smallarea.projection.target import Target


class Run:
    """One finished execution: published files and the manifest that traces them to inputs."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "manifest.json").is_file():
            raise InputError(
                "no finished run here", where=str(folder), remedy="give a folder of runs/"
            )
        self.folder = folder
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())

    def __repr__(self) -> str:
        return f"Run({self.folder})"

    @property
    def synthetic(self) -> bool:
        """Whether the survey is the twin's: the numbers then describe no real place."""
        return bool(self.manifest["synthetic"])

    def table(self) -> pd.DataFrame:
        """Return the long table: one row per area and indicator."""
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
        shapes = gpd.read_parquet(self.folder / "areas.parquet").set_index("area_id")["geometry"]
        table = self.table()
        rows = table[table["indicator"] == indicator].set_index("area_id")
        return gpd.GeoDataFrame(rows, geometry=shapes.reindex(rows.index), crs=shapes.crs)

    def draws(self) -> xr.Dataset:
        """Return the component draws (component x area_id x draw) and the national ones."""
        import xarray as xr

        return xr.load_dataset(self.folder / "draws.nc", engine="h5netcdf")

    def target(self, k: int | None = None, **wanted: Any) -> Target:
        """Choose the `k` areas to go to, or judge a set, and say how sure that is.

        See :func:`smallarea.run.targeting.target_run` for what else can be said.
        """
        from smallarea.run.targeting import target_run

        return target_run(self, k, **wanted)

    def change_since(
        self, earlier: Run, *, tau_drift: float = 0.0, correlation: float = 0.0, seed: int = 0
    ) -> Change:
        """Compare this run's reported prevalence with that of a run of an earlier survey.

        See :func:`smallarea.findings.comparison.compare_runs`.
        """
        from smallarea.findings.comparison import compare_runs

        return compare_runs(earlier, self, tau_drift=tau_drift, correlation=correlation, seed=seed)

"""A project is a directory with data_catalog.yaml, features/ and models/; it makes runs.

>>> import smallarea as sa
>>> run = sa.Project(".").run()              # doctest: +SKIP
>>> run.estimates("victims")                 # doctest: +SKIP
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea import __version__
from smallarea.catalog import load_catalog
from smallarea.errors import InputError
from smallarea.files import keep_private, private_folder, sha256, write_json, writing
from smallarea.indicators import UNITS
from smallarea.settings import read_settings
from smallarea.stages import PACKAGE, Progress, StageStore, code_hash, library_versions, silent

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

    from smallarea.comparison import Change

CATALOG = "data_catalog.yaml"
CONTENT = (CATALOG, "features", "models")


class Project:
    """A directory with `data_catalog.yaml`, `features/` and `models/`.

    Parameters
    ----------
    root : the directory. Raises InputError when it is not a project.
    """

    def __init__(self, root: str | Path = ".") -> None:
        self.root = Path(root).resolve()
        if not (self.root / CATALOG).is_file():
            raise InputError(
                f"no {CATALOG} here",
                where=str(self.root),
                remedy="go to a project's folder, or make one with `smallarea init DIR`",
            )
        self.catalog = load_catalog(self.root / CATALOG)
        self.settings = read_settings(self.catalog.settings)

    @classmethod
    def init(cls, root: str | Path) -> Project:
        """Write the template project into `root` and return it; existing files are kept apart.

        Raises InputError when `root` already holds a project: nothing is overwritten.
        """
        root = Path(root)
        taken = [name for name in CONTENT if (root / name).exists()]
        if taken:
            raise InputError(
                f"{', '.join(taken)} exist already",
                where=str(root),
                remedy="choose another folder; a project is never overwritten",
            )
        template = PACKAGE / "_template"
        if not template.is_dir():  # running from a source checkout
            template = PACKAGE.parent
        root.mkdir(parents=True, exist_ok=True)
        for name in CONTENT:
            with writing(root / name) as temporary:
                if (template / name).is_dir():
                    ignore = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(template / name, temporary, ignore=ignore)
                else:
                    shutil.copyfile(template / name, temporary)
        return cls(root)

    @property
    def twin(self) -> Path:
        """Where the digital twin is written."""
        return self.root / "data" / "twin"

    def data_dirs(self, data: str | Path | None = None) -> list[Path]:
        """Return the folders searched for a source's file, first match wins."""
        dirs = [self.root / "data"]
        if self.root / self.settings.survey == self.twin / "survey":
            dirs.append(self.twin / "streams")  # never beside a real survey
        if data is None:
            return dirs
        folder = Path(data).resolve()
        if not folder.is_dir():
            raise InputError(
                "no such folder", where=str(data), remedy="give the folder that holds the files"
            )
        return [folder, *dirs]

    def simulate(
        self,
        data: str | Path | None = None,
        *,
        progress: Progress = silent,
        **knobs: Any,
    ) -> Path:
        """Write the digital twin: an invented survey and invented streams on the real frame.

        Parameters
        ----------
        data : folder with real files. The twin's truth then grows out of the streams they give;
            without it, out of invented surfaces that also generate the twin's own streams.
        knobs : fields of :class:`smallarea.simulate.TwinSettings`, e.g. ``seed``, ``signal``.

        Returns the twin's folder: `streams/`, `survey/`, and apart from both `truth/`.
        """
        from smallarea import inputs, pipeline
        from smallarea.areas import load_frame

        store = self._store(progress)
        frame = load_frame(pipeline.frame_stage(self, store, data).folder)
        return inputs.simulate_twin(self, frame, data, knobs, progress)

    def run(
        self,
        data: str | Path | None = None,
        *,
        profile: str = "fast",
        seed: int | None = None,
        progress: Progress = silent,
    ) -> Run:
        """Go the whole way from the catalog to published files.

        Parameters
        ----------
        data : folder with real files, which take the place of the twin's of the same name.
        profile : `fast` or `full`, see the catalog's settings.
        seed : overrides the catalog's seed.
        progress : told each stage's name and the share done.

        Raises InputError for bad input. Finished stages are kept and reused.
        """
        from smallarea import pipeline

        self.settings.draws_of(profile)
        seed = self.settings.seed if seed is None else seed
        store = self._store(progress)
        started = datetime.now(UTC)
        inputs, published = pipeline.main_job(self, store, data, profile, seed)
        manifest = {
            "run": f"{started:%Y%m%dT%H%M%SZ}-{published.key[:8]}",
            "started": started.isoformat(timespec="seconds"),
            "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
            "profile": profile,
            "seed": seed,
            "settings": self.settings.model_dump(),
            "inputs": inputs,
            "code": {"version": __version__, "sha256": code_hash(".")},
            "libraries": library_versions(),
            "stages": {
                stage.name: {
                    "key": stage.key,
                    "folder": str(stage.folder.relative_to(self.root)),
                    "reused": stage.reused,
                    "seconds": round(stage.seconds, 2),
                    "computed_in": json.loads((stage.folder / "stage.json").read_text())["seconds"],
                }
                for stage in store.finished
            },
        } | json.loads((published.folder / "summary.json").read_text())
        return self._keep(published.folder, manifest)

    def design(
        self,
        *,
        areas: int = 150,
        take: int = 24,
        expansion: int = 0,
        replacements: int = 2,
        replicates: int = 0,
        seed: int | None = None,
        data: str | Path | None = None,
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """Draw a stratified PPS sample of the frame's covered areas and sampling units.

        Strata are region x mostly urban or not; size is population. See
        :func:`smallarea.survey.design.draw_sample` for the parameters and the columns returned,
        to which the names of area and unit are added.
        """
        from smallarea import pipeline
        from smallarea.areas import load_frame
        from smallarea.survey.design import draw_sample, strata

        store = self._store(progress)
        frame = load_frame(pipeline.frame_stage(self, store, data).folder)
        covered = frame.table[frame.table["covered"]]
        sample = draw_sample(
            pd.DataFrame({"stratum": strata(covered), "size": covered["population"]}),
            frame.psus[frame.psus["area_id"].isin(covered.index)],
            n_areas=areas,
            take=take,
            expansion=expansion,
            replacements=replacements,
            replicates=replicates,
            seed=self.settings.seed if seed is None else seed,
        )
        places = covered[["name", "province", "region"]]
        return sample.join(places, on="area_id").join(frame.psus["name"].rename("psu_name"))

    def _store(self, progress: Progress) -> StageStore:
        private_folder(self.root / ".smallarea")
        return StageStore(self.root / ".smallarea" / "stages", progress)

    def _keep(self, published: Path, manifest: dict[str, Any]) -> Run:
        runs = self.root / "runs"
        folder = runs / manifest["run"]
        private_folder(runs)
        with writing(folder) as temporary:
            shutil.copytree(published, temporary, ignore=shutil.ignore_patterns("stage.json"))
            files = sorted(p for p in temporary.rglob("*") if p.is_file())
            manifest["outputs"] = {p.relative_to(temporary).as_posix(): sha256(p) for p in files}
            write_json(temporary / "manifest.json", manifest)
            keep_private(temporary)
        with writing(runs / "latest") as link:
            os.symlink(folder.name, link)
        for kept in (runs, self.root / ".smallarea"):  # earlier runs, snapshots, caches
            if kept.is_dir():
                keep_private(kept)
        return Run(folder)

    def latest(self) -> Run:
        """Return the newest finished run; raise InputError when there is none."""
        folder = self.root / "runs" / "latest"
        if not folder.is_dir():
            raise InputError("no finished run", where=str(self.root), remedy="run `smallarea run`")
        return Run(folder.resolve())


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

    def estimates(self, indicator: str = "victims") -> gpd.GeoDataFrame:
        """Return one indicator for every area: mean, sd, intervals, rank interval, flags, shape.

        Raises InputError for an unknown indicator. Units are in `smallarea.indicators.UNITS`.
        """
        import geopandas as gpd

        if indicator not in UNITS:
            raise InputError(
                f"no indicator {indicator!r}",
                where="Run.estimates",
                remedy=f"choose one of {', '.join(UNITS)}",
            )
        shapes = gpd.read_parquet(self.folder / "areas.parquet").set_index("area_id")["geometry"]
        table = self.table()
        rows = table[table["indicator"] == indicator].set_index("area_id")
        return gpd.GeoDataFrame(rows, geometry=shapes.reindex(rows.index), crs=shapes.crs)

    def draws(self) -> xr.Dataset:
        """Return the component draws (component x area_id x draw) and the national ones."""
        import xarray as xr

        return xr.load_dataset(self.folder / "draws.nc", engine="h5netcdf")

    def change_since(
        self, earlier: Run, *, tau_drift: float = 0.0, correlation: float = 0.0, seed: int = 0
    ) -> Change:
        """Compare this run's reported prevalence with that of a run of an earlier survey.

        See :func:`smallarea.comparison.compare_runs`.
        """
        from smallarea.comparison import compare_runs

        return compare_runs(earlier, self, tau_drift=tau_drift, correlation=correlation, seed=seed)

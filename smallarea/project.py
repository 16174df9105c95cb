"""A project is a directory with data_catalog.yaml, features/ and models/; it makes runs.

>>> import smallarea as sa
>>> run = sa.Project(".").run()
>>> headline = run.estimates()  # a GeoDataFrame, one row per area
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
from smallarea.areas.levels import levels_of
from smallarea.catalog import load_catalog
from smallarea.errors import InputError
from smallarea.files import keep_private, private_folder, sha256, write_json, writing
from smallarea.indicators import read_indicators
from smallarea.run.record import Run
from smallarea.run.stages import (
    PACKAGE,
    Progress,
    StageStore,
    code_hash,
    library_versions,
    silent,
)
from smallarea.settings import read_settings

if TYPE_CHECKING:
    from smallarea.areas import Frame

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
        self.indicators = read_indicators(self.catalog.indicators)

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
        if self._takes_the_twin:
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
        knobs : fields of :class:`smallarea.simulate.TwinSettings`, e.g. ``seed``, ``signal``; they
            override the catalog's `twin:` block.

        Returns the twin's folder: `streams/`, `survey/`, and apart from both `truth/`.
        """
        from smallarea.run.twin import simulate_twin

        frame = self._frame(self._store(progress), data)
        knobs = {"seed": self.settings.seed} | knobs
        return simulate_twin(
            self.root, self.catalog, self.indicators, frame, self.twin, data, knobs, progress
        )

    @property
    def _takes_the_twin(self) -> bool:
        """Whether the settings name the twin's survey, or its direct estimates."""
        return self._answers in (self.twin / "survey", self.twin / "survey" / "direct.csv")

    @property
    def _answers(self) -> Path:
        direct = self.settings.direct
        return self.root / (direct.file if direct is not None else str(self.settings.survey))

    def truth(self, *, seed: int, progress: Progress = silent) -> Path:
        """Return the survey's folder or the file of direct estimates.

        Where the settings name the twin's survey and there is none yet, it is made and said so.
        """
        if not self._answers.exists() and self._takes_the_twin:
            progress("twin: no survey yet, so the digital twin is made", None)
            self.simulate(progress=progress, seed=seed)
        return self._answers

    def _frame(self, store: StageStore, data: str | Path | None) -> Frame:
        from smallarea.areas import load_frame
        from smallarea.run.frame import frame_stage

        return load_frame(frame_stage(store, self.catalog, self.data_dirs(data)).folder)

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
        from smallarea.run.inputs import resolve_inputs
        from smallarea.run.job import Job
        from smallarea.run.pipeline import main_job

        self.settings.draws_of(profile)
        seed = self.settings.seed if seed is None else seed
        store = self._store(progress)
        started = datetime.now(UTC)
        truth = self.truth(seed=seed, progress=progress)
        inputs = resolve_inputs(self.root, self.catalog, truth, self.data_dirs(data), self.twin)
        job = Job(self.catalog, self.settings, self.indicators, inputs, store, profile, seed)
        published = main_job(job)
        manifest = {
            "run": f"{started:%Y%m%dT%H%M%SZ}-{published.key[:8]}",
            "started": started.isoformat(timespec="seconds"),
            "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
            "profile": profile,
            "seed": seed,
            "settings": self.settings.model_dump(),
            "inputs": inputs.listed(self.catalog),
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

        Strata are units of the second lowest level x mostly urban or not; size is population. See
        :func:`smallarea.survey.design.draw_sample` for the parameters and the columns returned,
        to which the names of area and unit are added.
        """
        from smallarea.survey.design import draw_sample, strata

        frame = self._frame(self._store(progress), data)
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
        places = covered[["name", *levels_of(covered)]]
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

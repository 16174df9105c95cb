"""A project is a directory with data_catalog.yaml, features/ and models/; it makes runs.

>>> import smallarea as sa
>>> run = sa.Project(".").run()
>>> headline = run.estimates()  # a GeoDataFrame, one row per area
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.catalog import load_catalog
from smallarea.errors import InputError
from smallarea.fetching.state import files_folder
from smallarea.files import private_folder, sweep
from smallarea.indicators import read_indicators
from smallarea.progress import Progress, silent
from smallarea.run.cleaning import clean
from smallarea.run.finishing import finish
from smallarea.run.inputs import CATALOG, STORE, accept_sources, desk, resolve_inputs
from smallarea.run.lock import locked
from smallarea.run.record import Run
from smallarea.run.remote import fetch, is_url
from smallarea.run.stages import StageStore
from smallarea.run.template import write_template
from smallarea.run.terms import require_terms, require_terms_of
from smallarea.settings import read_settings

if TYPE_CHECKING:
    from smallarea.areas import Frame
    from smallarea.models.comparing import Compared
    from smallarea.run.inputs import Desk


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
        self._read(self.root / CATALOG)

    def _read(self, catalog: Path) -> None:
        self.catalog = load_catalog(catalog)
        self.settings = read_settings(self.catalog.settings)
        self.indicators = read_indicators(self.catalog.indicators)

    @classmethod
    def init(cls, root: str | Path, *, minimal: bool = False) -> Project:
        """Write the template project into `root` and return it; existing files are kept apart.

        minimal : write the smallest project, with its invented data, in place of the template.

        Raises InputError when `root` already holds a project: nothing is overwritten.
        """
        write_template(Path(root), minimal=minimal)
        return cls(root)

    @property
    def twin(self) -> Path:
        """Where the digital twin is written."""
        return self.root / "data" / "twin"

    def data_dirs(self, data: str | Path | None = None) -> list[Path]:
        """Return the folders searched for a source's file, first match wins.

        data : a folder, or a URL whose declared files are copied into the project's store.
        """
        dirs = [self.root / "data", files_folder(self.root / STORE)]
        if self.takes_the_twin:
            dirs.append(self.twin / "streams")  # never beside a real survey
        if data is None:
            return dirs
        if is_url(data):
            framed = [self.catalog.frame.get("file"), self._boundaries]
            named = [source.file for source in self.catalog.sources.values()]
            fetched = fetch(str(data), [*named, *filter(None, framed)], self.root / STORE)
            return [fetched, *dirs]
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
        wait: bool = False,
        progress: Progress = silent,
        **knobs: Any,
    ) -> Path:
        """Write the digital twin: an invented survey and invented streams on the real frame.

        Parameters
        ----------
        data : folder with real files. The twin's truth then grows out of the streams they give;
            without it, out of invented surfaces that also generate the twin's own streams.
        wait : wait for a run that is at work in the project; without, that is an InputError.
        knobs : fields of :class:`smallarea.simulate.TwinSettings`, e.g. ``seed``, ``signal``; they
            override the catalog's `twin:` block.

        Returns the twin's folder: `streams/`, `survey/`, and apart from both `truth/`.
        """
        with self.alone(wait, progress):
            return self._simulate(data, progress, **knobs)

    def _simulate(self, data: str | Path | None, progress: Progress, **knobs: Any) -> Path:
        from smallarea.run.twin import simulate_twin

        store = self._store(progress)
        knobs = {"seed": self.settings.seed} | knobs
        with desk(self.root, store.say) as at:
            frame = self._frame(store, at, data)
            return simulate_twin(
                self.root,
                self.catalog,
                self.indicators,
                frame,
                self.twin,
                data,
                knobs,
                progress,
                at,
            )

    @property
    def takes_the_twin(self) -> bool:
        """Whether the settings name the twin's survey, or its direct estimates."""
        return self._answers in (self.twin / "survey", self.twin / "survey" / "direct.csv")

    @property
    def _boundaries(self) -> str | None:
        declared = self.catalog.frame.get("boundaries")
        return declared.get("file") if isinstance(declared, dict) else None

    @property
    def _answers(self) -> Path:
        direct = self.settings.direct
        return self.root / (direct.file if direct is not None else str(self.settings.survey))

    def truth(self, *, seed: int, progress: Progress = silent) -> Path:
        """Return the survey's folder or the file of direct estimates.

        Where the settings name the twin's survey and there is none yet, it is made and said so.
        """
        with self.alone(False, progress):
            return self._truth(seed, progress)

    def _truth(self, seed: int, progress: Progress) -> Path:
        if not self._answers.exists() and self.takes_the_twin:
            progress("twin: no survey yet, so the digital twin is made", None)
            self._simulate(None, progress, seed=seed)
        return self._answers

    def _frame(self, store: StageStore, at: Desk, data: str | Path | None) -> Frame:
        from smallarea.areas import load_frame
        from smallarea.run.frame import frame_stage, require_populations

        files = at.take_frame(self.catalog, self.data_dirs(data))
        frame = load_frame(frame_stage(store, self.catalog, [files]).folder)
        require_populations(self.indicators, frame.table)
        return frame

    def frame(self, at: Desk, progress: Progress, data: str | Path | None = None) -> Frame:
        """Build the frame, or find it built, of copies that are laid on a desk."""
        return self._frame(self._store(progress), at, data)

    @contextmanager
    def alone(self, wait: bool, progress: Progress) -> Iterator[None]:
        """Hold the project's lock; sweep away what killed runs left."""
        with locked(self.root / STORE, wait=wait, tell=lambda said: progress(said, None)):
            self._sweep()
            yield

    def _sweep(self) -> int:
        twins = sweep(self.twin.parent, f".{self.twin.name}.*")
        return twins + sum(sweep(self.root / part) for part in (STORE, "runs"))

    def run(
        self,
        data: str | Path | None = None,
        *,
        profile: str = "fast",
        seed: int | None = None,
        accept: Sequence[str] = (),
        refit: bool = True,
        wait: bool = False,
        progress: Progress = silent,
    ) -> Run:
        """Go the whole way from the catalog to published files.

        Catalog, stream and model files, survey and sources are copied as they are at the start;
        what is edited later is not seen. If nothing has changed since a finished run, that run is
        returned, and `runs/latest` is that one again.

        Parameters
        ----------
        data : folder with real files, which take the place of the twin's of the same name.
        profile : `fast` or `full`, see the catalog's settings.
        seed : overrides the catalog's seed.
        accept : sources whose present files are right, however little they cover; others are
            compared with the last ones that were good, see :mod:`smallarea.run.sound`.
        refit : without, the fitted models of the newest run are used, see
            :mod:`smallarea.run.fits`.
        wait : wait for a run that is at work in the project; without, that is an InputError.
        progress : told each stage's name and the share done.

        Raises InputError for bad input. Finished stages are kept and reused.
        """
        self.settings.draws_of(profile)
        with self.alone(wait, progress):
            return self._run(data, profile, seed, accept, progress, refit=refit)

    def _run(
        self,
        data: str | Path | None,
        profile: str,
        seed: int | None,
        accept: Sequence[str],
        progress: Progress,
        *,
        refit: bool,
    ) -> Run:
        from smallarea.run.job import Job
        from smallarea.run.pipeline import main_job

        store, started = self._store(progress), datetime.now(UTC)
        with desk(self.root, store.say) as at:
            at.take(self.root / CATALOG, CATALOG)
            self._read(at.folder / CATALOG)
            seed = self.settings.seed if seed is None else seed
            truth = self._truth(seed, progress)
            given = self.settings.totals.file if self.settings.totals else None
            dirs = self.data_dirs(data)
            before = self.settings.earlier.survey if self.settings.earlier else None
            inputs = resolve_inputs(self.catalog, truth, dirs, self.twin, at, given, before)
            fit = None if refit else self._fit()
            declared = (self.catalog, self.settings, self.indicators)
            job = Job(*declared, inputs, store, profile, seed, fit=fit)
            accept_sources(inputs, accept)
            require_terms(self.catalog, inputs, self.settings.purpose)
            job, published, said = main_job(job)
        return finish(self.root, job, published, said, started)

    def design(
        self,
        *,
        areas: int = 150,
        take: int = 24,
        replacements: int = 2,
        seed: int | None = None,
        data: str | Path | None = None,
        wait: bool = False,
        progress: Progress = silent,
        **wanted: int,
    ) -> pd.DataFrame:
        """Draw a sample of the frame: see :func:`smallarea.run.sampling.sample_of`.

        wanted : `expansion`, `replicates`, as `smallarea.survey.design.draw_sample` takes them.
        """
        from smallarea.run.sampling import sample_of

        return sample_of(
            self._framed(data, wait, progress),
            n_areas=areas,
            take=take,
            replacements=replacements,
            seed=self.settings.seed if seed is None else seed,
            **wanted,
        )

    def margins(
        self, *, data: str | Path | None = None, wait: bool = False, progress: Progress = silent
    ) -> pd.DataFrame:
        """Return what weights are calibrated to: see :func:`smallarea.run.sampling.margins_of`."""
        from smallarea.run.sampling import margins_of

        return margins_of(self._framed(data, wait, progress))

    def _framed(self, data: str | Path | None, wait: bool, progress: Progress) -> Frame:
        with self.alone(wait, progress), desk(self.root, lambda said: progress(said, None)) as at:
            return self.frame(at, progress, data)

    def check(
        self,
        *,
        data: str | Path | None = None,
        wait: bool = False,
        progress: Progress = silent,
    ) -> pd.DataFrame:
        """Hold every source's file to the catalog; see :mod:`smallarea.run.checking`."""
        from smallarea.catalog import take_snapshots
        from smallarea.run.checking import check_sources

        with self.alone(wait, progress), desk(self.root, lambda said: progress(said, None)) as at:
            frame = self.frame(at, progress, data)
            kept = take_snapshots(self.catalog.sources, self.data_dirs(data), self.root / STORE)
        return check_sources(self.catalog, frame, kept)

    def assess(self) -> pd.DataFrame:
        """Say what each source was worth in the newest run; see :mod:`smallarea.run.assessing`."""
        from smallarea.run.assessing import assess_run

        return assess_run(self.latest(), self.root, self.catalog)

    def describe_features(self, out: str | Path | None = None) -> list[Path]:
        """Describe the newest run's features; see :mod:`smallarea.run.describing`."""
        from smallarea.run.describing import describe_run

        return describe_run(self.latest(), self.root, None if out is None else Path(out))

    def _store(self, progress: Progress) -> StageStore:
        private_folder(self.root / STORE)
        return StageStore(self.root / STORE / "stages", progress)

    def _fit(self) -> Path:
        """Return the folder of the stage in which the newest run's models were fitted."""
        stages = self.latest().manifest["stages"]
        return self.root / str(stages.get("fit", stages["models"])["folder"])

    def latest(self) -> Run:
        """Return the newest finished run; raise InputError when there is none."""
        folder = self.root / "runs" / "latest"
        if not folder.is_dir():
            raise InputError("no finished run", where=str(self.root), remedy="run `smallarea run`")
        return Run(folder.resolve())

    def compare(self, by: str = "level", **wanted: Any) -> Compared:
        """Say how well every candidate model predicts places that it has not seen.

        On what the newest run was made of, with the model files as they are now. See
        :func:`smallarea.run.comparing.compare_run` for what else can be said.
        """
        from smallarea.run.comparing import compare_run

        run = self.latest()
        require_terms_of(self.catalog, run.manifest, self.settings.purpose)
        return compare_run(run, self.root, by, **wanted)

    def publish(self, *tiers: str, **wanted: Any) -> list[Path]:
        """Make tiers (`public`, `partner`) of the newest run, each a folder of its own.

        See :func:`smallarea.run.releasing.publish_tiers` for what else can be said.
        """
        from smallarea.run.releasing import publish_tiers

        run = self.latest()
        require_terms_of(self.catalog, run.manifest, self.settings.purpose)
        return publish_tiers(run, tiers, **wanted)

    def release(self, tier: str) -> Path:
        """Return the folder of the newest run's tier; raise InputError when there is none."""
        from smallarea.release.tiers import tier_called
        from smallarea.run.releasing import RELEASES

        folder = self.root / RELEASES / f"{self.latest().folder.name}-{tier_called(tier).name}"
        if not folder.is_dir():
            raise InputError(
                f"the newest run has no {tier} tier",
                where=str(folder),
                remedy=f"run `smallarea publish --tier {tier}`",
            )
        return folder

    def clean(
        self,
        *,
        keep: int | None = None,
        older_than: float | None = None,
        wait: bool = False,
        progress: Progress = silent,
    ) -> dict[str, Any]:
        """Remove what no finished run needs; see :func:`smallarea.run.cleaning.clean`."""
        with locked(self.root / STORE, wait=wait, tell=lambda said: progress(said, None)):
            swept = self._sweep()
            return clean(self.root, keep, older_than) | {"unfinished": swept}

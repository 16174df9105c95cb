"""A project kept up to date: what is due is fetched, and what depends on it made anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallarea.catalog import Source
from smallarea.catalog.packs import files_of
from smallarea.errors import InputError
from smallarea.fetching.state import read_state
from smallarea.fetching.web import Patience
from smallarea.progress import Progress, silent
from smallarea.project import Project
from smallarea.run.drifting import drift_maps, drift_of, write_drift
from smallarea.run.fetched import Fetched, fetch_sources
from smallarea.run.inputs import STORE, desk

if TYPE_CHECKING:
    from smallarea.run.record import Run

DRIFT = "{run}-drift"


def fetch(
    project: Project,
    names: Sequence[str] = (),
    *,
    due: bool = False,
    wait: bool = False,
    patience: Patience = Patience(),  # noqa: B008 (frozen)
    progress: Progress = silent,
) -> list[Fetched]:
    """Fetch sources of a project; see :func:`smallarea.run.fetched.fetch_sources`.

    Parameters
    ----------
    names : of sources; by default all that declare an address. due : only those that are due.

    Raises
    ------
    InputError : a name is no source's, or the source has no address; somebody is at work here; the
        frame, against which files are checked, cannot be built.
    """
    chosen = _named(project, names)
    if due:
        now = datetime.now(UTC).replace(tzinfo=None)
        chosen = [source for source in chosen if _is_due(project, source, now)]
    if not chosen:
        return []
    with project.alone(wait, progress), desk(project.root, lambda said: progress(said, None)) as at:
        frame = project.frame(at, progress)
        found = fetch_sources(
            {source.name: source for source in chosen},
            frame,
            project.root / STORE,
            purpose=project.settings.purpose,
            today=date.today(),
            patience=patience,
            progress=progress,
        )
    own = {s.name: files_of(s.file, [project.root / "data"]) for s in chosen}
    return [
        replace(one, said=f"{one.said}; not used, for {own[one.source][0]} takes its place")
        if one.good and own[one.source]
        else one
        for one in found
    ]


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did.

    Attributes
    ----------
    fetched : what came of the sources that were due. run : the newest run now.
    changed : whether that is another one than before.
    drift : the facts of the drift report, None where there was no run before, or nothing changed.
    report : its folder.
    """

    fetched: list[Fetched]
    run: Run
    changed: bool
    drift: dict[str, Any] | None
    report: Path | None

    @property
    def look(self) -> list[str]:
        """Say what somebody has to look at: sources that failed or are in quarantine."""
        bad = [one for one in self.fetched if not one.good]
        said = [f"source {o.source}: " + o.said.removeprefix(f"source {o.source}: ") for o in bad]
        said += [text for text in self.run.manifest["quarantined"] if text not in said]
        return said

    @property
    def refit(self) -> list[str]:
        """Say why the models had better be fitted again."""
        return self.drift["refit"] if self.drift else []


def refresh(
    project: Project,
    *,
    refit: bool = False,
    every: bool = False,
    data: str | Path | None = None,
    wait: bool = False,
    patience: Patience = Patience(),  # noqa: B008 (frozen)
    progress: Progress = silent,
) -> Refreshed:
    """Fetch what is due, make anew what depends on it, and say what moved.

    Profile and seed are those of the newest run; where there is none, a first one is made.

    Parameters
    ----------
    refit : fit the models again; without, those fitted last give the rates, see
        :mod:`smallarea.run.fits`.
    every : fetch every source with an address, due or not.

    Raises
    ------
    InputError : as `fetch` and `Project.run`; or the models must be fitted again.
    """
    fetched = fetch(project, due=not every, wait=wait, patience=patience, progress=progress)
    shared: dict[str, Any] = {"data": data, "wait": wait, "progress": progress}
    if not (project.root / "runs" / "latest").is_dir():
        return Refreshed(fetched, project.run(**shared), True, None, None)
    earlier = project.latest()
    shared |= {key: earlier.manifest[key] for key in ("profile", "seed")}
    run = project.run(refit=refit, **shared)
    if run.folder.resolve() == earlier.folder.resolve():
        return Refreshed(fetched, run, False, None, None)
    drift = drift_of(run, earlier, project.root)
    folder = project.root / "runs" / DRIFT.format(run=run.folder.name)
    return Refreshed(
        fetched, run, True, drift, write_drift(drift, drift_maps(run, earlier, drift), folder)
    )


def purge(project: Project, name: str, *, wait: bool = False) -> dict[str, Any]:
    """Take a source out of a project; see :func:`smallarea.run.purging.purge`.

    Returns
    -------
    The receipt, with `still_there`: files in the project's data folder, which are their owner's.
    """
    from smallarea.run.purging import purge

    with project.alone(wait, silent):
        receipt = purge(project.root, name, project.catalog.sources.get(name))
    own = files_of(receipt["file"], [project.root / "data"]) if receipt["file"] else []
    return receipt | {"still_there": [str(path) for path in own]}


def _named(project: Project, names: Sequence[str]) -> list[Source]:
    sources = project.catalog.sources
    for name in names:
        if name not in sources or sources[name].url is None:
            having = [n for n, source in sources.items() if source.url]
            said = f"source {name!r} has no `url`" if name in sources else f"no source {name!r}"
            raise InputError(
                said,
                where="data_catalog.yaml, sources",
                remedy=f"name one of {', '.join(having) or 'none, no source declares one'}",
            )
    return [s for n, s in sources.items() if s.url and (not names or n in names)]


def _is_due(project: Project, source: Source, now: datetime) -> bool:
    due = read_state(project.root / STORE, source.name).due(source)
    return due is not None and due <= now

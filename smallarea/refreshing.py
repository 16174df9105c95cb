"""A project kept up to date: what is due is fetched, and what depends on it made anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from smallarea.catalog import Source
from smallarea.errors import InputError
from smallarea.fetching.state import read_state
from smallarea.fetching.web import Patience
from smallarea.project import Project
from smallarea.run.fetched import Fetched, fetch_sources
from smallarea.run.inputs import STORE, desk
from smallarea.run.stages import Progress, silent


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
        return fetch_sources(
            {source.name: source for source in chosen},
            frame,
            project.root / STORE,
            purpose=project.settings.purpose,
            today=date.today(),
            patience=patience,
            progress=progress,
        )


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

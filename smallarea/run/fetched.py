"""Files that were fetched, held to their entries: kept and used, or kept and set aside."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.catalog import Snapshot, Source, read, snapshot
from smallarea.catalog.quarantine import Good, last_good, lift, quarantine, report_of
from smallarea.catalog.terms import require_allowed
from smallarea.errors import InputError
from smallarea.fetching.fetch import bring
from smallarea.fetching.state import State, files_folder, read_state, write_state
from smallarea.fetching.web import Got, Patience
from smallarea.files import UNFINISHED, read_object, sha256, write_json, writing
from smallarea.progress import Progress, silent

if TYPE_CHECKING:
    from smallarea.areas import Frame

NEW, SAME, FAILED, ASIDE = "new", "unchanged", "failed", "quarantined"
AT_ONCE = 4


@dataclass(frozen=True)
class Fetched:
    """What came of one source.

    state : `new`, `unchanged`, `failed` (nothing came) or `quarantined` (what came breaks the
    entry). said : why, of the last two; else where the file is.
    """

    source: str
    state: str
    said: str

    @property
    def good(self) -> bool:
        return self.state in (NEW, SAME)


def fetch_sources(
    sources: Mapping[str, Source],
    frame: Frame,
    store: Path,
    *,
    purpose: str | None,
    today: date,
    patience: Patience = Patience(),  # noqa: B008 (frozen)
    progress: Progress = silent,
) -> list[Fetched]:
    """Fetch sources, four at once; keep what came as snapshots, use what keeps to its entry.

    Parameters
    ----------
    sources : all with an address. store : the project's, whose lock is the caller's.
    purpose, today : sources whose terms forbid them are not fetched, and that is said.
    """

    def one(source: Source) -> Got | InputError:
        try:
            require_allowed(source.name, source, purpose, today)
            return bring(
                source,
                _present(store, source),
                store,
                patience=patience,
                tell=lambda share: progress(f"fetch: {source.name}", share),
            )
        except InputError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as threads:
        brought = list(threads.map(one, sources.values()))
    return [
        _kept(source, got, frame, store)
        for source, got in zip(sources.values(), brought, strict=True)
    ]


def _present(store: Path, source: Source) -> State:
    """Return the state of the last try, without marks if the file it speaks of is not there."""
    state = read_state(store, source.name)
    there = state.sha256 and _kept_as(store, source, state.sha256).is_file()
    return state if there else replace(state, sha256=None, etag=None, modified=None)


def _kept_as(store: Path, source: Source, digest: str) -> Path:
    return store / "snapshots" / source.name / f"{digest}{Path(source.file).suffix}"


def _kept(source: Source, got: Got | InputError, frame: Frame, store: Path) -> Fetched:
    """Hold what came to the entry and note it; a file that was there is held to it again if it is
    not the one in use, since the entry may have been corrected.
    """
    state, target = _present(store, source), files_folder(store) / source.file
    if isinstance(got, InputError):
        write_state(store, source.name, state.after(failed=str(got)))
        return Fetched(source.name, FAILED, str(got))
    if got.path is not None:
        copy = _snapshot(source, got, store, target)
        marks = {"url": source.url, "etag": got.etag, "modified": got.modified}
    else:
        digest = str(state.sha256)
        copy = Snapshot(source.name, _kept_as(store, source, digest), digest, store, target)
        marks = {}
    same = target.is_file() and sha256(target) == copy.sha256
    state = state.after(**marks, sha256=copy.sha256, failed=None)
    if not same or got.path is not None:
        try:
            read(source, copy, frame)
        except InputError as error:
            said = quarantine(copy, [str(error)], _good(source, store, target))
            said = f"{said}; see {report_of(copy)}"
            write_state(store, source.name, replace(state, failed=said))
            return Fetched(source.name, ASIDE, said)
    if not same:
        with writing(target) as temporary:
            shutil.copyfile(copy.path, temporary)
        lift(copy)
    write_state(store, source.name, replace(state, came=state.tried))
    return Fetched(source.name, SAME if same else NEW, str(target))


def _good(source: Source, store: Path, target: Path) -> Good | None:
    """Return what is used in place of a file: the last good one of a run, or of a fetch."""
    if (good := last_good(source.name, store)) or not target.is_file():
        return good
    digest, state = sha256(target), read_state(store, source.name)
    kept = Snapshot(source.name, target, digest, store, target)
    return Good(kept, {}, str(state.came), source.vintage, {})


def _snapshot(source: Source, got: Got, store: Path, target: Path) -> Snapshot:
    """Keep what came as a snapshot whose papers say from where."""
    assert got.path is not None
    with tempfile.TemporaryDirectory(suffix=UNFINISHED, prefix=".", dir=store) as holder:
        named = Path(holder) / source.file
        named.parent.mkdir(parents=True, exist_ok=True)
        os.replace(got.path, named)
        copy = snapshot(source, [Path(holder)], store)
        papers = read_object(copy.papers) or {}
        came = {"url": source.url, "etag": got.etag, "modified": got.modified}
        if papers.get("folder") == str(named.parent):
            write_json(copy.papers, {k: v for k, v in papers.items() if k != "folder"} | came)
    return replace(copy, original=target)

"""What is known of a source's last tries, kept beside the files that came."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smallarea.catalog import Source
from smallarea.fetching.cadence import due
from smallarea.files import read_object, write_json

FOLDER = "downloads"


@dataclass(frozen=True)
class State:
    """Of one source: times in UTC, ISO 8601.

    tried : the last try. came : when the server last gave or confirmed a file that keeps to the
    entry. sha256, etag, modified : of the file that came last. failed : what the last try met.
    """

    url: str = ""
    tried: str | None = None
    came: str | None = None
    sha256: str | None = None
    etag: str | None = None
    modified: str | None = None
    failed: str | None = None

    def due(self, source: Source) -> datetime | None:
        """Return when the source is due, UTC without zone; None if never by itself."""
        if self.url != source.url:
            return datetime.min
        last = datetime.fromisoformat(self.came) if self.came else None
        return due(source.cadence, None if last is None else last.replace(tzinfo=None))

    def after(self, **found: Any) -> State:
        """Return the state after a try now."""
        return replace(self, tried=datetime.now(UTC).isoformat(timespec="seconds"), **found)


def read_state(store: Path, source: str) -> State:
    """Return what is known of a source; nothing, where its file is gone or cannot be read."""
    told = read_object(store / FOLDER / f"{source}.json") or {}
    known = {field.name for field in fields(State)}
    text = {k: v for k, v in told.items() if k in known and isinstance(v, str)}
    return State(**text)


def write_state(store: Path, source: str, state: State) -> None:
    """Keep what is known of a source."""
    write_json(store / FOLDER / f"{source}.json", asdict(state))


def files_folder(store: Path) -> Path:
    """Return the folder with the last sound file of every source, under its declared name."""
    return store / FOLDER / "files"

"""Immutable copies of source files, named by the hash of their bytes, each with its papers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from smallarea.catalog.declare import Source
from smallarea.catalog.packs import files_of, packed
from smallarea.catalog.persons import refuse_persons_in
from smallarea.errors import InputError
from smallarea.files import (
    UNFINISHED,
    copy_hashed,
    read_object,
    remove,
    sha256,
    storing,
    to_disk,
    write_json,
)


@dataclass(frozen=True)
class Snapshot:
    """One version of a source: a read-only copy of its `original`, and the store that holds it."""

    source: str
    path: Path
    sha256: str
    store: Path
    original: Path

    @property
    def papers(self) -> Path:
        """The JSON file beside it: origin, publisher, licence, hash, size, time."""
        return self.path.with_name(f"{self.sha256}.papers.json")


def locate(source: Source, data_dirs: Sequence[Path]) -> Path | None:
    """Return the source's file in the first of `data_dirs` that has it, or None; of several the
    first.

    Raises InputError where it is a link to elsewhere.
    """
    return next(iter(files_of(source.file, data_dirs)), None)


def snapshot(
    source: Source,
    data_dirs: Sequence[Path],
    store: Path,
    tell: Callable[[str], None] = lambda _said: None,
) -> Snapshot:
    """Copy the source's present file into the store, unless these very bytes are there already.

    Several files (a pattern, a shapefile with its sidecars) become one archive.

    The copy is `store/snapshots/<source>/<sha256><suffix>`; the JSON beside it says where the
    bytes came from, when, from whom and under which licence.

    `tell` gets a sentence if the store's copy was damaged and has been replaced.

    Raises
    ------
    InputError : none of `data_dirs` has the file, or it holds persons: then no copy is made.
    """
    files = files_of(source.file, data_dirs)
    if not files:
        raise absent(source, f"none of {', '.join(map(str, data_dirs))}")
    found = files[0]
    with packed(files) as one:
        kept = store / "snapshots" / source.name
        if not any(kept.glob(f"{sha256(one)}.*")):  # what is there was looked at when it came
            refuse_persons_in(source, files)
        path = kept_copy(one, kept, tell)
    copy = Snapshot(source.name, path, path.name.removesuffix(path.suffix), store, found)
    papers = read_object(copy.papers)
    if papers is None or papers.get("sha256") != copy.sha256:
        write_json(
            copy.papers,
            {
                "source": source.name,
                "original_name": source.file if len(files) > 1 else found.name,
                "folder": str(found.parent),
                "sha256": copy.sha256,
                "size": path.stat().st_size,
                "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
                "publisher": source.publisher,
                "licence": source.licence,
                "access": source.access,
                "vintage": source.vintage,
            },
        )
    return copy


def take_snapshots(
    sources: Mapping[str, Source],
    data_dirs: Sequence[Path],
    store: Path,
    tell: Callable[[str], None] = lambda _said: None,
) -> dict[str, Snapshot]:
    """Take a snapshot of every source that has a file in `data_dirs`; see `snapshot`."""
    return {
        name: snapshot(source, data_dirs, store, tell)
        for name, source in sources.items()
        if locate(source, data_dirs)
    }


def kept_copy(
    original: Path, folder: Path, tell: Callable[[str], None] = lambda _said: None
) -> Path:
    """Return a read-only copy `folder/<sha256><suffix>` of a file, hashed while it was copied.

    A copy that is there already is read again before it is trusted: if its bytes are not what its
    name says, it is replaced, and `tell` gets a sentence.
    """
    path = folder / f"{sha256(original)}{original.suffix}"
    if _holds(path):
        return path
    if os.path.lexists(path):
        tell(f"the kept copy of {original.name} was damaged; it has been copied anew")
        remove(path)
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return _copied(original, folder)


def _copied(original: Path, folder: Path) -> Path:
    """Copy; the name follows from the bytes copied, though the file be edited meanwhile."""
    with tempfile.TemporaryDirectory(suffix=UNFINISHED, prefix=".", dir=folder) as holder:
        copied = Path(holder) / "copy"
        path = folder / f"{copy_hashed(original, copied)}{original.suffix}"
        copied.chmod(0o444)
        to_disk(copied)
        os.replace(copied, path)
    return path


def _holds(path: Path) -> bool:
    """Whether a file holds the bytes that its name says."""
    return path.is_file() and not path.is_symlink() and sha256(path) == path.stem


def absent(source: Source, searched: str) -> InputError:
    """Return the error of a source that has no file."""
    return InputError(
        f"its file is in {searched}",
        where=f"source '{source.name}', file '{source.file}'",
        remedy="put the file there, or declare the source `optional: true`",
    )

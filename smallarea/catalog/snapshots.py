"""Immutable copies of source files, named by the hash of their bytes, each with its papers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from smallarea.catalog.declare import Source
from smallarea.errors import InputError
from smallarea.files import sha256, write_json, writing


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
    """Return the source's file in the first of `data_dirs` that has it, or None."""
    return next((d / source.file for d in data_dirs if (d / source.file).is_file()), None)


def snapshot(source: Source, data_dirs: Sequence[Path], store: Path) -> Snapshot:
    """Copy the source's present file into the store, unless these very bytes are there already.

    The copy is `store/snapshots/<source>/<sha256><suffix>`; the JSON beside it says where the
    bytes came from, when, from whom and under which licence.

    Raises
    ------
    InputError : none of `data_dirs` has the file.
    """
    found = locate(source, data_dirs)
    if found is None:
        raise InputError(
            f"its file is in none of {', '.join(map(str, data_dirs))}",
            where=f"source '{source.name}', file '{source.file}'",
            remedy="put the file there, or declare the source `optional: true`",
        )
    digest = sha256(found)
    path = store / "snapshots" / source.name / f"{digest}{found.suffix}"
    copy = Snapshot(source.name, path, digest, store, found)
    if not path.exists():
        with writing(path) as temporary:
            shutil.copyfile(found, temporary)
            temporary.chmod(0o444)
    if not copy.papers.exists():
        write_json(
            copy.papers,
            {
                "source": source.name,
                "original_name": found.name,
                "folder": str(found.parent),
                "sha256": digest,
                "size": found.stat().st_size,
                "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
                "publisher": source.publisher,
                "licence": source.licence,
                "access": source.access,
                "vintage": source.vintage,
            },
        )
    return copy

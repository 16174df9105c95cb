"""Content hashes, all-or-nothing writing (no reader meets a half-written file), private folders."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def sha256(path: Path) -> str:
    """Return the SHA-256 hex digest of a file, or of a directory's names and bytes, sorted."""
    digest = hashlib.sha256()
    if path.is_dir():
        for child in sorted(p for p in path.rglob("*") if p.is_file()):
            if "__pycache__" not in child.parts:
                digest.update(f"{child.relative_to(path).as_posix()}\0{sha256(child)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def digest_of(value: Any) -> str:
    """Return the SHA-256 hex digest of a JSON-able value; the order of its keys is irrelevant."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` only if the block succeeds.

    Works for a file or for a directory (create it in the block). What stood at `path` before
    stays untouched until the new content is complete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    temporary = holder / path.name
    try:
        yield temporary
        if path.is_dir() and not path.is_symlink():
            os.replace(path, holder / "replaced")
        os.replace(temporary, path)
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def private_folder(folder: Path) -> None:
    """Make `folder`, with its parents, and close it to everybody but its owner (mode 0700)."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def keep_private(folder: Path) -> None:
    """Close a folder and all below it to everybody but the owner, whatever the umask.

    Folders get mode 0700 and files 0600, or 0400 if they were read-only. Symbolic links below
    `folder` are not followed; what another run removes meanwhile is passed over.
    """
    folder.chmod(0o700)
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            with suppress(FileNotFoundError):
                if path.is_symlink():
                    continue
                path.chmod(0o700 if path.is_dir() else path.stat().st_mode & 0o600)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, all or nothing."""
    with writing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, default=str) + "\n", encoding="utf-8")

"""A source of several files: parts of one table, or a shapefile with what belongs to it."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from smallarea.files import require_below

#: What makes a file's name a pattern for several.
PATTERN = frozenset("*?[")
#: Files that belong to a shapefile of the same name.
SIDECARS = (".shx", ".dbf", ".prj", ".cpg")


def is_pattern(name: str) -> bool:
    """Whether a declared name stands for several files or sheets."""
    return bool(PATTERN & set(name))


def files_of(name: str, data_dirs: Sequence[Path]) -> list[Path]:
    """Return the files that a declared name stands for in the first folder that has any, sorted.

    A shapefile comes first, before its sidecars. Raises InputError where one of them is a link to
    elsewhere.
    """
    for folder in data_dirs:
        if is_pattern(name):
            found = sorted(path for path in folder.glob(name) if path.is_file())
        else:
            found = [folder / name] if (folder / name).is_file() else []
        if found and found[0].suffix.lower() == ".shp":
            beside = (found[0].with_suffix(suffix) for suffix in SIDECARS)
            found += [path for path in beside if path.is_file()]
        for path in found:
            require_below(folder, path)
        if found:
            return found
    return []


@contextmanager
def packed(files: Sequence[Path]) -> Iterator[Path]:
    """Yield the only file, or an archive whose bytes depend on names and contents alone."""
    if len(files) == 1:
        yield files[0]
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for file in files:
                entry = zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0))
                with file.open("rb") as read, archive.open(entry, "w", force_zip64=True) as write:
                    while block := read.read(1 << 20):
                        write.write(block)
        yield path


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[list[tuple[Path, str]]]:
    """Yield the files of a snapshot, each with its name for messages.

    path : the snapshot. name : the source's file as declared.
    """
    if not (is_pattern(name) and path.suffix == ".zip"):
        yield [(path, name)]
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        names = [Path(member).name for member in archive.namelist()]
        for member in names:
            archive.extract(member, folder)
        yield [(Path(folder) / member, member) for member in names]

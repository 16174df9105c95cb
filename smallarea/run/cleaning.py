"""Removing what no finished run needs: older runs if asked, stages, copies of inputs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from smallarea.catalog.quarantine import needed
from smallarea.files import files_below, read_object, remove
from smallarea.run.inputs import STORE
from smallarea.run.record import MANIFEST

DAY = 86_400.0


def clean(root: Path, keep: int | None, older_than: float | None) -> dict[str, Any]:
    """Remove from a project what is no longer used.

    Runs go only if `keep` or `older_than` says so, and never the one at `runs/latest`. Then stages
    and copies of inputs go that no remaining run was made with, except what is younger than the
    newest run: an interrupted run goes on from there.

    Parameters
    ----------
    root : the project's folder; its lock is the caller's.
    keep : number of runs that stay, the newest; `runs/latest` is one of them.
    older_than : days; younger runs stay.

    Returns
    -------
    `runs`, `stages`, `inputs`: the names removed; `bytes` freed.
    """
    runs = _finished(root / "runs")
    latest = (root / "runs" / "latest").resolve()
    gone: list[Path] = []
    if keep is not None or older_than is not None:
        kept = {latest, *([run for run in runs if run != latest][: max(0, (keep or 1) - 1)])}
        limit = time.time() - DAY * (older_than or 0)
        gone = [run for run in runs if run not in kept and _age(run / MANIFEST) <= limit]
    staying = [read_object(run / MANIFEST) or {} for run in runs if run not in gone]
    newest = max((_age(run / MANIFEST) for run in runs), default=float("inf"))
    stages = _unused(root / STORE / "stages", _stages_of(staying), newest)
    copies = [
        copy
        for folder in (root / STORE / "inputs", *_folders(root / STORE / "snapshots"))
        for copy in _unused(folder, _hashes_of(staying) | needed(folder), newest)
    ]
    freed = 0
    for path in (*gone, *stages, *copies):
        freed += size_of(path)
        remove(path)
    names = {"runs": gone, "stages": stages, "inputs": copies}
    return {k: [path.name for path in paths] for k, paths in names.items()} | {"bytes": freed}


def size_of(path: Path) -> int:
    """Return the bytes in a file, or in all files below a folder; 0 if there is none."""
    files = files_below(path) if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.exists())


def _finished(runs: Path) -> list[Path]:
    """Return the folders of finished runs, the newest first."""
    found = [folder for folder in _folders(runs) if (folder / MANIFEST).is_file()]
    return sorted(found, key=lambda folder: folder.name, reverse=True)


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return [path for path in parent.iterdir() if path.is_dir() and not path.is_symlink()]


def _stages_of(manifests: Iterable[dict[str, Any]]) -> set[str]:
    return {
        Path(stage["folder"]).name
        for made in manifests
        for stage in made.get("stages", {}).values()
    }


def _hashes_of(manifests: Iterable[dict[str, Any]]) -> set[str]:
    return {entry["sha256"] for made in manifests for entry in made.get("inputs", [])}


def _unused(folder: Path, used: set[str], newest: float) -> list[Path]:
    """Return what is in a folder, is older than the newest run and not named by a used hash."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if path.name.split(".")[0] not in used and _age(path) < newest
    ]


def _age(path: Path) -> float:
    """Return when a file was written or a folder filled, in seconds since 1970."""
    return path.lstat().st_mtime

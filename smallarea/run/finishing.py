"""The end of a run: its manifest, its folder, and `runs/latest`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallarea import __version__
from smallarea.files import keep_private, private_folder, write_json, writing
from smallarea.run.inputs import STORE
from smallarea.run.record import Run, find_finished, seal
from smallarea.run.records import RECORD
from smallarea.run.stages import code_hash, library_versions

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


def finish(
    root: Path, job: Job, published: Stage, quarantined: Sequence[str], started: datetime
) -> Run:
    """Make a run of the published files, or find the one that this very job made before.

    Parameters
    ----------
    root : the project's folder. published : the last stage.
    quarantined : a sentence for each source in quarantine. started : when, for the run's name.
    """
    runs = root / "runs"
    private_folder(runs)
    manifest = manifest_of(root, job, published, quarantined, started)
    folder = find_finished(runs, manifest, job.store.say)
    if folder is None:
        folder = runs / manifest["run"]
        with writing(folder) as temporary:
            shutil.copytree(published.folder, temporary, ignore=shutil.ignore_patterns(RECORD))
            write_json(temporary / "manifest.json", seal(manifest))
            keep_private(temporary)
    with writing(runs / "latest") as link:
        os.symlink(folder.name, link)
    for kept in (runs, root / STORE):  # earlier runs, snapshots, caches
        keep_private(kept)
    made = Run(folder)
    made.require_intact()
    made.manifest |= {key: manifest[key] for key in ("seconds", "stages", "quarantined", "mended")}
    return made


def manifest_of(
    root: Path, job: Job, published: Stage, quarantined: Sequence[str], started: datetime
) -> dict[str, Any]:
    """Trace a run to its inputs, code and libraries; with the facts that publication told."""
    return {
        "run": f"{started:%Y%m%dT%H%M%SZ}-{published.key[:8]}",
        "started": started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
        "profile": job.profile,
        "seed": job.seed,
        "settings": job.settings.model_dump(),
        "inputs": job.inputs.listed(job.catalog),
        "code": {"version": __version__, "sha256": code_hash(".")},
        "libraries": library_versions(),
        "stages": {
            stage.name: {
                "key": stage.key,
                "folder": str(stage.folder.relative_to(root)),
                "reused": stage.reused,
                "seconds": round(stage.seconds, 2),
                "computed_in": stage.computed_in,
            }
            for stage in job.store.finished
        },
        "quarantined": list(quarantined),
        "mended": job.store.mended,  # may still grow
        **json.loads((published.folder / "summary.json").read_text()),
        "outputs": published.files,
    }

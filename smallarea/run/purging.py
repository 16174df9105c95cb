"""Taking a source out of a project: its files, all that was made of them, and a receipt."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from smallarea.catalog import UNMATCHED, Source
from smallarea.errors import InputError
from smallarea.features.saved import LEARNED_FROM
from smallarea.fetching.state import FOLDER, files_folder
from smallarea.files import (
    digest_of,
    keep_private,
    read_object,
    remove,
    sha256,
    write_json,
    writing,
)
from smallarea.run.inputs import STORE
from smallarea.run.record import MANIFEST, seal
from smallarea.run.records import Record, read_record

RECEIPTS = "purges"
FEATURES = "features.parquet"
BOTH = ("run", "earlier")


def purge(root: Path, name: str, source: Source | None) -> dict[str, Any]:
    """Remove a source's snapshots, fetched files and every stage made of them.

    Runs that used it stay: its features and the rows of it that found no area are taken out of
    them, and their manifests say so. Estimates stay. An interrupted purge is finished by another.

    Parameters
    ----------
    root : the project's folder; its lock is the caller's. source : its entry, if there is one yet.

    Returns
    -------
    The receipt, which is also at `.smallarea/purges/`: `source`, `when`, `removed` (place -> hash
    of files, of folders of their contents), `runs` (with the hashes of their manifests before),
    `file`, its declared name.

    Raises
    ------
    InputError : nothing is known of such a source.
    """
    store = root / STORE
    snapshots = store / "snapshots" / name
    if source is None and not snapshots.is_dir():
        raise InputError(
            f"no source {name!r}",
            where="data_catalog.yaml, sources",
            remedy="name one of the catalog's, or of the folders in .smallarea/snapshots",
        )
    file = source.file if source else _file_of(snapshots)
    runs = [run for run in _runs(root / "runs") if _uses(run, name)]
    places = [*_files(store, name, file), *_derived(store / "stages", name)]
    places += _drifts(root / "runs", {run.name for run in runs})
    when = datetime.now(UTC)
    receipt: dict[str, Any] = {
        "source": name,
        "file": file,
        "when": when.isoformat(timespec="seconds"),
        "finished": False,
        "removed": {str(place.relative_to(root)): sha256(place) for place in places},
        "runs": {run.name: sha256(run / MANIFEST) for run in runs},
    }
    path = store / RECEIPTS / f"{name}-{when:%Y%m%dT%H%M%SZ}.json"
    write_json(path, receipt)
    for run in runs:
        _take_out(run, name, file, receipt["when"])
    for place in places:
        remove(place)
    receipt["finished"] = True
    write_json(path, receipt)
    return receipt | {"receipt": str(path)}


def _files(store: Path, name: str, file: str | None) -> list[Path]:
    """Return what is kept of a source's files: snapshots, downloads, copies from a URL."""
    downloads = store / FOLDER
    found = [store / "snapshots" / name, downloads / f"{name}.json"]
    found += sorted(downloads.glob(f"{name}-*.part*"))
    if file is not None:
        found += [files_folder(store) / file, *sorted(store.glob(f"fetched/*/{file}"))]
    return [path for path in found if path.exists()]


def _file_of(snapshots: Path) -> str | None:
    papers = [read_object(path) or {} for path in sorted(snapshots.glob("*.papers.json"))]
    return next((str(one["original_name"]) for one in papers if "original_name" in one), None)


def _derived(stages: Path, name: str) -> list[Path]:
    """Return the stages made of a source: features that read it, and whatever was made of those.

    A stage whose record cannot be read could be one, and goes too.
    """
    folders = [path for path in sorted(stages.glob("*")) if path.is_dir()]
    found: list[Path] = []
    records = {folder: read_record(folder) for folder in folders}
    for folder, record in records.items():
        if record is None or _reads(folder, name):
            found.append(folder)
    grown = True
    while grown:
        contents = {each for folder in found for each in _contents(records[folder])}
        more = [
            folder
            for folder, record in records.items()
            if folder not in found and record and contents & set(record.made_of.values())
        ]
        found += more
        grown = bool(more)
    return found


def _drifts(runs: Path, names: set[str]) -> list[Path]:
    """Return the drift reports of these runs: they show maps of features."""
    told = {
        path.parent: read_object(path) or {} for path in sorted(runs.glob("*-drift/drift.json"))
    }
    return [folder for folder, facts in told.items() if names & {facts.get(k) for k in BOTH}]


def _reads(folder: Path, name: str) -> bool:
    if not folder.name.startswith("features-"):
        return False
    info = pd.read_csv(folder / "info.csv", dtype=str, keep_default_na=False)
    return any(name in text.split(", ") for text in info["source"])


def _runs(runs: Path) -> list[Path]:
    found = [path.parent for path in sorted(runs.glob(f"*/{MANIFEST}"))]
    return [folder for folder in found if not folder.is_symlink()]


def _uses(run: Path, name: str) -> bool:
    made = read_object(run / MANIFEST) or {}
    used = any(e.get("source") == name and not e.get("synthetic") for e in made.get("inputs", []))
    return used and name not in [one["source"] for one in made.get("purged", [])]


def _take_out(run: Path, name: str, file: str | None, when: str) -> None:
    """Take a source's data out of a run, all or nothing, and mark it."""
    with writing(run) as temporary:
        shutil.copytree(run, temporary)
        changed = [_without_features(temporary, name), _without_rows(temporary, file)]
        manifest = read_object(temporary / MANIFEST) or {}
        for path in filter(None, changed):
            manifest["outputs"][path.name] = sha256(path)
        entry = {"source": name, "when": when, "changed": [p.name for p in changed if p]}
        manifest["purged"] = [*manifest.get("purged", []), entry]
        write_json(temporary / MANIFEST, seal(manifest))
        keep_private(temporary)


def _without_features(run: Path, name: str) -> Path | None:
    info = pd.read_csv(run / "features.csv", index_col="feature", dtype=str, keep_default_na=False)
    own = [str(f) for f, text in info["source"].items() if name in text.split(", ")]
    path = run / FEATURES
    if not own or not path.is_file():
        return None
    values = pd.read_parquet(path)
    path.unlink()
    values.drop(columns=own, errors="ignore").to_parquet(path)
    return path


def _without_rows(run: Path, file: str | None) -> Path | None:
    path = run / UNMATCHED
    if file is None or not path.is_file():
        return None
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    if not (rows["file"] == file).any():
        return None
    path.unlink()
    rows[rows["file"] != file].to_csv(path, index=False)
    return path


def _contents(record: Record | None) -> list[str]:
    """Return by what hashes a stage after this one knows it: of all it wrote, or of a part."""
    if record is None:
        return []
    hashes = record.hashes
    part = {name: hashes[name] for name in LEARNED_FROM if name in hashes}
    return [digest_of(hashes), digest_of(part)] if part else [digest_of(hashes)]

"""Finished runs, and files of sources, on storage that is reached by a URL (`s3://bucket/...`).

Such storage has no rename and no locks. A run is therefore there when its manifest is: it is
written last, and read first. Whoever reads checks every file against it, so that neither a push
that was interrupted nor two at once can be taken for a run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from smallarea.errors import InputError
from smallarea.fetching.storage import storage
from smallarea.files import digest_of, keep_private, private_folder, writing
from smallarea.run.record import MANIFEST, Run, damage_of
from smallarea.run.records import some

Told = Callable[[str, float], None]


def is_url(place: object) -> bool:
    """Whether a place is a URL rather than a path."""
    return "://" in str(place)


def push(run: Run, url: str, progress: Told = lambda what, share: None) -> str:
    """Copy a finished run to `url/<its folder's name>`, the manifest last; return that URL.

    Raises
    ------
    InputError : the run was changed, another one has that name there, or the storage refuses.
    """
    if said := damage_of(run.folder, added=False):
        raise InputError(
            f"this run was changed after it was made: {some(said)}",
            where=str(run.folder),
            remedy="make it again with `smallarea run`",
        )
    names = list(run.manifest["outputs"])
    with storage(url) as (files, base):
        target = f"{base}/{run.folder.resolve().name}"
        manifest = (run.folder / MANIFEST).read_bytes()
        if files.exists(f"{target}/{MANIFEST}"):
            if files.cat_file(f"{target}/{MANIFEST}") == manifest:
                return str(files.unstrip_protocol(target))
            raise InputError(
                "another run of that name is there",
                where=str(files.unstrip_protocol(target)),
                remedy="push to another URL; what was pushed is never replaced",
            )
        for done, name in enumerate(names):
            progress(f"push: {name}", done / len(names))
            files.put_file(str(run.folder / name), f"{target}/{name}")
        files.pipe_file(f"{target}/{MANIFEST}", manifest)
        return str(files.unstrip_protocol(target))


def pull(url: str, folder: Path, progress: Told = lambda what, share: None) -> Path:
    """Copy the run at `url` to `folder/<its name>`, all of it and unchanged or nothing.

    Raises
    ------
    InputError : no manifest is there, a file is not what it says, or the folder exists.
    """
    with storage(url) as (files, base):
        target = folder / PurePosixPath(base).name
        if target.exists():
            raise InputError("it exists already", where=str(target), remedy="pull to another one")
        if not files.exists(f"{base}/{MANIFEST}"):
            raise InputError(
                "no finished run is there",
                where=url,
                remedy="if its push was interrupted, push it again",
            )
        manifest = files.cat_file(f"{base}/{MANIFEST}")
        with writing(target) as temporary:
            temporary.mkdir(mode=0o700)
            names = _plain_names(manifest, url)
            for done, name in enumerate(names):
                progress(f"pull: {name}", done / len(names))
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                if files.exists(f"{base}/{name}"):
                    files.get_file(f"{base}/{name}", str(temporary / name))
            (temporary / MANIFEST).write_bytes(manifest)
            if said := damage_of(temporary):
                raise InputError(
                    f"what is there is not what was pushed: {some(said)}",
                    where=url,
                    remedy="push the run again, to another URL",
                )
            keep_private(temporary)
    return target


def fetch(url: str, names: Iterable[str], store: Path) -> Path:
    """Copy those of the named files that are at a URL into a private folder of the store.

    They are copied at every call; snapshots are then taken of the copies, by their hashes.
    """
    folder = store / "fetched" / digest_of(url)[:16]
    with storage(url) as (files, base), writing(folder) as temporary:
        private_folder(temporary)
        for name in sorted(set(names)):
            if _inside(name) and files.isfile(f"{base}/{name}"):
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                files.get_file(f"{base}/{name}", str(temporary / name))
        if not any(temporary.iterdir()):
            raise InputError(
                "none of the declared files is there",
                where=url,
                remedy="give the URL of the folder that holds the files",
            )
    return folder


def _plain_names(manifest: bytes, url: str) -> list[str]:
    """Return the files that a manifest lists; none of them leads out of the folder."""
    try:
        names = list(json.loads(manifest)["outputs"])
    except (ValueError, KeyError, TypeError):
        names = [""]
    if not all(isinstance(name, str) and _inside(name) for name in names):
        raise InputError(
            f"its {MANIFEST} is no run's", where=url, remedy="give the URL of a pushed run"
        )
    return names


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return name not in ("", ".") and not path.is_absolute() and ".." not in path.parts

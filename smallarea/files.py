"""Content hashes, all-or-nothing writing (no reader meets a half-written file), private folders."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from smallarea.errors import InputError

#: Ends the name of a folder in which something is being written; a killed process leaves it.
UNFINISHED = ".unfinished"
BLOCK = 1 << 20

_ROOM = "free some space (`smallarea clean` removes what is no longer used) and start again"
_LEAVE = "let its owner allow writing there, or work on a copy elsewhere"
#: What a disk refuses, by error number: in words, and what can be done.
_REFUSED = {
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("your share of the disk is used up", _ROOM),
    errno.EFBIG: ("a file became larger than is allowed here", "raise the limit, see `ulimit -f`"),
    errno.EROFS: ("the disk is read-only", _LEAVE),
    errno.EACCES: ("writing or reading is not permitted", _LEAVE),
    errno.EPERM: ("writing or reading is not permitted", _LEAVE),
}
#: What SQLite and GDAL say of a full disk.
_NO_ROOM = dict.fromkeys(("disk is full", "Failed to commit transaction"), errno.ENOSPC)


def inside(name: str) -> str:
    """Return a declared file's name; raise ValueError unless it stays below the folder it is in."""
    parts = name.replace("\\", "/").split("/")
    printable = all(ord(sign) >= 32 and ord(sign) != 127 for sign in name)
    if not printable or not name.strip() or {"..", ""} & set(parts) or ":" in parts[0]:
        raise ValueError(f"{name!r} is no file below the project's folders: name it from there")
    return name


def find_below(folders: Iterable[Path], name: str) -> Path | None:
    """Return the file `name` in the first of `folders` that has it, or None.

    Raises
    ------
    InputError : it is a link to a file outside of that folder.
    """
    for folder in folders:
        path = folder / name
        if path.is_file():
            require_below(folder, path)
            return path
    return None


def require_below(folder: Path, path: Path) -> None:
    """Raise InputError if a file of a folder is a link to one outside of it."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"it is a link that leaves the folder, to {path.resolve()}",
            where=str(path),
            remedy="copy the file there, or give its own folder with --data",
        )


def sha256(path: Path) -> str:
    """Return the SHA-256 hex digest of a file, or of a directory's names and bytes, sorted."""
    digest = hashlib.sha256()
    if path.is_dir():
        for child in sorted(p for p in path.rglob("*") if p.is_file()):
            if "__pycache__" not in child.parts:
                digest.update(f"{child.relative_to(path).as_posix()}\0{sha256(child)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def digest_of(value: Any) -> str:
    """Return the SHA-256 hex digest of a JSON-able value; the order of its keys is irrelevant."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def copy_hashed(source: Path, target: Path) -> str:
    """Copy a file, hashing the very bytes that are written; return their SHA-256 hex digest."""
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as write:
        while block := read.read(BLOCK):
            digest.update(block)
            write.write(block)
    return digest.hexdigest()


def files_below(folder: Path) -> list[Path]:
    """Return all files and links below a folder, sorted; links are not followed."""
    return sorted(
        Path(parent, name)
        for parent, folders, files in os.walk(folder)
        for name in (*files, *folders)
        if name in files or Path(parent, name).is_symlink()
    )


def listing(folder: Path) -> dict[str, dict[str, Any]]:
    """Return name -> `sha256` and `bytes` of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): {"sha256": sha256(path), "bytes": path.stat().st_size}
        for path in files_below(folder)
    }


def differences(
    folder: Path, listed: Mapping[str, str], besides: tuple[str, ...], *, added: bool = True
) -> list[str]:
    """Compare a folder with what is listed of it; say of every file how it differs.

    Parameters
    ----------
    listed : name -> SHA-256 hex digest.
    besides : names of files that are there but not listed.
    added : whether other files than these are a difference.
    """
    found = {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
    said = []
    for name, digest in listed.items():
        path = found.pop(name, None)
        if path is None:
            said.append(f"{name} is missing")
        elif path.is_symlink():
            said.append(f"{name} is a link")
        else:
            try:
                same = sha256(path) == digest
            except OSError as error:
                said.append(f"{name} cannot be read ({error.strerror})")
                continue
            if not same:
                said.append(f"{name} is not what was written")
    more = [f"{name} does not belong there" for name in found if name not in besides]
    return said + more * added


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn what a disk refuses in the block into an InputError that names `path`."""
    try:
        yield
    except Exception as error:
        said = None if isinstance(error, InputError) else refusal(error, path)
        if said is None:
            raise
        raise said from error


def refusal(error: Exception, path: Path) -> InputError | None:
    """Return the InputError that says what a disk refused at `path`, None if it was not the disk.

    Libraries hide the operating system's error number: its words in their message, or a disk with
    no room left, tell as well.
    """
    number = error.errno if isinstance(error, OSError) else None
    if number not in _REFUSED:
        said = {os.strerror(known): known for known in _REFUSED} | _NO_ROOM
        number = next((known for words, known in said.items() if words in str(error)), None)
    if number is None and _no_room(path):
        number = errno.ENOSPC
    if number is None:
        return None
    what, remedy = _REFUSED[number]
    whole = [parent for parent in path.parents if parent.name.endswith(UNFINISHED)]
    return InputError(what, where=str(whole[-1].parent if whole else path), remedy=remedy)


def _no_room(path: Path) -> bool:
    at = next((parent for parent in (path, *path.parents) if parent.exists()), path)
    try:
        return shutil.disk_usage(at).free < BLOCK
    except OSError:
        return False


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` only if the block succeeds.

    Works for a file or for a directory (create it in the block). What stood at `path` before
    stays untouched until the new content is complete and on disk; then both are exchanged in one
    step where the system can (Linux), so that there is always one or the other.

    Raises InputError when the disk is full, read-only or not to be written.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        holder = tempfile.mkdtemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
        temporary = Path(holder) / path.name
        try:
            yield temporary
            to_disk(temporary)
            _replace(temporary, path)
            _sync(path.parent)
        finally:
            shutil.rmtree(holder, ignore_errors=True)


def _replace(new: Path, path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        if _exchange(new, path):
            return
        os.replace(path, new.parent / "replaced")  # swept back if this process ends here
    os.replace(new, path)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two paths in one step; False where the system cannot."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if swap is None or swap(here, os.fsencode(one), here, os.fsencode(other), exchange):
        if swap is None or ctypes.get_errno() in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
            return False
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))
    return True


def to_disk(path: Path) -> None:
    """Have the system write a file, or a folder with all below it, to the disk itself."""
    if path.is_symlink():
        return
    if path.is_dir():
        for child in path.iterdir():
            to_disk(child)
    _sync(path)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def sweep(folder: Path, pattern: str = "**/.*") -> int:
    """Remove what killed processes left unfinished below a folder; return how many there were.

    pattern : of the unfinished things' places and names in the folder.

    Only for whoever has the folder to himself. Where a kill fell between the two renames of a
    system that cannot exchange, what had stood there is put back.
    """
    left = [path for path in folder.glob(f"{pattern}{UNFINISHED}") if not path.is_symlink()]
    for holder in left:
        name = holder.name.removeprefix(".").removesuffix(UNFINISHED).rpartition(".")[0]
        target, replaced = holder.parent / name, holder / "replaced"
        if replaced.is_dir() and not target.exists():
            os.replace(replaced, target)
        shutil.rmtree(holder, ignore_errors=True)
    return len(left)


def remove(path: Path) -> None:
    """Remove a file or folder: it is gone at once, never there in part."""
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent))
    os.replace(path, holder / path.name)
    shutil.rmtree(holder, ignore_errors=True)


def private_folder(folder: Path) -> None:
    """Make `folder`, with its parents, and close it to everybody but its owner (mode 0700)."""
    with storing(folder):
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


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, None where there is none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None

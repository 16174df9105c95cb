"""One run at a time in a project: the lock is the kernel's, so a killed run leaves none behind."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from smallarea.errors import InputError
from smallarea.files import private_folder, storing


@contextmanager
def locked(
    folder: Path, *, wait: bool = False, tell: Callable[[str], None] = lambda _said: None
) -> Iterator[None]:
    """Hold the lock `folder/lock` while the block runs.

    Parameters
    ----------
    folder : the project's store; made if it is absent.
    wait : wait for whoever holds the lock, which `tell` is told once.

    Raises InputError naming the holder (process, host, since when) unless `wait`.
    """
    private_folder(folder)
    path = folder / "lock"
    with storing(path):
        file = path.open("a+", encoding="utf-8")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise InputError(
                    f"{_holder(file)} is at work here",
                    where=str(folder.parent),
                    remedy="try again when it has ended, or wait for it with `--wait`",
                ) from None
            tell(f"waiting for {_holder(file)}")
            fcntl.flock(file, fcntl.LOCK_EX)
        with storing(path):
            _sign(file)
        yield


def _sign(file: IO[str]) -> None:
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    file.truncate(0)
    json.dump({"pid": os.getpid(), "host": platform.node(), "since": since}, file)
    file.flush()


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        facts = json.load(file)
        return f"process {facts['pid']} on {facts['host']}, since {facts['since']},"
    except (ValueError, KeyError, TypeError):  # it has only just begun
        return "another process"

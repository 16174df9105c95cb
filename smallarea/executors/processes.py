"""Processes of this computer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor

from smallarea.executors.task import Payload, compute

_IDLE = 600  # seconds after which a process without work ends, one whose parent was killed too


class Processes:
    """Some processes, started when there is work; what items share goes through a private file."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._pool: ProcessPoolExecutor | None = None

    def attempt(self, payload: Payload, items: dict[int, Any]) -> Iterator[tuple[int, Any]]:
        """Compute the items; when a process ends, those that are not done are left out."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.number, timeout=_IDLE, initializer=_ignore_interrupts
            )
        with tempfile.TemporaryDirectory(prefix="smallarea-") as folder:  # mode 0700
            path = Path(folder) / payload.digest
            path.write_bytes(payload.data)
            try:
                futures = {
                    self._pool.submit(compute, partial(path.read_bytes), payload.digest, item): k
                    for k, item in items.items()
                }
                for future in as_completed(futures):
                    yield futures.pop(future), future.result()
            except BrokenProcessPool:
                self.close()
            except BaseException:
                self.close(kill=True)
                raise

    def close(self, *, kill: bool = False) -> None:
        """End the processes."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            pool.shutdown(wait=True, kill_workers=kill)


def _ignore_interrupts() -> None:
    """Leave an interrupt to the parent, which ends its processes."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)

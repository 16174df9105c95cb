"""A Dask cluster, by the address of its scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from smallarea.errors import InputError
from smallarea.executors.task import Payload, compute, fingerprint, require_alike

_PATIENCE = 20  # seconds to wait for the scheduler


class Cluster:
    """Workers of a scheduler. What items share is scattered to all of them.

    Every task first checks that the worker's engine and libraries are those of the client.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise InputError(
                "the library `distributed` is not installed",
                where=f"executor {address}",
                remedy="install the extra: pip install 'smallarea[dask]'",
            ) from error
        try:
            self._client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                "no Dask scheduler answers there",
                where=f"executor {address}",
                remedy="start one with `dask scheduler`, and `dask worker ADDRESS` for workers",
            ) from error

    def attempt(self, payload: Payload, items: dict[int, Any]) -> Iterator[tuple[int, Any]]:
        """Compute the items; those are left out whose workers ended, or lost what items share."""
        from distributed import CancelledError, KilledWorker, as_completed
        from distributed.scheduler import NoValidWorkerError

        lost = (CancelledError, KilledWorker, NoValidWorkerError)
        data = self._client.scatter(payload.data, broadcast=True, hash=False)
        futures = {
            self._client.submit(_computed, data, payload.digest, fingerprint(), item, pure=False): k
            for k, item in items.items()
        }
        try:
            for future in as_completed(list(futures), loop=self._client.loop):
                try:
                    result = future.result()
                except lost:
                    continue
                yield futures.pop(future), result
                future.release()
        finally:
            self._client.cancel(list(futures))

    def close(self) -> None:
        """Leave the cluster; it goes on."""
        self._client.close()


def _computed(data: bytes, digest: str, wanted: str, item: Any) -> Any:
    require_alike(wanted)
    return compute(partial(bytes, data), digest, item)

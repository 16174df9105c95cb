"""Work that splits: one function of many items, computed here, in processes or on a Dask cluster.

Whoever has such work calls :func:`spread`; who starts a job says once, with :func:`executing`,
where it is computed. Results do not depend on that, to the last bit, so it is no argument of any
estimator and no part of any key. Items are coarse (a fit, a fold, a twin) and what they share is
sent once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

from smallarea.errors import InputError
from smallarea.executors.task import Payload

__all__ = ["Executor", "executing", "spread"]

Item = TypeVar("Item")
Result = TypeVar("Result")

#: How often an item is tried whose worker ends under it (killed, out of memory).
ATTEMPTS = 3


class Executor(Protocol):
    """Where tasks are computed."""

    def attempt(self, payload: Payload, items: dict[int, Any]) -> Iterator[tuple[int, Any]]:
        """Yield number and result of each item as it is done; leave out those whose worker ended.

        An exception of the function is raised.
        """
        ...

    def close(self) -> None: ...


_CURRENT: ContextVar[Executor | None] = ContextVar("executor", default=None)


def spread(
    function: Callable[..., Result],
    items: Sequence[Item],
    *common: Any,
    tell: Callable[[int], None] | None = None,
) -> list[Result]:
    """Return ``[function(item, *common) for item in items]``, wherever that is computed.

    Parameters
    ----------
    function : changes none of its arguments; a random one takes its seed from them. What it spreads
        itself is computed where it is.
    common : what all items share. It reaches each worker once.
    tell : told how many items are done: 0, 1, ..., all but the last, whatever the order.

    Raises
    ------
    InputError : the workers end whenever they are given the same item. Whatever `function` raises.
    """
    told = tell or (lambda done: None)
    executor = _CURRENT.get()
    if executor is None or len(items) < 2:
        results = []
        for done, item in enumerate(items):
            told(done)
            results.append(function(item, *common))
        return results
    payload, found = Payload.of(function, common), {}
    told(0)
    for _ in range(ATTEMPTS):
        left = {k: item for k, item in enumerate(items) if k not in found}
        for number, result in executor.attempt(payload, left):
            found[number] = result
            if len(found) < len(items):
                told(len(found))
        if len(found) == len(items):
            return [found[number] for number in range(len(items))]
    raise InputError(
        f"{len(items) - len(found)} of {len(items)} pieces of work ended {ATTEMPTS} times with "
        "the process that computed them",
        where="executor",
        remedy="they may lack memory: take fewer processes, or `serial`",
    )


@contextmanager
def executing(where: str) -> Iterator[None]:
    """Compute all that is spread in the block there.

    Parameters
    ----------
    where : ``serial``; ``processes``, as many as there are processors, or ``processes:N``; the
        address of a Dask scheduler, ``tcp://HOST:PORT`` or ``tls://HOST:PORT``.

    Raises
    ------
    InputError : none of these; the library `distributed` is absent; nobody answers there.
    """
    executor = _executor(where)
    token = _CURRENT.set(executor)
    try:
        yield
    finally:
        _CURRENT.reset(token)
        if executor is not None:
            executor.close()


def _executor(where: str) -> Executor | None:
    kind, _, number = where.partition(":")
    if where == "serial":
        return None
    if kind in ("tcp", "tls"):
        from smallarea.executors.cluster import Cluster

        return Cluster(where)
    if kind == "processes" and (where == kind or (number.isdecimal() and int(number) > 0)):
        from smallarea.executors.processes import Processes

        return Processes(int(number) if number else len(os.sched_getaffinity(0)))
    raise InputError(
        f"no executor {where!r}",
        where="executor",
        remedy="choose serial, processes, processes:N or tcp://HOST:PORT of a Dask scheduler",
    )

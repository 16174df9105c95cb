"""What a worker does: unpack what all items share, once; hold to one thread; compute an item."""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cloudpickle

from smallarea.errors import InputError
from smallarea.files import digest_of, sha256

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "xarray", "lightgbm", "pymc", "nutpie")

_LOCK = threading.Lock()
_UNPACKED: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {}  # of the newest payload


@dataclass(frozen=True)
class Payload:
    """A function and what all its items share, as bytes.

    Functions and classes of a project's own files travel by value: workers need not have them.
    """

    data: bytes
    digest: str

    @classmethod
    def of(cls, function: Callable[..., Any], common: tuple[Any, ...]) -> Payload:
        """Pack both."""
        data = cloudpickle.dumps((function, common))
        return cls(data, hashlib.sha256(data).hexdigest())


def compute(read: Callable[[], bytes], digest: str, item: Any) -> Any:
    """Compute one item in a worker.

    read : gives the payload's bytes, called only where a worker has not unpacked them yet.
    """
    _hold_to_one_thread()
    with _LOCK:
        if digest not in _UNPACKED:
            _UNPACKED.clear()
            _UNPACKED[digest] = cloudpickle.loads(read())
        function, common = _UNPACKED[digest]
    return function(item, *common)


@cache
def _hold_to_one_thread() -> None:
    """Sums in another order are other numbers: for good, since the process is for such work."""
    import scipy.linalg  # noqa: F401 - its BLAS must be there to be limited
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


@cache
def fingerprint() -> str:
    """Hash the engine's source, Python's and the libraries' versions: other ones, other numbers."""
    made = {"python": platform.python_version(), "machine": platform.machine()}
    return digest_of(made | {name: version(name) for name in LIBRARIES} | {"": sha256(PACKAGE)})


def require_alike(wanted: str) -> None:
    """Raise InputError in a worker whose engine or libraries are not those of who asks."""
    if fingerprint() != wanted:
        raise InputError(
            "its engine, Python or libraries are not those of the computer that asks",
            where=f"worker on {platform.node()}",
            remedy="install the same versions on both: with others, numbers would differ",
        )

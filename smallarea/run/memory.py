"""Memory that a stage is done with goes back to the system before the next one asks for its own."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path

#: Less than this is not worth a look at every object there is.
LITTLE = 100e6


def give_back(before: float) -> None:
    """Free what nothing refers to, and hand the C library's free pages to the system.

    glibc keeps what small arrays leave behind: 250 of a default run's 1,150 MB. Elsewhere only
    the first half happens.

    before : see :func:`resident`; nothing is done where the process has hardly grown since.
    """
    if resident() - before < LITTLE:  # NaN is not
        return
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def resident() -> float:
    """Return the bytes of memory that the process has now; NaN where that cannot be read."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return float("nan")

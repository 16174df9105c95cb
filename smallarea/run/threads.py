"""One thread for linear algebra: sums in another order are other numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

#: Read by a library when it is loaded; what is loaded already is told directly.
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS and OpenMP to one thread while the block runs.

    A product of matrices summed by two threads differs from that of one in its last digits, and a
    sampler or a tree makes whole numbers of that. Chains of a sampler still run side by side: each
    has random numbers of its own.
    """
    import scipy.linalg  # noqa: F401 - its BLAS must be there to be limited
    from threadpoolctl import threadpool_limits

    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, "1"))
    try:
        with threadpool_limits(1):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

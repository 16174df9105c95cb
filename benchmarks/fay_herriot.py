"""Fay-Herriot fits with mean squared errors: our CPU time beside that recorded of the peers.

    python benchmarks/fay_herriot.py

Eleven coefficients, REML. The peers' times were recorded on two shared cores of another machine
of the same kind: svy-sae 0.4.1 after its first call, sae 1.3, saePy 0.2.0, emdi 2.2.3, hbsae 1.2
(without the term g3). A dash: not measured, or no answer within 60 seconds.
"""

from __future__ import annotations

import resource
import time

import numpy as np

from smallarea.models import fit_fay_herriot

SIZES = (150, 1_642, 42_000, 1_000_000)
PEERS = {
    "svy-sae": (1.1, 0.95, 1.1, 10.5),
    "sae": (0.012, 1.2, None, None),
    "saePy": (0.05, 1.1, None, None),
    "emdi": (0.11, 28.6, None, None),
    "hbsae": (0.11, 0.13, 2.1, 40.0),
}


def seconds(m: int, repeats: int) -> float:
    """Return the CPU seconds of one fit, the median over `repeats`."""
    rng = np.random.default_rng(m)
    X = np.column_stack([np.ones(m), rng.normal(size=(m, 10))])
    variance = rng.uniform(0.5, 2, m)
    y = X @ rng.normal(size=11) + rng.normal(size=m) * np.sqrt(1 + variance)
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        fit_fay_herriot(y, X, variance)
        times.append(time.process_time() - begin)
    return float(np.median(times))


def main() -> None:
    """Print one row per size."""
    print("CPU s    " + "".join(f"{name:>10}" for name in ("here", *PEERS)))
    for i, m in enumerate(SIZES):
        row = [seconds(m, repeats=9 if m < 10_000 else 1), *(peer[i] for peer in PEERS.values())]
        print(
            f"{m:>9,}" + "".join(f"{'-' if t is None else f'{t:.4g}':>10}" for t in row), flush=True
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main()

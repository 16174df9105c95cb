"""Fay-Herriot fits with mean squared errors: our CPU time beside that of the peers.

    python benchmarks/fay_herriot.py [--peer PYTHON]

Eleven coefficients, REML. `fit` is the fit with its mean squared errors; `all` a `FayHerriot` that
is fitted and predicts the same areas by identifier, with errors; `bootstrap` 200 worlds. The peers'
times were recorded on two shared cores of another machine of the same kind: svy-sae 0.4.1 after its
first call, sae 1.3, saePy 0.2.0, emdi 2.2.3, hbsae 1.2 (without the term g3). A dash: not measured,
or no answer within 60 seconds. `--peer` names an interpreter that has saePy, to time it here.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from smallarea.files import write_json
from smallarea.models import FayHerriot, fit_fay_herriot
from smallarea.run.code import source_hash

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks/results/fay_herriot.json"
SIZES = (150, 1_642, 42_000, 1_000_000)
PEERS = {
    "svy-sae": (1.1, 0.95, 1.1, 10.5),
    "sae": (0.012, 1.2, None, None),
    "saePy": (0.05, 1.1, None, None),
    "emdi": (0.11, 28.6, None, None),
    "hbsae": (0.11, 0.13, 2.1, 40.0),
}
SAEPY = """
import json, sys, time
import numpy as np, pandas as pd
from saePy.mseFH import mseFH
out = []
for m in json.loads(sys.argv[1]):
    rng = np.random.default_rng(m)
    X = rng.normal(size=(m, 10))
    v = rng.uniform(0.5, 2, m)
    y = X @ rng.normal(size=10) + rng.normal(size=m) * np.sqrt(1 + v)
    table = pd.DataFrame({"y": y, "v": v, **{f"x{j}": X[:, j] for j in range(10)}})
    begin = time.process_time()
    mseFH("y ~ " + " + ".join(f"x{j}" for j in range(10)), "v", data=table)
    out.append(time.process_time() - begin)
print(json.dumps(out))
"""


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the CPU seconds of `work`, the median over `repeats`."""
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return float(np.median(times))


def measure(m: int) -> dict[str, float]:
    """Return CPU seconds at m areas."""
    rng = np.random.default_rng(m)
    X = np.column_stack([np.ones(m), rng.normal(size=(m, 10))])
    variance = rng.uniform(0.5, 2, m)
    y = X @ rng.normal(size=11) + rng.normal(size=m) * np.sqrt(1 + variance)
    areas, repeats = np.arange(m), 51 if m < 1_000 else 9 if m < 10_000 else 1

    def estimator() -> None:
        model = FayHerriot().fit(X[:, 1:], y, variance, areas)
        model.predict(X[:, 1:], areas, return_mse=True)

    found = {
        "fit": seconds(lambda: fit_fay_herriot(y, X, variance), repeats),
        "all": seconds(estimator, repeats),
    }
    if m < 10_000:
        model = FayHerriot(mse="bootstrap").fit(X[:, 1:], y, variance, areas)
        found["bootstrap"] = seconds(
            lambda: model.predict(X[:, 1:], areas, return_mse=True), repeats=3
        )
    return found


def main() -> None:
    """Print one row per size, and keep ours."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="an interpreter that has saePy")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    ours = ("fit", "all", "bootstrap")
    code = sorted((ROOT / "smallarea" / "models" / "fay_herriot").rglob("*.py"))
    result: dict = {"code": source_hash(code), "cpu_seconds": {}}
    print("CPU s    " + "".join(f"{name:>10}" for name in (*ours, *PEERS)))
    for i, m in enumerate(SIZES):
        found = result["cpu_seconds"][f"{m}"] = measure(m)
        row = [found.get(name) for name in ours] + [peer[i] for peer in PEERS.values()]
        print(
            f"{m:>9,}" + "".join(f"{'-' if t is None else f'{t:.4g}':>10}" for t in row), flush=True
        )
    result["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {result['peak_gb']:.2f} GB")
    if options.peer:
        command = [options.peer, "-c", SAEPY, json.dumps(SIZES[:2])]
        run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        result["saepy_here"] = dict(
            zip(map(str, SIZES[:2]), json.loads(run.stdout.splitlines()[-1]), strict=True)
        )
        print("saePy here", result["saepy_here"])
    write_json(options.out, result)


if __name__ == "__main__":
    main()

"""The same folds computed in a loop, in processes and on a Dask cluster: times, overhead, equality.

    python benchmarks/executors.py [--parts 10] [--draws 500] [--json FILE]

The models that a default run fits are fitted without each of ten parts of the survey of a frozen
twin ($SMALLAREA_SHARED/data/twins): its ten tasks, seconds each, share features, answers and fits.
Workers are started before the clock. Overhead of a task is what one worker takes beyond the time
inside the tasks: packing, sending, unpacking, scheduling. On a busy machine times are longer than
they would be; overhead and equality are not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from accuracy_twins import MODELS, SHARED, read_twin

from smallarea.executors import executing, spread
from smallarea.files import write_json
from smallarea.models import load_models
from smallarea.models.counts import rows
from smallarea.models.splits import Split, at_random
from smallarea.models.validation import held_out

RESULT = Path(__file__).parent / "results" / "executors.json"


def timed(split: Split, shared: dict[str, Any]) -> tuple[dict[str, np.ndarray], float]:
    """Return one part's draws and the seconds they took where they were computed."""
    begin = time.perf_counter()
    ids = shared["direct"].reports.index
    drawn = held_out(
        shared["models"], shared["X"], lambda left: rows(shared["direct"], ids.difference(left)),
        shared["areas"], [split], fitted=shared["fitted"], n=shared["draws"], seed=1,
    )  # fmt: skip
    return {name: each.to_numpy() for name, each in drawn.items()}, time.perf_counter() - begin


def ready(_number: int) -> None:
    """Load what the tasks need, and keep a worker busy until all have started."""
    load_models(MODELS, "fast")
    time.sleep(1)


@contextmanager
def workers(kind: str, number: int) -> Iterator[None]:
    """Execute there, with workers that have started."""
    if kind == "serial":
        yield
    elif kind == "processes":
        with executing(f"processes:{number}"):
            spread(ready, range(2 * number))  # one item alone would stay here
            yield
    else:
        from distributed import LocalCluster

        with (
            LocalCluster(n_workers=number, threads_per_worker=1, dashboard_address=None) as made,
            executing(made.scheduler_address),
        ):
            spread(ready, range(2 * number))  # one item alone would stay here
            yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", type=int, default=10)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--json", type=Path, default=RESULT)
    chosen = parser.parse_args()
    twins = SHARED / "data" / "twins"
    X, direct = read_twin(sorted(p.parent for p in twins.glob("signal_*/*/direct.json"))[0])
    areas = pd.read_parquet(twins / "areas.parquet")
    models = load_models(MODELS, "fast")
    fitted = {name: model.fit(X, direct, areas, 1) for name, model in models.items()}
    fitted = {name: fit for name, fit in fitted.items() if hasattr(fit, "refit")}
    shared = {
        "models": models, "X": X, "direct": direct, "areas": areas, "fitted": fitted,
        "draws": chosen.draws,
    }  # fmt: skip
    splits = at_random(areas, direct.reports.index, chosen.parts, key="1")
    found: dict[str, Any] = {}
    first = None
    for kind, number in (
        ("serial", 1), ("processes", 1), ("dask", 1), ("processes", 2), ("dask", 2),
    ):  # fmt: skip
        with workers(kind, number):
            begin = time.perf_counter()
            made = spread(timed, splits, shared)
            took = time.perf_counter() - begin
        first = first or made
        inside = sum(seconds for _, seconds in made)
        equal = all(
            one[name].tobytes() == other[name].tobytes()
            for (one, _), (other, _) in zip(first, made, strict=True)
            for name in one
        )
        row = {"seconds": round(took, 1), "equal_to_the_last_bit": equal}
        if number == 1:
            row["overhead_of_a_task"] = round(took / inside - 1, 4)
        found[f"{kind}, {number}"] = row
        print(f"{kind}, {number} at once: {row}", flush=True)
    write_json(chosen.json, {"tasks": len(splits), "draws": chosen.draws, "found": found})


if __name__ == "__main__":
    main()

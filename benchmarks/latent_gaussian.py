"""Time and memory of the latent Gaussian model by the size of the country.

    python benchmarks/latent_gaussian.py [--areas N ...] [--json FILE]

Invented countries, 150 areas surveyed, some 280 reports of four components, twenty features, groups
of two levels. Each is fitted, its surveyed areas are left out by groups of the lower level in
closed form, and 1,000 draws of every area are made, in a process of its own: CPU seconds (one
thread of linear algebra) and the most memory the process held, libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

SIZES = (1642, 5565, 42_010)
SURVEYED, DRAWS, COMPONENTS, SEED = 150, 1000, 4, 1


def measure(areas: int) -> dict[str, float]:
    """Fit, leave out and draw once; return CPU seconds of each and the process's peak, GB."""
    import resource

    import numpy as np
    import pandas as pd

    from smallarea.models import LatentGaussian
    from smallarea.nsum.direct.estimates import Direct

    rng = np.random.default_rng(SEED)
    ids = pd.Index([f"a{i:05d}" for i in range(areas)], name="area_id")
    common = rng.normal(size=(areas, 5))
    X = pd.DataFrame(common @ rng.normal(size=(5, 20)) + rng.normal(size=(areas, 20)), ids)
    province = rng.integers(0, 80, areas)
    table = pd.DataFrame(
        {
            "province_id": [f"p{p:02d}" for p in province],
            "region_id": [f"r{p // 5:02d}" for p in province],
            "lon": 120 + 5 * rng.uniform(size=areas),
            "lat": 5 + 14 * rng.uniform(size=areas),
        },
        ids,
    )
    names = [f"c{k}" for k in range(COMPONENTS)]
    index = ids[np.sort(rng.choice(areas, SURVEYED, replace=False))]
    rate = np.exp(-6 + 0.5 * common[ids.get_indexer(index), :1] + rng.normal(size=COMPONENTS) / 2)
    exposure = (
        280 / (SURVEYED * rate.mean(axis=0).sum()) * rng.uniform(0.5, 1.5, (SURVEYED, COMPONENTS))
    )
    tables = [
        pd.DataFrame(values, index, names)
        for values in (rng.poisson(exposure * rate).astype(float), exposure, rate / exposure)
    ]
    direct = Direct(*tables, pd.Series(1.3, names))
    marks = [time.process_time()]
    model = LatentGaussian(components=8, points=16).fit(X, direct, table)
    marks.append(time.process_time())
    left = model.leave_out(table["province_id"])
    marks.append(time.process_time())
    draws = model.draws(X, table, DRAWS, seed=SEED)
    marks.append(time.process_time())
    assert np.isfinite(left.cells.to_numpy()).all()
    assert np.isfinite(draws.to_numpy().sum())
    fit, leave_out, drawn = np.diff(marks)
    return {
        "areas": areas,
        "fit_cpu_s": round(fit, 2),
        "leave_out_cpu_s": round(leave_out, 2),
        "draws_cpu_s": round(drawn, 2),
        "cpu_s": round(marks[-1] - marks[0], 2),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }


def apart(areas: int) -> dict[str, float]:
    """Measure in a process of its own, so that its peak is its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", str(areas)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--areas", type=int, nargs="*", default=SIZES)
    parser.add_argument("--one", type=int, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, default=None)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.one)))
        return
    about = {"surveyed": SURVEYED, "components": COMPONENTS, "draws": DRAWS, "seed": SEED}
    text = json.dumps({**about, "sizes": [apart(n) for n in chosen.areas]}, indent=1)
    print(text)
    if chosen.json:
        chosen.json.write_text(text + "\n")


if __name__ == "__main__":
    main()

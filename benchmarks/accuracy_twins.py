"""Accuracy of the pool of models on frozen twins of known truth, paired to what was landed before.

    python benchmarks/accuracy_twins.py [--twins FOLDER] [--models NAME ...] [--out FOLDER]
        [--json FILE]

The twins and their score.py are looked for in $SMALLAREA_SHARED/data/twins. Of each twin the models
(by default those that take part in the estimates) are fitted once and pooled; predictions are
written to FOLDER/signal_S/SEED.parquet as score.py reads them. Printed: means, ratios of RMSE
to the landed gate and stack with standard errors, CPU seconds per twin, peak memory.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.models import load_models, pool
from smallarea.models.candidates import Candidate
from smallarea.nsum.direct.estimates import Direct
from smallarea.run.code import source_hash

MODELS = Path(__file__).parents[1] / "models"
SHARED = Path(os.environ.get("SMALLAREA_SHARED", Path(__file__).parents[2] / "shared"))


def read_twin(folder: Path) -> tuple[pd.DataFrame, Direct]:
    """Return features of all areas and the direct estimates of the surveyed ones."""
    table = pd.read_parquet(folder / "direct.parquet")
    deff = pd.Series(json.loads((folder / "direct.json").read_text())["deff"])

    def part(name: str) -> pd.DataFrame:
        return table[[f"{name}__{c}" for c in deff.index]].set_axis(deff.index, axis=1)

    direct = Direct(part("reports"), part("exposure"), part("variance"), deff)
    return pd.read_parquet(folder / "features.parquet"), direct


def draws_of(
    models: dict[str, Candidate], X: pd.DataFrame, direct: Direct, areas: pd.DataFrame, n: int
) -> tuple[xr.DataArray, float]:
    """Fit the models and pool their draws; return these and the CPU seconds."""
    begin = time.process_time()
    parts = [
        model.fit(X, direct, areas, 1).draws(model.select(X), areas, n, model.seed(1))
        for model in models.values()
    ]
    return pool(parts), time.process_time() - begin


def predictions(draws: xr.DataArray) -> pd.DataFrame:
    """Return means and the ends of 80 and 95 % intervals."""
    at = {"q10": 0.1, "q90": 0.9, "q025": 0.025, "q975": 0.975}
    mean = draws.mean("draw").to_numpy()
    ends = np.quantile(draws.to_numpy(), list(at.values()), axis=2)
    columns = {}
    for k, component in enumerate(draws["component"].values):
        columns[component] = mean[k]
        for name, end in zip(at, ends, strict=True):
            columns[f"{component}__{name}"] = end[k]
    return pd.DataFrame(columns, pd.Index(draws["area_id"].values, name="area_id"))


def coverage(score: ModuleType, folder: Path, made: pd.DataFrame) -> dict[str, float]:
    """Return shares of unsurveyed areas inside 80 and 95 % intervals, level from the truth."""
    areas, truth = score.AREAS, pd.read_parquet(folder / "truth.parquet")
    new = ~areas.index.isin(pd.read_parquet(folder / "direct.parquet").index)
    found: dict[str, list[float]] = {"cover_80": [], "cover_95": []}
    for component in [c for c in truth if not c.startswith("tau_")]:
        people = areas["children" if component.startswith("victims") else "adults"]
        true = truth[component] * truth[f"tau_{component}"] / people
        level = (true @ people) / (made[component] @ people)
        for name, low, high in (("cover_80", "q10", "q90"), ("cover_95", "q025", "q975")):
            inside = (made[f"{component}__{low}"] * level <= true) & (
                true <= made[f"{component}__{high}"] * level
            )
            found[name].append(float(inside[new].mean()))
    return {name: float(np.mean(shares)) for name, shares in found.items()}


def compared(score: ModuleType, twins: Path, out: Path) -> dict[str, dict[str, Any]]:
    """Return, by signal, mean scores of the pool, and its paired ratios to what was landed."""
    found = {}
    for signal in sorted(twins.glob("signal_*")):
        rows, covers = [], []
        for folder in sorted(p for p in signal.iterdir() if p.is_dir()):
            made = pd.read_parquet(out / signal.name / f"{folder.name}.parquet")
            made = made.reindex(score.AREAS.index)
            both = score.landed(folder) | {"pool": made}
            rows += [
                {"model": name, **row}
                for name, each in both.items()
                for row in score.scored(folder, each)
            ]
            covers.append(coverage(score, folder, made))
        table = pd.DataFrame(rows)
        wide = table.pivot_table("rmse", ["seed", "component"], "model")
        ratios = {}
        for other in ("plain", "gate", "stack"):
            by_twin = (wide["pool"] / wide[other]).groupby("seed").mean()
            ratios[other] = [round(float(by_twin.mean()), 4), round(float(by_twin.sem()), 4)]
        means = table[table["model"] == "pool"].groupby("component")[["rmse", "rho", "top_100"]]
        covered = pd.DataFrame(covers)
        found[signal.name] = {
            "twins": len(covers),
            "ratio_of_rmse_and_standard_error": ratios,
            "means": means.mean().round(3).to_dict("index"),
            "coverage_and_standard_error": {
                name: [round(float(covered[name].mean()), 4), round(float(covered[name].sem()), 4)]
                for name in covered
            },
        }
    return found


def main() -> None:
    """Fit every twin, write predictions, print the scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--twins", type=Path, default=SHARED / "data" / "twins")
    parser.add_argument("--models", nargs="*", default=None)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--json", type=Path, default=None)
    chosen = parser.parse_args()
    every = load_models(MODELS, "full" if chosen.models else "fast")
    models = {
        name: model
        for name, model in every.items()
        if (name in chosen.models if chosen.models else model.stack)
    }
    areas = pd.read_parquet(chosen.twins / "areas.parquet")
    out = chosen.out or Path(tempfile.mkdtemp())
    seconds = []
    for folder in sorted(p.parent for p in chosen.twins.glob("signal_*/*/direct.json")):
        X, direct = read_twin(folder)
        draws, spent = draws_of(models, X, direct, areas, chosen.draws)
        seconds.append(spent)
        target = out / folder.parent.name / f"{folder.name}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        predictions(draws).to_parquet(target)
    spec = importlib.util.spec_from_file_location("score", SHARED / "data" / "twins" / "score.py")
    assert spec is not None
    assert spec.loader is not None
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    found: dict[str, Any] = {
        "models": sorted(models),
        "draws": chosen.draws,
        "seed": 1,
        "code": source_hash(sorted((MODELS.parent / "smallarea" / "models").rglob("*.py"))),
        "cpu_seconds_per_twin": round(float(np.mean(seconds)), 1),
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        **compared(score, chosen.twins, out),
    }
    text = json.dumps(found, indent=1)
    print(text)
    if chosen.json:
        chosen.json.write_text(text + "\n")


if __name__ == "__main__":
    main()

"""Accuracy of a model file on frozen twins of known truth, paired to what was landed before.

    python benchmarks/accuracy_twins.py [--twins FOLDER] [--model latent_gaussian]
        [--beside boosted_rates] [--out FOLDER]

The twins and their score.py are looked for in $SMALLAREA_SHARED/data/twins. Of each twin the model
is fitted once; predictions are written to FOLDER/alone/signal_S/SEED.parquet as score.py reads
them. With --beside, those of the geometric mean of both models' rates go to FOLDER/together: means
are geometric means of means, intervals those of geometric means of draws, paired by rank.
Printed: the table of score.py, CPU seconds per twin, and peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.models import load_models
from smallarea.models.candidates import Candidate
from smallarea.models.kernels import levels_above
from smallarea.nsum.direct.estimates import Direct

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
    model: Candidate, X: pd.DataFrame, direct: Direct, areas: pd.DataFrame, n: int
) -> tuple[xr.DataArray, float]:
    """Fit and draw, leave groups out if it can; return the draws and the CPU seconds."""
    begin = time.process_time()
    own = model.select(X)
    fitted = model.unfitted(1).fit(own, direct, areas)
    draws = fitted.draws(own, areas, n, 1)
    if hasattr(fitted, "leave_out"):
        finest = max(levels_above(areas), key=lambda level: areas[level].nunique())
        fitted.leave_out(areas[finest])
    return draws, time.process_time() - begin


def predictions(parts: list[xr.DataArray]) -> pd.DataFrame:
    """Return means and 10 and 90 % points of the geometric mean of several models' rates."""
    mean = np.exp(sum(np.log(d.mean("draw")) for d in parts) / len(parts))
    ranked = [np.log(np.sort(d.to_numpy(), axis=2)) for d in parts]
    low, high = np.exp(np.quantile(sum(ranked) / len(parts), [0.1, 0.9], axis=2))
    columns = {}
    for k, component in enumerate(parts[0]["component"].values):
        columns[component] = mean.to_numpy()[k]
        columns[f"{component}__q10"], columns[f"{component}__q90"] = low[k], high[k]
    return pd.DataFrame(columns, pd.Index(parts[0]["area_id"].values, name="area_id"))


def main() -> None:
    """Fit every twin, write predictions, print the scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--twins", type=Path, default=SHARED / "data" / "twins")
    parser.add_argument("--model", default="latent_gaussian")
    parser.add_argument("--beside", default=None)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=None)
    chosen = parser.parse_args()
    models = load_models(MODELS, "fast")
    names = [chosen.model, *([chosen.beside] if chosen.beside else [])]
    areas = pd.read_parquet(chosen.twins / "areas.parquet")
    out = chosen.out or Path(tempfile.mkdtemp())
    labels = ["alone", "together"][: len(names)]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for folder in sorted(p.parent for p in chosen.twins.glob("signal_*/*/direct.json")):
        X, direct = read_twin(folder)
        parts = []
        for name in names:
            draws, spent = draws_of(models[name], X, direct, areas, chosen.draws)
            parts.append(draws)
            seconds[name].append(spent)
        for label in labels:
            target = out / label / folder.parent.name / f"{folder.name}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            predictions(parts[:1] if label == "alone" else parts).to_parquet(target)
    for label in labels:
        print(f"{label}:", flush=True)
        subprocess.run([sys.executable, chosen.twins / "score.py", out / label], check=True)
    for name, spent in seconds.items():
        print(f"{name}: {np.mean(spent):.1f} CPU s per twin (largest {max(spent):.1f})")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()

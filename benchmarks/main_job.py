"""The main job against known truth: coverage, error and targeting over seeds of the digital twin.

    python benchmarks/main_job.py --seeds 10 [--profile fast] [--signal 0.6] [--out FILE.json]

For each seed a twin is made and the main job run on it. Compared with the twin's truth, over all
areas: the share of 80 % intervals that hold it, the root mean squared error of medians, and how
many of the true top 100 are among the estimated top 100; beside them the national-rate baseline,
which gives every area the national total in proportion to its children or adults.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from smallarea import __version__
from smallarea.files import write_json
from smallarea.project import Project
from smallarea.run.stages import code_hash

TOP = 100

NAMED = Project(Path(__file__).parents[1]).indicators
COMPONENTS, REFERENCE = tuple(NAMED.components), NAMED.reference
SUMS = {name: added.of for name, added in NAMED.sums.items()}


def compare(run_folder: Path, twin: Path) -> dict:
    """Score one finished run against its twin's truth."""
    estimates = pd.read_parquet(run_folder / "estimates.parquet").set_index("area_id")
    table = pd.read_parquet(run_folder / "areas.parquet").set_index("area_id")
    manifest = json.loads((run_folder / "manifest.json").read_text())
    truth = pd.read_parquet(twin / "truth" / "areas.parquet")
    scores: dict = {
        "covariates": manifest["covariates"]["figures"]["chance"],
        "gain": manifest["covariates"]["figures"],
        "weights": manifest["weights"],
        "z": {c: row["z"] for c, row in manifest["agreement"].items()},
        "tau": json.loads((twin / "truth" / "national.json").read_text())["tau"],
        "seconds": manifest["seconds"],
        "national": {},
    }
    for name in (*SUMS, *COMPONENTS):
        parts = SUMS.get(name, (name,))
        true = truth[list(parts)].sum(axis=1).reindex(table.index)
        size = table[REFERENCE[parts[0]]]
        rows = estimates[estimates["indicator"] == name].reindex(table.index)
        open_rows = rows["q50"].notna()
        inside = (rows["q10"] <= true) & (true <= rows["q90"])
        surveyed = rows["surveyed"].astype(bool)
        flat = rows["q50"].sum() * size / size.sum()
        top = set(true.nlargest(TOP).index)
        true_rate, rate, flat_rate = (1000 * v / size for v in (true, rows["q50"], flat))
        top_rate = set(true_rate[open_rows].nlargest(TOP).index)
        scores[name] = {
            "cover_80": inside[open_rows].mean(),
            "cover_80_surveyed": inside[open_rows & surveyed].mean(),
            "cover_80_unsurveyed": inside[open_rows & ~surveyed].mean(),
            "rmse": np.sqrt(((rows["q50"] - true)[open_rows] ** 2).mean()),
            "rmse_baseline": np.sqrt(((flat - true)[open_rows] ** 2).mean()),
            "rmse_rate": np.sqrt(((rate - true_rate)[open_rows] ** 2).mean()),
            "rmse_rate_baseline": np.sqrt(((flat_rate - true_rate)[open_rows] ** 2).mean()),
            "top_100": len(top & set(rows["q50"].nlargest(TOP).index)),
            "top_100_baseline": len(top & set(flat.nlargest(TOP).index)),
            "top_100_rate": len(top_rate & set(rate.nlargest(TOP).index)),
        }
        nation = manifest["national"][name]
        scores["national"][name] = {
            "truth": float(true.sum()), "q10": nation["q10"], "q50": nation["q50"],
            "q90": nation["q90"], "inside_80": bool(nation["q10"] <= true.sum() <= nation["q90"]),
        }  # fmt: skip
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--signal", type=float, default=None)
    parser.add_argument("--data", type=Path, default=None, help="real streams for truth and run")
    parser.add_argument("--out", type=Path, default=None)
    chosen = parser.parse_args()
    knobs = {} if chosen.signal is None else {"signal": chosen.signal}
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        project = Project.init(Path(folder) / "twin")
        for seed in range(chosen.first, chosen.first + chosen.seeds):
            started = time.perf_counter()
            twin = project.simulate(chosen.data, seed=seed, **knobs)
            run = project.run(chosen.data, profile=chosen.profile, seed=seed)
            made[seed] = compare(run.folder, twin)
            row = made[seed]
            print(
                f"seed {seed}: {time.perf_counter() - started:.0f} s, "
                f"chance {row['covariates']:.0%} that covariates help; "
                + "; ".join(
                    f"{name} cover {row[name]['cover_80']:.2f}, "
                    f"rmse {row[name]['rmse']:.0f} (baseline {row[name]['rmse_baseline']:.0f}), "
                    f"top 100 {row[name]['top_100']} ({row[name]['top_100_baseline']})"
                    for name in SUMS
                ),
                flush=True,
            )
    summary = summarise(made)
    print(json.dumps(summary, indent=2))
    if chosen.out:
        settings = {"profile": chosen.profile, "seeds": sorted(made), "twin": knobs}
        code = {"version": __version__, "sha256": code_hash(".")}
        write_json(
            chosen.out, {"settings": settings, "code": code, "summary": summary, "seeds": made}
        )


def summarise(made: dict) -> dict:
    """Average the scores over seeds; z is listed as it is."""
    summary: dict = {
        "covariates": float(np.mean([row["covariates"] for row in made.values()])),
        "z": {c: [round(row["z"][c], 2) for row in made.values()] for c in COMPONENTS},
    }
    for name in (*SUMS, *COMPONENTS):
        table = pd.DataFrame([row[name] for row in made.values()])
        inside = [row["national"][name]["inside_80"] for row in made.values()]
        summary[name] = table.mean().round(3).to_dict() | {"nation_inside_80": sum(inside)}
    return summary


if __name__ == "__main__":
    main()

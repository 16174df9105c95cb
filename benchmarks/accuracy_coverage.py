"""How often intervals of reported rates hold the truth in areas never surveyed, over many twins.

    python benchmarks/accuracy_coverage.py [--twins N] [--signal S ...] [--json FILE]

Twins of the shipped project, seeds 201 and up, are made anew; the models that take part in the
estimates are fitted once and pooled; the nation's level is taken from the truth. Printed: coverage
of 80 and 95 % intervals with standard errors between twins, and by thirds of the areas' population.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import smallarea as sa
from smallarea.areas import Frame, build_frame
from smallarea.features import build_features
from smallarea.models import load_models, pool
from smallarea.run.answers import surveyed_areas
from smallarea.run.code import source_hash
from smallarea.run.inputs import desk
from smallarea.simulate import TwinSettings, simulate

ENDS = {"80": (0.1, 0.9), "95": (0.025, 0.975)}
FIRST = 201


def pooled(project: sa.Project, frame: Frame, seed: int, signal: float, n: int) -> xr.DataArray:
    """Write the twin of a seed into the project and return the pool's draws of reported rates."""
    settings = TwinSettings(**project.catalog.twin | {"seed": seed, "signal": signal})
    simulate(frame, project.indicators, project.catalog, settings, project.twin, None)
    with desk(project.root, lambda _: None) as at:
        kept = at.take_sources(project.catalog, project.data_dirs())
        X = build_features(project.catalog, frame, project.root / "features", kept).values
    survey = project.twin / "survey"
    _, direct = surveyed_areas(project.settings, survey, frame, project.indicators)
    models = load_models(project.root / "models", "fast").values()
    return pool(
        [
            model.fit(X, direct, frame.table, seed).draws(
                model.select(X), frame.table, n, model.seed(seed)
            )
            for model in models
            if model.stack
        ]
    ).assign_coords(surveyed=("area_id", X.index.isin(direct.reports.index)))


def covered(project: sa.Project, frame: Frame, draws: xr.DataArray) -> pd.DataFrame:
    """Return, by component and interval, shares of unsurveyed areas inside: all, and by size."""
    truth = pd.read_parquet(project.twin / "truth" / "areas.parquet").loc[frame.table.index]
    draws = draws.sel(area_id=list(truth.index))
    new = ~draws["surveyed"].to_numpy()
    rows = []
    for name in draws["component"].values:
        people = frame.table[project.indicators.reference[name]].to_numpy()
        true = (truth[name] * truth[f"tau_{name}"]).to_numpy() / people
        own = draws.sel(component=name).to_numpy()
        level = (true @ people) / (own.mean(axis=1) @ people)
        third = pd.qcut(people, 3, labels=["small", "middle", "large"])
        for interval, ends in ENDS.items():
            low, high = np.quantile(own, ends, axis=1) * level
            inside = ((low <= true) & (true <= high))[new]
            by_size = pd.Series(inside).groupby(third[new], observed=True).mean()
            rows.append({"component": name, "interval": interval, "all": inside.mean(), **by_size})
    return pd.DataFrame(rows)


def study(twins: int, signals: list[float], n: int) -> dict[str, Any]:
    """Return mean coverage over twins, with standard errors between them."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        project = sa.Project.init(Path(folder) / "project")
        frame = build_frame(project.catalog, project.data_dirs())
        for signal in signals:
            made = []
            for seed in range(FIRST, FIRST + twins):
                draws = pooled(project, frame, seed, signal, n)
                made.append(covered(project, frame, draws).assign(twin=seed))
                print(f"signal {signal:g}, twin {seed}", end="\r", flush=True)
            table = pd.concat(made)
            by_twin = table.groupby(["interval", "twin"])[
                ["all", "small", "middle", "large"]
            ].mean()
            means, errors = by_twin.groupby("interval").mean(), by_twin.groupby("interval").sem()
            found[f"signal_{signal:g}"] = {
                interval: {
                    part: [round(float(means.loc[interval, part]), 4)]
                    + [round(float(errors.loc[interval, part]), 4)]
                    for part in means
                }
                for interval in means.index
            }
    return found


def main() -> None:
    """Run the study, print it and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--twins", type=int, default=40)
    parser.add_argument("--signal", type=float, nargs="*", default=[0.6])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--json", type=Path, default=None)
    chosen = parser.parse_args()
    code = sorted((Path(__file__).parents[1] / "smallarea" / "models").rglob("*.py"))
    about = {"twins": chosen.twins, "first_seed": FIRST, "draws": chosen.draws}
    found = {**about, "code": source_hash(code), **study(chosen.twins, chosen.signal, chosen.draws)}
    text = json.dumps(found, indent=1)
    print(text)
    if chosen.json:
        chosen.json.write_text(text + "\n")


if __name__ == "__main__":
    main()

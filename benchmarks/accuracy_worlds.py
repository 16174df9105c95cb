"""Accuracy of the pool of models on surveys drawn from censuses, paired to simple regressions.

    python benchmarks/accuracy_worlds.py [WORLD ...] [--peers] [--surveys N] [--json FILE]

Worlds: pmpob, t_analf18m, t_sluz (Brazil), nepal, poverty, walls (Philippines), looked for in
$SMALLAREA_SHARED/data. Of each survey the models that take part in the estimates of the
examples are fitted once and pooled. Printed: RMSE in areas never surveyed (points, or
national rates), its ratio to the reference's with standard errors over surveys, CPU seconds.
With `--peers` the same surveys are given to the closest peers, which no pool has, instead.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from worlds import Survey, World, brazil, nepal, philippines, surveys

from smallarea.models import load_models, pool
from smallarea.models.candidates import Candidate
from smallarea.run.code import source_hash

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("SMALLAREA_SHARED", HERE.parents[1] / "shared")) / "data"
WORLDS = {
    "pmpob": lambda: brazil(SHARED / "world", "pmpob"),
    "t_analf18m": lambda: brazil(SHARED / "world", "t_analf18m"),
    "t_sluz": lambda: brazil(SHARED / "world", "t_sluz"),
    "nepal": lambda: nepal(SHARED / "world"),
    "poverty": lambda: philippines(SHARED, "poverty"),
    "walls": lambda: philippines(SHARED, "walls"),
}
#: Whose RMSE others are divided by, and what the pool's ratio should be.
REFERENCE = {"pmpob": "extra trees", "t_analf18m": "extra trees", "t_sluz": "extra trees"} | {
    "nepal": "survey mean", "poverty": "weighted ridge", "walls": "weighted ridge"
}  # fmt: skip


def published(world: World) -> dict[str, Candidate]:
    """Return the models that are pooled in the example that has this kind of observations."""
    example = HERE.parent / "examples" / {"binomial": "brazil", "poisson": "nepal"}[world.family]
    return {k: m for k, m in load_models(example / "models", "fast").items() if m.stack}


def peers(world: World) -> dict[str, Candidate]:
    """Return the closest peers, made for this kind of observations and the world's top level."""
    models = load_models(HERE.parent / "models", "full")
    top = [column for column in world.areas if column.endswith("_id")][-1]
    models["partially_pooled"].estimator.set_params(family=world.family, levels=[top])
    return {name: models[name] for name in ("partially_pooled", "unit_probit")}


def predictions(
    world: World, survey: Survey, models: dict[str, Candidate], n: int, seed: int
) -> dict[str, pd.DataFrame]:
    """Return mean rates in unsurveyed areas: of each model, their pool, the baselines."""
    draws = {
        name: model.fit(model.select(world.X), survey.direct, world.areas, seed).draws(
            model.select(world.X).loc[survey.unsurveyed], world.areas, n, model.seed(seed)
        )
        for name, model in models.items()
    }
    if all(model.stack for model in models.values()):
        draws["pool"] = pool(list(draws.values()))
    means = {name: each.mean("draw").to_pandas().T for name, each in draws.items()}
    return survey.baselines | means


def rmse(world: World, survey: Survey, made: pd.DataFrame) -> pd.Series:
    """Return the error in unsurveyed areas by component, as `World.points` says."""
    truth, people = world.truth.loc[survey.unsurveyed], world.people[survey.unsurveyed]
    made = made.loc[survey.unsurveyed, list(truth)]
    if world.points:
        return (100 * (made.clip(0, 1) - truth)).pow(2).mean().pow(0.5)
    national = world.truth.mul(world.people, axis=0).sum() / world.people.sum()
    level = truth.mul(people, axis=0).sum() / made.mul(people, axis=0).sum()
    error = ((made * level - truth) / national).pow(2)
    return (error.mul(people, axis=0).sum() / people.sum()).pow(0.5)


def compared(
    key: str, models_of: Callable[[World], dict[str, Candidate]], number: int, n: int, seed: int = 1
) -> dict[str, Any]:
    """Return mean RMSE of every prediction, and its ratio to the reference's, by component."""
    world, rows, began = WORLDS[key](), [], time.process_time()
    models = models_of(world)
    for k, survey in enumerate(surveys(world, number)):
        for name, made in predictions(world, survey, models, n, seed).items():
            rows += [(k, name, *each) for each in rmse(world, survey, made).items()]
    table = pd.DataFrame(rows, columns=["survey", "model", "component", "rmse"])
    found: dict[str, Any] = {}
    for component, part in table.groupby("component", sort=False):
        wide = part.pivot_table("rmse", "survey", "model")
        ratio = wide.div(wide[REFERENCE[key]], axis=0)
        found[component] = {
            name: {
                "rmse": round(float(wide[name].mean()), 4),
                "ratio": round(float(ratio[name].mean()), 4),
                "ratio_se": round(float(ratio[name].sem()), 4),
            }
            for name in wide
        }
    seconds = (time.process_time() - began) / number
    return {
        "world": world.name,
        "surveys": number,
        "reference": REFERENCE[key],
        "cpu_seconds_per_survey": round(seconds, 1),
        "components": found,
    }


def main() -> None:
    """Run the worlds asked for, print them and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worlds", nargs="*", default=list(WORLDS))
    parser.add_argument("--surveys", type=int, default=15)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--peers", action="store_true")
    chosen = parser.parse_args()
    models_of = peers if chosen.peers else published
    code = sorted((HERE.parent / "smallarea" / "models").rglob("*.py"))
    found: dict[str, Any] = {"seed": 1, "draws": chosen.draws, "code": source_hash(code)}
    for key in chosen.worlds:
        found[key] = compared(key, models_of, chosen.surveys, chosen.draws)
        for component, made in found[key]["components"].items():
            print(f"\n{found[key]['world']}, {component}; ratio to {found[key]['reference']}")
            print(pd.DataFrame(made).T.sort_values("rmse").to_string(), flush=True)
        if chosen.json:
            chosen.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

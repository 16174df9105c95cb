"""The attack on tiers over many twins: what does an attacker gain over a world without interviews?

    python benchmarks/studies/attack.py [--twins 40] [--keep FOLDER] [--json FILE]

Of each digital twin (default settings, its own truth, survey and streams) the draws of its tiers
are made as `smallarea publish` makes them, and attacked: who was told of anybody? Simple attacks
are a place's rate over its neighbours' and theirs over their region's (`smallarea.release.attack`).
The trained one learns from the *other* twins, where it knows who told: gradient boosting of the
place's own rate, all ratios, their ranks, and their means over the components. Each is compared, in
the same places, with itself in the world where the place's neighbourhood was never interviewed; for
the trained one that is a classifier of its own, trained in such worlds.

Printed and kept: by attack and component the mean difference of AUCs over twins, its standard error
(twins are independent), the upper end of its 95 % interval in either direction. Tables of places
are kept in FOLDER, a file per twin, so that what was interrupted goes on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier

import smallarea.release.attack as attacks
import smallarea.run.pipeline as pipeline
from smallarea import __version__
from smallarea.files import write_json
from smallarea.progress import silent
from smallarea.project import Project
from smallarea.run.safe import safe_draws
from smallarea.run.stages import code_hash

RESULT = Path(__file__).parents[1] / "results" / "attack.json"
SIMPLE = ("unit", "above", "unit/above")
WORLDS = ("pooled", "safe", "unasked")
LIMIT = 0.03


class Enough(Exception):
    """All that tiers rest on is there; findings and files of the run are not needed."""


def places_of(seed: int) -> pd.DataFrame:
    """Make a twin's tier; return what an attacker computes of every surveyed place.

    A row per component and area_id: `told`, and by world `own` (median rate) and the simple scores.
    """
    kept: dict[str, Any] = {}

    def judge(told: pd.DataFrame, *scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
        columns = {"told": _long(told)}
        for world, found in zip(WORLDS, scores, strict=True):
            columns |= {f"{world} {name}": _long(table) for name, table in found.items()}
        kept["places"] = pd.DataFrame(columns).sort_index()
        return original["judge"](told, *scores)

    def scores(rates: pd.DataFrame, table: pd.DataFrame, at: pd.Index) -> dict[str, pd.DataFrame]:
        return {"own": rates.loc[at]} | original["scores"](rates, table, at)

    def stop(job: Any, *_: Any) -> None:
        manifest = {
            "settings": job.settings.model_dump(),
            "seed": job.seed,
            "profile": job.profile,
            "inputs": job.inputs.listed(job.catalog),
            "stages": {
                s.name: {"folder": str(s.folder.relative_to(project.root))}
                for s in job.store.finished
            },
        }
        kept["run"] = SimpleNamespace(manifest=manifest, indicators=job.indicators)
        raise Enough

    original = {"judge": attacks.judge, "scores": attacks.scores, "stage": pipeline.findings_stage}
    with tempfile.TemporaryDirectory() as folder:
        project = Project.init(Path(folder) / "twin")
        project.simulate(seed=seed)
        attacks.judge, attacks.scores, pipeline.findings_stage = judge, scores, stop
        try:
            project.run(seed=seed)
        except Enough:
            safe_draws(kept["run"], project.root, silent)
        finally:
            attacks.judge, attacks.scores = original["judge"], original["scores"]
            pipeline.findings_stage = original["stage"]
    return kept["places"]


def _long(table: pd.DataFrame) -> pd.Series:
    """Return a table's columns below each other: index component, area_id."""
    return pd.concat({name: table[name] for name in table}, names=["component", "area_id"])


def simple(places: dict[int, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return, by simple attack and component, a difference of AUCs per twin."""
    found = []
    for score in SIMPLE:
        for component in next(iter(places.values())).index.unique(0):
            rows = []
            for table in places.values():
                own = table.loc[component].dropna()
                told = own["told"].to_numpy(bool)
                rows.append([attacks.auc(told, own[f"{w} {score}"].to_numpy()) for w in WORLDS])
            found.append({"attack": score, "component": component} | summary(np.array(rows)))
    return found


def seen(table: pd.DataFrame, world: str) -> pd.DataFrame:
    """Return what a trained attacker sees in a world: logs of all scores, of all components."""
    names = [f"{world} {name}" for name in ("own", *SIMPLE)]
    logs = np.log(table[names]).set_axis(["own", *SIMPLE], axis=1)
    mean = logs.groupby(level=1).mean().add_prefix("mean ")
    rank = logs.groupby(level=0).rank(pct=True).add_prefix("rank ")
    return logs.join(rank).join(mean, on="area_id")


def trained(places: dict[int, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return, by component, AUCs per twin of classifiers trained on the other twins."""
    components = list(next(iter(places.values())).index.unique(0))
    guesses: dict[str, dict[int, pd.Series]] = {}
    for world in WORLDS:
        tables = {seed: seen(table, world) for seed, table in places.items()}
        for seed in places:
            others = [s for s in places if s != seed]
            model = LGBMClassifier(
                n_estimators=150, learning_rate=0.03, num_leaves=7, min_child_samples=60,
                subsample=0.7, subsample_freq=1, colsample_bytree=0.7, n_jobs=1,
                random_state=0, verbose=-1,
            )  # fmt: skip
            model.fit(
                pd.concat([tables[s] for s in others]).to_numpy(),
                np.concatenate([places[s]["told"].to_numpy(bool) for s in others]),
            )
            chance = model.predict_proba(tables[seed].to_numpy())[:, 1]
            guesses.setdefault(world, {})[seed] = pd.Series(chance, tables[seed].index)
    found = []
    for component in components:
        rows = [
            [
                attacks.auc(
                    places[seed].loc[component, "told"].to_numpy(bool),
                    guesses[world][seed].loc[component].to_numpy(),
                )
                for world in WORLDS
            ]
            for seed in places
        ]
        found.append({"attack": "trained", "component": component} | summary(np.array(rows)))
    return found


def summary(aucs: np.ndarray) -> dict[str, Any]:
    """Summarise AUCs of a row per twin and a column per world."""
    gain = aucs[:, 1] - aucs[:, 2]
    mean, error = float(np.nanmean(gain)), float(np.nanstd(gain, ddof=1) / np.sqrt(len(gain)))
    low, high = mean - 1.96 * error, mean + 1.96 * error
    return {
        **{world: round(float(np.nanmean(aucs[:, k])), 4) for k, world in enumerate(WORLDS)},
        "gain": round(mean, 4), "se": round(error, 4),
        "bound": round(max(high, -low), 4), "by_twin": np.round(gain, 3).tolist(),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--twins", type=int, default=40)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None)
    parser.add_argument("--json", type=Path, default=None)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    keep = chosen.keep or Path(tempfile.mkdtemp())
    keep.mkdir(parents=True, exist_ok=True)
    places = {}
    for seed in range(chosen.first, chosen.first + chosen.twins):
        path = keep / f"{seed}.parquet"
        if not path.is_file():
            made = places_of(seed)
            made.to_parquet(path.with_suffix(".part"))
            path.with_suffix(".part").replace(path)
            print(f"twin {seed}", file=sys.stderr, flush=True)
        places[seed] = pd.read_parquet(path).rename_axis(["component", "area_id"])
    found = [*simple(places), *(trained(places) if len(places) > 2 else [])]
    print(pd.DataFrame(found).drop(columns="by_twin").to_string(index=False))
    write_json(chosen.json or RESULT, {
        "twins": sorted(places), "limit": LIMIT,
        "code": {"version": __version__, "sha256": code_hash(".")}, "found": found,
    })  # fmt: skip


if __name__ == "__main__":
    main()

"""Effective draws of hidden sizes per CPU second, beside R NSUM 1.0 and earlier prototypes.

    python benchmarks/nsum.py [--golden FOLDER] [--sizes 500x20 1375x30 3600x19]

Every model at three sizes: 500 x 20 (the surveys simulated by R NSUM, in the golden folder),
1,375 x 30 (as McCarty et al. 2001) and 3,600 x 19 (the study: 15 known groups, 4 hidden). CPU
seconds are those of sampling, warm-up included; compilation is told apart, and so is everything
else. The last rows are the study-size full model with 4 x 2,000 draws, and the municipal hierarchy
of 3,600 respondents in 150 of 1,642 areas with 1,000 draws for all of them. Figures go to
benchmarks/results/nsum.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea.files import write_json
from smallarea.nsum import TauPrior, fit_nsum
from smallarea.survey import ARD, make_ard

RESULTS = Path(__file__).parent / "results" / "nsum.json"
GOLDEN = Path(__file__).parents[2] / "shared" / "golden" / "nsum"
TAU = TauPrior.from_mean(0.05, 0.25, "benchmark")
MODELS = ("degree", "barrier", "transmission", "full", "overdispersed", "correlated")
TARGET = {"degree": 300, "barrier": 40, "full": 30}  # ESS per CPU second at 500 x 20


def golden_survey(folder: Path, case: str) -> ARD:
    """A survey of 500 respondents, 20 known groups and 1 hidden, simulated by R NSUM."""
    groups = pd.read_csv(folder / "curitiba_groups.csv")
    hidden = groups["role"] != "known"
    table = pd.DataFrame(
        {
            "group": groups["group"],
            "kind": np.where(hidden, "hidden", "known"),
            "size": groups["size"].mask(hidden),
            "population": 1_817_434,
        }
    )
    return make_ard(pd.read_csv(folder / f"curitiba_sim_{case}.csv"), table)


def simulated_survey(n: int, known: int, hidden: int, seed: int, barrier: bool) -> ARD:
    """Log-normal degrees, group shares of 0.1 to 5 %, beta barriers of correlation 0.005-0.03."""
    rng = np.random.default_rng(seed)
    population = 70_000_000
    share = np.concatenate([np.geomspace(0.001, 0.05, known), np.geomspace(2e-4, 1e-3, hidden)])
    rho = rng.uniform(0.005, 0.03, known + hidden)
    degree = np.rint(np.exp(rng.normal(5.3, 0.7, n))).astype(int)[:, None]
    chance = np.tile(share, (n, 1))
    if barrier:
        chance = rng.beta(share * (1 / rho - 1), (1 - share) * (1 / rho - 1), chance.shape)
    names = [f"known {k}" for k in range(known)] + [f"hidden {k}" for k in range(hidden)]
    groups = pd.DataFrame(
        {
            "group": names,
            "kind": ["known"] * known + ["hidden"] * hidden,
            "size": [*np.rint(share[:known] * population), *[np.nan] * hidden],
            "population": population,
        }
    )
    return make_ard(pd.DataFrame(rng.binomial(degree, chance), columns=names), groups)


def survey(size: str, model: str, golden: Path) -> ARD:
    plain = model in ("degree", "transmission")
    if size == "500x20":
        return golden_survey(golden, "degree" if plain else "barrier")
    n, known, hidden = {"1375x30": (1375, 29, 1), "3600x19": (3600, 15, 4)}[size]
    return simulated_survey(n, known, hidden, seed=1, barrier=not plain)


def measure(ard: ARD, model: str, draws: int, tune: int, chains: int) -> dict[str, Any]:
    start, wall = time.process_time(), time.perf_counter()
    prior = TAU if model in ("transmission", "full") else None
    fit = fit_nsum(
        ard, model, tau_prior=prior, draws=draws, tune=tune, chains=chains, seed=1, cores=1
    )
    sizes = fit.diagnostics.sizes["ess"]
    cpu = fit.seconds["sample"]
    return {
        "draws": f"{chains} x {draws} after {tune}",
        "ess": round(float(sizes.min())),
        "cpu_s_sampling": round(cpu, 2),
        "cpu_s_compiling": round(fit.seconds["compile"], 2),
        "cpu_s_all": round(time.process_time() - start, 2),
        "wall_s_all": round(time.perf_counter() - wall, 2),
        "ess_per_cpu_s": round(float(sizes.min()) / cpu, 1),
        "rhat": round(fit.diagnostics.rhat, 4),
        "converged": fit.publishable,
    }


def hierarchy() -> dict[str, Any]:
    """Fit 3,600 respondents in 150 of 1,642 areas (87 provinces, 17 regions); draw for all."""
    from smallarea.models.hierarchy import AreaHierarchy
    from smallarea.nsum.direct.estimates import Direct, Units

    rng = np.random.default_rng(1)
    ids = pd.Index([f"{i:010d}" for i in range(1642)], name="area_id")
    province = np.sort(rng.integers(0, 87, 1642))
    areas = pd.DataFrame(
        {
            "province_id": [f"p{p:02d}" for p in province],
            "region_id": [f"r{p // 5:02d}" for p in province],
            "lon": 120 + 5 * rng.random(1642),
            "lat": 6 + 12 * rng.random(1642),
        },
        ids,
    )
    X = pd.DataFrame(rng.normal(size=(1642, 20)), ids, [f"x{j}" for j in range(20)])
    names = ["victims_live", "victims_nonlive", "traffickers_live", "traffickers_nonlive"]
    log_rate = np.log(1e-3) + 0.5 * X["x0"].to_numpy()[:, None] + 0.5 * rng.normal(size=(1642, 4))
    home = np.repeat(rng.choice(1642, 150, replace=False), 24)
    people = pd.Index([f"i{i}" for i in range(len(home))])
    degree = rng.lognormal(3.7, 0.6, (len(home), 1)).round() + 1
    mean = degree * np.exp(log_rate[home])
    reports = pd.DataFrame(rng.poisson(rng.gamma(mean / 0.5, 0.5)), people, names).astype(float)
    exposure = pd.DataFrame(degree.repeat(4, axis=1), people, names)
    area = pd.Series(ids[home], people, name="area_id")
    units = Units(reports, exposure, area, area.rename("psu"))
    y, d = reports.groupby(area).sum(), exposure.groupby(area).sum()
    parts = pd.DataFrame({"phi": 1.5, "between": 0.1}, names)
    deff = pd.Series(1.5, names)
    direct = Direct(y, d, deff * y.sum() / d.sum() / d, deff, components=parts, units=units)
    start, wall = time.process_time(), time.perf_counter()
    model = AreaHierarchy(random_state=1).fit(X, direct, areas)
    draws = model.draws(X, areas, 1000, seed=1)
    return {
        "draws": f"{model.chains} x {model.draws_per_chain} after {model.tune}",
        "areas": draws.sizes["area_id"],
        "cpu_s_all": round(time.process_time() - start, 2),
        "wall_s_all": round(time.perf_counter() - wall, 2),
        "ess": round(model.diagnostics_["ess"]),
        "rhat": round(model.diagnostics_["rhat"], 4),
        "target_cpu_s_all": 100,
    }


def peers(golden: Path) -> dict[str, float]:
    """ESS of N per CPU second of R NSUM 1.0 and the PyMC prototypes, least over groups."""
    table = pd.read_csv(golden / "posterior_summaries.csv")
    table = table[table["param"].str.startswith("N_u") & table["ess_per_cpu_s"].notna()]
    least = table.groupby(["tool", "case"])["ess_per_cpu_s"].min().round(2)
    return {f"{tool}, {case}": value for (tool, case), value in least.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--golden", type=Path, default=GOLDEN)
    parser.add_argument("--sizes", nargs="+", default=["500x20", "1375x30", "3600x19"])
    options = parser.parse_args()
    rows = json.loads(RESULTS.read_text())["ours"] if RESULTS.exists() else {}
    for size in options.sizes:
        for model in MODELS:
            row = measure(survey(size, model, options.golden), model, 1000, 500, 4)
            if size == "500x20" and model in TARGET:
                row["target"] = TARGET[model]
            rows[f"{model} {size}"] = row
            print(f"{model} {size}: {json.dumps(row)}", flush=True)
    if "3600x19" in options.sizes:
        row = measure(survey("3600x19", "full", options.golden), "full", 2000, 1000, 4)
        rows["full 3600x19, 4 x 2000 draws"] = row | {"target_cpu_s_all": 300}
        print(json.dumps(row), flush=True)
        rows["municipal hierarchy 3600 in 150 of 1642"] = hierarchy()
        print(json.dumps(rows["municipal hierarchy 3600 in 150 of 1642"]))
    machine = {"processor": platform.processor() or platform.machine()}
    write_json(RESULTS, {"machine": machine, "ours": rows, "peers": peers(options.golden)})


if __name__ == "__main__":
    main()

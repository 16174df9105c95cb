"""Is the municipal hierarchy calibrated, and do its intervals of areas' rates cover?

    python benchmarks/studies/municipal_hierarchy.py [--surveys 120]

Parameters come from the priors of the model, answers from the model: 80 areas in 4 regions and 16
provinces, 40 of them surveyed, two twice, 20 respondents each, two components. Each survey is
fitted through the estimator. Ranks of the truth among 99 draws are uniform if model, sampler and
the draws of areas without respondents agree (test: chi-squared on ten bins); 80 % and 95 %
intervals of the rates of surveyed and other areas should cover as often as they say.

The levels' prior is centred on the data by the estimator and nearly flat (sd 1.5 of the log); here
levels are drawn with sd 0.5 about one place, which a flat prior does not notice. Results, with
the seed, go to benchmarks/results/municipal_hierarchy.json.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from calibration import rank, uniformity

from smallarea import __version__
from smallarea.files import write_json
from smallarea.models.bym2 import Icar, nearest_neighbours
from smallarea.models.components import principal_components
from smallarea.models.hierarchy import AreaHierarchy
from smallarea.nsum.direct.estimates import Direct, Units
from smallarea.run.stages import code_hash

RESULT = Path(__file__).parents[1] / "results" / "municipal_hierarchy.json"
SEED = 20260103
AREAS, SURVEYED, TWICE, TAKE = 80, 40, 2, 20
NAMES = ["live", "nonlive"]
PHI, BETWEEN = 1.6, 0.1  # what the estimator centres its priors of kappa and of PSU effects on
SCALARS = ("scale_b", "scale_d", "scale_coarse", "scale_fine", "rho", "scale_psu")
BY_COMPONENT = ("level", "kappa", "loading", "scale_own")

IDS = pd.Index([f"{i:010d}" for i in range(AREAS)], name="area_id")
PLACES = pd.DataFrame(
    {
        "region_id": [f"r{i // 20}" for i in range(AREAS)],
        "province_id": [f"p{i // 5:02d}" for i in range(AREAS)],
        "lon": 120 + np.arange(AREAS) % 10 * 0.1,
        "lat": 10 + np.arange(AREAS) // 10 * 0.1,
    },
    IDS,
)
CORRELATION = Icar(nearest_neighbours(PLACES)).correlations(np.arange(len(PLACES)))


def simulate(rng: np.random.Generator) -> tuple[pd.DataFrame, Direct, dict[str, Any], pd.DataFrame]:
    """Return features, a survey, the parameters and the areas' true rates."""
    X = pd.DataFrame(rng.normal(size=(AREAS, 2)), IDS, ["lights", "roads"])
    Z = principal_components(X, 2).transform(X)
    half = {"scale_b": 0.3, "scale_d": 0.15, "scale_coarse": 0.3, "scale_fine": 0.3}
    truth: dict[str, Any] = {name: abs(rng.normal(0, sd)) for name, sd in half.items()}
    truth |= {
        "level": np.log(0.003) + rng.normal(0, 0.5, 2),
        "kappa": (PHI - 1) * rng.lognormal(0, 0.7, 2),
        "loading": abs(rng.normal(0, 1, 2)),
        "scale_own": abs(rng.normal(0, 0.5, 2)),
        "rho": rng.uniform(),
        "scale_psu": np.sqrt(BETWEEN) * rng.lognormal(0, 0.3),
    }
    slopes = truth["scale_b"] * rng.normal(size=(2, 1)) + truth["scale_d"] * rng.normal(size=(2, 2))
    structure = truth["rho"] * CORRELATION + (1 - truth["rho"]) * np.eye(AREAS)
    spatial = np.linalg.cholesky(structure + 1e-10 * np.eye(AREAS)) @ rng.normal(size=AREAS)
    group = truth["scale_coarse"] * rng.normal(size=4)[np.arange(AREAS) // 20]
    group += truth["scale_fine"] * rng.normal(size=16)[np.arange(AREAS) // 5]
    log_rate = truth["level"] + Z @ slopes + group[:, None] + spatial[:, None] * truth["loading"]
    log_rate += truth["scale_own"] * rng.normal(size=(AREAS, 2))

    drawn = rng.choice(AREAS, SURVEYED, replace=False)
    psus = np.r_[drawn, drawn[:TWICE]]
    area, psu = np.repeat(psus, TAKE), np.repeat(np.arange(len(psus)), TAKE)
    own = truth["scale_psu"] * rng.normal(size=len(psus)) - truth["scale_psu"] ** 2 / 2
    people = pd.Index([f"i{i}" for i in range(len(area))], name="respondent_id")
    degree = rng.lognormal(3.5, 0.6, len(area)).round() + 1
    mean = degree[:, None] * np.exp(log_rate[area] + own[psu][:, None])
    reports = rng.poisson(rng.gamma(mean / truth["kappa"], truth["kappa"])).astype(float)
    units = Units(
        pd.DataFrame(reports, people, NAMES),
        pd.DataFrame(dict.fromkeys(NAMES, degree), people),
        pd.Series(IDS[area], people, name="area_id"),
        pd.Series([f"b{j}" for j in psu], people, name="psu"),
    )
    totals = {k: getattr(units, k).groupby(units.area_id).sum() for k in ("reports", "exposure")}
    parts = pd.DataFrame({"phi": PHI, "between": BETWEEN}, NAMES)
    direct = Direct(
        **totals,
        variance=0.003 * PHI / totals["exposure"],
        deff=pd.Series(PHI, NAMES),
        components=parts,
        units=units,
    )
    return X, direct, truth, pd.DataFrame(np.exp(log_rate), IDS, NAMES)


def study(surveys: int, seed: int = SEED, first: int = 0) -> dict[str, Any]:
    """Ranks by parameter and coverage of areas' rates over the surveys."""
    ranks: dict[str, list[int]] = {}
    covered: dict[str, list[float]] = {}
    weak, start = 0.0, time.process_time()
    for number in range(first, first + surveys):
        X, direct, truth, rate = simulate(np.random.default_rng([seed, number]))
        model = AreaHierarchy(
            components=2, chains=2, tune=500, draws_per_chain=500, random_state=number
        ).fit(X, direct, PLACES)
        weak += model.diagnostics_["weak"]
        at = model.posterior_ | {"level": model.posterior_["level"] + model.centre_}
        values = {name: at[name].ravel() for name in SCALARS} | {
            name: at[name][:, 0] for name in BY_COMPONENT
        }
        known = {name: truth[name] for name in SCALARS} | {n: truth[n][0] for n in BY_COMPONENT}
        draws = model.draws(X, PLACES, 1000, seed=number)
        seen = IDS.isin(direct.reports.index)
        table = draws.transpose("component", "area_id", "draw").to_numpy()
        for name, chosen in {"surveyed": seen, "other": ~seen}.items():
            place = int(np.flatnonzero(chosen)[0])
            values[f"rate of a {name} area"] = table[0, place]
            known[f"rate of a {name} area"] = rate.iloc[place, 0]
            for share in (80, 95):
                tail = (1 - share / 100) / 2
                low, high = np.quantile(table[:, chosen], [tail, 1 - tail], axis=-1)
                true = rate.to_numpy()[chosen].T
                inside = ((true >= low) & (true <= high)).mean()
                covered.setdefault(f"cover{share}_{name}", []).append(inside)
        for name, value in known.items():
            ranks.setdefault(name, []).append(rank(values[name], value))
        if (number + 1) % 10 == 0:
            print(f"{number + 1}: {(time.process_time() - start) / (number + 1 - first):.1f} CPU s")
    coverage = {name: round(float(np.mean(hits)), 4) for name, hits in covered.items()}
    errors = {f"{n}_se": round(float(np.std(h) / len(h) ** 0.5), 4) for n, h in covered.items()}
    return {
        "surveys": surveys,
        "calibration": {name: uniformity(found) for name, found in ranks.items()},
        "coverage": coverage | errors,
        "share_weak": weak / surveys,
        "cpu_s_per_survey": round((time.process_time() - start) / surveys, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=120)
    found = study(parser.parse_args().surveys)
    found |= {"seed": SEED, "code": {"version": __version__, "models": code_hash("models")}}
    write_json(RESULT, found)


if __name__ == "__main__":
    main()

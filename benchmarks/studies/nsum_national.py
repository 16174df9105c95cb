"""Which posterior of a national rate is honest under a stratified, clustered, weighted design?

    python benchmarks/studies/nsum_national.py [--surveys 200]

A country of 1,400 areas whose reported rates differ (sd 0.8 of the log, higher in towns), one
barangay of its own (sd 0.3) in each of about 150 areas drawn with probability proportional to
size within strata, 24 respondents each, unequal weights, barrier effects, observed degrees. The
target is the rate over people, not over acquaintances. Compared, all with the barrier model:

    unweighted            respondents as if independent
    weighted, Kish        weights scaled to n / (1 + cv^2 of the weights)
    weighted, design      weights scaled to the design effect: what `national_draws` does
    PSU effects           random PSU effects, unweighted; PSUs reweighted by a bootstrap

at two levels of reporting: about 40 and 160 reports in the survey. Results, with the seed, go to
benchmarks/results/nsum_national.json.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea import __version__
from smallarea.files import write_json
from smallarea.nsum.bayesian.pymc_models import Answers, Priors, barrier
from smallarea.nsum.bayesian.weighting import likelihood_weights
from smallarea.run.stages import code_hash
from smallarea.survey import ARD, make_ard

RESULT = Path(__file__).parents[1] / "results" / "nsum_national.json"
AREAS, PSUS, PER_PSU = 1_400, 150, 24
RATES = {"about 40 reports": 2.5e-4, "about 160 reports": 1e-3}
TAU = 0.05  # the barrier acts on who is known, of whom one in twenty is reported
SAMPLING = {"draws": 400, "tune": 300, "chains": 2}


def country(rate: float, rng: np.random.Generator) -> pd.DataFrame:
    """Areas: people, town (0/1), region, reported rate, mean degree. People-weighted mean: rate."""
    people = np.exp(rng.normal(10.2, 1.0, AREAS))
    urban = 1.2 * (np.log(people) - 10.2) + rng.normal(size=AREAS)
    town = urban > 0
    log_rate = 0.8 * (0.5 * urban / urban.std() + np.sqrt(0.75) * rng.normal(size=AREAS))
    table = pd.DataFrame({"people": people, "town": town, "region": rng.integers(0, 15, AREAS)})
    table["rate"] = np.exp(log_rate) * np.where(town, 1, 0.6)
    table["rate"] *= rate / np.average(table["rate"], weights=people)
    table["degree"] = 45 * np.exp(0.1 * town + 0.15 * rng.normal(size=AREAS))
    return table


def survey(table: pd.DataFrame, rng: np.random.Generator) -> ARD:
    """Stratified PPS sample of exactly PSUS areas and what their respondents report."""
    stratum = table["region"].astype(str) + np.where(table["town"], " town", " rural")
    total = table["people"].groupby(stratum).sum()
    exact = np.maximum(PSUS * total / total.sum(), 2)
    number = np.floor(exact * PSUS / exact.sum()).clip(lower=2).astype(int)
    largest = total.sort_values(ascending=False).index
    for step in range(abs(PSUS - number.sum())):
        number[largest[step % len(largest)]] += np.sign(PSUS - number.sum())
    rows = []
    for name, n in number.items():
        people = table["people"][stratum == name]
        expected = n * people / people.sum()  # times that the area is drawn
        drawn = rng.choice(people.index, n, replace=True, p=people / people.sum())
        rows.append(pd.DataFrame({"area": drawn, "stratum": name, "share": expected[drawn].array}))
    psus = pd.concat(rows, ignore_index=True)
    psus["own"] = np.exp(rng.normal(-0.045, 0.3, len(psus)))
    people = psus.loc[psus.index.repeat(PER_PSU)].rename_axis("psu").reset_index()
    area = table.loc[people["area"]].reset_index(drop=True)
    degree = np.rint(area["degree"] * np.exp(rng.normal(0, 0.6, len(area)))).clip(lower=1)
    true, rho = area["rate"] * people["own"] / TAU, 0.02
    chance = rng.beta(true * (1 / rho - 1), (1 - true) * (1 / rho - 1)) * TAU
    eligible = 1 + rng.poisson(1.6, len(area))
    answers = pd.DataFrame(
        {
            "psu": people["psu"].astype(str),
            "stratum": people["stratum"],
            "weight": area["people"] / people["share"] * eligible,
            "children": degree,
            "hidden": rng.binomial(degree.astype(int), chance),
        }
    )
    groups = pd.DataFrame(
        {
            "group": ["children", "hidden"],
            "kind": ["known", "hidden"],
            "size": [1e6, np.nan],
            "population": 1e6,
            "network": "child",
        }
    )
    return make_ard(answers, groups, weight="weight", stratum="stratum", psu="psu")


def with_psu_effects(answers: Answers, psu: np.ndarray) -> Any:
    """The barrier model with a normal effect of each PSU on the log rate."""
    import pymc as pm
    import pytensor.tensor as pt

    y, degree = answers.counts[:, 0], np.exp(answers.log_degree)
    with pm.Model() as model:
        log_rate = pm.Uniform("log_rate", -np.log(answers.population), 0, shape=1)
        spread = pm.HalfNormal("spread", 1)
        effect = pm.Normal("effect", shape=int(psu.max()) + 1)
        psu_rate = pm.Deterministic("psu_rate", pt.exp(log_rate + spread * effect))
        rho = pm.Uniform("rho", 0, 1)
        y, degree = pm.Data("y", y), pm.Data("degree", degree)
        shape = pt.exp(log_rate) * (1 / rho - 1)
        pm.Potential("answers", pm.logp(pm.NegativeBinomial.dist(degree * psu_rate[psu], shape), y))
    return model


class Comparison:
    """The four posteriors, each model compiled once."""

    def __init__(self) -> None:
        import nutpie

        rng = np.random.default_rng(0)
        ard = survey(country(1e-3, rng), rng)
        self.psu = ard.design["psu"].astype(int).to_numpy()
        answers = self._answers(ard)
        built = barrier(answers, Priors()), with_psu_effects(answers, self.psu)
        self.plain, self.effects = (
            nutpie.compile_pymc_model(model, backend="numba", freeze_model=False) for model in built
        )

    def __call__(self, ard: ARD, seed: int) -> dict[str, np.ndarray]:
        """Draws of the national rate by method."""
        answers = self._answers(ard)
        weight = ard.weights / ard.weights.mean()
        kish = weight / (weight**2).mean()
        design = likelihood_weights(ard, answers.log_degree, weighted=True)
        weights = {
            "unweighted": np.ones(len(weight)),
            "weighted, Kish": kish,
            "weighted, design": design.table["hidden"].to_numpy(),
        }
        draws = {name: self._rate(answers, w, seed) for name, w in weights.items()}
        draws["PSU effects"] = self._psu_rate(answers, weight, seed)
        return draws

    @staticmethod
    def _answers(ard: ARD) -> Answers:
        hidden = ard.counts[["hidden"]].to_numpy()
        degree = np.log(ard.counts["children"].to_numpy())
        return Answers(hidden, np.ones_like(hidden), np.empty(0), degree, 1e6)

    def _rate(self, answers: Answers, weights: np.ndarray, seed: int) -> np.ndarray:
        arrays = replace(answers, weights=weights[:, None]).arrays()
        posterior = self._sample(self.plain, arrays, seed)
        return np.exp(posterior["log_rate"].to_numpy().ravel())

    def _psu_rate(self, answers: Answers, weight: np.ndarray, seed: int) -> np.ndarray:
        data = {"y": answers.counts[:, 0], "degree": np.exp(answers.log_degree)}
        posterior = self._sample(self.effects, data, seed)
        rates = posterior["psu_rate"].to_numpy().reshape(-1, PSUS)
        people = np.bincount(self.psu, weight)
        mass = people * np.random.default_rng(seed).dirichlet(np.ones(PSUS), len(rates))
        return (mass * rates).sum(axis=1) / mass.sum(axis=1)

    @staticmethod
    def _sample(compiled: Any, data: dict[str, np.ndarray], seed: int) -> Any:
        import nutpie

        data = {name: v for name, v in data.items() if name in compiled.shared_data}
        return nutpie.sample(
            compiled.with_data(**data), **SAMPLING, cores=1, seed=seed, progress_bar=False
        ).posterior


def study(surveys: int, seed: int = 20260102) -> dict[str, Any]:
    """Bias and coverage by level of reporting and method; a new country every 20 surveys."""
    compare = Comparison()
    out: dict[str, Any] = {}
    for level, rate in RATES.items():
        rows = []
        for number in range(surveys):
            world = country(rate, np.random.default_rng([seed, number // 20]))
            ard = survey(world, np.random.default_rng([seed, 1, number]))
            for method, draws in compare(ard, number).items():
                low95, low80, median, high80, high95 = np.quantile(
                    draws / rate, [0.025, 0.1, 0.5, 0.9, 0.975]
                )
                rows.append(
                    {
                        "method": method,
                        "bias": median - 1,
                        "rmse": (median - 1) ** 2,
                        "cover80": low80 <= 1 <= high80,
                        "cover95": low95 <= 1 <= high95,
                        "high_over_low95": high95 / low95,
                    }
                )
        table = pd.DataFrame(rows).groupby("method", sort=False).mean()
        table["rmse"] **= 0.5
        out[level] = table.round(3).to_dict("index")
        print(level, table.round(3).to_string(), sep="\n", flush=True)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=200)
    options = parser.parse_args()
    found = {"surveys": options.surveys, "seed": 20260102, "results": study(options.surveys)}
    found["code"] = {"version": __version__, "nsum": code_hash("nsum")}
    write_json(RESULT, found)


if __name__ == "__main__":
    main()

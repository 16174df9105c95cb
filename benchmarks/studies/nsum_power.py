"""Which posterior of a hidden group is honest where the reported rate goes with degree?

    python benchmarks/studies/nsum_power.py [--surveys 200] [--barrier 40]

Surveys of 1,000 respondents in 50 PSUs (reporting rates differ between PSUs, sd 0.4 of the log),
log-normal degrees (median 200, sd 0.6), a barrier (gamma, cv 1) and about 200 reports; the rate of
a tie is proportional to degree^p, p = 0 or -0.5. The target is the share of all ties that lead into
the hidden group. Degrees are asked, or scaled up from four known groups. Compared: the power
posterior (`nsum.classical.power`) and the barrier model weighted by the design, as `nsum` fits it
(Gibbs sampling, fewer surveys). Results, with the seed, go to benchmarks/results/nsum_power.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea import __version__
from smallarea.files import write_json
from smallarea.nsum import fit_nsum, killworth
from smallarea.nsum.classical.power import power_posterior
from smallarea.run.stages import code_hash
from smallarea.survey import ARD, make_ard

RESULT = Path(__file__).parents[1] / "results" / "nsum_power.json"
PEOPLE, PSUS, PER_PSU, SPREAD = 1_000_000, 50, 20, 0.6
KNOWN = {"k1": 0.02, "k2": 0.01, "k3": 0.015, "k4": 0.005}
RATE = 0.001


def survey(power: float, asked: bool, rng: np.random.Generator) -> tuple[ARD, float]:
    """One survey, and the true number of people as reported."""
    n = PSUS * PER_PSU
    relative = np.exp(rng.normal(0, SPREAD, n))  # degree over its median
    degree = 200 * relative
    psu = np.repeat(np.arange(PSUS), PER_PSU)
    place = np.exp(rng.normal(-0.08, 0.4, PSUS))[psu]
    barrier = rng.gamma(1, size=n)
    answers = {"h": rng.poisson(RATE * degree * relative**power * place * barrier)}
    # E[degree x degree^p] / E[degree] of a log-normal
    truth = PEOPLE * RATE * np.exp(((1 + power) ** 2 - 1) * SPREAD**2 / 2)
    if asked:
        answers["degree"] = np.maximum(rng.poisson(degree), 1)
        sizes = {"degree": float(PEOPLE)}
    else:
        for name, share in KNOWN.items():
            answers[name] = rng.poisson(degree * share * rng.gamma(2, size=n) / 2)
        sizes = {name: share * PEOPLE for name, share in KNOWN.items()}
    groups = pd.DataFrame({"group": ["h", *sizes], "kind": ["hidden", *["known"] * len(sizes)]})
    groups["size"], groups["population"] = [np.nan, *sizes.values()], PEOPLE
    groups["network"] = "child" if asked else "adult"
    return make_ard(pd.DataFrame(answers).assign(psu=psu), groups, psu="psu"), truth


def posteriors(ard: ARD, asked: bool, seed: int, barrier: bool) -> dict[str, np.ndarray]:
    """Draws of the reported size by method."""
    draws = {"power": power_posterior(killworth(ard), seed=seed)["h"].to_numpy()}
    if barrier:
        fit = fit_nsum(
            ard, "barrier", degree="summation" if asked else "known", weighted=True,
            draws=500, tune=300, chains=2, seed=seed, sampler="gibbs",
        )  # fmt: skip
        draws["barrier"] = fit.reported.sel(group="h").to_numpy().ravel()
    return draws


def study(surveys: int, barrier: int, seed: int = 20260103) -> dict[str, Any]:
    """Bias and coverage by power of degree, way to the degree, and method."""
    out: dict[str, Any] = {}
    for power in (0.0, -0.5):
        for asked in (True, False):
            rows = []
            for number in range(surveys):
                rng = np.random.default_rng([seed, number, int(10 * abs(power)), int(asked)])
                ard, truth = survey(power, asked, rng)
                for method, draws in posteriors(ard, asked, number, number < barrier).items():
                    low95, low80, median, high80, high95 = np.quantile(
                        draws / truth, [0.025, 0.1, 0.5, 0.9, 0.975]
                    )
                    rows.append(
                        {
                            "method": method,
                            "surveys": 1,
                            "bias": median - 1,
                            "cover80": float(low80 <= 1 <= high80),
                            "cover95": float(low95 <= 1 <= high95),
                            "width80": high80 - low80,
                        }
                    )
            found = pd.DataFrame(rows).groupby("method", sort=False)
            table = found.mean().assign(surveys=found["surveys"].sum()).round(3)
            level = f"rate ~ degree^{power:g}, degrees {'asked' if asked else 'scaled up'}"
            out[level] = table.to_dict("index")
            print(level, table.to_string(), sep="\n", flush=True)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=200)
    parser.add_argument("--barrier", type=int, default=40)
    options = parser.parse_args()
    found: dict[str, Any] = {"surveys": options.surveys, "seed": 20260103}
    found["results"] = study(options.surveys, options.barrier)
    found["code"] = {"version": __version__, "nsum": code_hash("nsum")}
    write_json(RESULT, found)


if __name__ == "__main__":
    main()

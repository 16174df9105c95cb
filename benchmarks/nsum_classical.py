"""Closed-form scale-up on simulated surveys: coverage of its intervals, bias when assumptions fail.

    python benchmarks/nsum_classical.py [--surveys 400] [--out FILE.json]

Each survey has 600 respondents in 30 PSUs of 3 strata, eight known adult groups covering 16 % of
the population (so degrees are estimated) and one hidden group of 0.4 %. A scenario breaks one
assumption. Reported per scenario: mean of estimate / truth for the maximum likelihood estimate,
PIMLE and the estimate after trimming, and how often nominal 95 % intervals of the first hold the
truth: rescaled bootstrap (quantiles) and linearisation over PSUs, both over respondents, and the
binomial standard error. Every survey has its own seed, so any part of the study can be rerun.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from smallarea import __version__
from smallarea.files import write_json
from smallarea.nsum import killworth, trim
from smallarea.run.stages import code_hash
from smallarea.survey import ARD, make_ard

POPULATION = 70_000_000
SHARES = np.array([0.0013, 0.0135, 0.034, 0.0042, 0.007, 0.06, 0.02, 0.018])
HIDDEN = 0.004
RESPONDENTS, PSUS, STRATA = 600, 30, 3
SUBSET = 12  # surveys per scenario that the tests rerun
RESULT = Path(__file__).parent / "results" / "nsum_classical.json"


@dataclass(frozen=True)
class Scenario:
    """What differs from the assumptions; the defaults hold them all.

    barrier : correlation of a respondent's acquaintances in a group. transmission : share of
    ties to the hidden group that are reported. recall : slope of log recalled on log true
    share. wrong_size : factor by which the first known group's recorded size is off.
    cluster_sd : sd of the log prevalence of every group between PSUs. degree : median.
    """

    barrier: float = 0.0
    transmission: float = 1.0
    recall: float = 1.0
    wrong_size: float = 1.0
    cluster_sd: float = 0.0
    degree: float = 138.0


SCENARIOS = {
    "well specified": Scenario(),
    "well specified, small networks": Scenario(degree=30.0),
    "barrier": Scenario(barrier=0.02),
    "barrier and clusters": Scenario(barrier=0.02, cluster_sd=0.4),
    "transmission": Scenario(transmission=0.5),
    "recall": Scenario(recall=0.8),
    "wrong known size": Scenario(wrong_size=5.0),
}


def simulate(scenario: Scenario, seed: int) -> ARD:
    """Draw one survey: y ~ Binomial(d, rate q), q ~ Beta about the share around the PSU."""
    rng = np.random.default_rng(seed)
    psu = np.repeat(np.arange(PSUS), RESPONDENTS // PSUS)
    d = np.rint(rng.lognormal(np.log(scenario.degree), 0.6, RESPONDENTS)).astype(int)
    share = np.append(SHARES, HIDDEN)
    sd = scenario.cluster_sd
    around = share * rng.lognormal(-(sd**2) / 2, sd, (PSUS, len(share)))[psu]
    rho = scenario.barrier
    q = rng.beta(around * (1 / rho - 1), (1 - around) * (1 / rho - 1)) if rho else around
    rate = np.append((SHARES / 0.03) ** (scenario.recall - 1), scenario.transmission)
    names = [f"known_{i}" for i in range(len(SHARES))] + ["hidden"]
    survey = pd.DataFrame(rng.binomial(d[:, None], np.minimum(rate * q, 1)), columns=names)
    sizes = SHARES * POPULATION
    sizes[0] *= scenario.wrong_size
    groups = pd.DataFrame(
        {
            "group": names,
            "kind": ["known"] * len(SHARES) + ["hidden"],
            "size": [*sizes, None],
            "population": POPULATION,
        }
    )
    survey = survey.assign(psu=psu, stratum=psu * STRATA // PSUS)
    return make_ard(survey, groups, psu="psu", stratum="stratum")


def one_survey(scenario: Scenario, seed: int, replicates: int = 400) -> dict[str, float]:
    """Return estimates over the truth, and 0/1 for each interval that holds it."""
    ard, truth = simulate(scenario, seed), HIDDEN * POPULATION
    alone = replace(ard, design=ard.design.assign(psu=None, stratum=None))
    out = {
        "pimle": killworth(ard, method="pimle").estimate["hidden"] / truth,
        "trimmed": killworth(trim(ard).ard).estimate["hidden"] / truth,
    }
    for name, survey in (("psu", ard), ("respondent", alone)):
        result = killworth(survey)
        low, high = (
            result.bootstrap(replicates=replicates, seed=seed)["hidden"]
            .quantile([0.025, 0.975])
            .tolist()
        )
        error = abs(result.estimate["hidden"] - truth)
        out[f"bootstrap_{name}"] = float(low <= truth <= high)
        out[f"linearised_{name}"] = float(error < 1.96 * result.standard_error()["hidden"])
    out["mle"] = result.estimate["hidden"] / truth
    out["binomial"] = float(error < 1.96 * result.binomial_error()["hidden"])
    return out


def study(scenario: Scenario, surveys: int) -> dict[str, float]:
    """Average over seeds 0 .. surveys - 1; `mle_se` is the Monte Carlo error of `mle`."""
    table = pd.DataFrame([one_survey(scenario, seed) for seed in range(surveys)])
    return table.mean().to_dict() | {"mle_se": table["mle"].std() / np.sqrt(surveys)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=400)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    result: dict = {
        "version": __version__,
        "code": {
            part: code_hash(part)
            for part in ("nsum/classical/scale_up.py", "nsum/classical/variance.py")
        },
        "surveys": options.surveys,
        "subset": SUBSET,
        "scenarios": {},
    }
    for name, scenario in SCENARIOS.items():
        result["scenarios"][name] = {
            "settings": asdict(scenario),
            "all": study(scenario, options.surveys),
            "subset": study(scenario, SUBSET),
        }
        print(name, {k: round(v, 3) for k, v in result["scenarios"][name]["all"].items()})
    write_json(options.out, result)


if __name__ == "__main__":
    main()

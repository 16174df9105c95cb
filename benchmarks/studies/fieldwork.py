"""What fieldwork does to national totals, what adjustments mend, and which interviewers are found.

    python benchmarks/studies/fieldwork.py [--surveys 100] [--part steps|recheck|alarms|shares]

Surveys of 960 interviews in 60 areas, one hidden group, from the small country of
`fieldwork_world.py`. The target is the total as it is reported when nothing goes wrong. `steps`:
bias and coverage of 95 % intervals after every step of the weights, with closed, exhausted units,
non-response that goes with sex and age or with what would be reported, interviewers who differ, and
all together. `recheck`: totals under the first answers (30 % of what is known is withheld), under
validated answers in their place, and under the measurement model; a fifth is asked again, by chance
or mostly those who reported. `alarms`: three interviewers who write zeros about hidden groups and
three who skip questions, among 30 or so: found, and surveys in which an honest one is named.
`shares`: the interviewers' share of variance against the truth. Results, with the seed, go to
benchmarks/results/fieldwork.json; a part takes the place of what was there of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from fieldwork_world import KNOWN, Fieldwork, Trouble, fieldwork

from smallarea import __version__
from smallarea.fieldwork import counting, interviewers, recheck, silence, totals
from smallarea.fieldwork.calibration import membership
from smallarea.fieldwork.national import rechecked_totals
from smallarea.fieldwork.weights import make_weights
from smallarea.files import read_object, write_json
from smallarea.nsum import killworth
from smallarea.run.stages import code_hash
from smallarea.survey import ARD, make_ard

RESULT = Path(__file__).parents[1] / "results" / "fieldwork.json"
SEED = 20260107
STEPS = {
    "nothing wrong": Trouble(),
    "15 % of units closed, like the others": Trouble(closed=0.15, small=0.1),
    "15 % of units closed, 1.5 times the rate": Trouble(closed=0.15, closed_rate=1.5, small=0.1),
    "20 % of units give a quarter, twice the rate": Trouble(scant=0.2, scant_rate=2.0),
    "response by sex and age": Trouble(by_person=True),
    "who would report answers 0.6 times as often": Trouble(by_report=0.6),
    "interviewers differ (sd 0.5)": Trouble(enumerator_sd=0.5),
    "all of these": Trouble(closed=0.15, closed_rate=1.5, small=0.1, scant=0.2, scant_rate=2.0,
                            by_person=True, by_report=0.6, enumerator_sd=0.5),
}  # fmt: skip
RECHECKS = {
    "asked again by chance": Trouble(rate=0.002, told=0.7, recheck=0.2),
    "asked again: 15 % of zeros, 60 % of reporters": Trouble(
        rate=0.002, told=0.7, recheck=0.15, recheck_reporters=0.6
    ),
}
ALARMS = {
    f"{label} of honest interviews report, honest sd {sd:g}": Trouble(
        rate=rate, enumerator_sd=sd, zeros=3, short=3, take=24
    )
    for label, rate, sd in (
        ("4 %", 0.0002, 0.0), ("16 %", 0.001, 0.0), ("16 %", 0.001, 0.4), ("40 %", 0.004, 0.4)
    )
}  # fmt: skip


def answers(made: Fieldwork) -> ARD:
    """The survey's answers with the sample's design."""
    ard = make_ard(
        made.respondents, made.groups, psu="psu", respondent=None,
    )  # fmt: skip
    index = made.respondents.index
    ard = replace(ard, counts=ard.counts.set_axis(index), design=ard.design.set_axis(index))
    return totals.surveyed(ard, made.sample, made.respondents["psu"])


def seen(table: pd.DataFrame, truth: float) -> tuple[float, float, bool]:
    row = table.loc["hidden"]
    return row["estimate"] / truth, row["se"] / truth, bool(row["low"] <= truth <= row["high"])


def steps(made: Fieldwork) -> Iterator[tuple[str, pd.DataFrame]]:
    """The hidden total after every step of the weights."""
    ard, people = answers(made), made.respondents
    units = counting.units(made.sample, people, made.visits)
    placed = people.join(made.sample[["stratum"]], on="psu")
    margins = membership(placed, made.population, "population")
    weights = make_weights(made.sample, people, units, margins)
    plain = killworth(ard)
    yield "unweighted", totals.total_table(plain)
    for name in ("response", "calibrated", "trimmed"):
        weight = weights.steps[name]
        cells = margins.cells if name in ("calibrated", "trimmed") else None
        result = totals.weighted(plain, weight)
        yield name, totals.total_table(result, cells, weights.steps["response"])
    who = people["enumerator"]
    yield (
        "interviewers",
        totals.total_table(result, margins.cells, weights.steps["response"], interviewer=who),
    )
    stands_in = (units["slot"] != units.index.to_series()).reindex(people["psu"]).to_numpy()
    if stands_in.any():
        alone = make_weights(made.sample, people[~stands_in], units).steps["response"]
        yield (
            "response, without replaced units",
            totals.total_table(totals.weighted(plain, alone.reindex(people.index).fillna(0.0))),
        )


def rechecks(made: Fieldwork) -> Iterator[tuple[str, pd.DataFrame]]:
    """The hidden total by which answers are believed."""
    ard, people = answers(made), made.respondents
    units = counting.units(made.sample, people)
    weight = make_weights(made.sample, people, units).final
    checked = recheck.match(ard, made.recheck, "recheck")
    table = rechecked_totals(totals.weighted(killworth(ard), weight), checked)
    for name, rows in table.groupby("answers", sort=False):
        yield str(name), rows.set_index("group")


def bias_and_coverage(
    scenarios: dict[str, Trouble],
    ways: Callable[[Fieldwork], Iterator[tuple[str, pd.DataFrame]]],
    surveys: int,
) -> dict[str, Any]:
    """By scenario and way: bias of the total with its Monte Carlo error, sd, mean se, coverage."""
    out: dict[str, Any] = {}
    for scenario, trouble in scenarios.items():
        rows = []
        for number in range(surveys):
            made = fieldwork(trouble, [SEED, crc32(scenario.encode()), number])
            rows += [(name, *seen(table, made.truth)) for name, table in ways(made)]
        found = pd.DataFrame(rows, columns=["way", "ratio", "se", "covered"])
        by = found.groupby("way", sort=False)
        table = pd.DataFrame(
            {"surveys": by.size(), "bias": by["ratio"].mean() - 1, "sd": by["ratio"].std(),
             "bias_error": by["ratio"].std() / np.sqrt(by.size()), "mean_se": by["se"].mean(),
             "cover95": by["covered"].mean()}
        ).round(3)  # fmt: skip
        out[scenario] = table.to_dict("index")
        print(scenario, table.to_string(), sep="\n", flush=True)
    return out


def alarms(surveys: int) -> dict[str, Any]:
    """Planted interviewers found by either test, and surveys in which an honest one was named."""
    out: dict[str, Any] = {}
    for scenario, trouble in ALARMS.items():
        rows = []
        for number in range(surveys):
            made = fieldwork(trouble, [SEED, crc32(scenario.encode()), number])
            people, psu = made.respondents, made.respondents["psu"]
            stratum = made.sample["stratum"].reindex(psu).set_axis(psu.index)
            told = (people["hidden"] > 0).astype(float)
            few = silence.few_reports(told, people["enumerator"], psu, stratum)
            short = silence.short_answers(people[list(KNOWN)], people["enumerator"], psu, stratum)
            bad = pd.Series(made.bad).reindex(few.index)
            short = short.reindex(few.index)
            rows.append(
                {
                    "reporting": float(told[~people["enumerator"].isin(list(made.bad))].mean()),
                    "interviewers": len(few),
                    "only_zeros_honest": float((few["only_zeros"] & bad.isna()).sum()),
                    "could_be_named": float(few["could_be_named"].mean()),
                    "zeros_found": few["named"][bad == "zeros"].mean(),
                    "short_found": short["named"][bad == "short"].mean(),
                    "false_by_reports": float(few["named"][bad.isna()].any()),
                    "false_by_short": float(short["named"][bad != "short"].any()),
                }
            )
        out[scenario] = pd.DataFrame(rows).mean().round(3).to_dict() | {"surveys": surveys}
        print(scenario, out[scenario], flush=True)
    return out


def shares(surveys: int) -> dict[str, Any]:
    """The interviewers' share of variance: 5 % in truth, places 5 %; and tests where it is 0."""
    out: dict[str, Any] = {}
    for k, (design, several) in enumerate((("crossed", 2), ("nested", 1))):
        for true in (0.05, 0.0):
            rows = []
            for number in range(surveys):
                rng = np.random.default_rng([SEED, 200 + k, int(100 * true), number])
                unit = np.repeat(np.arange(60), 16)
                team = unit // 4
                who = team * several + (np.arange(len(unit)) % several)
                y = (
                    rng.normal(0, np.sqrt(true), who.max() + 1)[who]
                    + rng.normal(0, np.sqrt(0.05), 60)[unit]
                    + rng.normal(0, np.sqrt(0.95 - true), len(unit))
                )
                found = interviewers.variance_shares(
                    *map(pd.Series, (y, who, unit)), permutations=99, seed=number
                )
                rows.append(
                    {"interviewer": found.interviewer, "place": found.place, "p05": found.p <= 0.05}
                )
            table = pd.DataFrame(rows).astype(float)
            facts = table.mean().round(4).to_dict() | {"sd": round(table["interviewer"].std(), 4)}
            out[f"{design}, interviewers {true:.0%}"] = facts | {"surveys": surveys}
            print(design, true, facts, flush=True)
    return out


def study(surveys: int, part: str | None = None) -> dict[str, Any]:
    """All parts, or one."""
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "steps": lambda: bias_and_coverage(STEPS, steps, surveys),
        "recheck": lambda: bias_and_coverage(RECHECKS, rechecks, surveys),
        "alarms": lambda: alarms(surveys),
        "shares": lambda: shares(surveys),
    }
    return {name: make() for name, make in parts.items() if part in (None, name)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=100)
    parser.add_argument("--part", default=None, help="steps, recheck, alarms or shares")
    options = parser.parse_args()
    made = study(options.surveys, options.part)
    found = read_object(RESULT) or {}
    found |= {"surveys": options.surveys, "seed": SEED} | made
    found["code"] = {"version": __version__, "fieldwork": code_hash("fieldwork")}
    write_json(RESULT, found)


if __name__ == "__main__":
    main()

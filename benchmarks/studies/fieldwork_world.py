"""A small country and its fieldwork: closed and exhausted units, refusals, interviewers, rechecks.

python benchmarks/studies/fieldwork_world.py examples/fieldwork     # writes the example's files
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from smallarea.survey.design import draw_sample

KNOWN = {"teachers": 0.02, "nurses": 0.01, "drivers": 0.03, "guards": 0.008}
SEXES = {"F": 0.5, "M": 0.5}
AGES = {"18-29": 0.35, "30-44": 0.35, "45-65": 0.30}
DEGREE, SPREAD = 200, 0.6
WORDS = {"closed": "officials refused entry", "small": "every household was visited"}


@dataclass(frozen=True)
class Trouble:
    """What goes wrong in the field; nothing by default.

    rate : reported people of the hidden group per person known. place_sd : of log rates between
    units. closed : share of units that cannot be entered, closed_rate : their rate relative to
    others. small : share of units exhausted at half of the interviews. by_person : women and the
    young report more (1.4, 1.3 times), and men and the old answer less (0.6, 0.5).
    by_report : chance of answering of who would report anyone, relative to the others.
    enumerator_sd : of log reports between interviewers. zeros, short : interviewers who write zero
    for hidden groups, or for most questions. told : share of what is known that is told at first.
    quota : half of a unit's interviews are women's.
    recheck : share asked again; recheck_reporters : the same among who reported.
    """

    rate: float = 0.001
    place_sd: float = 0.5
    closed: float = 0.0
    closed_rate: float = 1.0
    small: float = 0.0
    scant: float = 0.0
    scant_rate: float = 1.0
    by_person: bool = False
    by_report: float = 1.0
    enumerator_sd: float = 0.0
    zeros: int = 0
    short: int = 0
    told: float = 1.0
    recheck: float = 0.0
    recheck_reporters: float | None = None
    quota: bool = False
    areas: int = 60
    take: int = 16
    pair: int = 2


@dataclass(frozen=True)
class Fieldwork:
    """One survey: what the engine is given, the truth, and who the bad interviewers are."""

    sample: pd.DataFrame
    respondents: pd.DataFrame
    visits: pd.DataFrame
    groups: pd.DataFrame
    recheck: pd.DataFrame
    population: pd.DataFrame
    truth: float
    bad: dict[str, str]


def country(trouble: Trouble, rng: np.random.Generator, areas: int = 200) -> pd.DataFrame:
    """Sampling units: area_id, stratum, population, place (relative rate), closed, small."""
    ids = [f"A{i:03d}" for i in range(areas)]
    area = np.repeat(ids, rng.integers(4, 13, areas))
    psus = pd.DataFrame({"area_id": area, "population": rng.lognormal(7, 0.7, len(area)).round()})
    psus.index = pd.Index([f"U{i:04d}" for i in range(len(area))], name="psu_id")
    psus["stratum"] = "stratum " + psus["area_id"].str[-1].astype(int).mod(4).astype(str)
    psus["place"] = np.exp(rng.normal(-(trouble.place_sd**2) / 2, trouble.place_sd, len(psus)))
    psus["closed"] = rng.random(len(psus)) < trouble.closed
    psus["small"] = rng.random(len(psus)) < trouble.small
    psus.loc[psus["closed"], "place"] *= trouble.closed_rate
    psus["scant"] = (rng.random(len(psus)) < trouble.scant) & ~psus["closed"]
    psus.loc[psus["scant"], "place"] *= trouble.scant_rate
    return psus


def fieldwork(trouble: Trouble, seed: list[int]) -> Fieldwork:
    """Draw a sample of a country and send interviewers there."""
    rng = np.random.default_rng(seed)
    psus = country(trouble, rng)
    size = psus.groupby("area_id")["population"].sum()
    frame = pd.DataFrame({"stratum": psus.groupby("area_id")["stratum"].first(), "size": size})
    sample = draw_sample(
        frame, psus, n_areas=trouble.areas, take=trouble.take, replacements=3,
        seed=int(rng.integers(2**31)),
    )  # fmt: skip
    sample = sample.assign(name="Area " + sample["area_id"], psu_name="Unit " + sample.index)
    work, said = _units_worked(sample, psus, trouble.take)
    people, visits = _persons(work, psus, trouble, rng)
    people, bad = _answers(people, psus, sample, trouble, rng)
    people.index = pd.Index([f"SYNTHETIC-{i:05d}" for i in range(1, len(people) + 1)],
                            name="respondent_id")  # fmt: skip
    done = visits["outcome"] == "completed"
    visits.loc[done, "respondent_id"] = people.index[visits.loc[done, "of"]]
    visits = pd.concat([said, visits.drop(columns="of")], ignore_index=True)
    whole = float(psus["population"].sum())
    reporting = _relative(trouble)[1]
    truth = trouble.rate * reporting * float((psus["population"] * psus["place"]).sum())
    recheck = _recheck(people, trouble, rng)
    people = people.drop(columns=["true", "mult"])
    groups = pd.DataFrame({"group": [*KNOWN, "hidden"], "kind": [*["known"] * 4, "hidden"]})
    groups["size"] = [whole * s for s in KNOWN.values()] + [np.nan]
    groups["population"] = whole
    rows = [("sex", s, whole * p) for s, p in SEXES.items()]
    rows += [("age", a, whole * p) for a, p in AGES.items()]
    rows += [("stratum", s, p) for s, p in psus.groupby("stratum")["population"].sum().items()]
    population = pd.DataFrame(rows, columns=["variable", "category", "people"])
    return Fieldwork(sample, people, visits, groups, recheck, population, truth, bad)


def _units_worked(
    sample: pd.DataFrame, psus: pd.DataFrame, take: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Interviews wanted of each unit that is entered, and what is said of the others."""
    rows, said = [], []
    spare = sample[sample["role"] == "replacement"].sort_values("order")
    for unit in sample.index[sample["role"] == "main"]:
        open_ = [u for u in spare.index[spare["replaces"] == unit] if not psus["closed"][u]]
        if psus["closed"][unit]:
            said.append((unit, "replaced", WORDS["closed"]))
            if open_:
                rows.append((open_[0], take))
        elif psus["small"][unit] and open_:
            said.append((unit, "saturated", WORDS["small"]))
            rows += [(unit, take // 2), (open_[0], take - take // 2)]
        else:
            rows.append((unit, max(take // 4, 2) if psus["scant"][unit] else take))
    columns = ["psu", "outcome", "reason"]
    return pd.DataFrame(rows, columns=["psu", "take"]), pd.DataFrame(said, columns=columns)


def _relative(trouble: Trouble) -> tuple[dict[tuple[str, str], float], float]:
    """How much people of a sex and age report, and the mean over the population."""
    cells = {(s, a): 1.0 for s in SEXES for a in AGES}
    if trouble.by_person:
        cells = {(s, a): (1.4 if s == "F" else 1.0) * (1.3 if a == "18-29" else 1.0)
                 for s, a in cells}  # fmt: skip
    return cells, sum(SEXES[s] * AGES[a] * m for (s, a), m in cells.items())


def _persons(
    work: pd.DataFrame, psus: pd.DataFrame, trouble: Trouble, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Call on households until each unit has its interviews; three visits at most."""
    relative, _ = _relative(trouble)
    take = work["take"].to_numpy()[:, None]
    shape = (len(work), int(take.max()) * 8)
    woman = rng.random(shape) < SEXES["F"]
    age = rng.choice(len(AGES), shape, p=list(AGES.values()))
    degree = np.rint(DEGREE * np.exp(rng.normal(0, SPREAD, shape)))
    table = np.array([[relative[s, a] for a in AGES] for s in ("M", "F")])
    mult = table[woman.astype(int), age]
    place = psus["place"].reindex(work["psu"]).to_numpy()[:, None]
    true = rng.poisson(trouble.rate * degree * place * mult * rng.gamma(1, size=shape))
    answers = np.full(shape, 0.7)
    if trouble.by_person:
        answers = answers * np.where(woman, 1, 0.6) * np.where(age == 2, 0.5, 1)
    answers = answers * np.where(true > 0, trouble.by_report, 1.0)
    home = rng.random((*shape, 3)) < 0.6
    met = home.any(axis=2)
    done = met & (rng.random(shape) < answers)
    if trouble.quota:
        own = np.where(woman, np.cumsum(done & woman, 1), np.cumsum(done & ~woman, 1))
        called = own - done < take // 2
    else:
        called = np.cumsum(done, 1) - done < take
    calls = np.where(met, home.argmax(axis=2) + 1, 3) * called
    slot, person = np.nonzero(called)
    n = calls[slot, person]
    first = np.repeat(np.cumsum(n) - n, n)
    visit = np.arange(n.sum()) - first + 1
    last = visit == np.repeat(n, n)
    end = np.where(done, 2, np.where(met, 1, 0))[slot, person]
    outcome = np.array(["not_home", "refused", "completed"])[np.where(last, np.repeat(end, n), 0)]
    start = slot // 3 + rng.integers(3, size=len(slot))
    day = pd.Timestamp("2022-11-07") + pd.to_timedelta(np.repeat(start, n) + visit - 1, "D")
    units = work["psu"].to_numpy()
    household = [f"{units[s]}-{i:03d}" for s, i in zip(slot, person, strict=True)]
    visits = pd.DataFrame(
        {"psu": np.repeat(units[slot], n), "household": np.repeat(household, n), "visit": visit,
         "date": day, "outcome": outcome}
    )  # fmt: skip
    visits["of"] = np.where(outcome == "completed", np.cumsum(outcome == "completed") - 1, -1)
    kept = done[slot, person]
    s, i = slot[kept], person[kept]
    low = np.array([int(a[:2]) for a in AGES])[age[s, i]]
    high = np.array([int(a[3:]) for a in AGES])[age[s, i]]
    people = pd.DataFrame(
        {"psu": units[s], "sex": np.where(woman[s, i], "F", "M"),
         "date": visits.loc[visits["of"] >= 0, "date"].to_numpy(), "degree": degree[s, i],
         "true": true[s, i], "mult": mult[s, i], "age": rng.integers(low, high + 1)}
    )  # fmt: skip
    return people, visits


def _answers(
    people: pd.DataFrame, psus: pd.DataFrame, sample: pd.DataFrame, trouble: Trouble,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, str]]:  # fmt: skip
    """Give every interview an interviewer, and what that interviewer wrote."""
    stratum = psus["stratum"].reindex(people["psu"]).to_numpy()
    team = pd.Series(pd.factorize(people["psu"])[0] // 4).astype(str).to_numpy()  # four units each
    seat = people.groupby("psu").cumcount().to_numpy() % trouble.pair
    name = pd.Series([f"E{t.zfill(2)}{'ab'[s]}" for t, s in zip(team, seat, strict=True)])
    names = sorted(name.unique())
    chosen = rng.permutation(names)
    bad = {str(e): "zeros" for e in chosen[: trouble.zeros]}
    bad |= {str(e): "short" for e in chosen[trouble.zeros : trouble.zeros + trouble.short]}
    sd = trouble.enumerator_sd
    effect = pd.Series(np.exp(rng.normal(-(sd**2) / 2, sd, len(names))), names)
    share = np.minimum(trouble.told * effect[name].to_numpy(), 1.0)
    first = rng.binomial(people["true"], share)
    extra = np.where(trouble.told * effect[name] > 1, trouble.told * effect[name] - 1, 0)
    first = first + rng.poisson(people["true"] * extra)  # an effect above 1 invents some
    kind = name.map(bad)
    first = np.where(kind.isin(["zeros", "short"]), 0, first)
    out = people.assign(enumerator=name.to_numpy(), supervisor=[f"S{t.zfill(2)}" for t in team])
    out["enumerator_sex"] = out["enumerator"].str[-1].map({"a": "F", "b": "M"})
    out["language"] = np.where(stratum == "stratum 0", "north", "south")
    for group, part in KNOWN.items():
        y = rng.poisson(out["degree"] * part * rng.gamma(2, size=len(out)) / 2)
        skipped = (kind == "short").to_numpy() & (rng.random(len(out)) < 0.7)
        out[group] = np.where(skipped, 0, y)
    return out.assign(hidden=first).drop(columns="degree"), bad


def _recheck(people: pd.DataFrame, trouble: Trouble, rng: np.random.Generator) -> pd.DataFrame:
    told = people["hidden"] > 0
    reporters = trouble.recheck if trouble.recheck_reporters is None else trouble.recheck_reporters
    again = rng.random(len(people)) < np.where(told, reporters, trouble.recheck)
    rows = people[again]
    return pd.DataFrame(
        {"respondent": rows.index, "group": "hidden", "first": rows["hidden"],
         "validated": rows["true"], "mode": "back-check"}
    )  # fmt: skip


def write_example(folder: Path) -> None:
    """Write a survey half done: 12 areas, 10 interviews each, one bad interviewer."""
    trouble = Trouble(rate=0.004, closed=0.12, small=0.1, by_person=True, enumerator_sd=0.3,
                      zeros=1, told=0.7, recheck=0.2, areas=16, take=24, quota=True)  # fmt: skip
    made = fieldwork(trouble, [20221107, 5])
    today = pd.Timestamp("2022-11-12")
    people = made.respondents[made.respondents["date"] <= today].copy()
    people.loc[people.index[::37], "age"] = np.nan
    people.loc[people.index[5::41], "nurses"] = np.nan
    visits = made.visits[made.visits["date"].isna() | (made.visits["date"] <= today)]
    for name in ("date",):
        people[name] = people[name].dt.date
        visits = visits.assign(date=visits["date"].dt.date)
    recheck = made.recheck[made.recheck["respondent"].isin(people.index)]
    folder.mkdir(parents=True, exist_ok=True)
    made.sample.round({"p_area": 6, "p_psu": 6, "p_area_expanded": 6, "weight": 3}).to_csv(
        folder / "sample.csv"
    )
    people.astype({"age": "Int64", "nurses": "Int64"}).to_csv(folder / "respondents.csv")
    order = ["psu", "household", "visit", "date", "outcome", "reason", "respondent_id"]
    visits[order].astype({"visit": "Int64"}).to_csv(folder / "visits.csv", index=False)
    recheck.to_csv(folder / "recheck.csv", index=False)
    made.groups.round(0).astype({"size": "Int64"}).to_csv(folder / "groups.csv", index=False)
    made.population.round(0).to_csv(folder / "population.csv", index=False)


if __name__ == "__main__":
    write_example(Path(sys.argv[1]))

"""One evening's picture of the field: every part that the files at hand allow, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.fieldwork import counting, interviewers, periods, recheck, response, silence
from smallarea.fieldwork.calibration import membership
from smallarea.fieldwork.national import national
from smallarea.fieldwork.reading import OPTIONAL, Field
from smallarea.fieldwork.weights import Weights, make_weights
from smallarea.survey.ard import ARD

PROBABILITIES = {"population", "p_area", "p_psu"}


@dataclass(frozen=True)
class Wanted:
    """Choices of one report: see `smallarea fieldwork --help`."""

    period: tuple[pd.Timestamp, pd.Timestamp] | None = None
    until: pd.Timestamp | None = None
    quota: Mapping[str, float] | None = None
    most_visits: int = 3
    calibration: str = "raking"
    trim: float = 5.0
    seed: int = 0


@dataclass(frozen=True)
class Picture:
    """Tables by name, single values by name, weights (None where the sample has none)."""

    facts: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    weights: Weights | None
    warnings: tuple[str, ...]


def gather(field: Field, wanted: Wanted | None = None) -> Picture:
    """Count, weigh and judge what came back from the field so far."""
    wanted = wanted or Wanted()
    people = field.respondents
    tables: dict[str, pd.DataFrame] = {}
    warnings = [*field.notes]
    units = counting.units(field.sample, people, field.visits)
    tables["units"] = units
    facts: dict[str, Any] = {"progress": _progress(units, people, wanted, tables)}
    if "sex" in people:
        tables["quotas"] = counting.quotas(people, units, wanted.quota)
    hidden = [] if field.ard is None else field.ard.hidden()
    told = _told(field.ard)
    if field.visits is not None:
        facts["response"] = _visits(field, told, wanted, tables)
    answers = people if field.ard is None else people.join(field.ard.counts)
    asked = [] if field.ard is None else list(field.ard.counts.columns)
    columns = [c for c in (*OPTIONAL, *asked) if c in answers]
    tables["missing"] = response.missing_rates(answers, columns, people.get("enumerator"))
    weights = None
    if set(field.sample) >= PROBABILITIES and len(people):
        weights, said = _weights(field, units, wanted)
        warnings += [*said, *weights.notes]
        tables["weights"] = weights.table
    if field.ard is not None:
        tables |= national(field, units, weights, wanted.period)
        away = units[units["slot"] != units.index.to_series()]
        facts["stand_ins"] = {"units": len(away), "interviews": int(away["done"].sum())}
    if told is not None and field.ard is not None and "enumerator" in people:
        _interviewers(field, told, tables, facts, wanted)
    if told is not None and "date" in people:
        design = _design(field)
        facts["drift"] = interviewers.drift(told, people, design)
        tables["weeks"] = interviewers.by_week(told, people)
    if wanted.period is not None and "date" in people:
        tables["periods"] = periods.period_table(people["date"], *wanted.period, told)
    if field.recheck is not None:
        tables["agreement"] = recheck.agreement(field.recheck)
    if field.checked is not None:
        facts["recheck"] = recheck.chosen_by_answer(field.checked, hidden) | {
            "notes": list(field.checked.notes), "overwritten": field.checked.overwritten,
        }  # fmt: skip
    facts["hidden"] = hidden
    return Picture(facts, tables, weights, tuple(warnings))


def _progress(
    units: pd.DataFrame, people: pd.DataFrame, wanted: Wanted, tables: dict[str, pd.DataFrame]
) -> dict[str, Any]:
    slots = units[units["target"] > 0]
    target, left = int(slots["target"].sum()), int(slots["left"].sum())
    found: dict[str, Any] = {"target": target, "done": len(people), "left": left}
    found["slots"] = len(slots)
    found["status"] = {s: int((slots["status"] == s).sum()) for s in counting.STATUS}
    if "stratum" in units:
        tables["strata"] = slots.groupby("stratum").agg(
            units=("target", "size"), target=("target", "sum"), left=("left", "sum")
        )
    if "date" in people:
        days = counting.by_day(people, target)
        tables["days"] = days
        found |= counting.pace(days, left, wanted.until)
        found["last_day"] = None if days.empty else days.index[-1]
    if "p_area_expanded" in units or (units["role"] == "expansion").any():
        used = units[units["role"] == "expansion"]
        found["expansion_open"] = int((used["done"] == 0).sum())
    return found


def _told(ard: ARD | None) -> pd.Series | None:
    """1 where a respondent reported anyone of a hidden group, NaN where none was answered."""
    if ard is None or not ard.hidden():
        return None
    answers = ard.counts[ard.hidden()]
    return (answers > 0).any(axis=1).astype(float).where(answers.notna().any(axis=1))


def _visits(
    field: Field, told: pd.Series | None, wanted: Wanted, tables: dict[str, pd.DataFrame]
) -> dict[str, Any]:
    assert field.visits is not None
    met = response.households(field.visits)
    tables["response"] = response.response_rates(met, field.sample.get("stratum"))
    due = response.callbacks(met, wanted.most_visits)
    tables["callbacks"] = due.reset_index()
    tables["by_visit"] = response.by_visit(field.visits, told)
    outcomes = met["outcome"].value_counts()
    return {
        "outcomes": outcomes.to_dict(),
        "callbacks_due": len(due),
        "visits": response.effort(met),
        "all": tables["response"].iloc[0].to_dict(),
    }


def _weights(field: Field, units: pd.DataFrame, wanted: Wanted) -> tuple[Weights, list[str]]:
    margins, said = None, list[str]()
    if field.margins is not None:
        own = field.respondents.drop(columns=field.sample.columns, errors="ignore")
        placed = own.join(field.sample, on="psu")
        margins = membership(placed, field.margins, field.margins.attrs["file"])
    how: dict[str, Any] = {"method": wanted.calibration, "times": wanted.trim}
    parts = (field.sample, field.respondents, units)
    try:
        return make_weights(*parts, margins, **how), said
    except InputError as error:
        if margins is None or error.where != "calibration" or "no method" in error.what:
            raise
        said.append(f"weights are not calibrated: {error.what}; {error.remedy}")
        return make_weights(*parts, **how), said


def _design(field: Field) -> pd.DataFrame:
    """Strata and areas, without weights: for what is asked about the field, not the population."""
    unit = field.sample["area_id"] if "area_id" in field.sample else field.sample.index.to_series()
    psu = field.respondents["psu"]
    stratum = field.sample.get("stratum")
    return pd.DataFrame(
        {
            "weight": 1.0,
            "psu": unit.reindex(psu).astype(str).to_numpy(),
            "stratum": None if stratum is None else stratum.reindex(psu).astype(str).to_numpy(),
        },
        index=field.respondents.index,
    )


def _interviewers(
    field: Field,
    told: pd.Series,
    tables: dict[str, pd.DataFrame],
    facts: dict[str, Any],
    wanted: Wanted,
) -> None:
    assert field.ard is not None
    people, psu = field.respondents, field.respondents["psu"]
    strata = field.sample.get("stratum")
    stratum = None if strata is None else strata.reindex(psu).set_axis(psu.index)
    known = field.ard.counts[field.ard.known()]
    outcomes = {"reports anyone": told, "people known (log)": np.log1p(known.mean(axis=1))}
    rows = []
    for who in ("enumerator", "supervisor", "language"):
        if who not in people or people[who].nunique() < 2:
            continue
        for name, outcome in outcomes.items():
            found = interviewers.variance_shares(
                outcome, people[who], psu, stratum, seed=wanted.seed
            )
            rows.append({"of": who, "outcome": name, **vars(found)})
    tables["shares"] = pd.DataFrame(rows)
    few = silence.few_reports(told, people["enumerator"], psu, stratum)
    tables["enumerators"] = few
    facts["honest_spread"] = few.attrs["spread"]
    if known.shape[1]:
        tables["short"] = silence.short_answers(known, people["enumerator"], psu, stratum)
    facts["sexes"] = interviewers.same_sex(told, people, _design(field))
    facts["named"] = sorted(
        {str(e) for name in ("enumerators", "short") if name in tables
         for e in tables[name].index[tables[name]["named"]]}
    )  # fmt: skip

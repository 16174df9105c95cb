"""National totals of the hidden groups: by step of the weights, by unit, period and answer."""

from __future__ import annotations

import pandas as pd

from smallarea.fieldwork import periods, recheck, totals
from smallarea.fieldwork.reading import Field
from smallarea.fieldwork.weights import Weights, make_weights
from smallarea.nsum.classical.scale_up import ScaleUp, killworth


def national(
    field: Field,
    units: pd.DataFrame,
    weights: Weights | None,
    period: tuple[pd.Timestamp, pd.Timestamp] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the tables `totals`, `replaced`, `after`, `recheck_totals`, as far as there is cause.

    field : with `ard`. units : from `counting.units`. weights : None where the sample has no
    probabilities; every interview then counts alike.
    """
    assert field.ard is not None
    psu = field.respondents["psu"]
    if psu.nunique() < 2:
        return {}
    plain = killworth(totals.surveyed(field.ard, field.sample, psu))
    steps = {} if weights is None else {str(n): w for n, w in weights.steps.items()}
    made = {"unweighted": plain} | {n: totals.weighted(plain, w) for n, w in steps.items()}
    final = list(made.values())[-1]
    tables = {"totals": _by_step(made, weights, field.respondents.get("enumerator"))}
    stands_in = (units["slot"] != units.index.to_series()).reindex(psu).set_axis(psu.index)
    if stands_in.any() and not stands_in.all() and weights is not None:
        alone = make_weights(field.sample, field.respondents[~stands_in], units).steps["response"]
        without = totals.weighted(plain, alone.reindex(psu.index).fillna(0.0))
        both = {"with": made["response"], "without": without}
        wide = {
            f"{column}_{which}": totals.total_table(result)[column]
            for which, result in both.items()
            for column in ("estimate", "low", "high")
        }
        tables["replaced"] = pd.DataFrame(wide).join(_contrasts(made["response"], stands_in))
    if period is not None and "date" in field.respondents:
        where = periods.label(field.respondents["date"], *period)
        after = (where == "after").where(where.notna()).astype(object)
        if 0 < (where == "after").sum() < where.notna().sum():
            tables["after"] = _contrasts(final, after)
    if field.checked is not None:
        tables["recheck_totals"] = rechecked_totals(final, field.checked)
    return tables


def _by_step(
    made: dict[str, ScaleUp], weights: Weights | None, enumerator: pd.Series | None
) -> pd.DataFrame:
    cells = None if weights is None or weights.margins is None else weights.margins.cells
    before = None if weights is None else weights.steps["response"]
    found = {}
    for name, result in made.items():
        known = cells if name in ("calibrated", "trimmed") else None
        found[name] = totals.total_table(result, known, before)
    if enumerator is not None:
        found["interviewers"] = totals.total_table(result, known, before, interviewer=enumerator)
    return pd.concat(found, names=["step", "group"]).reset_index()


def rechecked_totals(final: ScaleUp, checked: recheck.Checked) -> pd.DataFrame:
    """Totals under the first answers, the validated ones where there are any, and both together."""
    hidden = list(final.reports.columns)
    first = recheck.with_answers(final, checked.first)
    latest = checked.validated.fillna(checked.first)
    larger = checked.first.where(~(checked.validated > checked.first), checked.validated)
    ways = {
        "first": first,
        "validated": recheck.with_answers(final, latest[hidden]),
        "larger": recheck.with_answers(final, larger[hidden]),
        "both": recheck.measured(first, checked),
    }
    made = {name: totals.total_table(result) for name, result in ways.items()}
    return pd.concat(made, names=["answers", "group"]).reset_index()


def _contrasts(result: ScaleUp, one: pd.Series) -> pd.DataFrame:
    rows = {
        group: totals.contrast(result.reports[group], result.exposure[group], result.design, one)
        for group in result.reports.columns
    }
    return pd.DataFrame(rows).T.rename_axis("group")

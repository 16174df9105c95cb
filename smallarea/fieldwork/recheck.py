"""Answers asked twice: how far they agree, and totals under either and under both together.

`recheck.csv` has respondent, group, first, validated, mode (a supervisor's observation, a
back-check by telephone, ...). The first answer stays the survey's; a validated one is a second
measurement, never put in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.nsum.classical.scale_up import ScaleUp
from smallarea.survey.ard import ARD


@dataclass(frozen=True)
class Checked:
    """First and validated answers, respondent x group (NaN where not asked again).

    notes : sentences. overwritten : cells in which the survey held the validated answer, and the
    first one was put back.
    """

    first: pd.DataFrame
    validated: pd.DataFrame
    overwritten: int
    notes: tuple[str, ...]


def match(ard: ARD, recheck: pd.DataFrame, where: str) -> Checked:
    """Match rechecks with the survey's answers; the last mode of a respondent and group counts.

    Raises
    ------
    InputError : a respondent or group that is not the survey's, or a first answer that is neither
        the survey's nor explained by the validated one having been put there.
    """
    for name, known in (("respondent", ard.counts.index), ("group", ard.counts.columns)):
        lost = recheck.index[~recheck[name].astype(str).isin(known.astype(str))]
        if len(lost):
            raise InputError(
                f"{name} '{recheck[name][lost[0]]}' is not in the survey",
                where=f"{where}, row {lost[0] + 1}",
                remedy="use the survey's ids and names of groups",
            )
    last = recheck.dropna(subset=["validated"]).drop_duplicates(
        ["respondent", "group"], keep="last"
    )
    by_cell = last.set_index(["respondent", "group"])
    wide = {c: by_cell[c].unstack() for c in ("first", "validated")}  # noqa: PD010 - no aggregation
    rows, groups = ard.counts.index, ard.counts.columns
    asked = {c: table.reindex(index=rows, columns=groups) for c, table in wide.items()}
    survey = ard.counts
    differs = asked["first"].notna() & survey.notna() & (asked["first"] != survey)
    replaced = differs & (asked["validated"] == survey)
    odd = differs & ~replaced
    if odd.any(axis=None):
        row, column = np.argwhere(odd.to_numpy())[0]
        who, group = survey.index[row], survey.columns[column]
        raise InputError(
            f"first answer {asked['first'].iloc[row, column]:g} of respondent {who} on {group} is "
            f"{survey.iloc[row, column]:g} in the survey",
            where=where,
            remedy="correct one of the two; a validated answer belongs in the recheck alone",
        )
    first = survey.mask(replaced, asked["first"])
    n = int(replaced.sum().sum())
    notes: tuple[str, ...] = ()
    if n:
        notes = (
            f"{n} answers of the survey were the validated ones: the first answers of the recheck "
            "were taken as the survey's, so that both measurements stay apart",
        )
    return Checked(first, asked["validated"], n, notes)


def agreement(recheck: pd.DataFrame) -> pd.DataFrame:
    """Agreement by group and mode, all together first.

    Index group, mode: n, same, `zero_to_more`, `more_to_zero` (numbers of respondents), `changed`
    (more than zero both times, another number), `agree` (share), `kappa` (Cohen's, of zero or more;
    NaN where all answers are alike), mean_first, mean_validated.
    """
    both = recheck.dropna(subset=["first", "validated"])
    parts = {("all", "all"): both}
    parts |= {(str(g), str(m)): rows for (g, m), rows in both.groupby(["group", "mode"])}
    table = pd.DataFrame({key: _agree(rows) for key, rows in parts.items()}).T
    table.index.names = ["group", "mode"]
    counts = ["n", "same", "zero_to_more", "more_to_zero", "changed"]
    return table.astype(dict.fromkeys(counts, int))


def _agree(rows: pd.DataFrame) -> dict[str, float]:
    a, b = rows["first"].to_numpy() > 0, rows["validated"].to_numpy() > 0
    same = rows["first"].to_numpy() == rows["validated"].to_numpy()
    seen = float((a == b).mean()) if len(a) else np.nan
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()) if len(a) else np.nan
    return {
        "n": len(rows),
        "same": same.sum(),
        "zero_to_more": (~a & b).sum(),
        "more_to_zero": (a & ~b).sum(),
        "changed": (a & b & ~same).sum(),
        "agree": float(same.mean()) if len(a) else np.nan,
        "kappa": (seen - chance) / (1 - chance) if chance < 1 else np.nan,
        "mean_first": rows["first"].mean(),
        "mean_validated": rows["validated"].mean(),
    }


def with_answers(result: ScaleUp, answers: pd.DataFrame) -> ScaleUp:
    """The same scale-up with other answers about its hidden groups, where they were given."""
    other = answers[result.reports.columns].where(result.reports.notna())
    return replace(result, reports=other.fillna(result.reports))


def measured(result: ScaleUp, checked: Checked) -> ScaleUp:
    """Scale up from both measurements: a two-phase regression estimator.

    Assumed: the validated answer is the one wanted; who was checked was chosen at random within
    the cells first answer zero / more. The first answers, which all gave, say what to expect of a
    validated one: the mean of those validated at zero, and a ratio above it. Every checked
    respondent adds what the validated answer differs from that, raised by how many one checked
    stands for. The result is right for the totals of validated answers whatever the relation
    (Sarndal, Swensson & Wretman 1992, ch. 9), its error includes that only some were checked, and
    it is what a model of misclassification with these cells gives. If fewer than five were checked
    in a cell, the cells are joined.
    """
    weight = result.design["weight"]
    out = result.reports.copy()
    for group in result.reports.columns:
        y, v = checked.first[group], checked.validated[group]
        used = y.notna() & result.reports[group].notna() & (weight > 0)
        asked = used & v.notna()
        if asked.sum() < 5:
            continue
        cell: pd.Series = pd.Series(np.where(y > 0, "more", "zero"), y.index, dtype=object)
        few = asked[used].groupby(cell[used]).sum() < 5
        if few.any():
            cell = pd.Series("all", y.index, dtype=object)
        expected = pd.Series(0.0, y.index)
        raised = pd.Series(0.0, y.index)
        for _, here in cell[used].groupby(cell[used]).groups.items():
            of = asked[here]
            w = weight[here]
            spread = (w * y[here])[of].sum()
            level = (w * v[here])[of].sum()
            flat = not spread > 0
            expected[here] = level / w[of].sum() if flat else y[here] * level / spread
            raised[here] = w.sum() / w[of].sum()
        z = expected + (raised * (v - expected)).where(asked, 0.0)
        out[group] = z.where(used)
    return replace(result, reports=out)


def chosen_by_answer(checked: Checked, hidden: list[str]) -> dict[str, float]:
    """Say whether those checked had reported more often than the others, who were not.

    If they had, means over the checked alone say little; `measured` allows for it.
    """
    again = checked.validated[hidden].notna().any(axis=1)
    told = (checked.first[hidden] > 0).any(axis=1)
    return {
        "checked": int(again.sum()),
        "of": len(again),
        "reported_checked": float(told[again].mean()) if again.any() else float("nan"),
        "reported_others": float(told[~again].mean()) if (~again).any() else float("nan"),
    }

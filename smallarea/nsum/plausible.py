"""Answers and totals that can hardly be true: said, with the estimate with and without them.

What cannot be at all (more people than a group has) is refused when the survey is read; what is
here stays in every estimate, because a large answer may be right.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from smallarea.errors import InputError
from smallarea.nsum.classical.influence import Carrier, carriers
from smallarea.nsum.classical.scale_up import ScaleUp, killworth, usual_degree
from smallarea.survey.ard import ARD

FAR = 10.0  # times the largest usual answer of the others
USUAL = 0.95  # quantile of the others' answers above 0
SURE = 0.9999  # one-sided, of a degree that is estimated from few answers
SAME = 0.01  # relative difference of estimates below which they are not told apart
SHOWN = 5
KEPT = (
    "They are kept: correct them, or declare a rule that removes answers (--remove, or "
    "settings.remove of a project)"
)


@dataclass(frozen=True)
class Doubts:
    """What is implausible in a survey.

    answers : columns `row` (from 1), `respondent`, `column`, `answer`, `why`. carriers : the unit
    that carries most of each group, by level. with_them, without : the design-based estimate of
    each group with all answers, and without the implausible ones (empty where there are none).
    """

    answers: pd.DataFrame
    carriers: list[Carrier]
    with_them: pd.Series
    without: pd.Series

    def warnings(self) -> list[str]:
        """Return every doubt in a sentence, the estimates with and without last."""
        said = []
        for column, table in self.answers.groupby("column", sort=False):
            largest = table.sort_values("answer", ascending=False).head(SHOWN)
            named = "; ".join(
                f"row {row.row}: {row.answer:,.0f}, {row.why}" for row in largest.itertuples()
            )
            more = f"; and {len(table) - SHOWN} more" if len(table) > SHOWN else ""
            said.append(f"implausible answers, column '{column}': {named}{more}. {KEPT}")
        both = pd.DataFrame({"kept": self.with_them, "without": self.without})
        for group, kept, without in both.reindex(self.without.index).itertuples():
            if abs(without - kept) <= SAME * kept:
                continue
            said.append(
                f"{group}: {kept:,.0f} with the implausible answers, {_people(without)} without "
                "them (ratio of sums)"
            )
        first: dict[str, Carrier] = {}  # an area is carried by the respondent who carries its PSU
        for carrier in self.carriers:
            if carrier.much:
                first.setdefault(carrier.group, carrier)
        return said + [carrier.sentence() for carrier in first.values()]

    def facts(self) -> dict[str, Any]:
        """Return the same as JSON-able numbers."""
        return {
            "implausible": self.answers.to_dict("records"),
            "without_implausible": {str(g): _or_none(v) for g, v in self.without.items()},
            "carriers": [
                {k: _or_none(v) for k, v in asdict(c).items()} | {"much": c.much}
                for c in self.carriers
            ],
        }


def doubts(ard: ARD, degree: str | None = None) -> Doubts:
    """Compare every answer with the respondent's degree and with the other answers.

    Parameters
    ----------
    degree : as in `killworth`.
    """
    result = killworth(ard, degree=degree)
    answers = implausible(ard, degree)
    without = pd.Series(dtype=float)
    if len(answers):
        kept = ard.counts.to_numpy(float, copy=True)
        columns = ard.counts.columns.get_indexer(pd.Index(answers["column"]))
        kept[answers["row"] - 1, columns] = np.nan
        counts = pd.DataFrame(kept, ard.counts.index, ard.counts.columns)
        try:
            without = killworth(replace(ard, counts=counts), degree=degree).estimate
        except InputError:  # nothing is left
            without = result.estimate * np.nan
    return Doubts(answers, carriers(result), result.estimate, without)


def implausible(ard: ARD, degree: str | None = None) -> pd.DataFrame:
    """Return the implausible answers: `row`, `respondent`, `column`, `answer`, `why`.

    An answer about a hidden group is implausible above the people the respondent knows: the asked
    or summed degree, or the upper end of one that is estimated. Any answer is above `FAR` times
    what the others usually say (the `USUAL` quantile of their answers above 0, at least 1).
    """
    rows: list[dict[str, Any]] = []
    ids = ard.counts.index.astype(str).to_numpy()
    for column in ard.counts.columns:
        y = ard.counts[column].to_numpy(float)
        about = ard.groups.loc[column]
        usual = _usual(y)
        most = np.full(len(y), np.inf)
        if about["kind"] == "hidden":
            most = _most_known(ard, str(about["network"]), degree)
        for row in np.flatnonzero((y > FAR * usual) | (y > most)):
            why = []
            if y[row] > most[row]:
                why.append(f"of {most[row]:,.0f} people the respondent knows at most")
            if y[row] > FAR * usual:
                why.append(f"where the others' answers seldom pass {usual:,.0f}")
            rows.append(
                {
                    "row": int(row) + 1,
                    "respondent": ids[row],
                    "column": str(column),
                    "answer": float(y[row]),
                    "why": ", ".join(why),
                }
            )
    return pd.DataFrame(rows, columns=["row", "respondent", "column", "answer", "why"])


def _usual(y: np.ndarray) -> float:
    """Upper end of the usual answers above 0, the largest answer left out."""
    above = np.sort(y[y > 0])[:-1]
    return max(1.0, float(np.quantile(above, USUAL))) if len(above) else 1.0


def _most_known(ard: ARD, network: str, degree: str | None) -> np.ndarray:
    """Most people of a network a respondent may know, (n,); inf where nothing was answered."""
    known = ard.known(network)
    answers = ard.counts[known]
    reports = answers.sum(axis=1).to_numpy(float)
    if (degree or usual_degree(network)) == "summation":
        return np.where(answers.notna().all(axis=1), reports, np.inf)
    sizes = answers.notna().to_numpy(float) @ ard.groups.loc[known, "size"].to_numpy(float)
    share = sizes / ard.population(network)
    scaled = special.gammaincinv(reports + 1, SURE)
    estimated = np.divide(scaled, share, out=np.full_like(share, np.inf), where=share > 0)
    return np.where(share >= 0.9, reports, estimated)  # the known groups are nearly everybody


def within_population(table: pd.DataFrame, population: pd.Series) -> tuple[pd.DataFrame, list[str]]:
    """Hold estimates and interval ends of groups to their populations, and say where that bit.

    Parameters
    ----------
    table : by group, columns mean, q025, median, q975 in people. population : by group.
    """
    table, said = table.copy(), []
    columns = [c for c in ("mean", "q025", "median", "q975") if c in table.columns]
    for group in table.index:
        most = float(population[group])
        above = table.loc[group, columns].astype(float) > most
        if above.any():
            worst = float(table.loc[group, columns].astype(float).max())
            ends = (
                "estimate and interval"
                if above.reindex(["mean", "median"]).eq(True).any()
                else "interval"
            )
            said.append(
                f"{group}: the {ends} went to {worst:,.0f}, beyond the population of {most:,.0f}, "
                "and is cut there: the answers or the known groups' sizes are wrong"
            )
            table.loc[group, columns] = table.loc[group, columns].clip(upper=most)
            if "sd" in table.columns:
                table.loc[group, "sd"] = np.nan  # that of numbers that cannot be
    return table, said


def left_out(result: ScaleUp, ard: ARD) -> list[str]:
    """Say which respondents an average of ratios leaves out though they reported somebody."""
    said = []
    for group in result.reports.columns:
        y = ard.counts[group]
        unused = y.notna() & result.reports[group].isna()
        if unused.any():
            rows = ", ".join(str(r + 1) for r in np.flatnonzero(unused)[:SHOWN])
            more = f" and {int(unused.sum()) - SHOWN} more" if unused.sum() > SHOWN else ""
            said.append(
                f"{group}: {int(unused.sum())} respondents who answered are left out (rows {rows}"
                f"{more}), with {y[unused].sum():,.0f} reports: they know nobody of the known "
                "groups, so a ratio has no denominator"
            )
    return said


def _people(value: float) -> str:
    return f"{value:,.0f}" if np.isfinite(value) else "nothing is left"


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value

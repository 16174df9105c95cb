"""What respondents answered in numbers, such as how often it happens: fit to publish."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from smallarea.findings.checks import FEWEST, FEWEST_PLACES, ROUNDED_TO, digits
from smallarea.nsum.classical.variance import bootstrap_totals
from smallarea.survey.descriptive import HIDDEN

MEAN = ("mean", "mean_low", "mean_high")
MEDIAN = ("median", "median_low", "median_high")
QUARTILES = ("q25", "q75")
PARTLY = "partly suppressed"
_TIE = 1e-9  # of the whole weight


def answered_numbers(
    people: pd.DataFrame, columns: Sequence[str], *, replicates: int = 1000, seed: int = 0
) -> tuple[pd.DataFrame, list[str]]:
    """Describe numeric columns of the respondents, who are weighted; empty cells are left out.

    A quantile is the answer below and above which its part of the weight lies, the middle of two
    answers where the weight splits between them. Intervals (95 %) are percentiles of the rescaled
    bootstrap over strata and PSUs (`smallarea.nsum.classical.variance`).

    Withheld are a column that fewer than `FEWEST` people, or people of fewer than `FEWEST_PLACES`
    areas, answered (or answered with anything but 0, unless nobody did); a quantile at or beyond
    which fewer than `FEWEST` answers lie; and a mean most of which is one respondent's answer.

    Parameters
    ----------
    people : `weight`, `stratum`, `psu`, `area_id`, and most of `columns`, as text or numbers.

    Returns
    -------
    One row per column: `column`, `respondents` (rounded to `ROUNDED_TO`), `MEAN`, `MEDIAN`,
    `QUARTILES` (three digits), `note`. And notes: columns that are absent, cells that are no
    numbers.
    """
    rows: list[dict[str, float | str]] = []
    notes = []
    for column in dict.fromkeys(columns):
        if column not in people.columns:
            notes.append(f"the survey has no column {column}, so nothing is told of it")
            continue
        values = pd.to_numeric(people[column], errors="coerce")
        values = values.astype(float).replace([np.inf, -np.inf], np.nan)
        wrong = int((values.isna() & people[column].notna()).sum())
        if wrong:
            notes.append(f"answers in column {column} that are no numbers were left out")
        values = values.where(people["weight"] > 0)
        if _few(values, people) or _few(values[values != 0], people, or_nobody=True):
            rows.append({"column": column, "note": HIDDEN})
            continue
        told = _described(values, people, replicates, seed)
        hidden = _blank(told, values, people["weight"])
        told |= dict.fromkeys(hidden, np.nan)
        rows.append({"column": column, "note": PARTLY if hidden else "", **told})
    names = ["column", "respondents", *MEAN, *MEDIAN, *QUARTILES, "note"]
    table = pd.DataFrame(rows, columns=names)
    for name in (*MEAN, *MEDIAN, *QUARTILES):
        table[name] = digits(table[name].astype(float))
    table["respondents"] = (table["respondents"].astype(float) / ROUNDED_TO).round() * ROUNDED_TO
    return table, notes


def _described(
    values: pd.Series, people: pd.DataFrame, replicates: int, seed: int
) -> dict[str, float]:
    """Everything of one column, before anything is withheld."""
    answers, which = np.unique(values.dropna(), return_inverse=True)
    # Respondents x distinct answers: who did not answer counts nowhere, but keeps the PSU's place.
    chosen = np.zeros((len(values), len(answers)))
    chosen[np.flatnonzero(values.notna()), which] = 1.0
    weight = (people["weight"].to_numpy(float) @ chosen)[None]
    drawn = bootstrap_totals(chosen, people, replicates=replicates, seed=seed)
    drawn = drawn[drawn.sum(axis=1) > 0]
    half = quantile(answers, drawn, 0.5)
    mean_low, mean_high = np.quantile(drawn @ answers / drawn.sum(axis=1), [0.025, 0.975])
    low, high = np.quantile(half, [0.025, 0.975], method="inverted_cdf")
    return {
        "respondents": float(values.notna().sum()),
        "mean": float((weight @ answers / weight.sum())[0]),
        "mean_low": mean_low,
        "mean_high": mean_high,
        "median": quantile(answers, weight, 0.5)[0],
        "median_low": low,
        "median_high": high,
        "q25": quantile(answers, weight, 0.25)[0],
        "q75": quantile(answers, weight, 0.75)[0],
    }


def quantile(answers: np.ndarray, weight: np.ndarray, share: float) -> np.ndarray:
    """Return weighted quantiles, one per row of `weight`: the middle of two where weight splits.

    answers : (u,) rising. weight : (rows, u), not negative, positive in sum.

    >>> quantile(np.array([1.0, 2.0, 4.0]), np.array([[1.0, 1.0, 2.0], [1.0, 1.0, 5.0]]), 0.5)
    array([3., 4.])
    """
    below = np.cumsum(weight, axis=1)
    below /= below[:, -1:]
    lower = (below < share - _TIE).sum(axis=1)
    upper = (below <= share + _TIE).sum(axis=1)
    return (answers[lower] + answers[np.minimum(upper, len(answers) - 1)]) / 2


def _few(values: pd.Series, people: pd.DataFrame, or_nobody: bool = False) -> bool:
    answered = values.dropna()
    if or_nobody and answered.empty:
        return False
    places = people.loc[answered.index, "area_id"].nunique()
    return len(answered) < FEWEST or places < FEWEST_PLACES


def _blank(told: dict[str, float], values: pd.Series, weight: pd.Series) -> list[str]:
    """Which numbers give away one respondent's answer or that of few."""
    hidden: list[str] = []
    for names in (MEDIAN, ("q25",), ("q75",)):
        at = told[names[0]]
        if min((values <= at).sum(), (values >= at).sum()) < FEWEST:
            hidden += names
    parts = (values * weight).abs()
    if parts.max() > parts.sum() / 2:
        hidden += MEAN
    return hidden

"""Declared rules that remove answers. What they remove is listed; nothing is removed unasked.

A removed answer is missing: the respondent's other answers stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError

#: quantile : above this quantile of the group's answers.
#: mad : further above the median of the logs of the answers above 0 than so many median absolute
#:     deviations (scaled to a normal's sd, at least log 2).
#: degree : an answer about a hidden group above this share of the people the respondent knows.
RULES = ("quantile", "mad", "degree")

#: What is told of an answer that was removed.
REMOVED = ["row", "respondent", "column", "answer", "rule"]


def remove_answers(
    counts: pd.DataFrame, groups: pd.DataFrame, rules: Mapping[str, float]
) -> tuple[pd.DataFrame, tuple[dict[str, Any], ...]]:
    """Remove the answers that the rules say, one rule after the other.

    Returns
    -------
    The answers, and of each one removed `row` (from 1), `respondent`, `column`, `answer`, `rule`.

    Raises
    ------
    InputError : there is no such rule, or its number cannot be.
    """
    removed: list[dict[str, Any]] = []
    for rule in sorted(rules, key=lambda name: RULES.index(name) if name in RULES else -1):
        value = float(rules[rule])
        if rule not in RULES or not (0 < value < (1 if rule == "quantile" else np.inf)):
            raise InputError(
                f"no rule {rule}={value:g}",
                where="rules that remove answers",
                remedy="write quantile=0.99 (below 1), mad=10 or degree=0.33",
            )
        above = counts > _limits(counts, groups, rule, value)
        for row, column in np.argwhere(above.to_numpy()):
            removed.append(
                {
                    "row": int(row) + 1,
                    "respondent": str(counts.index[row]),
                    "column": str(counts.columns[column]),
                    "answer": float(counts.iloc[row, column]),
                    "rule": f"{rule}={value:g}",
                }
            )
        counts = counts.mask(above)
    return counts, tuple(removed)


def _limits(counts: pd.DataFrame, groups: pd.DataFrame, rule: str, value: float) -> pd.DataFrame:
    """Largest answer that stays, per cell."""
    if rule == "quantile":
        limit = counts.quantile(value).to_numpy()
    elif rule == "mad":
        logs = counts.where(counts > 0).map(np.log)
        spread = 1.4826 * (logs - logs.median()).abs().median()
        limit = np.exp((logs.median() + value * spread.clip(lower=np.log(2))).to_numpy())
    else:
        shares = {
            group: value * rough_degrees(counts, groups, str(groups.loc[group, "network"]))
            for group in groups.index[groups["kind"] == "hidden"]
        }
        return pd.DataFrame(shares, index=counts.index).reindex(columns=counts.columns)
    return pd.DataFrame(np.broadcast_to(limit, counts.shape), counts.index, counts.columns)


def rough_degrees(counts: pd.DataFrame, groups: pd.DataFrame, network: str) -> pd.Series:
    """People known of a network, scaled up from its known groups; NaN where none was answered."""
    known = groups[(groups["kind"] == "known") & (groups["network"] == network)]
    answers = counts[known.index]
    size = answers.notna().astype(float) @ known["size"]
    population = known["population"].max()
    return population * answers.sum(axis=1) / size.where(size > 0)


def removal_notes(removed: tuple[dict[str, Any], ...]) -> list[str]:
    """Say what each rule removed, the largest first; all of it is in the JSON."""
    notes = []
    for rule in dict.fromkeys(one["rule"] for one in removed):
        of_rule = sorted((r for r in removed if r["rule"] == rule), key=lambda r: -r["answer"])
        named = [f"row {r['row']} {r['column']} {r['answer']:,.0f}" for r in of_rule[:5]]
        more = f" and {len(of_rule) - 5} more" if len(of_rule) > 5 else ""
        notes.append(f"{rule} removed {len(of_rule)} answers: {', '.join(named)}{more}")
    return notes

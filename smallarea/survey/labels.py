"""Codes that a file labels: "99 = Do not know" is no count of 99 people."""

from __future__ import annotations

import re

import pandas as pd

from smallarea.survey.tables import Labels

#: Labels of codes that are no answers, in words of several languages.
NO_ANSWER = re.compile(
    r"\b(do(es)?(n.?t| not) know|don.?t remember|dk|n/?k|n/?a|refus\w*|no (answer|response|reply)"
    r"|not (answered|asked|applicable|stated|sure|available)|unsure|unknown|missing|skip\w*"
    r"|no sabe|no responde|ns/?n[cr]|ne sait pas|nsp|sans r.ponse|n.o sabe|wei. nicht)\b",
    re.IGNORECASE,
)


def without_labelled(
    survey: pd.DataFrame, labels: Labels, asked: list[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Empty the cells whose code the file itself labels as no answer; say which, and the others.

    Parameters
    ----------
    labels : by column of `survey`. asked : the columns that hold counts.

    Returns
    -------
    The survey, and sentences: cells emptied, by column and code; and labelled codes of other
    meaning ("10 = ten or more") that were taken as counts.
    """
    emptied, taken = [], []
    survey = survey.copy()
    for column in asked:
        answers = pd.to_numeric(survey[column], errors="coerce")
        for code, label in labels.get(column, {}).items():
            cells = answers == code
            if not cells.any():
                continue
            said = f"{code:g} '{label}' in {column} ({int(cells.sum())})"
            if NO_ANSWER.search(label):
                survey[column] = survey[column].mask(cells)
                emptied.append(said)
            elif not _says_number(label, code):
                taken.append(said)
    notes = []
    if emptied:
        notes.append(
            f"answers that the file labels as none were read as missing: {', '.join(emptied)}"
        )
    if taken:
        notes.append(
            f"labelled codes were taken as counts: {', '.join(taken)}; if they are none, list them "
            "as `missing` (--missing)"
        )
    return survey, tuple(notes)


def _says_number(label: str, code: float) -> bool:
    """Whether a label only repeats its code in digits ("3", "3 people"), or is that of 0."""
    repeats = re.fullmatch(rf"{code:g}\D*", label) and not re.search("more|over|\\+", label)
    return code == 0 or bool(repeats)

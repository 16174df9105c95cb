"""A form for people who know the places, and what they answered: shown, never fitted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from smallarea.indicators import Indicators
from smallarea.publish.estimates import levels_in
from smallarea.publish.pages import template
from smallarea.publish.words import number

FORM = "review.csv"
#: Columns that people fill in, and what is asked.
QUESTIONS = {"surprises": "What surprises you?", "would_check": "What would you check?"}
#: Where the report shows the answers.
MARK = "<!-- review -->"
INVITES = (
    f"`{FORM}` is a form for people who know the places: what surprises them, what they would "
    "check. One person fills in one copy; no names of persons belong in it. `smallarea review "
    "COPY.csv` keeps the answers beside the run and shows them in a copy of its report. They "
    "change no number."
)


def form(estimates: pd.DataFrame, indicators: Indicators) -> pd.DataFrame:
    """Return a row per place of a tier: its name, levels, the 80 % range, and empty cells."""
    rows = estimates[estimates["indicator"] == indicators.headline]
    shown = [
        "withheld" if pd.isna(low) else f"{number(low)} to {number(high)}"
        for low, high in zip(rows["q10"], rows["q90"], strict=True)
    ]
    table = rows[["area_id", "name", *levels_in(estimates)]].copy()
    table[f"{indicators.headline}, 80 % range"] = shown
    return table.assign(**dict.fromkeys(QUESTIONS, "")).assign(notice=rows["notice"])


def with_answers(page: str, answers: pd.DataFrame) -> str:
    """Return a report's page with a section on what people who know the places answered.

    answers : columns name, surprises, would_check; a row per place and person.
    """
    rows = answers.sort_values("name", kind="stable").fillna("").to_dict("records")
    places = answers["area_id"].nunique()
    made = {"rows": rows, "questions": QUESTIONS, "places": places}
    section = template("review.html.j2").render(**made)
    return page.replace(MARK, section, 1)


def write_answers(folder: Path, answers: pd.DataFrame, page: str) -> None:
    """Write answers.csv and report.html into an existing folder."""
    from smallarea.spreadsheets import harmless_table

    harmless_table(answers).to_csv(folder / "answers.csv", index=False)
    (folder / "report.html").write_text(with_answers(page, answers), encoding="utf-8")

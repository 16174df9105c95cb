"""Answers of people who know the places: read, held to the run, kept beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smallarea.areas.levels import level_ids, levels_of
from smallarea.errors import InputError
from smallarea.files import keep_private, writing
from smallarea.publish.review import MARK, QUESTIONS, write_answers
from smallarea.reading.cells import as_text, find_columns, read_cells, refuse_rows
from smallarea.reading.persons import persons_in, refuse_persons
from smallarea.run.record import Run

#: Folder of the answers, beside the run: the run itself is never changed.
FOLDER = "{run}-review"


def keep_review(run: Run, files: Sequence[Path], out: Path | None = None) -> Path:
    """Keep the answers of filled-in forms beside a run, with its report that shows them.

    files : copies of the form that `publish` wrote, one of each person; together they take the
    place of answers kept before. out : folder to write, by default `runs/RUN-review`.

    Raises
    ------
    InputError : a file cannot be read or lacks a column, speaks of a place that the run has not,
        holds what looks like persons, or no answer at all; the run was changed.
    """
    run.require_intact()
    names = _places(run)
    answers = pd.concat([_answers(path, names) for path in files], ignore_index=True)
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    if MARK not in page:
        raise InputError(
            "its report has no place for answers",
            where=str(run.folder),
            remedy="make the run again with this version: `smallarea run`",
        )
    folder = out or run.folder.parent / FOLDER.format(run=run.folder.name)
    with writing(folder) as temporary:
        temporary.mkdir()
        write_answers(temporary, answers, page)
        keep_private(temporary)
    return folder


def _places(run: Run) -> pd.Series:
    """Return the names of a run's areas and units, by code."""
    table = pd.read_parquet(run.folder / "areas.parquet").set_index("area_id")
    parts = [table["name"]]
    for number, level in enumerate(levels_of(table)):
        parts.append(table[level].set_axis(level_ids(table, number)))
    names = pd.concat(parts)
    return names[~names.index.duplicated()]


def _answers(path: Path, names: pd.Series) -> pd.DataFrame:
    cells = read_cells(path, None, path.name)
    body = find_columns(cells, {"area_id": "area_id"} | {q: q for q in QUESTIONS}, set(), path.name)
    said = pd.DataFrame({name: as_text(body[name]) for name in ("area_id", *QUESTIONS)})
    said = said[said[list(QUESTIONS)].notna().any(axis=1)]
    if said.empty:
        raise InputError(
            "nobody answered anything",
            where=path.name,
            remedy=f"fill in {' or '.join(QUESTIONS)} for the places you know",
        )
    unknown = ~said["area_id"].isin(names.index)
    where = f"{path.name}, column 'area_id'"
    refuse_rows(unknown, "the run has no such place", where, "use the form of this run's tier")
    refuse_persons(persons_in(said, survey=True, spared=["area_id"]), path.name)
    said.insert(1, "name", said["area_id"].map(names))
    return said

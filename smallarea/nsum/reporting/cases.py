"""Reading casework: how many people of an area are known to have been found, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.errors import InputError
from smallarea.reading.cells import as_text, as_values, find_columns, read_cells, refuse_rows
from smallarea.reading.column import Column

if TYPE_CHECKING:
    from smallarea.areas import Frame

_COUNT = Column(type="integer", min=0)
_YEAR = Column(type="integer", min=1900, max=2100)
_REMEDY = "correct the row, or leave it out"


@dataclass(frozen=True)
class Cases:
    """What casework knows.

    people : known, index area_id of the frame; areas without a row had no operations.
    years : those of the rows used, sorted; empty where the file does not say.
    notes : what was left out, in sentences.
    """

    people: pd.Series
    years: tuple[int, ...]
    notes: tuple[str, ...]


def read_cases(
    path: Path, column: str, frame: Frame, window: tuple[int, int] | None = None
) -> Cases:
    """Read the counts of one column of casework by area, from CSV or a workbook.

    Parameters
    ----------
    path : a table with `area_id`, a code of any vintage, and `column`; optionally `year`, a row per
        area and year then, and `at_risk`, how many of the people counted were in danger only: they
        are taken off.
    window : first and last year that count; rows of other years are left out.

    Raises
    ------
    InputError : the file cannot be read, lacks a column or has it twice; a code is not the frame's
        or stands twice (in one year); a cell is not a count, or more are at risk than counted; a
        window without years, or one that leaves no row. Column and row are named.
    """
    cells = read_cells(path, None, path.name)
    wanted = {"area_id": "area_id", "cases": column, "year": "year", "at_risk": "at_risk"}
    body = find_columns(cells, wanted, {"year", "at_risk"}, path.name)
    where = f"{path.name}, column '{{}}'"
    codes, at = as_text(body["area_id"]), where.format("area_id")
    found = frame.match(codes, where=at)
    refuse_rows(codes.isna(), "the cell is empty", at, _REMEDY)
    lost = found.isna()
    code = codes[lost].iloc[0] if lost.any() else ""
    refuse_rows(lost, f"{code!r} is not in the frame", at, _REMEDY)
    years = _years(body["year"], where.format("year"))
    rows = pd.DataFrame({"area_id": found.astype("str"), "year": years}, index=body.index)
    again = "the area has another row" + ("" if years.isna().all() else " of this year")
    refuse_rows(rows.duplicated(), again, at, _REMEDY)
    rows["people"] = _counts(body["cases"], where.format(column))
    notes = []
    if body["at_risk"].notna().any():
        place = where.format("at_risk")
        risk = _counts(body["at_risk"], place)
        refuse_rows(risk > rows["people"], f"more than in '{column}'", place, _REMEDY)
        rows["people"] -= risk
        notes.append("casework counts people at risk too; they are taken off")
    if window is not None:
        inside = _inside(years, window, path.name)
        if (~inside).any():
            notes.append(
                f"casework: {int((~inside).sum())} of {len(rows)} rows are outside of the declared "
                f"window {spoken_years(range(window[0], window[1] + 1))} and left out"
            )
        rows = rows[inside]
    people = rows.groupby("area_id", sort=False)["people"].sum().rename(column)
    seen = sorted({int(year) for year in rows["year"].dropna()})
    return Cases(people, tuple(seen), tuple(notes))


def period_warnings(
    cases: Cases, window: tuple[int, int] | None, periods: Iterable[str]
) -> list[str]:
    """Say where casework counts other years than the survey asks about.

    periods : the components' reference periods, in words. Without any year in one of the two
    nothing can be told, and nothing is.
    """
    asked = {int(year) for text in periods for year in re.findall(r"\b[12]\d{3}\b", text)}
    counted = set(cases.years)
    if not counted and window is not None:
        counted = set(range(window[0], window[1] + 1))
    if not asked or not counted or asked == counted:
        return []
    return [
        f"casework counts people of {spoken_years(counted)}, the survey asks about "
        f"{spoken_years(asked)}: the share detected must be of the cases of the survey's period, "
        "or reporting rate and totals are off by as much"
    ]


def spoken_years(years: Iterable[int]) -> str:
    """Return years as people say them.

    >>> spoken_years([2022]), spoken_years([2021, 2020, 2022]), spoken_years([2019, 2022])
    ('2022', '2020 to 2022', '2019, 2022')
    """
    told = sorted(set(years))
    if len(told) > 1 and told[-1] - told[0] == len(told) - 1:
        return f"{told[0]} to {told[-1]}"
    return ", ".join(map(str, told))


def _counts(cells: pd.Series, where: str) -> pd.Series:
    counts, _ = as_values(cells, _COUNT, where)
    refuse_rows(counts.isna(), "the cell says no number", where, _REMEDY)
    return counts


def _years(cells: pd.Series, where: str) -> pd.Series:
    """Return the years of the rows: all of them, or none."""
    years, _ = as_values(cells, _YEAR, where)
    if years.notna().any():
        refuse_rows(years.isna(), "the cell says no year", where, _REMEDY)
    return years


def _inside(years: pd.Series, window: tuple[int, int], name: str) -> pd.Series:
    if years.isna().all():
        return pd.Series(True, index=years.index)
    inside = years.between(*window)
    if not inside.any():
        raise InputError(
            f"no row is of {spoken_years(range(window[0], window[1] + 1))}",
            where=f"{name}, column 'year'",
            remedy="correct `detection.window` in data_catalog.yaml, or supply those years",
        )
    return inside

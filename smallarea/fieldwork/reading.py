"""What a survey in the field has on file: the sample, the answers, visits, rechecks, population."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from smallarea.errors import InputError
from smallarea.fieldwork.recheck import Checked, match
from smallarea.fieldwork.tables import (
    as_codes,
    dates,
    known_units,
    read_margins,
    read_recheck,
    read_sample,
    read_visits,
)
from smallarea.survey.ard import ARD
from smallarea.survey.columns import Columns
from smallarea.survey.reading import read_ard
from smallarea.survey.tables import read_table
from smallarea.survey.validation import listed, numbers

#: Columns of respondents that fieldwork understands; every one is optional.
OPTIONAL = ("date", "sex", "age", "eligible", "enumerator", "supervisor", "language",
            "enumerator_sex")  # fmt: skip


@dataclass(frozen=True)
class Field:
    """Everything that came back from the field so far.

    sample : index psu_id, as `survey.design.draw_sample` returns it; at least `interviews`.
    respondents : index respondent_id; `psu`, whatever of `OPTIONAL` there is (`date` as dates,
        `age` and `eligible` as numbers), all other columns as they are.
    ard : the answers as scale-up data, None without a table of groups.
    visits : psu, household, visit, date, outcome, reason; a row without household is about the
        unit. recheck : see `smallarea.fieldwork.recheck`. margins : variable, category, people.
    checked : rechecks matched with the answers, None without a table of groups; `ard` then holds
        the first answers, whatever was put in their place.
    """

    sample: pd.DataFrame
    respondents: pd.DataFrame
    ard: ARD | None = None
    visits: pd.DataFrame | None = None
    recheck: pd.DataFrame | None = None
    margins: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    checked: Checked | None = None


def read_field(
    sample: Path,
    respondents: Path,
    *,
    groups: Path | None = None,
    visits: Path | None = None,
    recheck: Path | None = None,
    population: Path | None = None,
    columns: Path | None = None,
) -> Field:
    """Read all files of a survey in the field; all but the first two are optional.

    Raises
    ------
    InputError : a file, column or cell that does not fit, named.
    """
    drawn = read_sample(sample)
    how = Columns.from_yaml(columns) if columns else None
    ard, notes = None, tuple[str, ...]()
    if groups is not None:
        ard = read_ard(respondents, groups, how)
        people, notes = ard.design.copy(), ard.notes
    else:
        found = read_table(respondents)
        how = how or Columns.usual(found)
        people = found.rename(columns={v: k for k, v in _design(how).items()})
        people.index = _ids(people, how.respondent, respondents.name)
    where = respondents.name
    if "psu" not in people or people["psu"].isna().any():
        raise InputError(
            "an interview without its sampling unit" if "psu" in people else "no column 'psu'",
            where=where,
            remedy="give every interview the psu_id of the sample (or name its column, --columns)",
        )
    people["psu"] = as_codes(people["psu"])
    known_units(people["psu"], drawn.index, where)
    for name in ("age", "eligible"):
        if name in people:
            people[name] = numbers(people[name], f"{where}, column '{name}'")
    if "date" in people:
        people["date"] = dates(people["date"], where)
    again = None if recheck is None else read_recheck(recheck)
    checked = None
    if ard is not None and again is not None and recheck is not None:
        checked = match(ard, again, recheck.name)
        ard = replace(ard, counts=checked.first)
    return Field(
        drawn,
        people,
        ard,
        None if visits is None else read_visits(visits, drawn.index),
        again,
        None if population is None else read_margins(population),
        notes,
        checked,
    )


def _design(how: Columns) -> dict[str, str]:
    pairs = {"psu": how.psu, "stratum": how.stratum, "area_id": how.area}
    return {name: column for name, column in pairs.items() if column}


def _ids(people: pd.DataFrame, column: str | None, where: str) -> pd.Index:
    if column is None:
        return pd.Index([str(i) for i in range(1, len(people) + 1)], name="respondent_id")
    ids = pd.Index(as_codes(people[column]), name="respondent_id")
    if ids.has_duplicates or ids.isna().any():
        again = listed(ids[ids.duplicated() | ids.isna()].unique())
        raise InputError(
            f"respondents listed twice or without id: {again}",
            where=where,
            remedy="give each respondent one row and one id",
        )
    return ids

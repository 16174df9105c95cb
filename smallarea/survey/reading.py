"""Reading a survey and its table of groups from CSV, Excel, Stata or SPSS into a validated ARD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from smallarea.errors import InputError
from smallarea.reading.persons import persons_in, refuse_persons
from smallarea.survey.ard import ARD, make_ard
from smallarea.survey.columns import Columns
from smallarea.survey.labels import without_labelled
from smallarea.survey.tables import Labels, read_labelled, read_table
from smallarea.survey.validation import listed, require

__all__ = ["Columns", "read_ard", "read_table"]


def read_ard(
    respondents_path: Path | str,
    groups_path: Path | str,
    columns: Columns | Path | None = None,
    *,
    remove: Mapping[str, float] | None = None,
) -> ARD:
    """Read a wide survey file and its table of groups into a validated ARD.

    Parameters
    ----------
    respondents_path : one row per respondent; .csv, .xlsx, .dta (Stata) or .sav (SPSS). Codes
        that the file labels as no answer ("Do not know") are missing.
    groups_path : CSV or Excel with `group,kind,size,population` and optionally `network`.
    columns : a description (see `survey.columns`) or the path of its YAML; without one, columns
        with the usual names (respondent_id, weight, psu, stratum, area_id) are used and the rest
        is carried along. A description that names no respondent column still finds respondent_id.

    remove : rules that remove answers, beside those of the description.

    Raises
    ------
    InputError : a file that cannot be read, a column that looks like persons, or content that fails
        the checks of `make_ard`.
    """
    respondents_path, groups_path = Path(respondents_path), Path(groups_path)
    if isinstance(columns, str | Path):
        columns = Columns.from_yaml(Path(columns))
    how = columns or Columns()
    survey, labels = read_labelled(
        respondents_path, sep=how.sep, encoding=how.encoding, sheet=how.sheet
    )
    refuse_persons(persons_in(survey, survey=True), respondents_path.name)
    groups = _read_groups(groups_path, how)
    if columns is None:
        columns = Columns.usual(survey)
    respondent = columns.respondent or Columns.usual(survey).respondent
    survey, labels, notes = _renamed(survey, labels, columns.groups, respondents_path.name)
    require(groups, ["group", "kind", "size", "population"], groups_path.name)
    names = groups["group"].astype(str).str.strip()
    asked = [*survey.columns.intersection(list(names)), *_degree_columns(columns.degree, survey)]
    survey[asked] = _without_codes(survey[asked], columns.missing)
    survey, said = without_labelled(survey, labels, asked)
    _no_total(survey, asked, respondents_path.name)
    ard = make_ard(
        survey,
        groups,
        respondent=respondent,
        weight=columns.weight,
        stratum=columns.stratum,
        psu=columns.psu,
        area=columns.area,
        degree=columns.degree,
        nest=columns.nest,
        lonely=columns.lonely,
        remove={**columns.remove, **(remove or {})},
        top_code=columns.top_code,
        where=respondents_path.name,
        groups_where=groups_path.name,
    )
    return replace(ard, notes=(*notes, *said, *ard.notes))


def refuse_respondents_named(path: Path) -> None:
    """Raise InputError if a survey's file holds persons; one that cannot be read is let pass."""
    try:
        table = read_table(path)
    except InputError:
        return
    refuse_persons(persons_in(table, survey=True), path.name)


def _read_groups(path: Path, how: Columns) -> pd.DataFrame:
    """Read the table of groups; it may be written as the survey is, or with commas."""
    written: list[dict[str, str | None]] = [{}]
    written += [{"encoding": how.encoding}, {"sep": how.sep, "encoding": how.encoding}]
    for position, one in enumerate(written):
        try:
            return read_table(path, **one).rename(columns=str.lower)
        except InputError:
            if position == 2 or (how.sep is None and how.encoding is None):
                raise
    raise AssertionError("the last attempt returns or raises")


def _renamed(
    survey: pd.DataFrame, labels: Labels, groups: Mapping[str, str], where: str
) -> tuple[pd.DataFrame, Labels, tuple[str, ...]]:
    """Give columns their groups' names; a column that has such a name already is not used."""
    sources = [str(column) for column in groups.values()]
    require(survey, sources, where)
    twice = {column for column in sources if sources.count(column) > 1}
    if twice:
        column = sorted(twice)[0]
        both = listed([group for group, of in groups.items() if str(of) == column])
        raise InputError(
            f"{both} are read from one column",
            where=f"{where}, column '{column}'",
            remedy="name one column for each group",
        )
    to = {str(column): str(group).strip() for group, column in groups.items()}
    hidden_by = [g for c, g in to.items() if g in survey.columns and g not in to and g != c]
    note = (
        f"not used: column {listed(hidden_by)}, for the description takes the group of that name "
        "from another",
    )
    survey = survey.drop(columns=hidden_by).rename(columns=to)
    labels = {to.get(column, column): of for column, of in labels.items()}
    return survey, labels, note if hidden_by else ()


def _degree_columns(degree: str | Mapping[str, str] | None, survey: pd.DataFrame) -> list[str]:
    named = degree.values() if isinstance(degree, Mapping) else [degree] if degree else []
    return [str(column) for column in named if column in survey.columns]


def _without_codes(answers: pd.DataFrame, missing: tuple[float | str, ...]) -> pd.DataFrame:
    """Empty the cells that hold a code for "not answered", numbers as numbers, text as text."""
    if not missing:
        return answers
    codes = pd.to_numeric(pd.Series(missing, dtype=object), errors="coerce").dropna()
    words = {str(code).strip().casefold() for code in missing}
    numeric = answers.apply(pd.to_numeric, errors="coerce")
    text = answers.apply(lambda column: column.astype(str).str.strip().str.casefold())
    return answers.mask(numeric.isin(list(codes)) | text.isin(list(words)))


def _no_total(survey: pd.DataFrame, asked: list[str], where: str) -> None:
    """Raise InputError where the last row is the sum of those above it, or says so."""
    if len(survey) < 2:
        return
    last = survey.iloc[-1]
    words = {str(v).strip().casefold().rstrip(":") for v in last.drop(asked)}
    answers = survey[asked].apply(pd.to_numeric, errors="coerce").fillna(0).to_numpy(float)
    sums = answers[:-1].sum(axis=0)
    adds_up = (sums > 0).sum() >= 2 and len(survey) > 4 and (sums == answers[-1]).all()
    if adds_up or words & {"total", "totals", "grand total", "sum"}:
        raise InputError(
            "it is the total of the rows above, not a respondent",
            where=f"{where}, row {len(survey)}",
            remedy="remove the row",
        )

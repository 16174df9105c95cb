"""Reading a survey from CSV, Excel, Stata or SPSS, its columns described by a small YAML.

The description names the columns of the survey; every entry is optional::

    respondent: hhid
    weight: indweight
    psu: cluster
    stratum: region
    area: municipality_code
    groups: {teachers: q12a, sex_workers: "sex.workers"}   # where names differ from GROUPS
    missing: [98, 99]                                      # codes that mean "not answered"
    top_code: 30                                           # or {teachers: 50}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from smallarea.errors import InputError
from smallarea.survey.ard import ARD, make_ard
from smallarea.survey.validation import listed, require

#: Column names that are understood without a description.
USUAL = {
    "respondent": "respondent_id",
    "weight": "weight",
    "psu": "psu",
    "stratum": "stratum",
    "area": "area_id",
}


@dataclass(frozen=True)
class Columns:
    """What the columns of a survey file mean; None = the survey has no such column."""

    respondent: str | None = None
    weight: str | None = None
    psu: str | None = None
    stratum: str | None = None
    area: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[float, ...] = ()
    top_code: int | Mapping[str, int] | None = None

    @classmethod
    def from_yaml(cls, path: Path) -> Columns:
        """Read a description; InputError on an entry that is not one of the above."""
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        allowed = [f.name for f in fields(cls)]
        unknown = sorted(set(content) - set(allowed)) if isinstance(content, dict) else [content]
        if unknown:
            raise InputError(
                f"not understood: {listed(unknown)}",
                where=path.name,
                remedy=f"the entries are {', '.join(allowed)}",
            )
        return cls(**content | {"missing": tuple(content.get("missing", ()))})

    @classmethod
    def usual(cls, survey: pd.DataFrame) -> Columns:
        """Return the columns found under their usual names (respondent_id, weight, psu, ...)."""
        found: dict[str, Any] = {r: name for r, name in USUAL.items() if name in survey.columns}
        return cls(**found)


def read_ard(
    respondents_path: Path | str,
    groups_path: Path | str,
    columns: Columns | Path | None = None,
) -> ARD:
    """Read a wide survey file and its table of groups into a validated ARD.

    Parameters
    ----------
    respondents_path : one row per respondent; .csv, .xlsx, .dta (Stata) or .sav (SPSS).
    groups_path : CSV or Excel with `group,kind,size,population` and optionally `network`.
    columns : a description or the path of its YAML; without one, columns with the usual names
        (respondent_id, weight, psu, stratum, area_id) are used and the rest is carried along.
        A description that names no respondent column still finds respondent_id.

    Raises
    ------
    InputError : a file that cannot be read, or whose content fails the checks of `make_ard`.
    """
    respondents_path, groups_path = Path(respondents_path), Path(groups_path)
    if isinstance(columns, str | Path):
        columns = Columns.from_yaml(Path(columns))
    survey = read_table(respondents_path)
    groups = read_table(groups_path)
    if columns is None:
        columns = Columns.usual(survey)
    respondent = columns.respondent or Columns.usual(survey).respondent
    require(survey, list(columns.groups.values()), respondents_path.name)
    survey = survey.rename(columns={column: group for group, column in columns.groups.items()})
    require(groups, ["group", "kind", "size", "population"], groups_path.name)
    if columns.missing:
        asked = survey.columns.intersection(list(groups["group"].astype(str)))
        numeric = survey[asked].apply(pd.to_numeric, errors="coerce")
        survey[asked] = survey[asked].mask(numeric.isin(columns.missing))
    return make_ard(
        survey,
        groups,
        respondent=respondent,
        weight=columns.weight,
        stratum=columns.stratum,
        psu=columns.psu,
        area=columns.area,
        top_code=columns.top_code,
        where=respondents_path.name,
    )


def read_table(path: Path) -> pd.DataFrame:
    """Read a .csv, .xlsx, .dta or .sav table; text cells stay text, empty cells are NaN."""
    readers = {
        ".csv": lambda p: pd.read_csv(p, dtype=str),
        ".xlsx": lambda p: pd.read_excel(p, dtype=str),
        ".dta": lambda p: pd.read_stata(p, convert_categoricals=False),
        ".sav": _read_spss,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"'{path.suffix}' is not a survey format",
            where=path.name,
            remedy=f"save it as one of {', '.join(readers)}",
        )
    try:
        return reader(path)
    except FileNotFoundError:
        raise InputError("no such file", where=str(path), remedy="check the path") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot be read ({error})", where=path.name, remedy="open it and save it again"
        ) from error


def _read_spss(path: Path) -> pd.DataFrame:
    try:
        import pyreadstat
    except ImportError:
        raise InputError(
            "reading SPSS files needs the package pyreadstat",
            where=path.name,
            remedy="pip install 'smallarea[survey-formats]'",
        ) from None
    return pyreadstat.read_sav(str(path))[0]

"""Reading a survey from CSV, Excel, Stata or SPSS, its columns described by a small YAML.

The description names the columns of the survey; every entry is optional::

    respondent: hhid
    weight: indweight
    psu: cluster
    stratum: domain
    area: town_code
    groups: {teachers: q12a, sex_workers: "sex.workers"}   # where names differ from GROUPS
    missing: [98, 99]                                      # codes that mean "not answered"
    top_code: 30                                           # or {teachers: 50}
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
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
        """Read a description; InputError if it is no YAML or an entry is not one of the above."""
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            raise _no_file(path) from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
            raise InputError(
                "is not YAML",
                where=f"{path.name}, line {line}",
                remedy="write lines of `name: value`",
            ) from error
        allowed = [f.name for f in fields(cls)]
        unknown = sorted(set(content) - set(allowed)) if isinstance(content, dict) else [content]
        if unknown:
            raise InputError(
                f"not understood: {listed(unknown)}",
                where=path.name,
                remedy=f"the entries are {', '.join(allowed)}",
            )
        missing = content.get("missing", ())
        missing = tuple(missing) if isinstance(missing, list | tuple) else (missing,)
        caps, groups = content.get("top_code"), content.get("groups", {})
        cap = list(caps.values()) if isinstance(caps, dict) else [] if caps is None else [caps]
        for entry, fine, remedy in (
            ("missing", _numeric(missing), "list numbers, for example [98, 99]"),
            ("top_code", _numeric(cap), "give a number, or one for each group: {teachers: 50}"),
            ("groups", isinstance(groups, dict), "write {group: column, ...}"),
        ):
            if not fine:
                raise InputError(
                    f"{content[entry]!r} is not understood",
                    where=f"{path.name}, entry '{entry}'",
                    remedy=remedy,
                )
        return cls(**content | {"missing": missing, "groups": groups})

    @classmethod
    def usual(cls, survey: pd.DataFrame) -> Columns:
        """Return the columns found under their usual names (respondent_id, weight, psu, ...)."""
        found: dict[str, Any] = {r: name for r, name in USUAL.items() if name in survey.columns}
        return cls(**found)


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) for value in values)


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
    groups = read_table(groups_path).rename(columns=str.lower)
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
        groups_where=groups_path.name,
    )


def read_table(path: Path) -> pd.DataFrame:
    """Read a .csv, .xlsx, .dta or .sav table; text cells stay text, empty cells are NaN.

    Spaces around column names are dropped.
    """
    readers = {
        ".csv": lambda p: pd.read_csv(p, dtype=str, encoding="utf-8-sig"),
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
    if not path.is_file():
        raise _no_file(path)
    try:
        table = reader(path)
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start + 1} is not UTF-8 text",
            where=path.name,
            remedy="save it as CSV UTF-8",
        ) from error
    except InputError:
        raise
    except (ValueError, OSError, KeyError, struct.error, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputError(
            f"columns that differ by spaces only: {listed(twice)}",
            where=path.name,
            remedy="give every column a name of its own",
        )
    return table


def _no_file(path: Path) -> InputError:
    return InputError("no such file", where=str(path), remedy="check the path")


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"cannot be read as {path.suffix.lower()} ({error})",
        where=path.name,
        remedy="check that it is what its name says, open it and save it again",
    )


def _read_spss(path: Path) -> pd.DataFrame:
    try:
        import pyreadstat
    except ImportError:
        raise InputError(
            "reading SPSS files needs the package pyreadstat",
            where=path.name,
            remedy="pip install 'smallarea[survey-formats]'",
        ) from None
    try:
        return pyreadstat.read_sav(str(path))[0]
    except (pyreadstat.PyreadstatError, pyreadstat.ReadstatError) as error:
        raise _unreadable(path, error) from error

"""What a survey's columns mean, as a small YAML says; every entry is optional::

    respondent: hhid
    weight: indweight
    psu: cluster
    stratum: domain
    nest: true                                             # PSUs are numbered within strata
    lonely: collapse                                       # strata with one PSU, see `lonely`
    area: town_code
    degree: reach                                          # people known, asked; or {adult: reach}
    groups: {teachers: q12a, sex_workers: "sex.workers"}   # where names differ from GROUPS
    missing: [98, 99, DK]                                  # codes that mean "not answered"
    remove: {mad: 10}                                      # see `removal`
    top_code: 30                                           # of known groups; see below
    sep: ";"                                               # of a CSV file, as is its encoding
    encoding: latin-1
    sheet: answers                                         # of a workbook

`top_code` lowers larger answers to it. A number is for the known groups; `{hidden: 30}`,
`{known: 30, hidden: 30}` or `{teachers: 50}` is for all groups of a kind, or for single groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from smallarea.errors import InputError
from smallarea.reading.yaml_text import read_yaml
from smallarea.survey.lonely import LONELY
from smallarea.survey.removal import RULES
from smallarea.survey.tables import no_file
from smallarea.survey.validation import NETWORKS, listed

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
    nest: bool = False
    lonely: str = "collapse"
    area: str | None = None
    degree: str | Mapping[str, str] | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[float | str, ...] = ()
    remove: Mapping[str, float] = field(default_factory=dict)
    top_code: int | Mapping[str, int] | None = None
    sep: str | None = None
    encoding: str | None = None
    sheet: str | None = None

    @classmethod
    def from_yaml(cls, path: Path) -> Columns:
        """Read a description; InputError if it is no YAML or an entry is not one of the above."""
        try:
            content = read_yaml(path) or {}
        except FileNotFoundError:
            raise no_file(path) from None
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
        _check(content, missing, path.name)
        return cls(**content | {"missing": missing})

    @classmethod
    def usual(cls, survey: pd.DataFrame) -> Columns:
        """Return the columns found under their usual names (respondent_id, weight, psu, ...)."""
        found: dict[str, Any] = {r: name for r, name in USUAL.items() if name in survey.columns}
        return cls(**found)


def _check(content: Mapping[str, Any], missing: Sequence[Any], where: str) -> None:
    caps, groups = content.get("top_code"), content.get("groups", {})
    cap = list(caps.values()) if isinstance(caps, dict) else [] if caps is None else [caps]
    degree, rules = content.get("degree"), content.get("remove", {})
    by_network = isinstance(degree, dict) and set(degree) <= set(NETWORKS)
    codes = all(isinstance(value, int | float | str) for value in missing)
    for entry, fine, remedy in (
        ("missing", codes, "list codes, for example [98, 99, DK]"),
        ("top_code", _numeric(cap), "give a number, or one for each group: {teachers: 50}"),
        ("groups", isinstance(groups, dict), "write {group: column, ...}"),
        ("nest", isinstance(content.get("nest", False), bool), "write true or false"),
        ("lonely", content.get("lonely", "collapse") in LONELY, f"choose {', '.join(LONELY)}"),
        ("degree", isinstance(degree, str | None) or by_network, "name a column"),
        (
            "remove",
            isinstance(rules, dict) and set(rules) <= set(RULES) and _numeric(rules.values()),
            f"write {{rule: number}}; the rules are {', '.join(RULES)}",
        ),
    ):
        if not fine:
            raise InputError(
                f"{content[entry]!r} is not understood",
                where=f"{where}, entry '{entry}'",
                remedy=remedy,
            )


def _numeric(values: Any) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)

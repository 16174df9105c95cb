"""Aggregated relational data (ARD): how many people each respondent knows in each group.

A group is *known* (its size is on record) or *hidden* (its size is wanted). Every group belongs
to a network: `adult` groups count among the adults a respondent knows, `child` groups among the
children; the two are never mixed. A group that straddles them (`both`) can be back-estimated but
never enters a degree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.survey.validation import (
    DESIGN,
    check_counts,
    check_design,
    check_groups,
    listed,
    missing_codes,
    numbers,
    require,
)


@dataclass(frozen=True)
class ARD:
    """Respondents x groups, with what is known of the groups and of the survey's design.

    Parameters
    ----------
    counts : respondent_id x group, non-negative whole numbers as floats; NaN = not answered.
    groups : index group; `kind` (known, hidden), `size` (people; NaN for hidden), `population`
        (people in the group's reference population), `network` (adult, child, both).
    design : index respondent_id; `weight` (>= 0), `stratum`, `psu`, `area_id` (text, or None
        throughout where the survey has none) and any other column of the respondents.
    notes : what was done to the answers while reading, in sentences for the user.

    Raises
    ------
    InputError : anything above does not hold; the message names the column and the row.
    """

    counts: pd.DataFrame
    groups: pd.DataFrame
    design: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_groups(self.groups, where="groups")
        check_counts(self.counts, where="survey")
        check_design(self.design, where="survey")
        if list(self.counts.columns) != list(self.groups.index):
            raise InputError(
                "the columns of the answers are not the groups, in the same order",
                where="ARD",
                remedy="build it with make_ard, which orders them",
            )
        if not self.counts.index.equals(self.design.index):
            raise InputError(
                "answers and design list different respondents",
                where="ARD",
                remedy="build it with make_ard, which orders them",
            )

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def weights(self) -> np.ndarray:
        """Survey weights, shape (n,)."""
        return self.design["weight"].to_numpy(float)

    def known(self, network: str | None = None) -> list[str]:
        """Names of the known groups (of one network)."""
        return self._names("known", network)

    def hidden(self, network: str | None = None) -> list[str]:
        """Names of the hidden groups (of one network)."""
        return self._names("hidden", network)

    def population(self, network: str) -> float:
        """People in the reference population of a network (adults, children)."""
        members = self.groups.loc[self.groups["network"] == network, "population"]
        if members.empty:
            raise InputError(
                f"no group belongs to the {network} network",
                where="groups, column 'network'",
                remedy=f"mark the groups counted among {network} acquaintances as '{network}'",
            )
        return float(members.iloc[0])

    def respondents(self, chosen: np.ndarray | pd.Index) -> ARD:
        """Return the ARD of some respondents: a boolean mask or their ids."""
        return replace(self, counts=self.counts.loc[chosen], design=self.design.loc[chosen])

    def only(self, groups: list[str]) -> ARD:
        """Return the ARD of some groups, in the order given."""
        return replace(self, counts=self.counts[groups], groups=self.groups.loc[groups])

    def _names(self, kind: str, network: str | None) -> list[str]:
        chosen = self.groups["kind"] == kind
        if network is not None:
            chosen &= self.groups["network"] == network
        return list(self.groups.index[chosen])


def make_ard(
    survey: pd.DataFrame,
    groups: pd.DataFrame,
    *,
    respondent: str | None = None,
    weight: str | None = None,
    stratum: str | None = None,
    psu: str | None = None,
    area: str | None = None,
    top_code: int | Mapping[str, int] | None = None,
    where: str = "survey",
    groups_where: str = "groups",
) -> ARD:
    """Build a validated ARD from a wide survey table.

    Parameters
    ----------
    survey : one row per respondent, one column per group, empty cells = not answered.
    groups : columns `group`, `kind`, `size`, `population` and, if the survey has child groups,
        `network` (adult where the column is absent).
    respondent, weight, stratum, psu, area : columns of `survey`; None where it has none.
    top_code : largest answer believed: a number caps the known groups' answers, a mapping caps
        the groups it names. How many answers were lowered is said in `notes`.
    where, groups_where : how to call the two tables in error messages, e.g. by file name.

    Raises
    ------
    InputError : empty survey, missing column, negative or fractional count, duplicate
        respondent, a size above its population, no known group.
    """
    if survey.empty:
        raise InputError("no respondents", where=where, remedy="give at least one row of answers")
    groups = _tidy_groups(groups, groups_where)
    check_groups(groups, where=groups_where)
    columns = {"weight": weight, "stratum": stratum, "psu": psu, "area_id": area}
    wanted = [c for c in (respondent, *columns.values()) if c is not None]
    require(survey, [*groups.index, *wanted], where)

    ids = _respondent_ids(survey, respondent, where)
    counts = pd.DataFrame({g: numbers(survey[g], f"{where}, column '{g}'") for g in groups.index})
    counts.index = ids
    check_counts(counts, where=where)
    counts, notes = _top_code(counts, groups, top_code)
    notes += missing_codes(counts)
    missing = int(counts.isna().sum().sum())
    if missing:
        notes += (
            f"{missing} of {counts.size} answers are missing: every sum uses answered cells only",
        )
    others = survey.drop(columns=[*groups.index, *dict.fromkeys(wanted)])
    undeclared = others.columns.intersection(list(DESIGN))
    if len(undeclared):
        notes += (f"not used, because not declared: column {listed(undeclared)}",)
    design = others.drop(columns=undeclared).set_axis(ids)
    for position, (name, column) in enumerate(columns.items()):
        design.insert(position, name, _design_column(survey, name, column, where))
    check_design(design, where=where)
    return ARD(counts, groups, design, notes)


def _tidy_groups(groups: pd.DataFrame, where: str) -> pd.DataFrame:
    if "group" in groups.columns:
        groups = groups.set_index("group")
    require(groups, ["kind", "size", "population"], where)
    network = groups["network"] if "network" in groups.columns else "adult"
    return pd.DataFrame(
        {
            "kind": groups["kind"].astype(str).str.strip().str.lower(),
            "size": numbers(groups["size"], f"{where}, column 'size'"),
            "population": numbers(groups["population"], f"{where}, column 'population'"),
            "network": network,
        },
        index=pd.Index(groups.index.astype(str).str.strip(), name="group"),
    )


def _design_column(
    survey: pd.DataFrame, name: str, column: str | None, where: str
) -> float | np.ndarray | None:
    if column is None:
        return 1.0 if name == "weight" else None
    where = f"{where}, column '{column}'"
    if name == "weight":
        return numbers(survey[column], where)
    if name == "area_id" and pd.api.types.is_numeric_dtype(survey[column]):
        raise InputError(
            "area codes were read as numbers, so leading zeros are lost",
            where=where,
            remedy="store the codes as text",
        )
    return survey[column].map(str, na_action="ignore").to_numpy(object)


def _respondent_ids(survey: pd.DataFrame, column: str | None, where: str) -> pd.Index:
    if column is None:
        return pd.Index([str(row) for row in range(1, len(survey) + 1)], name="respondent_id")
    if survey[column].isna().any():
        raise InputError(
            f"row {int(survey[column].isna().to_numpy().argmax()) + 1} has no respondent id",
            where=f"{where}, column '{column}'",
            remedy="give each respondent an id",
        )
    return pd.Index(survey[column].map(str), name="respondent_id")


def _top_code(
    counts: pd.DataFrame, groups: pd.DataFrame, top_code: int | Mapping[str, int] | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if top_code is None:
        return counts, ()
    if not isinstance(top_code, Mapping):
        top_code = dict.fromkeys(groups.index[groups["kind"] == "known"], top_code)
    require(counts, list(top_code), "top-coding")
    cap = pd.Series(top_code, dtype=float).reindex(counts.columns, fill_value=np.inf)
    above = counts > cap
    lowered = above.sum()
    note = (
        f"{int(lowered.sum())} answers in {int((lowered > 0).sum())} groups were above the "
        f"top code and lowered to it: {listed(lowered.index[lowered > 0])}"
    )
    return counts.clip(upper=cap, axis=1), (note,) if lowered.any() else ()

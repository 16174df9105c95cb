"""Aggregated relational data (ARD): how many people each respondent knows in each group.

A group is *known* (its size is on record) or *hidden* (its size is wanted). Every group belongs
to a network: `adult` groups count among the adults a respondent knows, `child` groups among the
children; the two are never mixed. A group that straddles them (`both`) can be back-estimated but
never enters a degree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.survey.lonely import settle_lonely
from smallarea.survey.removal import removal_notes, remove_answers
from smallarea.survey.validation import (
    DESIGN,
    KINDS,
    check_counts,
    check_design,
    check_groups,
    check_possible,
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
    removed : answers that declared rules removed, see `remove_answers`.

    Raises
    ------
    InputError : anything above does not hold; the message names the column and the row.
    """

    counts: pd.DataFrame
    groups: pd.DataFrame
    design: pd.DataFrame
    notes: tuple[str, ...] = ()
    removed: tuple[dict[str, Any], ...] = ()

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
    def loud_notes(self) -> list[str]:
        """The notes but those that only say how many answers are missing or columns unused."""
        quiet = ("answers are missing: every sum", "not used, because not declared")
        return [note for note in self.notes if not any(words in note for words in quiet)]

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
    degree: str | Mapping[str, str] | None = None,
    nest: bool = False,
    lonely: str = "collapse",
    remove: Mapping[str, float] | None = None,
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
    degree : column with the number of people each respondent knows, asked directly; of several
        networks {network: column}. It becomes the network's one known group, of the size of its
        population, so that `summation` takes it as the degree; other known groups are `both` then.
    nest : PSUs are numbered anew in each stratum.
    lonely : what becomes of strata with a single PSU, see `survey.lonely`.
    remove : rules that remove answers, see `survey.removal`; what they removed is in `removed`.
    top_code : largest answer believed: a number caps the known groups' answers, a mapping caps
        the groups it names, or those of a kind (known, hidden). How many answers were lowered,
        and how many of hidden groups were left above a number, is said in `notes`.
    where, groups_where : how to call the two tables in error messages, e.g. by file name.

    Raises
    ------
    InputError : empty survey, missing column, negative or fractional count, duplicate
        respondent, a size above its population, no known group, more people known in a group than
        there are.
    """
    if survey.empty:
        raise InputError("no respondents", where=where, remedy="give at least one row of answers")
    groups = _tidy_groups(groups, groups_where)
    if degree is not None:
        groups = _with_degree(groups, degree)
    check_groups(groups, where=groups_where)
    columns = {"weight": weight, "stratum": stratum, "psu": psu, "area_id": area}
    wanted = [c for c in (respondent, *columns.values()) if c is not None]
    require(survey, [*groups.index, *wanted], where)

    ids = _respondent_ids(survey, respondent, where)
    counts = pd.DataFrame({g: numbers(survey[g], f"{where}, column '{g}'") for g in groups.index})
    counts.index = ids
    check_counts(counts, where=where)
    counts, removed = remove_answers(counts, groups, remove or {})
    counts, notes = _top_code(counts, groups, top_code)
    notes = (*removal_notes(removed), *notes)
    check_possible(counts, groups, where=where)
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
    if nest and (stratum is None or psu is None):
        raise InputError(
            "PSUs numbered within strata need both columns",
            where=where,
            remedy="name the columns of PSUs and strata (--psu, --strata)",
        )
    if nest:
        design["psu"] = design["stratum"].astype(str) + "/" + design["psu"].astype(str)
    check_design(design, where=where)
    design, said = settle_lonely(design, lonely, where)
    return ARD(counts, groups, design, notes + said, removed)


def _tidy_groups(groups: pd.DataFrame, where: str) -> pd.DataFrame:
    """Tidy the table of groups: names, kinds and networks without spaces, empty rows left out."""
    if "group" not in groups.columns:
        groups = groups.rename_axis("group").reset_index()
    require(groups, ["kind", "size", "population"], where)
    text = (
        groups[["group", "kind"]].astype(object).map(lambda v: v if pd.isna(v) else str(v).strip())
    )
    empty = text.isna().all(axis=1) | (text.fillna("") == "").all(axis=1)
    groups, text = groups[~empty], text[~empty]
    network = groups["network"] if "network" in groups.columns else "adult"
    tidy = pd.DataFrame(
        {
            "kind": text["kind"].fillna("").str.lower(),
            "size": numbers(groups["size"], f"{where}, column 'size'"),
            "population": numbers(groups["population"], f"{where}, column 'population'"),
            "network": network,
        },
        index=groups.index,
    )
    tidy["network"] = tidy["network"].map(lambda n: n.strip() if isinstance(n, str) else n)
    return tidy.set_index(pd.Index(text["group"].astype(str), name="group"))


def _with_degree(groups: pd.DataFrame, degree: str | Mapping[str, str]) -> pd.DataFrame:
    """Make of a column that holds degrees its network's one known group, as large as all."""
    if not isinstance(degree, Mapping):
        networks = groups.loc[groups["kind"] == "hidden", "network"].unique()
        if len(networks) != 1:
            raise InputError(
                f"hidden groups belong to {len(networks)} networks",
                where="degree column",
                remedy="name a column for each: adult=COLUMN,child=COLUMN",
            )
        degree = {str(networks[0]): degree}
    for network, column in degree.items():
        members = groups["network"] == network
        people = groups.loc[members & (groups["kind"] == "hidden"), "population"].max()
        groups = groups.drop(index=column, errors="ignore").copy()
        others = (groups["network"] == network) & (groups["kind"] == "known")
        groups.loc[others, "network"] = "both"
        groups.loc[column] = ["known", people, people, network]
    return groups


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
    spared: tuple[str, ...] = ()
    if not isinstance(top_code, Mapping):
        hidden = counts.loc[:, groups["kind"].to_numpy() == "hidden"]
        above = (hidden > top_code).sum()
        if above.any():
            spared = (
                f"the top code of {top_code:,} is for known groups: {int(above.sum())} answers "
                f"about hidden groups are above it ({listed(above.index[above > 0])}); "
                f"{{known: {top_code}, hidden: {top_code}}} caps all",
            )
        top_code = {"known": top_code}
    caps = {g: cap for kind, cap in top_code.items() if kind in KINDS and kind not in groups.index
            for g in groups.index[groups["kind"] == kind]}  # fmt: skip
    top_code = caps | {g: cap for g, cap in top_code.items() if g not in KINDS or g in groups.index}
    require(counts, list(top_code), "top-coding")
    cap = pd.Series(top_code, dtype=float).reindex(counts.columns, fill_value=np.inf)
    above = counts > cap
    lowered = above.sum()
    note = (
        f"{int(lowered.sum())} answers in {int((lowered > 0).sum())} groups were above the "
        f"top code and lowered to it: {listed(lowered.index[lowered > 0])}"
    )
    return counts.clip(upper=cap, axis=1), ((note,) if lowered.any() else ()) + spared

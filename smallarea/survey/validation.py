"""Checks of a survey's answers, groups and design: one clear sentence, or silence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.errors import InputError

KINDS = ("known", "hidden")
NETWORKS = ("adult", "child", "both")
CODES = (97, 98, 99, 998, 999)  # as surveys often write "does not know", "refused"
DESIGN = ("weight", "stratum", "psu", "area_id")


def numbers(column: pd.Series, where: str) -> np.ndarray:
    """Return a column as floats; InputError naming the first cell that is not a number."""
    if not pd.api.types.is_numeric_dtype(column):
        column = column.mask(column.astype(str).str.strip() == "")
    values = pd.to_numeric(column, errors="coerce")
    wrong = (values.isna() & column.notna()).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{column.iloc[row]!r} in row {row + 1} is not a number",
            where=where,
            remedy="write plain digits (1234, not 1,234 or 30+); leave the cell empty if missing, "
            "or list the code as `missing` (--missing DK)",
        )
    return values.to_numpy(float, na_value=np.nan)


def check_groups(groups: pd.DataFrame, *, where: str) -> None:
    """Raise InputError unless kinds, networks, sizes and populations make sense."""
    if groups.empty:
        raise InputError("no groups", where=where, remedy="list the groups that were asked about")

    def fail(chosen: pd.Series, what: str, remedy: str) -> None:
        if chosen.any():
            raise InputError(
                f"{listed(groups.index[chosen.to_numpy()])}: {what}", where=where, remedy=remedy
            )

    fail(groups.index.to_series().duplicated(), "named twice", "name each group once")
    fail(
        groups.index.to_series().str.casefold().isin(["total", "totals", "sum"])
        & ~groups["kind"].isin(KINDS),
        "it is a total, not a group",
        "remove the row",
    )
    fail(~groups["kind"].isin(KINDS), "kind is neither known nor hidden", "write known or hidden")
    fail(~groups["network"].isin(NETWORKS), "unknown network", "write adult, child or both")
    known = groups["kind"] == "known"
    if not known.any():
        raise InputError(
            "no group of known size",
            where=where,
            remedy="scale-up needs at least one known group; mark it 'known' and give its size, or "
            "name the column with the number of people each respondent knows (--degree-column)",
        )
    fail(
        ~(groups["population"] > 0),
        "population missing or not positive",
        "give the number of people in the group's reference population",
    )
    fail(
        (groups["population"] <= 1) | (known & (groups["size"] < 1) & (groups["size"] > 0)),
        "size or population looks like a share",
        "give sizes and populations as numbers of people: a share times the population",
    )
    fail(
        known & ~(groups["size"] > 0),
        "known group without a positive size",
        "give the number of people in the group, or mark it hidden",
    )
    fail(
        ~known & groups["size"].notna(),
        "hidden group with a size",
        "leave the size empty, or mark the group known",
    )
    fail(
        known & (groups["size"] > groups["population"]),
        "size above its population",
        "check both numbers: a group is part of its reference population",
    )
    for network in ("adult", "child"):
        populations = groups.loc[groups["network"] == network, "population"]
        if populations.min() < populations.max():
            raise InputError(
                f"the groups of the {network} network have different "
                f"populations ({populations.min():,.0f} to {populations.max():,.0f})",
                where=where,
                remedy="one network has one reference population; a column 'network' (adult, "
                "child) tells groups of adults and groups of children apart",
            )


def check_counts(counts: pd.DataFrame, *, where: str) -> None:
    """Raise InputError unless answers are non-negative whole numbers or NaN, ids unique."""
    if counts.empty:
        raise InputError("no respondents", where=where, remedy="give at least one row of answers")
    if counts.index.has_duplicates:
        twice = counts.index[counts.index.duplicated()].unique()
        raise InputError(
            f"respondents listed twice: {listed(twice)}",
            where=where,
            remedy="give each respondent one row and one id",
        )
    values = counts.to_numpy(float)
    wrong = (values < 0) | np.isinf(values) | ((values % 1 != 0) & ~np.isnan(values))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"{values[row, column]:g} of respondent {counts.index[row]} is not a count",
            where=f"{where}, column '{counts.columns[column]}'",
            remedy="answers are whole numbers from 0; leave the cell empty if it is missing",
        )


def check_possible(counts: pd.DataFrame, groups: pd.DataFrame, *, where: str) -> None:
    """Raise InputError if somebody knows more people of a group than there are.

    That is its size for a known group, and its population for a hidden one.
    """
    most = groups["size"].fillna(groups["population"]).to_numpy(float)
    wrong = counts.to_numpy(float) > most
    if not wrong.any():
        return
    cells = np.argwhere(wrong)
    row, column = cells[0]
    group, limit = counts.columns[column], most[column]
    owner = "the group has" if groups["kind"].iloc[column] == "known" else "its population has"
    more = f"; {len(cells) - 1} more answers are as impossible" if len(cells) > 1 else ""
    raise InputError(
        f"{counts.to_numpy()[row, column]:,.0f} in row {row + 1} (respondent {counts.index[row]}) "
        f"is more people than {owner}, {limit:,.0f}{more}",
        where=f"{where}, column '{group}'",
        remedy="correct the answer, or leave its cell empty; rules for such answers can be "
        "declared (top_code, --remove), and what they did is listed",
    )


def missing_codes(counts: pd.DataFrame) -> tuple[str, ...]:
    """Say which groups' largest answer looks like a code for "not answered", if any do.

    That is at least three answers of 97, 98, 99, 998 or 999, more than twice all others.
    """
    found: dict[str, int] = {}
    for group, answers in counts.items():
        codes = answers.isin(CODES)
        below = answers[~codes].max()
        if codes.sum() >= 3 and answers[codes].min() > 2 * below:
            found[str(group)] = int(codes.sum())
    if not found:
        return ()
    return (
        f"{sum(found.values())} answers of 97, 98, 99, 998 or 999 far above all others were taken "
        f"as counts ({listed(list(found))}): if they mean 'not answered', list them as `missing` "
        "in a description of the columns (--missing)",
    )


def check_design(design: pd.DataFrame, *, where: str) -> None:
    """Raise InputError unless weights are usable and every PSU lies in one stratum."""
    require(design, list(DESIGN), where)
    weight = design["weight"].to_numpy(float)
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any() or not weight.sum() > 0:
        row = int(wrong.argmax())
        raise InputError(
            f"weight {weight[row]:g} of respondent {design.index[row]}",
            where=where,
            remedy="give every respondent a finite weight of at least 0, not all of them 0",
        )
    for name in ("stratum", "psu", "area_id"):
        absent = design[name].isna()
        if absent.any() and not absent.all():
            raise InputError(
                f"{int(absent.sum())} respondents without {name}, first "
                f"{design.index[int(absent.to_numpy().argmax())]}",
                where=where,
                remedy=f"give {name} for every respondent or for none",
            )
    if design["stratum"].notna().all() and design["psu"].notna().all():
        strata = design.groupby("psu", observed=True)["stratum"].nunique()
        if (strata > 1).any():
            raise InputError(
                f"PSUs in more than one stratum: {listed(strata.index[strata > 1])}",
                where=where,
                remedy="give each PSU a code of its own, or say they are numbered within strata "
                "(--nest)",
            )


def require(table: pd.DataFrame, columns: list[str], where: str) -> None:
    absent = [c for c in columns if c not in table.columns]
    if absent:
        raise InputError(
            f"missing columns: {listed(absent)}",
            where=where,
            remedy=f"it has {listed(table.columns)}",
        )


def listed(names: pd.Index | list, most: int = 5) -> str:
    shown = ", ".join(map(str, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"

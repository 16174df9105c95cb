"""The tables of a fieldwork, each read and checked: sample, visits, margins, rechecks."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.survey.tables import read_table
from smallarea.survey.validation import listed, numbers, require

#: What a visit to a household may end in, and what may be said of a whole unit (no household).
HOUSEHOLD = ("completed", "partial", "refused", "not_home", "unable", "ineligible", "unknown")
UNIT = ("replaced", "saturated", "dropped")


def read_sample(path: Path) -> pd.DataFrame:
    """Read what `smallarea design` wrote, or a table with `psu_id` and `interviews` alone."""
    table = read_table(path)
    require(table, ["psu_id", "interviews"], path.name)
    table["psu_id"] = as_codes(table["psu_id"])
    twice = table["psu_id"][table["psu_id"].duplicated() | table["psu_id"].isna()]
    if len(twice):
        raise InputError(
            f"unit {twice.iloc[0]} is listed twice or has no code",
            where=f"{path.name}, row {twice.index[0] + 1}",
            remedy="give each sampling unit one row and one psu_id",
        )
    table = table.set_index("psu_id")
    for name in ("interviews", "population", "p_area", "p_area_expanded", "p_psu", "weight"):
        if name in table:
            table[name] = numbers(table[name], f"{path.name}, column '{name}'")
    if not (table["interviews"] > 0).all():
        bad = table.index[~(table["interviews"] > 0)]
        raise InputError(
            f"no number of interviews for {listed(bad)}",
            where=f"{path.name}, column 'interviews'",
            remedy="write how many interviews each unit is to give",
        )
    if "role" not in table:
        table["role"] = "main"
    if "replaces" not in table:
        table["replaces"] = None
    table["replaces"] = as_codes(table["replaces"])
    spare = table[table["role"] == "replacement"]
    lost = spare.index[~spare["replaces"].isin(table.index)]
    if len(lost):
        raise InputError(
            f"{listed(lost)} replace no unit of the sample",
            where=f"{path.name}, column 'replaces'",
            remedy="write the psu_id of the unit whose place they may take",
        )
    return table


def read_visits(path: Path, units: pd.Index) -> pd.DataFrame:
    """Read one row per visit: psu, household, visit, date, outcome, optionally reason."""
    table = read_table(path)
    require(table, ["psu", "household", "outcome"], path.name)
    table["psu"] = as_codes(table["psu"])
    known_units(table["psu"], units, path.name)
    table["outcome"] = table["outcome"].astype("string").str.strip().str.lower().astype(object)
    of_unit = table["household"].isna()
    for chosen, allowed in ((~of_unit, HOUSEHOLD), (of_unit, UNIT)):
        wrong = table.index[chosen & ~table["outcome"].isin(allowed)]
        if len(wrong):
            raise InputError(
                f"outcome {table['outcome'][wrong[0]]!r}"
                + (" of a unit (no household is named)" if allowed is UNIT else " of a household"),
                where=f"{path.name}, row {wrong[0] + 1}",
                remedy=f"write one of {', '.join(allowed)}",
            )
    if "visit" in table:
        table["visit"] = numbers(table["visit"], f"{path.name}, column 'visit'")
    else:
        table["visit"] = table.groupby(["psu", "household"], dropna=False).cumcount() + 1.0
    if "date" in table:
        table["date"] = dates(table["date"], path.name)
    if "reason" not in table:
        table["reason"] = None
    return table


def read_margins(path: Path) -> pd.DataFrame:
    """Read the population's margins: variable, category, people; 18-29 and 60+ are ages."""
    table = read_table(path)
    require(table, ["variable", "category", "people"], path.name)
    table["people"] = numbers(table["people"], f"{path.name}, column 'people'")
    wrong = table.index[~(table["people"] > 0)]
    if len(wrong):
        raise InputError(
            "a category without people",
            where=f"{path.name}, row {wrong[0] + 1}",
            remedy="give the number of people of each category, or leave it out",
        )
    sums = table.groupby("variable", sort=False)["people"].sum()
    if sums.max() > 3 * sums.min():
        raise InputError(
            "the variables add up to different populations: "
            + ", ".join(f"{name} {people:,.0f}" for name, people in sums.items()),
            where=path.name,
            remedy="give numbers of people, of the population that the survey is about",
        )
    table.attrs["file"] = path.name
    return table[["variable", "category", "people"]]


def as_codes(column: pd.Series) -> pd.Series:
    """Return codes as text; whole numbers, as Stata and SPSS keep them, without a point."""
    if pd.api.types.is_float_dtype(column):
        column = column.astype("Int64")
    return column.map(
        lambda v: None if pd.isna(v) or not str(v).strip() else str(v).strip()
    ).astype(object)


def dates(column: pd.Series, where: str) -> pd.Series:
    """Return dates written YYYY-MM-DD, with or without a time; NaT where the cell is empty."""
    text = column.astype("string").str.strip().str.slice(0, 10)
    found = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    wrong = (found.isna() & text.notna() & (text != "")).to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{column.iloc[row]!r} is not a date",
            where=f"{where}, column 'date', row {row + 1}",
            remedy="write dates as YYYY-MM-DD, so that day and month cannot be confused",
        )
    return found


def read_recheck(path: Path) -> pd.DataFrame:
    """Read respondent, group, first, validated, optionally mode."""
    table = read_table(path)
    require(table, ["respondent", "group", "first", "validated"], path.name)
    for name in ("first", "validated"):
        table[name] = numbers(table[name], f"{path.name}, column '{name}'")
    if "mode" not in table:
        table["mode"] = "recheck"
    table["respondent"] = as_codes(table["respondent"])
    twice = table.index[table.duplicated(["respondent", "group", "mode"])]
    if len(twice):
        raise InputError(
            "this respondent, group and mode were there before",
            where=f"{path.name}, row {twice[0] + 1}",
            remedy="keep one row of each; tell two back-checks apart by mode",
        )
    return table


def known_units(codes: Sequence[str] | pd.Series, units: pd.Index, where: str) -> None:
    """Raise InputError where a code is not one of the sample's, with the nearest that is."""
    unknown = sorted({str(code) for code in codes} - set(units))
    if not unknown:
        return
    first = unknown[0]
    padded = [u for u in units if str(u).lstrip("0") == first.lstrip("0")]
    close = padded or get_close_matches(first, list(map(str, units)), 1)
    raise InputError(
        f"{len(unknown)} sampling units are not in the sample: {listed(unknown)}"
        + (f" (is {first} the sample's {close[0]}?)" if close else ""),
        where=f"{where}, column 'psu'",
        remedy="use the psu_id of the sample, kept as text; a unit that replaced another has to "
        "be a row of the sample with role replacement",
    )

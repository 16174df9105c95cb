"""Tables per area: the newest year, a year from its months, rates, and what units above know.

Tables come from `smallarea.catalog.read`: an id column (`area_id`, or a level's, such as
`district_id`) and the columns the catalog declares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.areas import Frame


def align(table: pd.DataFrame, areas: Frame) -> pd.DataFrame:
    """Return the table with one row per area of the frame; NaN where it has none.

    Raises
    ------
    InputError : an area has several rows.
    """
    if table["area_id"].duplicated().any():
        raise InputError(
            f"area {table.loc[table['area_id'].duplicated(), 'area_id'].iloc[0]} has several rows",
            where="tables.align",
            remedy="pick the newest with tables.latest, or sum them first",
        )
    return table.set_index("area_id").reindex(areas.table.index)


def latest(table: pd.DataFrame, areas: Frame, column: str = "year") -> pd.DataFrame:
    """Return each area's rows of the table's newest year, aligned to the frame.

    An area without a row in that year is NaN: no older figure stands in for it.
    """
    return align(table[table[column] == table[column].max()], areas)


def join_down(table: pd.DataFrame, areas: Frame) -> pd.DataFrame:
    """Give every area the row of its unit of a level above; NaN where that has none.

    All areas of a unit then share a value: the column says nothing about differences within it.
    A table as it was read knows the units of its year, and areas with a row of their own; one with
    no column `area_id` is joined by the units of now.
    """
    if "area_id" in table:
        return align(table, areas)
    unit = next(column for column in table if str(column).endswith("_id"))
    rows = table.set_index(unit).reindex(areas.table[unit])
    return rows.set_axis(areas.table.index)


def per_capita(
    values: pd.Series,
    areas: Frame,
    per: float = 1000.0,
    of: str = "population",
    year: int | None = None,
) -> pd.Series:
    """Return values per so many people.

    of : a numeric column of the frame's table.
    year : when the values were counted: then they are per the people of that year, as far as the
        frame's censuses tell; those of `of` are the same share of all people as now.
    """
    people = areas.table[of].astype(float)
    if year is not None:
        people = people * areas.population_in(year) / areas.table["population"]
    return ratio(values, people, per)


def ratio(over: pd.Series, under: pd.Series, per: float = 1.0) -> pd.Series:
    """Return over / under x per, aligned by area; NaN where undefined, as in 0 / 0 or 1 / 0."""
    return over / under.where(under > 0) * per


def annual(table: pd.DataFrame, areas: Frame, how: str, least: int) -> pd.DataFrame:
    """Return each area's columns over its months (or quarters), aligned to the frame.

    Parameters
    ----------
    table : several rows per area, numeric columns; NaN where a month is missing or suppressed.
    how : "mean", "sum", or "cv", the standard deviation over the mean (n - 1 denominator).
    least : an area with fewer observed months than this in a column is NaN there. A sum wants all
        of them; a mean over a part is biased up where it is the small months that are suppressed.
    """
    numbers = table[["area_id", *table.select_dtypes("number")]]
    groups = numbers.groupby("area_id")
    match how:
        case "mean" | "sum":
            values = groups.agg(how)
        case "cv":
            means = groups.mean()
            values = groups.std() / means.where(means > 0)
        case _:
            raise InputError(
                f"'{how}' is no summary of a year", where="tables.annual", remedy="mean, sum or cv"
            )
    return values.where(groups.count() >= least).reindex(areas.table.index)


def growth(new: pd.Series, old: pd.Series, years: float) -> pd.Series:
    """Return the mean annual growth rate between two counts, as a share per year (log change)."""
    return np.log(ratio(new.where(new > 0), old)) / years

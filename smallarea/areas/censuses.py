"""Populations of other years than the frame's, on the areas of now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from smallarea.areas.codes import Crosswalk
from smallarea.areas.history import shares_then, still_to_divide
from smallarea.areas.spec import Census, locate
from smallarea.errors import InputError
from smallarea.reading.cells import as_text, as_values, find_columns, read_cells
from smallarea.reading.column import Column

COUNT = Column(min=0)


def census_files(censuses: Sequence[Census], data_dirs: Sequence[Path]) -> list[Path]:
    """Return the files that are there, each once."""
    found = [locate(census.file, data_dirs) for census in censuses]
    return list(dict.fromkeys(path for path in found if path))


def read_censuses(
    censuses: Sequence[Census],
    year_now: int | None,
    population: pd.Series,
    transfers: pd.DataFrame,
    crosswalk: Crosswalk,
    data_dirs: Sequence[Path],
) -> pd.DataFrame:
    """Return area_id, year, population of the declared censuses at hand and of the frame's own.

    Each file is carried to the areas of now: people of divided areas by where they live now.

    Parameters
    ----------
    year_now : of `population` (index area_id); without one it is not in the result.
    transfers : see `Frame.transfers`.

    Raises
    ------
    InputError : a column is missing, a count is none, or an area stands twice.
    """
    parts = []
    for census in censuses:
        path = locate(census.file, data_dirs)
        if path is None:
            continue
        wanted = {"code": census.code, "population": census.population}
        body = find_columns(read_cells(path, None, path.name), wanted, set(), path.name)
        area_id = crosswalk.match(as_text(body["code"]), f"{path.name}, column '{census.code}'")
        where = f"{path.name}, column '{census.population}'"
        people, _ = as_values(body["population"], COUNT, where)
        counted = people.set_axis(area_id)[area_id.notna().to_numpy()].dropna()
        if counted.index.has_duplicates:
            raise InputError(
                f"{counted.index[counted.index.duplicated()][0]} stands there twice",
                where=where,
                remedy="leave one row per area",
            )
        parts.append(_carried(counted, population, transfers, census.year))
    if year_now is not None:
        parts.append(_long(population.astype(float), year_now))
    return pd.concat(parts, ignore_index=True) if parts else _long(pd.Series(dtype=float), 0)


def _carried(
    counted: pd.Series, population: pd.Series, transfers: pd.DataFrame, year: int
) -> pd.DataFrame:
    shares = still_to_divide(shares_then(population, transfers, year), set(counted.index))
    touched = set(shares["origin"]) | set(shares["area_id"])
    came = shares["origin"].map(counted) * shares["share"]
    now = came.groupby(shares["area_id"]).sum(skipna=False)
    return _long(pd.concat([counted[~counted.index.isin(touched)], now.dropna()]), year)


def _long(people: pd.Series, year: int) -> pd.DataFrame:
    columns = {"area_id": people.index.astype("str"), "year": year}
    return pd.DataFrame(columns | {"population": people.to_numpy(float)})


def population_in(series: pd.DataFrame, year: int) -> pd.Series:
    """Return the population of each area in a year, index area_id.

    Between two censuses it grows at an even rate; before the first and after the last it is what
    was counted then.
    """
    wide = series.pivot_table("population", "area_id", "year").sort_index(axis=1)
    years = wide.columns.to_numpy(float)
    logs = np.log(wide.where(wide > 0).to_numpy(float))
    found = [
        np.interp(year, years[~np.isnan(row)], row[~np.isnan(row)]) if (~np.isnan(row)).any()
        else np.nan
        for row in logs
    ]  # fmt: skip
    return pd.Series(np.exp(found), index=wide.index, dtype=float)

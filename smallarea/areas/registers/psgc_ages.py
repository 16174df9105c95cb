"""Adults and children (0-17) per area, from the nearest population-by-age table there is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smallarea.areas.names import canonical
from smallarea.areas.registers.psgc_spec import AgeFile, Ages
from smallarea.areas.spec import locate
from smallarea.errors import InputError
from smallarea.reading.cells import as_text, as_values, find_columns, read_cells, refuse_rows
from smallarea.reading.column import Column


def children_share(
    areas: pd.DataFrame, ages: Ages, data_dirs: Sequence[Path]
) -> tuple[pd.Series, pd.Series]:
    """Return each area's share of children and where it comes from.

    If the age file is at hand, an area takes the share of its own row, else of its province, else
    of its region; without any of these, the national default of the catalog.

    Parameters
    ----------
    areas : index area_id; province, region.
    """
    share = pd.Series(float("nan"), index=areas.index)
    source = pd.Series("", index=areas.index, dtype="str")
    path = locate(ages.file.file, data_dirs) if ages.file else None
    if ages.file and path:
        shares = _shares(path, ages.file)
        aliases = pd.Series(ages.file.aliases, dtype="str")
        own = pd.Series(areas.index, index=areas.index).map(aliases)
        for level, label in (
            ("area", own),
            ("province", areas["province"].replace(aliases.to_dict())),
            ("region", areas["region"].replace(aliases.to_dict())),
        ):
            found = label.map(lambda x: canonical(x, {}), na_action="ignore").map(shares)
            new = share.isna() & found.notna()
            share = share.mask(new, found)
            source = source.mask(new, f"{level} " + label.astype("str") + f", {ages.file.source}")
    default = share.isna()
    return share.mask(default, ages.children), source.mask(default, f"nation, {ages.source}")


def _shares(path: Path, file: AgeFile) -> pd.Series:
    """Return the share of children by canonical name of the file's rows."""
    columns = {"area": file.area, "age": file.age, "population": file.population}
    body = find_columns(read_cells(path, None, path.name), columns, set(), path.name)
    ages = as_text(body["age"])
    if lacking := set(file.children) - set(ages):
        raise InputError(
            f"column '{file.age}' never says '{min(lacking)}'",
            where=path.name,
            remedy="correct frame.ages.file.children in data_catalog.yaml",
        )
    where = f"{path.name}, column '{file.population}'"
    people, _ = as_values(body["population"], Column(min=0), where)
    areas = as_text(body["area"])
    empty = areas.isna() | people.isna()
    refuse_rows(empty, "the row lacks its area or its count", where, "correct the file")
    part = ages.map(file.children).astype(float).fillna(0) * people
    names = areas.astype("str").map(lambda name: canonical(name, {}))
    sums = pd.DataFrame({"part": part, "people": people}).groupby(names).sum()
    return sums["part"] / sums["people"]

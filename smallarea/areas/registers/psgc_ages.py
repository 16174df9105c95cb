"""Adults and children (0-17) per area, from the nearest population-by-age table there is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smallarea.areas.names import canonical
from smallarea.areas.registers.psgc_spec import AgeFile, Ages
from smallarea.areas.spec import locate
from smallarea.errors import InputError


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
    table = pd.read_csv(path)
    if lacking := {file.area, file.age, file.population} - set(table.columns):
        raise InputError(
            f"column '{min(lacking)}' is missing",
            where=path.name,
            remedy="correct frame.ages.file in data_catalog.yaml or the file",
        )
    if lacking := set(file.children) - set(table[file.age]):
        raise InputError(
            f"column '{file.age}' never says '{min(lacking)}'",
            where=path.name,
            remedy="correct frame.ages.file.children in data_catalog.yaml",
        )
    people = pd.to_numeric(table[file.population], errors="coerce")
    if (bad := ~(people >= 0)).any():
        raise InputError(
            f"{bad.sum()} rows have no count or a negative one, the first for "
            f"'{table.loc[bad, file.area].iloc[0]}'",
            where=f"{path.name}, column '{file.population}'",
            remedy="correct the file",
        )
    part = table[file.age].map(file.children).fillna(0) * table[file.population]
    sums = table.assign(part=part).groupby(file.area)[["part", file.population]].sum()
    shares = sums["part"] / sums[file.population]
    return shares.rename(index=lambda name: canonical(name, {}))

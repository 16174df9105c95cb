"""Where somebody is at work already, and since when: never a covariate of what is estimated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.catalog.declare import PROGRAMME, Catalog
from smallarea.catalog.snapshots import Snapshot, absent
from smallarea.catalog.tables import read_rows
from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.areas import Frame

COLUMNS = ["programme", "area_id", "start"]


def read_programmes(
    catalog: Catalog, snapshots: Mapping[str, Snapshot], frame: Frame
) -> pd.DataFrame:
    """Read every source of kind `programme`; one without a file is left out if it is optional.

    Returns
    -------
    programme (the source's name), area_id, start (the earliest in the area, as YYYY-MM-DD).

    Raises
    ------
    InputError : as `read_rows`; a required file is absent, or a start is empty or no date.
    """
    parts = [pd.DataFrame(columns=COLUMNS)]
    for name, source in catalog.sources.items():
        if source.kind != PROGRAMME:
            continue
        if name not in snapshots:
            if source.optional:
                continue
            raise absent(source, "none of the folders searched")
        per = tuple(dict.fromkeys(("start", *source.per)))
        rows, _ = read_rows(source.model_copy(update={"per": per}), snapshots[name], frame)
        start = pd.to_datetime(rows["start"], format="ISO8601", errors="coerce")
        if start.isna().any():
            said = rows.loc[start.isna(), "start"].fillna("an empty cell").iloc[0]
            raise InputError(
                f"{said!r} is no date",
                where=f"{source.file}, column '{source.columns['start'].head('start')}'",
                remedy="write every start as 2022-03-15, 2022-03 or 2022",
            )
        began = start.groupby(rows["area_id"]).min().dt.strftime("%Y-%m-%d")
        parts.append(began.rename("start").reset_index().assign(programme=name)[COLUMNS])
    return pd.concat(parts, ignore_index=True).astype("str")

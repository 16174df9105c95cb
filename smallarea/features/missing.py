"""Why a value is missing: one reason per missing cell of the feature matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from smallarea.catalog import ReadReport
from smallarea.catalog.rasters import Raster
from smallarea.catalog.rows import BOUNDS

NO_ROW = "{source} has no row of it"
UNSEEN = "{source} does not reach it"
NO_POINT = "{source} has no point in it"
WITHHELD = "a small count of it is withheld in {source}"
UNDEFINED = "empty or undefined in {source}"


def reasons(
    values: pd.DataFrame, data: Sequence[Any], reports: Sequence[ReadReport]
) -> pd.DataFrame:
    """Return the missing cells of a stream's columns with their reasons.

    Parameters
    ----------
    values : area_id x feature.
    data, reports : what the stream was given, and the account of how each was read.

    Returns
    -------
    feature, area_id, reason. Of several sources the first that explains it gives the reason; what
    none explains is empty in the file, or a rate that has no denominator.
    """
    why = pd.Series(pd.NA, index=values.index, dtype="str")
    for told, report in zip(data, reports, strict=True):
        why = why.fillna(_by_source(told, report, values.index))
    names = ", ".join(report.source for report in reports) or "the frame"
    why = why.fillna(UNDEFINED.format(source=names))
    column, row = values.isna().to_numpy().T.nonzero()
    missing = pd.DataFrame({"feature": values.columns[column], "area_id": values.index[row]})
    return missing.assign(reason=missing["area_id"].map(why))


def _by_source(data: Any, report: ReadReport, areas: pd.Index) -> pd.Series:
    """Return what a source explains by itself, <NA> elsewhere."""
    said = pd.Series(report.missing, dtype="str").reindex(areas)
    if isinstance(data, Raster):
        unseen = [area for area, share in data.observed.items() if share == 0]
        beyond = pd.Series(UNSEEN.format(source=report.source), index=unseen, dtype="str")
        return said.fillna(beyond.reindex(areas))
    if not isinstance(data, pd.DataFrame):
        return said
    ends = [end for end in ("area_id", "origin", "destination") if end in data]
    if not ends:
        return said
    present = pd.unique(pd.concat([data[end] for end in ends]).dropna())
    nothing = NO_POINT if {"lat", "lon"} <= set(data) else NO_ROW
    absent = pd.Series(nothing.format(source=report.source), index=areas.difference(present))
    hidden = pd.Index([])
    for column in (str(c).removesuffix(BOUNDS[0]) for c in data if str(c).endswith(BOUNDS[0])):
        if column in data:
            rows = data[column].isna() & data[column + BOUNDS[0]].notna()
            hidden = hidden.union(pd.Index(data.loc[rows, ends[0]].dropna().unique()))
    withheld = pd.Series(
        WITHHELD.format(source=report.source), index=hidden.difference(absent.index)
    )
    return said.fillna(pd.concat([absent, withheld]).astype("str").reindex(areas))

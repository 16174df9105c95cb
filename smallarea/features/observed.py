"""How much of each area the sources of a feature have observed, and why a value is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from smallarea.catalog import ReadReport
from smallarea.catalog.rasters import Raster
from smallarea.catalog.report import some


def without_unobserved(values: pd.DataFrame, reports: Sequence[ReadReport]) -> pd.DataFrame:
    """Return the columns of a stream, missing where one of its sources says nothing of an area.

    A count of no points is 0 only where the file covers the area.
    """
    missing = {area for report in reports for area in report.missing}
    return values.mask(pd.Series(values.index.isin(missing), index=values.index))


def shares_observed(values: pd.DataFrame, data: Sequence[Any]) -> pd.DataFrame:
    """Return, like `values`, the share of each area that the sources of its stream have observed.

    Of rasters it is the share of the area with a value, the least of several; of everything else
    1 where there is a value and 0 where there is none.

    data : what the stream was given.
    """
    shares = [pd.Series(d.observed, dtype=float) for d in data if isinstance(d, Raster)]
    shares = [share.reindex(values.index) for share in shares if len(share)]
    if not shares:
        return values.notna().astype(float)
    least = pd.concat(shares, axis=1).min(axis=1).fillna(0.0)
    return pd.DataFrame(dict.fromkeys(values, least), index=values.index)


def with_unseen(report: ReadReport, raster: Raster, names: pd.Series) -> ReadReport:
    """Return a raster's report with the areas of which too little was observed.

    names : of areas, index area_id.
    """
    least = raster.least_observed
    little = {a: s for a, s in raster.observed.items() if 0 < s < least - 1e-9}
    if not little:
        return report
    said = f"{len(little)} areas of which less than {least:.0%} has values are missing"
    why = {area: f"{share:.1%} of it has values" for area, share in little.items()}
    note = f"{said}: {some(names.reindex(sorted(little)))}"
    return replace(report, notes=(*report.notes, note), missing=report.missing | why)

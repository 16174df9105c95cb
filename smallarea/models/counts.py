"""What every estimator starts from: reports and exposure of the areas it is asked about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]


def effective_counts(direct: Direct) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return reports and exposure, each divided by the design effect: area_id x component.

    Divided so, counts carry the information of Poisson counts (an effective sample size). An
    area whose reports or exposure are missing carries none: both are 0 there. Rows are sorted.
    """
    direct = rows(direct, direct.reports.index.sort_values())
    known = direct.reports.notna() & (direct.exposure > 0)
    reports, exposure = direct.reports.where(known, 0.0), direct.exposure.where(known, 0.0)
    if (reports < 0).any(axis=None):
        raise InputError(
            "a number of reports is negative", where="survey", remedy="correct the survey's answers"
        )
    empty = list(exposure.columns[exposure.sum() == 0])
    if empty or exposure.empty:
        raise InputError(
            f"no area has any exposure for {', '.join(empty) or 'any component'}",
            where="survey",
            remedy="check that the known groups are answered, so that degrees can be estimated",
        )
    return reports / direct.deff, exposure / direct.deff


def at_areas(table: pd.DataFrame, area_ids: pd.Index) -> pd.DataFrame:
    """Return effective reports or exposure of any areas: 0 (no information) if not surveyed."""
    return table.reindex(area_ids, fill_value=0.0)


def rows(direct: Direct, area_ids: pd.Index) -> Direct:
    """Return the direct estimates of some of the areas."""
    return replace(
        direct,
        reports=direct.reports.loc[area_ids],
        exposure=direct.exposure.loc[area_ids],
        variance=direct.variance.loc[area_ids],
        raw=None if direct.raw is None else direct.raw.loc[area_ids],
        covariance=(
            None
            if direct.covariance is None
            else direct.covariance.loc[direct.covariance.index.isin(area_ids, level="area_id")]
        ),
        units=None if direct.units is None else direct.units.within(area_ids),
    )


def check_areas(X: pd.DataFrame, direct: Direct, areas: pd.DataFrame) -> None:
    """Raise InputError unless every surveyed area has a row, once, in `X` and in `areas`."""
    for name, index in {"features": X.index, "frame": areas.index}.items():
        if index.has_duplicates:
            twice = index[index.duplicated()][0]
            raise InputError(
                f"area {twice} stands there twice", where=name, remedy="keep one row per area"
            )
        absent = direct.reports.index.difference(index)
        if len(absent):
            raise InputError(
                f"{len(absent)} surveyed areas are missing: {', '.join(map(str, absent[:5]))}",
                where=name,
                remedy="match the survey to the frame before fitting",
            )


def check_features(X: pd.DataFrame, fitted: pd.Index) -> pd.DataFrame:
    """Return `X` with the fitted columns in the fitted order; raise InputError if one lacks."""
    absent = fitted.difference(X.columns)
    if len(absent):
        raise InputError(
            f"{len(absent)} features the model was fitted with are missing: {list(absent[:5])}",
            where="features",
            remedy="give the same features at projection as at fitting",
        )
    return X[fitted]


def as_draws(values: list[Array], components: pd.Index, area_ids: pd.Index) -> xr.DataArray:
    """Return arrays (areas in sorted order, draws), one per component, as draws of rates.

    Areas come back in the order of `area_ids`: which area is drawn first never changes a draw.
    """
    draws = xr.DataArray(
        np.stack(values),
        dims=("component", "area_id", "draw"),
        coords={"component": list(components), "area_id": area_ids.sort_values().to_numpy(object)},
        name="rate",
    )
    return draws.sel(area_id=area_ids.to_numpy(object))

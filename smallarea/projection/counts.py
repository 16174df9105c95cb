"""From prevalences to counts of people whose sums hold exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.indicators import Indicators

#: Counts are whole multiples of this part of a person. A power of two: every sum of counts below
#: 2**33 people is then exact in float64, whatever the order of summation.
GRAIN = 2.0**-20


def reference_sizes(table: pd.DataFrame, indicators: Indicators) -> xr.DataArray:
    """Reference population in persons per component and area, dims (component, area_id).

    `table` is the frame's table (index area_id, a column for each reference population).
    """
    return xr.DataArray(
        np.stack(
            [table[c.population].to_numpy(dtype=float) for c in indicators.components.values()]
        ),
        dims=("component", "area_id"),
        coords={
            "component": list(indicators.components),
            "area_id": table.index.to_numpy(dtype=object),
        },
    )


def to_counts(prevalence: xr.DataArray, sizes: xr.DataArray, covered: pd.Series) -> xr.DataArray:
    """Counts per component, area and draw, on a grid of `GRAIN` persons.

    Rounding keeps the totals of the covered and of the other areas: the *cumulative* sum over
    areas is rounded and differenced, so no count moves by more than one grain, none turns
    negative, sums of counts are exact, and a national total is met within half a grain
    (5e-7 persons: below 1e-9 of any total over 500 people).

    Parameters
    ----------
    prevalence : dims (component, area_id, draw); sizes : dims (component, area_id), persons.
    covered : bool, index area_id.

    Returns
    -------
    Counts in persons, dims and order of `prevalence`.
    """
    prevalence = prevalence.transpose("component", "area_id", "draw")
    areas = prevalence["area_id"].values
    size = sizes.transpose("component", "area_id").sel(
        component=prevalence["component"].values, area_id=areas
    )
    counts = prevalence * size
    inside = covered.loc[areas].to_numpy(dtype=bool)
    for of_one in counts.values:
        for part in (inside, ~inside):
            steps = np.rint(np.cumsum(of_one[part], axis=0) / GRAIN)
            of_one[part] = np.diff(steps, axis=0, prepend=0) * GRAIN
    return counts.rename("counts").assign_attrs(units="persons")

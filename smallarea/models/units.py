"""Respondents' overdispersed reports, collapsed to what their likelihood needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct, Units

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Collapsed:
    """What the likelihood needs: totals per PSU, and one extra per person beyond a first report.

    areas : those observed. area_of : (psus,). exposure, reporters, reports : (psus, components).
    extra_* : PSU, component, the respondent's degree, and m = 1, 2, ... beyond the first.
    """

    areas: pd.Index
    area_of: NDArray[np.intp]
    exposure: Array
    reporters: Array
    reports: Array
    extra_psu: NDArray[np.intp]
    extra_component: NDArray[np.intp]
    extra_degree: Array
    extra_m: Array


def of_areas(direct: Direct) -> Units:
    """Take each area's totals for one respondent: exact but for what tells kappa."""
    from smallarea.nsum.direct.estimates import Units

    ids = direct.reports.index.to_series()
    known = direct.reports.notna() & (direct.exposure > 0)
    return Units(direct.reports.where(known), direct.exposure.where(known), ids, ids)


def collapse(units: Units, all_areas: pd.Index) -> Collapsed:
    """Sum the respondents of each PSU; raise InputError on unknown areas and impossible answers."""
    reports, exposure = units.reports, units.exposure
    used = reports.notna() & exposure.notna()
    y, d = reports.where(used, 0.0), exposure.where(used, 0.0)
    unknown = pd.Index(units.area_id.unique()).difference(all_areas)
    if len(unknown):
        raise InputError(
            f"respondents live in {len(unknown)} areas that are not in the frame",
            where="hierarchy",
            remedy="match the survey to the frame before fitting",
        )
    psus = pd.MultiIndex.from_arrays([units.area_id, units.psu])
    codes, labels = pd.factorize(psus)
    areas = pd.Index(labels.get_level_values(0).unique()).sort_values()
    row, component = np.nonzero(y.to_numpy() > 1)
    many = y.to_numpy()[row, component].astype(int) - 1
    row, component = np.repeat(row, many), np.repeat(component, many)
    first = np.repeat(np.cumsum(many) - many, many)

    def total(table: pd.DataFrame) -> Array:
        return table.groupby(codes).sum().to_numpy(float)

    if ((total(d) == 0) & (total(y) > 0)).any():
        raise InputError(
            "in a PSU where nobody knows anybody, somebody is reported",
            where="hierarchy",
            remedy="leave out its answers, or correct the degrees",
        )
    return Collapsed(
        areas=areas,
        area_of=areas.get_indexer(labels.get_level_values(0)),
        exposure=total(d),
        reporters=total((y > 0).astype(float)),
        reports=total(y),
        extra_psu=codes[row],
        extra_component=component,
        extra_degree=d.to_numpy()[row, component],
        extra_m=np.arange(len(row)) - first + 1.0,
    )


def log_likelihood(
    log_w: Any,
    kappa: Any,
    exposure: Any,
    reporters: Any,
    reports: Any,
    cell: tuple[Any, Any],
    extra: tuple[Any, Any, Any],
) -> Any:
    """Log probability of all respondents' reports, but for terms without parameters.

    With r = d w / kappa a negative binomial of mean d w and variance (1 + kappa) d w has
    log p(y) = sum_{m<y} log(r + m) - r log(1 + kappa) + y log(kappa / (1 + kappa)) + const.
    Summed over the respondents of a PSU only the terms m >= 1 remain one by one, and every
    log(kappa) cancels, so that kappa -> 0 is the Poisson model without any loss of digits.

    Parameters
    ----------
    log_w, exposure, reporters : (psus, components). kappa, reports : (components,).
    cell : PSU and component of each extra. extra : its degree, m and weight (0: padding).
    """
    import pytensor.tensor as pt

    degree, m, real = extra
    rate = pt.exp(log_w)
    beyond = degree * rate[cell] + m * kappa[cell[1]]
    return (
        (reporters * log_w - exposure * rate * pt.log1p(kappa) / kappa).sum()
        - (reports * pt.log1p(kappa)).sum()
        + (real * pt.log(pt.switch(real > 0, beyond, 1.0))).sum()
    )

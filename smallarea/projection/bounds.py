"""Rates stay below everybody: draws of models and of a reporting rate that push them over 1."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError

#: A rate is bounded here where a draw of it, or of tau, would push it over 1 (everybody).
CEILING = 1 - 2.0**-20
#: Share of draws from which bounding them is warned of.
MANY_BOUNDED = 0.01


def bound_rates(rates: xr.DataArray) -> tuple[xr.DataArray, pd.Series]:
    """Bound draws of rates below 1; return them and the share bounded, index component.

    Count models know no upper end: where a rate is high, some draws of it are above everybody.
    """
    above = rates >= CEILING
    share = above.mean([dim for dim in rates.dims if dim != "component"])
    names = pd.Index(rates["component"].values, name="component")
    return rates.where(~above, CEILING), pd.Series(share.values, names, name="above_one")


def bounded_words(share: pd.Series, labels: Mapping[str, str]) -> list[str]:
    """Warn of components over 1 % of whose draws were above 1. labels : what they are called."""
    return [
        f"{labels.get(str(name), str(name))}: {part:.1%} of the draws of rates were above 1 "
        "and are bounded there"
        for name, part in share.items()
        if part > MANY_BOUNDED
    ]


def apply_tau(
    rates: xr.DataArray, tau: np.ndarray | xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray]:
    """Turn reported rates into prevalences: rate / tau, the same tau draw for every area.

    Parameters
    ----------
    rates : any dimensions among (component, area_id, draw); in (0, 1).
    tau : draws of the reporting rate in (0, 1], shape (draw,); or a DataArray with further
        dimensions (component, area_id) when reporting differs between them.

    Returns
    -------
    prevalence, bounded : a prevalence cannot exceed 1, so where a tau draw is smaller than the
        reported rate the prevalence is bounded at `CEILING`; `bounded` marks those values. It is
        a bound and not a rejection of the draw, because otherwise the largest of 1,642 uncertain
        rates would inform tau, which belongs to all of them.
    """
    if not isinstance(tau, xr.DataArray):
        tau = xr.DataArray(np.asarray(tau, dtype=float), dims="draw")
    if "draw" in tau.dims and tau.sizes["draw"] != rates.sizes["draw"]:
        raise InputError(
            f"{tau.sizes['draw']} draws for {rates.sizes['draw']} draws of the rates",
            where="tau",
            remedy="draw tau as often as the rates",
        )
    if not bool(((tau > 0) & (tau <= 1)).all()):
        raise InputError(
            "a reporting rate is not in (0, 1]", where="tau", remedy="check the prior of tau"
        )
    prevalence = (rates / tau).transpose(*rates.dims, ...)
    bounded = prevalence > CEILING
    np.minimum(prevalence.values, CEILING, out=prevalence.values)
    return prevalence, bounded

"""Totals given from elsewhere that cannot be: parts that are more than their whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.levels import levels_of
from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.projection.indicators import count_draws

#: Share of draws in which totals have to exceed what they are a part of, to be contradictory.
SURELY = 0.975


def check_given(
    given: pd.DataFrame,
    drawn: np.ndarray,
    national: xr.DataArray,
    table: pd.DataFrame,
    indicators: Indicators,
    name: str,
) -> None:
    """Refuse totals that together surely exceed what they are a part of.

    That is the nation's total (of the covered areas), the total given of a unit that they lie in,
    or a sum given of the same unit.

    Parameters
    ----------
    given, drawn : see `read_given`, `draw_given`. national : reported people (component, draw).
    name : the file's, for messages.
    """
    nation = national.expand_dims(area_id=["nation"]).transpose("component", "area_id", "draw")
    levels = levels_of(table)  # lowest first
    for (level, component), rows in given.groupby(["level", "component"], sort=False):
        own = given.index.isin(rows.index)
        all_covered = table.groupby(f"{level}_id")["covered"].all()
        inside = own & given["unit_id"].map(all_covered).fillna(False).to_numpy(bool)
        whole = count_draws(nation, str(component), indicators).values[0]
        _refuse_excess(given, drawn, inside, whole, f"the nation's {component}", name)
        above = given[(given["component"] == component) & (given["level"] != level)]
        for row, upper in above.iterrows():
            within = table.loc[table[f"{upper['level']}_id"] == upper["unit_id"], f"{level}_id"]
            inside = own & given["unit_id"].isin(within).to_numpy()
            lower = levels.index(str(level)) < levels.index(str(upper["level"]))
            if lower and inside.any():
                whole = drawn[given.index.get_loc(row)]
                _refuse_excess(given, drawn, inside, whole, f"that of {upper['unit']}", name)
    for row, added in given[given["component"].isin(list(indicators.sums))].iterrows():
        same = (given["level"] == added["level"]) & (given["unit_id"] == added["unit_id"])
        for part in indicators.parts(str(added["component"])):
            inside = (same & (given["component"] == part)).to_numpy()
            whole = drawn[given.index.get_loc(row)]
            _refuse_excess(given, drawn, inside, whole, f"the unit's {added['component']}", name)


def _refuse_excess(
    given: pd.DataFrame,
    drawn: np.ndarray,
    inside: np.ndarray,
    whole: np.ndarray,
    of: str,
    name: str,
) -> None:
    if not inside.any():
        return
    part = drawn[inside].sum(axis=0)
    if not (part > whole).mean() > SURELY:
        return
    rows = given[inside]
    first = int(rows.index.to_numpy()[rows["log_mean"].to_numpy().argmax()])
    units = rows["unit"][first] if len(rows) == 1 else f"{len(rows)} units, most in"
    units += "" if len(rows) == 1 else f" {rows['unit'][first]},"
    raise InputError(
        f"{rows['component'][first]}: {np.median(part):,.0f} people in {units} are more than {of}, "
        f"{np.median(whole):,.0f}, beyond what their errors allow",
        where=f"{name}, row {first}",
        remedy="check that both count the same people (as reported, of the same period), or give "
        "the errors that they have",
    )

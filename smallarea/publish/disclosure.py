"""Disclosure control: what stands between an estimate and its publication.

Nothing about a respondent is ever published: tables carry the columns of
`smallarea.publish.estimates.COLUMNS` and no other, so that raw reports, numbers of respondents
per area, casework and weights cannot slip in (:func:`check_columns`).

Suppression (:func:`suppress`) blanks areas with too few people in a reference population, after
the threshold rule of the UK Data Service's guidance on disclosure assessment. Where 1 child in
100 is counted, 500 children mean five: fewer could be guessed at by a neighbour, and the
model knows next to nothing about so small a place anyway.

Differencing. A blanked number could be recovered as its district's total less the published
areas, were both additive. Medians and quantiles are not, and of groups only those are published;
means of groups of areas must not be added while single areas are suppressed. `draws.nc` holds the
joint draws of all areas, suppressed ones too: it is a research file, marked as restricted, to be
shared under the agreement that governs the survey and not beside the public tables.

A stricter rule (dominance, complementary suppression) goes into :func:`suppress`: every public
table, the map and the report are made from what it returns.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.publish.estimates import NUMBERS, column_order, levels_in

#: Size of a reference population below which an area's numbers are not published, by default.
MINIMUM_REFERENCE = 500
SUPPRESSED = "suppressed_small_population"


def suppress(
    estimates: pd.DataFrame,
    table: pd.DataFrame,
    indicators: Indicators,
    minimum: float = MINIMUM_REFERENCE,
) -> pd.DataFrame:
    """Blank every number of areas with fewer than `minimum` people of a population, and flag them.

    estimates : the long table. table : the frame's table, index area_id. All indicators of such
    an area are blanked together, since one could be computed from the others.
    """
    people = table.loc[estimates["area_id"], list(indicators.populations)]
    small = (~(people >= minimum)).any(axis=1).to_numpy()
    result = estimates.copy()
    for column in (*NUMBERS, "p_top"):
        empty = pd.NA if column.startswith("rank") else np.nan
        result[column] = result[column].where(~small, empty)
    marked = result.loc[small, "flags"]
    result.loc[small, "flags"] = (marked + ";" + SUPPRESSED).str.lstrip(";")
    return result


def check_columns(estimates: pd.DataFrame) -> None:
    """Raise InputError when a table to be published holds any column but the declared ones.

    Behind `name` only names of levels may stand, never numbers.
    """
    levels = levels_in(estimates)
    numeric = [level for level in levels if pd.api.types.is_numeric_dtype(estimates[level])]
    declared = set(column_order(levels)) - set(numeric)
    if extra := [column for column in estimates.columns if column not in declared]:
        raise InputError(
            f"columns {', '.join(map(str, extra))} are not declared for publication",
            where="published estimates",
            remedy="drop them; raw reports and respondent counts are never published",
        )

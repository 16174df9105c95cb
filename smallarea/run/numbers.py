"""The numbers of a run: draws summarised, and what is too small to be told withheld."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.publish import estimate_areas, estimate_groups, flag_areas, suppress

if TYPE_CHECKING:
    from smallarea.release.estimates import Measured
    from smallarea.run.outputs import Outputs
    from smallarea.settings import Settings


@dataclass(frozen=True)
class Numbers:
    """What is published, after disclosure control: of areas, of the nation, of each level told."""

    areas: pd.DataFrame
    national: pd.DataFrame
    groups: dict[str, pd.DataFrame]


def summarised(outputs: Outputs, made: Measured, settings: Settings, k: int) -> Numbers:
    """Summarise the draws; withhold what is too small to be told."""
    table, indicators = outputs.frame.table, made.indicators
    flags = flag_areas(
        table, extrapolated=outputs.extrapolated, mean=made.mean, small=settings.small_population,
        synthetic=made.synthetic,
    )  # fmt: skip
    shared: dict[str, Any] = {"indicators": indicators} | outputs.moments
    every = estimate_areas(outputs.counts, table, flags, outputs.surveyed, k=k, **shared)
    areas = suppress(every, table, indicators, settings.withhold_below)
    national = estimate_groups(outputs.counts, table.assign(nation="nation"), "nation", **shared)
    levels = levels_of(table)
    told = levels[1:] or levels  # the lowest level has few interviews, and often but one unit
    groups = {level: estimate_groups(outputs.counts, table, level, **shared) for level in told}
    if areas["q50"].isna().any():  # means add up: with the nation's, a withheld one would too
        national[["mean", "sd"]] = np.nan
        for group in groups.values():
            group[["mean", "sd"]] = np.nan
    return Numbers(areas, national, groups)

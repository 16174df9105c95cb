"""The survey's sampling design: strata, areas and barangays with known inclusion probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.simulate.settings import TwinSettings
from smallarea.survey.design import allocate, inclusion_probabilities, strata, systematic

if TYPE_CHECKING:
    from smallarea.areas import Frame


def draw_areas(
    table: pd.DataFrame, settings: TwinSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the survey's areas, PPS (adults) systematically within strata, geographic order.

    Parameters
    ----------
    table : a frame's table; only areas with `covered` can be drawn.

    Returns
    -------
    Index area_id (`settings.areas` rows); columns `stratum`, `probability` (of inclusion).
    """
    covered = table[table["covered"].astype(bool)].sort_index()
    units = pd.DataFrame({"stratum": strata(covered), "adults": covered["adults"]})
    members = units.groupby("stratum")
    number = allocate(members["adults"].sum(), members.size(), settings.areas).to_dict()
    units["probability"] = 0.0
    chosen = []
    for stratum, here in members.indices.items():
        probability = inclusion_probabilities(units["adults"].to_numpy()[here], number[stratum])
        units.iloc[here, 2] = probability
        chosen.append(here[systematic(probability, rng)])
    return units.iloc[np.concatenate(chosen)][["stratum", "probability"]]


def draw_interviews(frame: Frame, settings: TwinSettings, rng: np.random.Generator) -> pd.DataFrame:
    """Draw areas, barangays and households: one row per interview.

    One barangay per area; `replicate_areas` sampled areas of `replicate_region` get a second
    one, by the same draw. With probability p_a of an area and p_b of a barangay in it, and m of
    its H households interviewed, an interview stands for H / (p_a p_b m) households; where two
    barangays are drawn p_b doubles, so both together stand for the area once.

    Returns
    -------
    Columns `area_id`, `psu`, `stratum`, `households` (the weight before the draw of a person in
    the household), `urban` (0/1, of the barangay), `replicate` (0/1).

    Raises
    ------
    InputError : too few areas, or too few in the replicate region.
    """
    areas = draw_areas(frame.table, settings, rng)
    barangays = frame.psus[frame.psus["population"] > 0].sort_index()
    number = barangays.groupby("area_id").size()
    twice = _replicate_areas(frame.table, areas, number, settings, rng)
    positions = barangays.groupby("area_id").indices
    rows = []
    population = barangays["population"].to_numpy()
    for area_id, stratum, p_area in areas.itertuples():
        here = np.asarray(positions[area_id])
        size = population[here]
        probability = inclusion_probabilities(size, 2 if area_id in twice else 1)
        drawn = rng.permutation(systematic(probability, rng))
        for replicate, position in enumerate(drawn):
            inclusion = p_area * probability[position]
            m = settings.replicate_households if replicate else settings.households
            households = size[position] / settings.household_size / inclusion / m
            psu = barangays.index[here[position]]
            rows.append((area_id, psu, stratum, households, replicate, m))
    psus = pd.DataFrame(
        rows, columns=["area_id", "psu", "stratum", "households", "replicate", "interviews"]
    ).sort_values(["replicate", "area_id"], kind="stable", ignore_index=True)
    psus["urban"] = barangays["urban"].reindex(psus["psu"]).to_numpy().astype(int)
    return psus.loc[psus.index.repeat(psus.pop("interviews"))].reset_index(drop=True)


def _replicate_areas(
    table: pd.DataFrame,
    areas: pd.DataFrame,
    barangays: pd.Series,
    settings: TwinSettings,
    rng: np.random.Generator,
) -> set[str]:
    region = table["region_id"].reindex(areas.index) == settings.replicate_region
    several = barangays.reindex(areas.index) > 1
    possible = areas.index[region & several].to_numpy()
    if len(possible) < settings.replicate_areas:
        raise InputError(
            f"{len(possible)} sampled areas of region {settings.replicate_region} have a second "
            f"barangay, {settings.replicate_areas} are wanted",
            where="twin settings 'replicate_areas' and 'replicate_region'",
            remedy="name a region_id of the frame with more areas, or ask for fewer",
        )
    return set(rng.choice(possible, settings.replicate_areas, replace=False))

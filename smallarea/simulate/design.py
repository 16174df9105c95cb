"""The survey's sampling design: strata, areas and units with known inclusion probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.errors import InputError
from smallarea.simulate.settings import TwinSettings
from smallarea.survey.design import allocate, inclusion_probabilities, strata, systematic

if TYPE_CHECKING:
    from smallarea.areas import Frame


def draw_areas(
    table: pd.DataFrame, adults: str, settings: TwinSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the survey's areas, PPS (adults) systematically within strata, geographic order.

    Parameters
    ----------
    table : a frame's table; only areas with `covered` can be drawn.
    adults : its column of adults.

    Returns
    -------
    Index area_id (`settings.areas` rows); columns `stratum`, `probability` (of inclusion).
    """
    covered = table[table["covered"].astype(bool) & (table[adults] > 0)].sort_index()
    units = pd.DataFrame({"stratum": strata(covered), "adults": covered[adults]})
    members = units.groupby("stratum")
    least = int(np.minimum(members.size(), 2).sum())
    wanted = settings.areas or max(least, min(150, len(covered) // 2))
    number = allocate(members["adults"].sum(), members.size(), wanted).to_dict()
    probabilities = np.zeros(len(units))
    chosen = []
    for stratum, here in members.indices.items():
        probabilities[here] = inclusion_probabilities(
            units["adults"].to_numpy()[here], number[stratum]
        )
        chosen.append(here[systematic(probabilities[here], rng)])
    units["probability"] = probabilities
    return units.iloc[np.concatenate(chosen)][["stratum", "probability"]]


def draw_interviews(
    frame: Frame, adults: str, settings: TwinSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw areas, sampling units and households: one row per interview.

    One unit per area; `replicate_areas` sampled areas in `replicate_in` get a second one, by the
    same draw. With probability p_a of an area and p_b of a unit in it, and m of its H households
    interviewed, an interview stands for H / (p_a p_b m) households; where two units are drawn p_b
    doubles, so both together stand for the area once. In a frame whose areas are its units,
    replicates are more interviews in the same unit, and m counts both.

    Returns
    -------
    Columns `area_id`, `psu`, `stratum`, `households` (the weight before the draw of a person in
    the household), `urban` (0/1, of the unit), `replicate` (0/1).

    Raises
    ------
    InputError : too few areas, or too few to replicate.
    """
    areas = draw_areas(frame.table, adults, settings, rng)
    units = frame.psus[frame.psus["population"] > 0].sort_index()
    number = units.groupby("area_id").size()
    single = bool((number <= 1).all())
    twice = _replicate_areas(frame.table, areas, number, single, settings, rng)
    positions = units.groupby("area_id").indices
    rows = []
    population = units["population"].to_numpy()
    takes = (settings.households, settings.replicate_households)
    for area_id, stratum, p_area in areas.itertuples():
        here = np.asarray(positions[area_id])
        size = population[here]
        n = 2 if area_id in twice else 1
        if single:
            drawn, probability, shared = np.zeros(n, int), np.ones(1), sum(takes[:n])
        else:
            probability, shared = inclusion_probabilities(size, n), 0
            drawn = rng.permutation(systematic(probability, rng))
        for replicate, position in enumerate(drawn):
            inclusion, m = p_area * probability[position], takes[replicate]
            households = size[position] / settings.household_size / inclusion / (shared or m)
            psu = units.index[here[position]]
            rows.append((area_id, psu, stratum, households, replicate, m))
    psus = pd.DataFrame(
        rows, columns=["area_id", "psu", "stratum", "households", "replicate", "interviews"]
    ).sort_values(["replicate", "area_id"], kind="stable", ignore_index=True)
    psus["urban"] = units["urban"].reindex(psus["psu"]).to_numpy().astype(int)
    return psus.loc[psus.index.repeat(psus.pop("interviews"))].reset_index(drop=True)


def _replicate_areas(
    table: pd.DataFrame,
    areas: pd.DataFrame,
    units: pd.Series,
    single: bool,
    settings: TwinSettings,
    rng: np.random.Generator,
) -> set[str]:
    """Return the areas to be interviewed twice. `units` : number of them per area."""
    inside = np.ones(len(areas), dtype=bool)
    if code := settings.replicate_in:
        ids = [f"{level}_id" for level in levels_of(table)]
        inside = (table.loc[areas.index, ids] == code).any(axis=1).to_numpy()
    several = single | (units.reindex(areas.index) > 1).to_numpy()
    possible = areas.index[inside & several].to_numpy()
    if len(possible) < settings.replicate_areas:
        where = f" of {settings.replicate_in}" if settings.replicate_in else ""
        raise InputError(
            f"{len(possible)} sampled areas{where} have a second unit, "
            f"{settings.replicate_areas} are wanted",
            where="twin settings 'replicate_areas' and 'replicate_in'",
            remedy="name the code of a unit of the frame with more areas, or ask for fewer",
        )
    return set(rng.choice(possible, settings.replicate_areas, replace=False))

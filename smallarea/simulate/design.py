"""The survey's sampling design: strata, areas and barangays with known inclusion probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.simulate.settings import TwinSettings

if TYPE_CHECKING:
    from smallarea.areas import Frame


def inclusion_probabilities(size: np.ndarray, n: int) -> np.ndarray:
    """Return probabilities proportional to size that sum to n, none above 1.

    Units too large for proportionality are taken with certainty and the rest is shared again
    (Saerndal, Swensson & Wretman 1992, section 3.6).
    """
    probability = np.zeros(len(size))
    certain = np.zeros(len(size), bool)
    while True:
        rest = ~certain
        probability[certain] = 1.0
        probability[rest] = (n - certain.sum()) * size[rest] / max(size[rest].sum(), 1e-300)
        if not (too_large := probability > 1 + 1e-12).any():
            return probability
        certain |= too_large


def systematic_sample(probability: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the positions of a systematic sample with these inclusion probabilities.

    The number drawn is their sum; the order of the list is the implicit stratification.
    """
    steps = np.cumsum(probability) + rng.random()
    steps[-1] = np.rint(probability.sum()) + (steps[0] - probability[0])
    return np.flatnonzero(np.diff(np.floor(steps + 1e-9), prepend=0.0) > 0)


def strata(table: pd.DataFrame) -> pd.Series:
    """Return each area's stratum: region x (mostly urban or not), thin strata joined.

    A region in which either kind has fewer than two areas is one stratum.
    """
    kind = np.where(table["urban_share"] >= 0.5, "urban", "rural")
    label: pd.Series = table["region"] + ", " + kind
    areas: pd.Series = label.groupby(label).transform("size")
    thin = areas.groupby(table["region"]).transform("min") < 2
    return label.mask(thin, table["region"]).rename("stratum")


def allocate(size: pd.Series, capacity: pd.Series, n: int) -> pd.Series:
    """Share n areas among strata in proportion to size, at least 2 and at most `capacity` each.

    Two is the least from which a variance within the stratum can be estimated.

    Raises
    ------
    InputError : n is below two per stratum or above the number of areas.
    """
    least = capacity.clip(upper=2)
    if not least.sum() <= n <= capacity.sum():
        raise InputError(
            f"{n} areas cannot be shared among {len(size)} strata with {capacity.sum()} areas",
            where="twin setting 'areas'",
            remedy=f"choose from {least.sum()} to {capacity.sum()}",
        )
    low, high = 0.0, float(n * (capacity / size).max())
    for _ in range(100):  # bisection for the sampling rate at which the bounded shares sum to n
        rate = (low + high) / 2
        exact = (rate * size).clip(least, capacity)
        low, high = (rate, high) if exact.sum() < n else (low, rate)
    whole = np.floor(exact + 1e-9)
    short = n - int(whole.sum())
    whole.loc[(exact - whole).sort_values(ascending=False, kind="stable").index[:short]] += 1
    return whole.astype(int)


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
    table = table[table["covered"].astype(bool)].sort_index()
    table = table.assign(stratum=strata(table))
    by_stratum = table.groupby("stratum")["adults"]
    chosen = []
    for stratum, n in allocate(by_stratum.sum(), by_stratum.size(), settings.areas).items():
        members = table[table["stratum"] == stratum]
        probability = inclusion_probabilities(members["adults"].to_numpy(), int(n))
        drawn = systematic_sample(probability, rng)
        chosen.append(members[["stratum"]].iloc[drawn].assign(probability=probability[drawn]))
    return pd.concat(chosen)


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
    for area_id, area in areas.iterrows():
        here = np.asarray(positions[area_id])
        size = barangays["population"].to_numpy()[here]
        probability = inclusion_probabilities(size, 2 if area_id in twice else 1)
        drawn = rng.permutation(systematic_sample(probability, rng))
        for replicate, position in enumerate(drawn):
            inclusion = area["probability"] * probability[position]
            m = settings.replicate_households if replicate else settings.households
            households = size[position] / settings.household_size / inclusion / m
            psu = barangays.index[here[position]]
            rows.append((area_id, psu, area["stratum"], households, replicate, m))
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

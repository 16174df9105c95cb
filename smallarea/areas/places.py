"""Which positions of a register's units can be believed, and where the others probably are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from smallarea.errors import InputError

APPROXIMATE = "approximate position"


def place(
    psus: pd.DataFrame, group: pd.Series, positions: Mapping[str, tuple[float, float]]
) -> pd.DataFrame:
    """Return `psus` with credible lon, lat and a `note` ('' or `APPROXIMATE`).

    A position is believed unless it is unverified, or its area has a declared position, or it was
    found by code alone in a group of areas whose numbers meant other areas in the point source.
    That shows where such a place is also claimed, by name, by another area of the group; there,
    places found by name count wherever an area has any.

    A unit that is not believed goes to the middle of its area's believed units; if there are none,
    to the area's declared position; failing that, to the middle of the areas that its units
    belonged to before.

    Parameters
    ----------
    psus : see `smallarea.catalog.psgc.Register`.
    group : area_id -> what areas are numbered within (their province).
    positions : area_id -> (lon, lat), declared.
    """
    believed = _believed(psus, psus["area_id"].map(group), positions)
    middle = psus[believed].groupby("area_id")[["lon", "lat"]].median()
    declared = pd.DataFrame.from_dict(dict(positions), orient="index", columns=["lon", "lat"])
    middle = middle.combine_first(declared)
    middle = pd.concat([middle, _among_origins(psus, psus[believed], middle)])
    if lost := sorted(set(psus["area_id"]) - set(middle.index)):
        raise InputError(
            f"areas without any believable position ({len(lost)}): {', '.join(lost[:3])}",
            where="data_catalog.yaml, frame.positions",
            remedy="declare a longitude and latitude for each",
        )
    placed = psus.assign(note=np.where(believed, "", APPROXIMATE))
    for axis in ("lon", "lat"):
        placed[axis] = psus[axis].where(believed, psus["area_id"].map(middle[axis]))
    placed["area_km2"] = psus["area_km2"].where(believed)
    return placed


def _believed(
    psus: pd.DataFrame, group: pd.Series, positions: Mapping[str, tuple[float, float]]
) -> pd.Series:
    by_code, by_name = psus["placed_by"] == "code", psus["placed_by"] == "name"
    spot = [psus["lon"], psus["lat"]]
    contested = psus["area_id"].groupby(spot).transform("nunique") > 1
    contested &= by_code & by_name.groupby(spot).transform("any")
    misnumbered = contested.groupby(group).transform("any")
    has_named = by_name.groupby(psus["area_id"]).transform("any")
    declared = psus["area_id"].isin(list(positions))
    return (by_name | (by_code & ~(misnumbered & has_named))) & ~declared


def _among_origins(
    psus: pd.DataFrame, believed: pd.DataFrame, middle: pd.DataFrame
) -> pd.DataFrame:
    """Place new areas amid the areas they were carved out of, apart from one another."""
    new = psus[~psus["area_id"].isin(middle.index) & psus["origin"].isin(middle.index)]
    origin = middle.reindex(new["origin"]).set_index(new["area_id"].to_numpy())
    points = origin.groupby(level=0).mean()
    # Areas with the same origins would fall on one spot: put them on a ring around it.
    main = new.groupby("area_id")["origin"].agg(lambda o: o.value_counts().index[0])
    spread = believed.groupby("area_id")[["lon", "lat"]].std().reindex(main).to_numpy() / 2
    number = main.groupby(main).cumcount()
    siblings = main.groupby(main).transform("size")
    turn = (2 * np.pi * number / siblings).to_numpy()
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * (siblings > 1).to_numpy()[:, None]
    return points + ring * spread

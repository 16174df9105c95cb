"""Where a register's units are if it does not know it for certain."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.errors import InputError

APPROXIMATE = "approximate position"


def place(psus: pd.DataFrame) -> pd.DataFrame:
    """Return `psus` with credible lon, lat and a `note` ('' or `APPROXIMATE`).

    A unit without a verified position goes to the middle of its area's verified units; if there
    are none, amid the areas that its area's units belonged to before.

    Parameters
    ----------
    psus : index psu_id; area_id, lon, lat, area_km2, verified, and origin: the area a unit
        belonged to before.

    Raises
    ------
    InputError : some area has no verified unit, and no origin that has one.
    """
    verified = psus["verified"]
    middle = psus[verified].groupby("area_id")[["lon", "lat"]].median()
    middle = pd.concat([middle, _amid_origins(psus, middle)])
    if lost := sorted(set(psus["area_id"]) - set(middle.index)):
        raise InputError(
            f"areas without any verified position ({len(lost)}): {', '.join(lost[:3])}",
            where="the frame's register",
            remedy="install a version of its package that places them",
        )
    placed = psus.assign(note=np.where(verified, "", APPROXIMATE))
    for axis in ("lon", "lat"):
        placed[axis] = psus[axis].where(verified, psus["area_id"].map(middle[axis]))
    placed["area_km2"] = psus["area_km2"].where(verified)
    return placed


def _amid_origins(psus: pd.DataFrame, middle: pd.DataFrame) -> pd.DataFrame:
    """Place new areas amid the areas they were carved out of, apart from one another."""
    new = psus[~psus["area_id"].isin(middle.index) & psus["origin"].isin(middle.index)]
    origin = middle.reindex(new["origin"]).set_index(new["area_id"].to_numpy())
    points = origin.groupby(level=0).mean()
    # Areas with the same origins would fall on one spot: put them on a ring around it.
    main = new.groupby("area_id")["origin"].agg(lambda o: o.value_counts().index[0])
    known = psus[psus["verified"]]
    radius = known.groupby("area_id")[["lon", "lat"]].std().reindex(main).to_numpy() / 2
    siblings = main.groupby(main)
    turn = 2 * np.pi * (siblings.cumcount() / siblings.transform("size")).to_numpy()
    alone = (siblings.transform("size") == 1).to_numpy()[:, None]
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * radius
    return points + np.where(alone, 0, ring)

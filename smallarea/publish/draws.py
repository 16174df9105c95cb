"""draws.nc: the joint draws behind every number, for whoever recomputes or goes further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.publish.estimates import SYNTHETIC


def draws_dataset(
    counts: xr.DataArray,
    tau: np.ndarray | None,
    table: pd.DataFrame,
    indicators: Indicators,
    *,
    synthetic: bool,
    **attributes: Any,
) -> xr.Dataset:
    """Put joint draws of counts, national totals and tau side by side.

    counts : agreed counts in persons, dims (component, area_id, draw).
    tau : shape (draw,), or None.
    attributes : what traces the file: seed, input hashes, run. Values must be text or numbers.

    Variables: `counts`; `covered_total` (the nation's benchmark: the survey's frame) and
    `national_total` (with the projected rest), both exact sums of `counts`; `tau`, if a
    reporting rate is set, so that counts x tau are the reported numbers; `covered` and
    `name` per area.
    """
    areas = counts["area_id"].values
    covered = table.loc[areas, "covered"].to_numpy(dtype=bool)
    people = {"units": "persons"}
    reporting = {}
    if tau is not None:
        about = {"long_name": "reporting rate"}
        reporting = {"tau": ("draw", np.asarray(tau, dtype=float), about)}
    return xr.Dataset(
        {
            "counts": counts.assign_attrs(people, long_name="people, by component"),
            "covered_total": counts[:, covered].sum("area_id").assign_attrs(people),
            "national_total": counts.sum("area_id").assign_attrs(people),
            "covered": ("area_id", covered),
            "name": ("area_id", table.loc[areas, "name"].to_numpy(dtype=object)),
        }
        | reporting,
        attrs={
            "title": "Joint draws per area, agreed with the national posterior",
            "notice": SYNTHETIC if synthetic else "",
            "access": "restricted: holds areas whose numbers are withheld from public tables",
            "indicators": " ".join(indicators.meaning)
            + " Recompute rates and ratios from counts within each draw, never from summaries.",
            **attributes,
        },
    )


def write_draws(dataset: xr.Dataset, path: Path) -> None:
    """Write NetCDF-4, all or nothing; float64, so that sums hold exactly when read back."""
    with writing(path) as temporary:
        dataset.to_netcdf(
            temporary,
            engine="h5netcdf",
            encoding={"counts": {"zlib": True, "complevel": 1, "shuffle": True}},
        )

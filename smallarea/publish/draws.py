"""draws.nc: the joint draws behind every number, for whoever recomputes or goes further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.levels import levels_of
from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.publish.estimates import SYNTHETIC

#: Names, units and coordinates of the file are as these ask for.
CONVENTIONS = "CF-1.11"
#: The group that ArviZ looks for.
GROUP = "posterior"
#: Numbers of people are numbers: CF knows no unit for them.
NO_UNIT = {"units": "1"}
COVERED = {
    "long_name": "whether the survey covers it",
    "flag_values": np.array([0, 1], dtype=np.int8),
    "flag_meanings": "outside_the_survey within_the_survey",
}


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
    reporting rate is set, so that counts x tau are the reported numbers; `covered` per area.
    Coordinates say what components are called, and each area's name and units of the levels.
    """
    areas = counts["area_id"].values
    own = table.loc[areas]
    covered = own["covered"].to_numpy(dtype=bool)
    reporting = {}
    if tau is not None:
        about = {"long_name": "reporting rate: share of known cases that people tell of"}
        reporting = {"tau": ("draw", np.asarray(tau, dtype=float), about | NO_UNIT)}
    labels = [indicators.labels[str(name)] for name in counts["component"].values]
    units = {
        column: ("area_id", own[column].to_numpy(dtype=object), {"long_name": words})
        for level in levels_of(table)
        for column, words in ((level, f"{level} it lies in"), (f"{level}_id", f"code of {level}"))
    }
    made = xr.Dataset(
        {
            "counts": counts.assign_attrs(_people("people, by component and area")),
            "covered_total": counts[:, covered]
            .sum("area_id")
            .assign_attrs(_people("people in the areas that the survey covers")),
            "national_total": counts.sum("area_id").assign_attrs(_people("people in all areas")),
            "covered": ("area_id", covered, COVERED),
        }
        | reporting,
        coords={
            "name": ("area_id", own["name"].to_numpy(dtype=object), {"long_name": "name"}),
            "label": ("component", np.array(labels, object), {"long_name": "who is counted"}),
        }
        | units,
        attrs={
            "Conventions": CONVENTIONS,
            "title": "Joint draws per area, agreed with the national posterior",
            "notice": SYNTHETIC if synthetic else "",
            "access": "restricted: holds areas whose numbers are withheld from public tables",
            "indicators": " ".join(indicators.meaning)
            + " Recompute rates and ratios from counts within each draw, never from summaries.",
            **attributes,
        },
    )
    made["area_id"].attrs = {"long_name": "code of the area"}
    made["component"].attrs = {"long_name": "component"}
    return made


def _people(words: str) -> dict[str, str]:
    return {"long_name": words, **NO_UNIT}


def write_draws(dataset: xr.Dataset, path: Path) -> None:
    """Write NetCDF-4, all or nothing; float64, so that sums hold exactly when read back.

    The group `posterior` has the draws as ArviZ reads them, in one chain; its attributes are the
    file's too.
    """
    numbers = {"chain": [0], "draw": np.arange(dataset.sizes["draw"])}
    drawn = {
        name: values.expand_dims("chain", values.dims.index("draw"))  # there nothing is copied
        for name, values in dataset.data_vars.items()
        if "draw" in values.dims
    }
    posterior = dataset.assign(drawn).assign_coords(
        {
            name: (name, at, {"long_name": f"number of the {name}"} | NO_UNIT)
            for name, at in numbers.items()
        }
    )
    with writing(path) as temporary:
        xr.Dataset(attrs=dataset.attrs).to_netcdf(temporary, engine="h5netcdf")
        posterior.to_netcdf(
            temporary,
            mode="a",
            group=GROUP,
            engine="h5netcdf",
            encoding={"counts": {"zlib": True, "complevel": 1, "shuffle": True}},
        )


def read_draws(path: Path) -> xr.Dataset:
    """Return draws as `draws_dataset` put them together, without chains.

    Files of earlier versions, which have no group, are read too.
    """
    try:
        draws = xr.load_dataset(path, engine="h5netcdf", group=GROUP)
    except OSError:  # there is no such group
        return xr.load_dataset(path, engine="h5netcdf")
    return draws.isel(chain=0, drop=True).drop_vars("draw")

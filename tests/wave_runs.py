"""Folders of finished runs as they are compared, made without a survey."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from study import COMPONENTS, INDICATORS

from smallarea.files import sha256, write_json
from smallarea.run.record import Run, seal

AREAS = pd.Index([f"01{n:03d}01000" for n in range(6)], name="area_id")
CV, DRAWS = 0.15, 2000


def made_run(
    folder: Path, rate: float, survey: str, *, tau: float = 0.05, synthetic: bool = False, **other
) -> Run:
    """A finished run's files: lognormal rates around `rate`, their error common to all areas.

    Five areas of two regions are covered; the sixth area has nobody in it.
    """
    folder.mkdir()
    rng = np.random.default_rng(int(survey, 16))
    table = pd.DataFrame(
        {
            "region_id": ["n"] * 3 + ["s"] * 3,
            "region": ["North"] * 3 + ["South"] * 3,
            "adults": [6e4, 5e4, 4e4, 3e4, 2e4, 0.0],
            "children": [4e4, 3e4, 3e4, 2e4, 1e4, 0.0],
            "covered": [True, True, True, True, False, True],
        },
        index=AREAS,
    )
    table.reset_index().to_parquet(folder / "areas.parquet")
    people = table[["children", "children", "adults", "adults"]].to_numpy().T
    reported = rate * np.exp(rng.normal(0, CV, (4, 1, DRAWS))) * people[..., None]
    taus = rng.beta(400 * tau, 400 * (1 - tau), DRAWS)
    counts = (("component", "area_id", "draw"), reported / taus)
    draws = xr.Dataset(
        {"counts": counts, "tau": ("draw", taus)},
        coords={"component": list(COMPONENTS), "area_id": AREAS.to_numpy(object)},
    )
    draws.to_netcdf(folder / "draws.nc", engine="h5netcdf")
    manifest = {
        "synthetic": synthetic,
        "profile": "fast",
        "outputs": {name: sha256(folder / name) for name in ("areas.parquet", "draws.nc")},
        "code": "1",
        "settings": {},
        "indicators": INDICATORS.model_dump(),
        "tau_prior": {"a": 400 * tau, "b": 400 * (1 - tau), "source": "test"},
        "inputs": [
            {"file": "survey/respondents.csv", "sha256": survey},
            {"file": "survey/groups.csv", "sha256": "g"},
            {"file": "roads.gpkg", "source": "roads", "sha256": "r"},
        ],
    } | other
    write_json(folder / "manifest.json", seal(manifest))
    return Run(folder)

"""What the stages before warned of, in sentences for whoever opens a run."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import xarray as xr

from smallarea.areas import Frame
from smallarea.areas.frame import ABSENT


def silence_warnings(ground: Path) -> list[str]:
    """Say which hidden groups nobody reported, and whose level rests on how areas were drawn."""
    with xr.open_dataarray(ground / "national.nc", engine="h5netcdf") as national:
        silent = str(national.attrs["silent"])
        as_drawn = str(national.attrs.get("as_drawn", ""))
    said = [
        f"{name}: not one case was reported, so its numbers say only what is ruled out"
        for name in silent.split(", ")
        if name
    ]
    if as_drawn:
        said.append(
            f"{as_drawn}: no national total is given, so the level is that of the estimates taken "
            "as drawn in proportion to people; if areas were chosen otherwise, state a total in "
            "settings.direct.national"
        )
    return said


def drawn_borders(frame: Frame) -> list[str]:
    """Say that the declared borders were not found."""
    absent = frame.provenance.get(ABSENT)
    why = "was not found in any data folder, so borders are drawn from points and approximate"
    return [f"the declared boundary file {absent} {why}"] if absent else []


def survey_warnings(ground: Path) -> list[str]:
    """Return what the stage of the survey warned of: answers, known groups, its fits."""
    kept = ground / "warnings.json"
    return json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else []


def weak_fits(models: Path) -> list[str]:
    """Say which models that gave draws did not converge."""
    diagnostics = pd.read_csv(models / "diagnostics.csv")
    weak = diagnostics[(diagnostics["quantity"] == "weak") & (diagnostics["value"] > 0)]
    return [
        f"{name}: the sampler did not converge well; use the full profile" for name in weak.model
    ]

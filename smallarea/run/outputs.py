"""What the stages before publication left in their folders, read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas import Frame, load_frame
from smallarea.features import Features, load_features
from smallarea.nsum.reporting.tau import TauPrior
from smallarea.run.said import drawn_borders, silence_warnings, survey_warnings, weak_fits


@dataclass(frozen=True)
class Outputs:
    """What publication is made of.

    Attributes
    ----------
    ground : folder of the survey's stage, or of the direct estimates'. asked : whether it is a
        survey. surveyed : areas with answers.
    rates : the models' draws. parts : what they are made of, by stream. counts : persons.
    tau, prior : draws and prior of the reporting rate; None if numbers are as reported.
    agreement, units : what agreement did by component, and by unit with a total of its own.
    evidence, weights, scores, calibration : how the models did on places left out.
    extrapolated : areas unlike any surveyed. warnings : sentences of all stages.
    findings : folders of findings.
    """

    frame: Frame
    features: Features
    ground: Path
    asked: bool
    surveyed: frozenset[str]
    rates: xr.DataArray
    parts: pd.DataFrame
    counts: xr.DataArray
    tau: np.ndarray | None
    prior: TauPrior | None
    agreement: pd.DataFrame
    units: pd.DataFrame | None
    evidence: dict[str, Any]
    weights: pd.Series
    scores: pd.DataFrame
    calibration: pd.DataFrame | None
    extrapolated: frozenset[str]
    warnings: list[str]
    findings: list[Path]

    @property
    def moments(self) -> dict[str, bool]:
        """Whether `mean` and `sd` of people exist: they are scaled by one over tau."""
        prior = self.prior
        return {"mean": not prior or prior.has_mean, "sd": not prior or prior.has_sd}


def read_outputs(folders: Mapping[str, Path]) -> Outputs:
    """Read what publication is made of.

    folders : of the stages frame, features, nsum or direct, models, projection, findings and,
        where anybody was asked, answers; by name.
    """
    models, projection = folders["models"], folders["projection"]
    asked = "nsum" in folders
    ground = folders["nsum" if asked else "direct"]
    frame = load_frame(folders["frame"])
    with xr.open_dataset(projection / "counts.nc", engine="h5netcdf") as made:
        counts = made["counts"].load()
        tau = made["tau"].values if "tau" in made else None
    near = pd.read_csv(models / "applicability.csv", dtype={"area_id": str})
    given = projection / "totals.csv"
    scores = pd.read_csv(models / "scores.csv", index_col=["model", "component"])
    return Outputs(
        frame=frame,
        features=load_features(folders["features"]),
        ground=ground,
        asked=asked,
        surveyed=frozenset(pd.read_csv(ground / "surveyed.csv", dtype=str)["area_id"]),
        rates=xr.load_dataarray(models / "rates.nc", engine="h5netcdf"),
        parts=pd.read_parquet(models / "parts.parquet"),
        counts=counts,
        tau=tau,
        prior=tau_prior(ground),
        agreement=pd.read_csv(projection / "agreement.csv", index_col="component"),
        units=(
            pd.read_csv(given, index_col="row", keep_default_na=False) if given.is_file() else None
        ),
        evidence=json.loads((models / "evidence.json").read_text()),
        weights=pd.read_csv(models / "members.csv", index_col=0)["weight"],
        scores=scores.loc[(slice(None), "all"), :].droplevel("component"),
        calibration=calibration_of(models),
        extrapolated=frozenset(near.loc[near["outside"], "area_id"]),
        warnings=[
            *_notes(projection / "warnings.json"),
            *survey_warnings(ground),
            *silence_warnings(ground),
            *weak_fits(models),
            *drawn_borders(frame),
            *_notes(models / "notes.json"),
        ],
        findings=[folders[name] for name in ("answers", "findings") if name in folders],
    )


def _notes(path: Path) -> list[str]:
    return list(json.loads(path.read_text())) if path.is_file() else []


def tau_prior(ground: Path) -> TauPrior | None:
    """Read the prior of the reporting rate; None if numbers are as reported."""
    path = ground / "tau.json"
    return TauPrior(**json.loads(path.read_text())) if path.is_file() else None


def calibration_of(models: Path) -> pd.DataFrame | None:
    """Read how intervals held on groups left out; None of models kept by an earlier version."""
    path = models / "calibration.csv"
    return pd.read_csv(path, index_col="component") if path.is_file() else None

"""Runs of a series of surveys: what changed over all of them, and what cannot be told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.findings.wave import (
    Run,
    Wave,
    common_areas,
    differences,
    direct_of,
    prior_of,
    require_two_surveys,
)
from smallarea.survey.series import path


@dataclass(frozen=True)
class Series:
    """Reported prevalence over the waves, over the areas that all surveys cover.

    Attributes
    ----------
    waves : names of the runs, in order. times : their years, or 1, 2, ... where the runs do not
        say different ones; `unit` is what one is called (year, wave).
    index : index (indicator, wave); see :class:`smallarea.survey.series.Path`.
    steps : index (indicator, earlier, later), columns as there. slope : index indicator.
    tau_drift, correlation : as given to :func:`compare_series`.
    warnings : where the runs differ in more than their surveys.
    """

    waves: tuple[str, ...]
    times: tuple[float, ...]
    unit: str
    index: pd.DataFrame
    steps: pd.DataFrame
    slope: pd.DataFrame
    tau_drift: float
    correlation: float
    warnings: tuple[str, ...]
    synthetic: bool
    reporting: bool
    shown: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able records."""
        tables = {"index": self.index, "steps": self.steps, "slope": self.slope}
        return {
            "waves": list(self.waves),
            "times": list(self.times),
            "synthetic": self.synthetic,
            "assumed": {
                "tau_drift": self.tau_drift,
                "per": self.unit,
                "correlation": self.correlation,
            },
            **{
                name: json.loads(table.reset_index().to_json(orient="records"))
                for name, table in tables.items()
            },
            "warnings": list(self.warnings),
        }


def compare_series(
    runs: Sequence[Run], *, tau_drift: float = 0.0, correlation: float = 0.0, seed: int = 0
) -> Series:
    """Compare the runs of a series of surveys, the earliest first.

    Parameters
    ----------
    tau_drift : sd of the random walk of log tau over a year (over a step between waves, where the
        runs' reference periods do not say different years).
    correlation : of the errors of neighbouring surveys.

    Raises
    ------
    InputError : two runs are of the same survey or of answers of two kinds, share no area, or
        nobody reported anyone in one of them.
    """
    for i, later in enumerate(runs):
        for earlier in runs[:i]:
            require_two_surveys(earlier, later)
    waves = [Wave.of(run) for run in runs]
    common = common_areas(waves)
    names = tuple(run.folder.name for run in runs)
    whole = np.full(len(common), "all", object)
    drawn = {
        name: [wave.rates(name, common, whole).isel(unit=0).to_numpy() for wave in waves]
        for name in runs[-1].indicators.counts
    }
    told = {name: rates for name, rates in drawn.items() if all((r > 0).all() for r in rates)}
    if not told:
        raise InputError(
            "nobody reported anyone in one of the surveys",
            where=", ".join(names),
            remedy="compare surveys that found something",
        )
    times, unit, said = _times(runs)
    how: dict[str, Any] = {"tau_drift": tau_drift, "correlation": correlation, "seed": seed}
    paths = {name: path(rates, times, **how) for name, rates in told.items()}
    index = pd.concat({name: found.index.set_axis(names) for name, found in paths.items()})
    steps = pd.concat({name: found.steps for name, found in paths.items()}, names=["indicator"])
    steps.index = pd.MultiIndex.from_tuples(
        [(name, names[a], names[b]) for name, a, b in steps.index],
        names=["indicator", "earlier", "later"],
    )
    said += [
        f"{name}: nobody reported any in one of the surveys, so no change can be told"
        for name in drawn
        if name not in told
    ]
    for at, (earlier, later) in enumerate(pairwise(runs)):
        found = differences(earlier, later, waves[at], waves[at + 1])
        said += [f"{names[at]} and {names[at + 1]}: {warning}" for warning in found]
    return Series(
        waves=names,
        times=times,
        unit=unit,
        index=index.rename_axis(["indicator", "wave"]),
        steps=steps,
        slope=pd.DataFrame({n: f.slope for n, f in paths.items()}).T.rename_axis("indicator"),
        tau_drift=tau_drift,
        correlation=correlation,
        warnings=tuple(said),
        synthetic=any(run.synthetic for run in runs),
        reporting=any(direct_of(run) is None or prior_of(run) is not None for run in runs),
        shown=tuple(name for name in runs[-1].indicators.totals if name in told),
    )


def _times(runs: Sequence[Run]) -> tuple[tuple[float, ...], str, list[str]]:
    years = years_of(runs)
    if years is not None:
        return years, "year", []
    note = "the runs say no rising years (reference_period): waves are taken as equally far apart"
    return tuple(float(i + 1) for i in range(len(runs))), "wave", [note]


def years_of(runs: Sequence[Run]) -> tuple[float, ...] | None:
    """Return the years of the runs' reference periods, if each says one and they rise."""
    years = []
    for run in runs:
        parts = run.indicators.components.values()
        said = {y for part in parts for y in re.findall(r"\b[12]\d{3}\b", part.reference_period)}
        years.append(float(said.pop()) if len(said) == 1 else np.nan)
    rising = bool(np.isfinite(years).all()) and bool((np.diff(years) > 0).all())
    return tuple(years) if rising else None

"""Two runs, two surveys: what changed between them, and how sure that is.

Runs are compared on the reported scale, w = tau x prevalence: their totals share one doubt about
the reporting rate tau, which cancels from a ratio as long as people report as they did before. See
:mod:`smallarea.survey.waves`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.levels import levels_of
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
from smallarea.nsum.classical.scale_up import killworth
from smallarea.survey import ARD
from smallarea.survey.waves import change, drift_sensitivity, overlap_correlation

CLEAR = 0.95  # probability from which a rise or a fall of an area is counted


@dataclass(frozen=True)
class Change:
    """Change of reported prevalence from an earlier to a later run.

    Attributes
    ----------
    nation : index indicator (sums, components), over the areas that both surveys
        cover; columns of :func:`smallarea.survey.waves.change`: `ratio` (later over earlier),
        its quantiles, `p_decrease`, `p_decrease_10`, `_20`, `_30`.
    units : index (indicator, unit), same columns; units of `level`, the second lowest (or the
        lowest, if it is the only one).
    areas : index indicator; `areas` compared, of which `fell` and `rose`, with a probability
        above 0.95.
    drift : `p_decrease` of the nation under each drift sd of the reporting rate (columns).
    tau_drift, correlation : as given to :func:`compare_runs`.
    warnings : where the two runs differ in more than their surveys.
    synthetic : whether the survey of either run is a digital twin's.
    reporting : whether numbers are what people told of others, so that telling may have changed.
    shown : the totals, which a summary in words tells.
    """

    earlier: str
    later: str
    nation: pd.DataFrame
    units: pd.DataFrame
    level: str
    areas: pd.DataFrame
    drift: pd.DataFrame
    tau_drift: float
    correlation: float
    warnings: tuple[str, ...]
    synthetic: bool
    reporting: bool
    shown: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able records."""
        tables = {
            "nation": self.nation,
            "units": self.units,
            "areas": self.areas,
            "drift": self.drift,
        }
        return {
            "earlier": self.earlier,
            "later": self.later,
            "synthetic": self.synthetic,
            "assumed": {"tau_drift": self.tau_drift, "correlation": self.correlation},
            **{
                name: json.loads(table.reset_index().to_json(orient="records"))
                for name, table in tables.items()
            },
            "warnings": list(self.warnings),
        }


def compare_runs(
    earlier: Run, later: Run, *, tau_drift: float = 0.0, correlation: float = 0.0, seed: int = 0
) -> Change:
    """Compare two runs, each of its own survey.

    Parameters
    ----------
    tau_drift : sd of log(tau later / tau earlier); 0 takes reporting as unchanged.
    correlation : of the two surveys' errors, nation and units, from sampling units in both:
        :func:`survey_correlation`. Areas are taken as independent.
    seed : of the pairing of draws, and of the drift.

    Raises
    ------
    InputError : both runs are of the same survey, or one of direct estimates and one of a survey
        of acquaintances, or they share no area that both surveys cover.
    """
    require_two_surveys(earlier, later)
    waves = [Wave.of(run) for run in (earlier, later)]
    common = common_areas(waves)
    table = waves[1].table  # levels as the later run names them
    levels = levels_of(table)
    level = levels[min(1, len(levels) - 1)]
    unit = table.loc[common, level].to_numpy(object)

    # Where nobody reported anyone some draws are 0, and there is no ratio to tell.
    named = later.indicators
    told = [
        n for n in named.counts if all(bool((w.rates(n, common, unit) > 0).all()) for w in waves)
    ]
    if not told:
        raise InputError(
            "nobody reported anyone in one of the surveys",
            where=f"{earlier.folder.name}, {later.folder.name}",
            remedy="compare surveys that found something",
        )

    def rates(by: np.ndarray) -> list[xr.DataArray]:
        parts = [[wave.rates(name, common, by) for name in told] for wave in waves]
        return [xr.concat(part, pd.Index(told, name="indicator")) for part in parts]

    nation = [wave.isel(unit=0, drop=True) for wave in rates(np.full(len(common), "all", object))]
    settings: dict[str, Any] = {"correlation": correlation, "seed": seed}
    areas = {
        name: _clear([wave.rates(name, common) for wave in waves], tau_drift, seed)
        for name in named.counts
    }
    return Change(
        earlier=str(earlier.folder),
        later=str(later.folder),
        nation=change(*nation, tau_drift=tau_drift, **settings),
        units=change(*rates(unit), tau_drift=tau_drift, **settings),
        level=level,
        areas=pd.DataFrame.from_dict(areas, orient="index").rename_axis("indicator"),
        drift=drift_sensitivity(*nation, **settings),
        tau_drift=tau_drift,
        correlation=correlation,
        warnings=(
            *(
                f"{name}: nobody reported any in one of the surveys, so no change can be told"
                for name in named.counts
                if name not in told
            ),
            *differences(earlier, later, *waves),
        ),
        synthetic=earlier.synthetic or later.synthetic,
        reporting=direct_of(later) is None or prior_of(later) is not None,
        shown=named.totals,
    )


def survey_correlation(first: ARD, second: ARD, *, degree: str | None = None) -> pd.Series:
    """Correlation of two surveys' errors per hidden group, from their common PSUs.

    Weighted reports and degrees are added up by PSU and given to
    :func:`smallarea.survey.waves.overlap_correlation`. With a few dozen reports a single group's is
    noisy: use the mean over groups.

    Parameters
    ----------
    degree : as in :func:`smallarea.nsum.classical.scale_up.killworth`.

    Raises
    ------
    InputError : a survey without PSUs.
    """
    if any(ard.design["psu"].isna().any() for ard in (first, second)):
        raise InputError(
            "respondents without PSU",
            where="survey",
            remedy="name the column of primary sampling units; without it nothing can overlap",
        )
    totals = [_psu_totals(ard, degree) for ard in (first, second)]
    return pd.Series(
        {
            group: overlap_correlation(
                *(reports[group] for reports, _ in totals),
                *(exposure[group] for _, exposure in totals),
            )
            for group in first.hidden()
        },
        name="correlation",
    )


def _psu_totals(ard: ARD, degree: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    made = killworth(ard, degree=degree)
    reports, exposure = (
        table.fillna(0.0).mul(ard.weights, axis=0).groupby(ard.design["psu"]).sum()
        for table in (made.reports, made.exposure)
    )
    return reports, exposure


def _clear(waves: list[xr.DataArray], tau_drift: float, seed: int) -> dict[str, int]:
    """Count the areas whose reported rate fell, or rose, with a probability above `CLEAR`."""
    tiny = np.finfo(float).tiny  # a draw without a single case has no ratio
    earlier, later = (wave.clip(tiny) for wave in waves)
    table = change(earlier, later, tau_drift=tau_drift, seed=seed)
    fell = table["p_decrease"]
    return {
        "areas": len(table),
        "fell": int((fell > CLEAR).sum()),
        "rose": int((fell < 1 - CLEAR).sum()),
    }

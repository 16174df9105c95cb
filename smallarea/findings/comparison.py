"""Two runs, two surveys: what changed between them, and how sure that is.

Runs are compared on the reported scale, w = tau x prevalence: their totals share one doubt about
the reporting rate tau, which cancels from a ratio as long as people report as they did before. See
:mod:`smallarea.survey.waves`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas.levels import levels_of
from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.nsum.classical.scale_up import killworth
from smallarea.projection.indicators import add_up, count_draws
from smallarea.survey import ARD
from smallarea.survey.waves import change, drift_sensitivity, overlap_correlation

CLEAR = 0.95  # probability from which a rise or a fall of an area is counted


class Run(Protocol):
    """A finished run, as far as it is compared: see :class:`smallarea.run.record.Run`."""

    @property
    def folder(self) -> Path: ...
    @property
    def manifest(self) -> dict[str, Any]: ...
    @property
    def indicators(self) -> Indicators: ...
    @property
    def synthetic(self) -> bool: ...
    def draws(self) -> xr.Dataset:
        """Component draws and the reporting rate's."""


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
    where = f"{earlier.folder}, {later.folder}"
    if _direct(earlier) is None and _direct(later) is None:
        same = "both runs are of the same survey"
    elif _direct(earlier) is None or _direct(later) is None:
        raise InputError(
            "one run is of a survey that asked about acquaintances, one of direct estimates: what "
            "is reported in the one is not what is counted in the other",
            where=where,
            remedy="give two runs of the same kind, the earlier one first",
        )
    else:
        same = "both runs are of the same direct estimates"
    if _answers(earlier) == _answers(later):
        raise InputError(
            same, where=where, remedy="give two runs of two surveys, the earlier first"
        )
    waves = [_Wave.of(run) for run in (earlier, later)]
    common = waves[0].covered.intersection(waves[1].covered)
    if common.empty:
        raise InputError(
            "no area is covered by the surveys of both",
            where=f"{earlier.folder}, {later.folder}",
            remedy="give two runs of the same country and vintage of codes",
        )
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
            *_differences(earlier, later, *waves),
        ),
        synthetic=earlier.synthetic or later.synthetic,
        reporting=_direct(later) is None or _prior(later) is not None,
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


@dataclass(frozen=True)
class _Wave:
    """What is compared of a run: reported people in draws, dims (component, area_id, draw)."""

    reported: xr.DataArray
    table: pd.DataFrame
    indicators: Indicators

    @classmethod
    def of(cls, run: Run) -> _Wave:
        draws = run.draws()
        areas = pd.read_parquet(run.folder / "areas.parquet").set_index("area_id")
        reported = draws["counts"] * draws["tau"] if "tau" in draws else draws["counts"]
        return cls(reported, areas, run.indicators)

    @property
    def covered(self) -> pd.Index:
        return self.table.index[self.table["covered"].astype(bool)]

    def rates(self, name: str, areas: pd.Index, by: np.ndarray | None = None) -> xr.DataArray:
        """Reported share of the reference population, dims (area_id or unit, draw)."""
        people = self.table.loc[areas, self.indicators.reference[name]].astype(float)
        reported = count_draws(self.reported.sel(area_id=areas), name, self.indicators)
        reported = reported.transpose("area_id", "draw")
        if by is not None:
            reported, people = add_up(reported, by, "unit"), people.groupby(by.astype(str)).sum()
        lived_in = (people > 0).to_numpy()
        return reported[lived_in] / people.to_numpy()[lived_in, None]


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


def _differences(earlier: Run, later: Run, first: _Wave, second: _Wave) -> Iterator[str]:
    """Say where the runs differ in more than their surveys."""
    if earlier.synthetic != later.synthetic:
        one = earlier if earlier.synthetic else later
        yield f"only {one.folder.name} is SYNTHETIC: a real survey is compared with an invented one"
    prior = [_prior(run) for run in (earlier, later)]
    if prior[0] != prior[1]:
        told = ["none" if p is None else f"Beta({p[0]:.4g}, {p[1]:.4g})" for p in prior]
        yield (
            f"the runs believe in other reporting rates, {told[0]} and {told[1]}: their totals "
            "are not to be compared; this comparison of reported rates does not use either, but "
            "if reporting is thought to have changed, give --tau-drift"
        )
    if first.indicators != second.indicators:
        yield "the runs declare other indicators (what is counted, overlaps): see both catalogs"
    if not first.covered.equals(second.covered):
        yield (
            f"the surveys cover other areas ({len(first.covered)} and {len(second.covered)}): only "
            f"the {len(first.covered.intersection(second.covered))} in both are compared"
        )
    people = list(second.indicators.populations)
    if not first.table[people].equals(second.table[people]):
        yield "the frames differ (areas or their populations): rates are of each run's own people"
    stated = [sorted((_direct(run) or {}).get("national") or {}) for run in (earlier, later)]
    if stated[0] != stated[1]:
        yield "only one run is given some national total: the other's comes from its areas"
    if _hashes(earlier, "groups.csv") != _hashes(later, "groups.csv"):
        yield "the tables of groups differ: other sizes of known groups move all reported rates"
    streams = [
        {i["source"]: i["sha256"] for i in run.manifest["inputs"] if i.get("source") != "frame"
         and "source" in i}
        for run in (earlier, later)
    ]  # fmt: skip
    changed = sorted(
        n for n in {**streams[0], **streams[1]} if streams[0].get(n) != streams[1].get(n)
    )
    if changed:
        yield f"other covariates ({', '.join(changed)}): units and areas may differ by that alone"
    both = [run.manifest["settings"] for run in (earlier, later)]
    other = sorted(
        key
        for key in {**both[0], **both[1]}
        if key not in ("seed", "survey", "direct", "tau_prior", "promised_level", "approval")
        and both[0].get(key) != both[1].get(key)
    )
    if other:
        yield f"other settings ({', '.join(other)}): run both anew with the same"
    for key, words in {"profile": "profile", "code": "version of the code"}.items():
        if earlier.manifest[key] != later.manifest[key]:
            yield f"each run was made with its own {words}: run both anew with the same"


def _direct(run: Run) -> dict[str, Any] | None:
    """Return the run's settings of direct estimates; None if it is of a survey."""
    return run.manifest["settings"].get("direct")


def _answers(run: Run) -> list[str]:
    """Hashes of the answers that a run rests on: of respondents, or of direct estimates."""
    direct = _direct(run)
    return _hashes(run, "respondents.csv" if direct is None else Path(direct["file"]).name)


def _prior(run: Run) -> tuple[float, float] | None:
    """Return the reporting rate's Beta(a, b); None if nothing was divided by one."""
    prior = run.manifest.get("tau_prior")
    return None if prior is None else (prior["a"], prior["b"])


def _hashes(run: Run, name: str) -> list[str]:
    """Hashes of the run's survey files of that name; a source may bear the same name."""
    own = [i for i in run.manifest["inputs"] if "source" not in i]
    return [i["sha256"] for i in own if Path(i["file"]).name == name]

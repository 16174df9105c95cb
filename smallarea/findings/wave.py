"""What is compared of finished runs, whether they can be, and where they differ in more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.projection.indicators import add_up, count_draws


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
class Wave:
    """What is compared of a run: reported people in draws, dims (component, area_id, draw)."""

    folder: Path
    reported: xr.DataArray
    table: pd.DataFrame
    indicators: Indicators

    @classmethod
    def of(cls, run: Run) -> Wave:
        draws = run.draws()
        areas = pd.read_parquet(run.folder / "areas.parquet").set_index("area_id")
        reported = draws["counts"] * draws["tau"] if "tau" in draws else draws["counts"]
        return cls(run.folder, reported, areas, run.indicators)

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


def require_two_surveys(earlier: Run, later: Run) -> None:
    """Raise InputError if two runs are of one survey, or of answers of two kinds."""
    where = f"{earlier.folder}, {later.folder}"
    if direct_of(earlier) is None and direct_of(later) is None:
        same = "both runs are of the same survey"
    elif direct_of(earlier) is None or direct_of(later) is None:
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


def common_areas(waves: Sequence[Wave]) -> pd.Index:
    """Return the areas that the surveys of all cover; raise InputError if there is none."""
    common = waves[0].covered
    for wave in waves[1:]:
        common = common.intersection(wave.covered)
    if common.empty:
        raise InputError(
            "no area is covered by the surveys of both"
            if len(waves) == 2
            else "no area is covered by the surveys of all",
            where=", ".join(str(wave.folder) for wave in waves),
            remedy="give runs of the same country and vintage of codes",
        )
    return common


def differences(earlier: Run, later: Run, first: Wave, second: Wave) -> Iterator[str]:
    """Say where the runs differ in more than their surveys."""
    if earlier.synthetic != later.synthetic:
        one = earlier if earlier.synthetic else later
        yield f"only {one.folder.name} is SYNTHETIC: a real survey is compared with an invented one"
    prior = [prior_of(run) for run in (earlier, later)]
    if prior[0] != prior[1]:
        told = ["none" if p is None else f"Beta({p[0]:.4g}, {p[1]:.4g})" for p in prior]
        yield (
            f"the runs believe in other reporting rates, {told[0]} and {told[1]}: their totals "
            "are not to be compared; this comparison of reported rates does not use either, but "
            "if reporting is thought to have changed, give --tau-drift"
        )
    if _counted(first.indicators) != _counted(second.indicators):
        yield "the runs declare other indicators (what is counted, overlaps): see both catalogs"
    if not first.covered.equals(second.covered):
        yield (
            f"the surveys cover other areas ({len(first.covered)} and {len(second.covered)}): only "
            f"the {len(first.covered.intersection(second.covered))} in both are compared"
        )
    people = list(second.indicators.populations)
    if not first.table[people].equals(second.table[people]):
        yield "the frames differ (areas or their populations): rates are of each run's own people"
    stated = [sorted((direct_of(run) or {}).get("national") or {}) for run in (earlier, later)]
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


def _counted(indicators: Indicators) -> dict[str, Any]:
    """Return what is declared but for the periods, which differ between waves."""
    said = indicators.model_dump()
    for component in said["components"].values():
        component.pop("reference_period")
    return said


def direct_of(run: Run) -> dict[str, Any] | None:
    """Return the run's settings of direct estimates; None if it is of a survey."""
    return run.manifest["settings"].get("direct")


def _answers(run: Run) -> list[str]:
    """Hashes of the answers that a run rests on: of respondents, or of direct estimates."""
    direct = direct_of(run)
    return _hashes(run, "respondents.csv" if direct is None else Path(direct["file"]).name)


def prior_of(run: Run) -> tuple[float, float] | None:
    """Return the reporting rate's Beta(a, b); None if nothing was divided by one."""
    prior = run.manifest.get("tau_prior")
    return None if prior is None else (prior["a"], prior["b"])


def _hashes(run: Run, name: str) -> list[str]:
    """Hashes of the run's survey files of that name; a source may bear the same name."""
    own = [i for i in run.manifest["inputs"] if "source" not in i]
    return [i["sha256"] for i in own if Path(i["file"]).name == name]

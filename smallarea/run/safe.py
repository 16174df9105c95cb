"""A finished run's draws made anew, as a tier may rest on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.areas import Frame, load_frame
from smallarea.catalog import load_catalog
from smallarea.errors import InputError
from smallarea.features import load_features
from smallarea.files import sha256
from smallarea.models.counts import rows
from smallarea.progress import Progress
from smallarea.publish.basis import closed_streams
from smallarea.run.inputs import CATALOG
from smallarea.run.kept import kept_answers, kept_stage
from smallarea.run.stages import seed_of
from smallarea.run.totals import load_given
from smallarea.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from smallarea.models.candidates import Candidate
    from smallarea.run.record import Run


@dataclass(frozen=True)
class Safe:
    """What tiers of a run are made of and judged by.

    before : reported rates before any agreement, of areas whose group was never interviewed.
    counts : persons (component, area_id, draw) that may be released. outside : bool by area, see
        `smallarea.release.groups.unseen`.
    found, group : cells and groups, see `smallarea.release.groups`.
    attack : what `smallarea.release.attack.judge` found. units : codes of sampling units.
    tau : reporting rate by draw. parts : see `smallarea.release.safe.Unseen`. closed : streams of
        sources that are not open. plan : where to interview next, by these draws.
    """

    frame: Frame
    settings: Settings
    before: xr.DataArray
    counts: xr.DataArray
    outside: pd.Series
    found: pd.DataFrame
    group: pd.Series
    attack: pd.DataFrame
    units: frozenset[str]
    tau: np.ndarray | None
    parts: pd.DataFrame
    closed: set[str]
    plan: pd.DataFrame


def safe_draws(run: Run, root: Path, progress: Progress) -> Safe:
    """Make the draws and attack them.

    Raises
    ------
    InputError : the run's stages are gone, its survey or its model files have changed, or it has
        too few sampling units for any tier.
    """
    import xarray as xr

    from smallarea.findings.places import where_next
    from smallarea.projection import reference_sizes, to_counts
    from smallarea.release.attack import judge, scores
    from smallarea.release.groups import cells, groups_of, sampling_units, unseen
    from smallarea.release.safe import medians, safe_rates, unasked, unseen_draws

    settings = Settings.model_validate(run.manifest["settings"])
    frame = load_frame(kept_stage(run, root, "frame"))
    streams = load_features(kept_stage(run, root, "features"))
    features = streams.values
    ground = kept_stage(run, root, "direct" if settings.survey is None else "nsum")
    national = xr.load_dataarray(ground / "national.nc", engine="h5netcdf")
    pooled = xr.load_dataarray(kept_stage(run, root, "models") / "rates.nc", engine="h5netcdf")
    made = xr.load_dataset(kept_stage(run, root, "projection") / "counts.nc", engine="h5netcdf")
    tau = made["tau"].to_numpy() if "tau" in made else None
    direct, refit = kept_answers(run, root, settings, frame)
    table, surveyed = frame.table, direct.reports.index.sort_values()
    units = sampling_units(direct)
    found = cells(table, units)
    group = groups_of(table, found)
    drawn = unseen_draws(
        same_models(run, root),
        features,
        direct,
        table,
        group,
        refit or (lambda left: rows(direct, surveyed.difference(left))),
        n=pooled.sizes["draw"],
        seed=seed_of(run.manifest["seed"], "models"),
        progress=lambda what, share: progress(f"publish: {what}", 0.8 * share),
        stream=streams.stream,
    )
    progress("publish: agreement with the nation", 0.8)
    sizes = reference_sizes(table, run.indicators)
    given = None
    if settings.totals is not None:
        seed = seed_of(run.manifest["seed"], "totals")
        given = load_given(kept_stage(run, root, "totals"), pooled.sizes["draw"], seed)
    ground_truth = (sizes, national, table, run.indicators, tau, given)
    rates = safe_rates(drawn.rates, *ground_truth)
    counts = to_counts(rates, sizes, table["covered"])
    progress("publish: attack", 0.9)
    told = direct.reports.loc[surveyed, list(run.indicators.components)] > 0
    shown = made["counts"] / sizes.where(sizes > 0)
    attack = judge(
        told,
        scores(medians(shown), table, surveyed),
        scores(medians(rates), table, surveyed),
        unasked(drawn, lambda world: scores(world, table, surveyed), surveyed),
    )
    reported = rates if tau is None else rates * xr.DataArray(tau, dims="draw")
    covered = list(table.index[table["covered"].astype(bool)])
    plan = where_next(reported, table, direct, len(units), covered, run.indicators)
    codes = frozenset(units["psu"].astype(str)) if "psu" in units else frozenset()
    return Safe(
        frame, settings, drawn.rates, counts, unseen(features, surveyed, group),
        found, group, attack, codes - set(table.index),
        tau, drawn.parts, closed_streams(streams.info, access(root)), plan,
    )  # fmt: skip


def access(root: Path) -> dict[str, str]:
    """Return who may have each source, by the catalog as it is now; the frame is open."""
    sources = load_catalog(root / CATALOG).sources
    return {name: str(source.access) for name, source in sources.items()} | {"frame": "open"}


def same_models(run: Run, root: Path) -> dict[str, Candidate]:
    """Return the pool's members; raise InputError if model files are not those of the run."""
    from smallarea.models import load_models

    used = {
        entry["file"]: entry["sha256"]
        for entry in run.manifest["inputs"]
        if "source" not in entry and str(entry["file"]).startswith("models/")
    }
    now = {f"models/{path.name}": sha256(path) for path in sorted((root / "models").glob("*.py"))}
    if changed := sorted(name for name in {*used, *now} if used.get(name) != now.get(name)):
        raise InputError(
            f"{', '.join(changed)} changed since the run",
            where=str(root / "models"),
            remedy="run `smallarea run` first",
        )
    loaded = load_models(root / "models", run.manifest["profile"])
    return {name: model for name, model in loaded.items() if model.stack}

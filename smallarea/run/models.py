"""The models stage: candidates compared on held-out places; reported rates as draws."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.areas import load_frame
from smallarea.areas.levels import level_ids, levels_of
from smallarea.errors import InputError
from smallarea.features import load_features
from smallarea.files import write_json
from smallarea.run.answers import earlier_words, modelled
from smallarea.run.inputs import spoken_of

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


#: The fitted models, and the key of the features they were fitted on.
FITS, MADE_OF = "fits.pkl.z", "fits.json"
#: Sentences for the reader of the estimates.
NOTES = "notes.json"


def models_stage(job: Job, frame: Stage, features: Stage, ground: Stage) -> Stage:
    """Compare the candidates on held-out groups of areas; draw reported rates for every area."""
    survey = job.inputs.survey
    draws, folds, inputs = job.draws, job.settings.folds, job.inputs

    def compute(out: Path) -> None:
        from smallarea.models import fit_models, load_models
        from smallarea.models.applicability import applicability
        from smallarea.models.kept import Fits, save_fits
        from smallarea.nsum import load_direct

        with spoken_of(inputs.models, "models"):
            candidates = load_models(inputs.models, job.profile)
        streams, areas = load_features(features.folder), load_frame(frame.folder)
        values = streams.values
        without = None
        if survey is None:
            direct = load_direct(ground.folder)
        else:
            direct, without = modelled(job.settings, survey, inputs.earlier, areas, job.indicators)
        table = areas.table
        _require_two_groups(table, direct.reports.index)
        near = applicability(values, direct.reports.index, level_ids(table))
        near.to_csv(out / "applicability.csv")
        fitted = fit_models(
            candidates,
            values,
            direct,
            table,
            without=without,
            folds=folds,
            n=draws,
            seed=job.seed_of("models"),
            progress=lambda what, share: job.store.progress(f"models: {what}", share),
            stream=streams.stream,
        )
        fitted.draws.to_netcdf(out / "rates.nc", engine="h5netcdf")
        fitted.cross_fitted.to_netcdf(out / "cross_fitted.nc", engine="h5netcdf")
        fitted.parts.to_parquet(out / "parts.parquet")
        fitted.members.to_csv(out / "members.csv")
        fitted.scores.to_csv(out / "scores.csv")
        fitted.calibration.to_csv(out / "calibration.csv")
        fitted.diagnostics.to_csv(out / "diagnostics.csv", index=False)
        write_json(out / "evidence.json", asdict(fitted.evidence))
        save_fits(Fits(values, direct.reports.index, fitted.fits), out / FITS)
        if job.settings.earlier is not None:
            write_json(out / NOTES, [earlier_words(job.settings.earlier)])
        write_json(out / MADE_OF, {"features": features.key})

    return job.store.stage(
        "models",
        compute,
        settings=models_settings(job),
        code=job.code(__file__, inputs.models),
        after=(frame, features, ground),
    )


def models_settings(job: Job) -> dict[str, Any]:
    """Return what the stage's key depends on besides code and the stages before it."""
    folds, earlier = job.settings.folds, job.settings.earlier
    key = {"profile": job.profile, "draws": job.draws, "folds": folds, "seed": job.seed}
    if earlier is not None:
        key |= {"earlier": job.inputs.then, "share": earlier.share, "drawn": job.settings.seed}
    return key


def _require_two_groups(table: pd.DataFrame, surveyed: pd.Index) -> None:
    """Raise InputError if all surveyed areas lie in one unit of the lowest level.

    Models are compared, and areas unlike the surveyed ones told, by leaving out whole units.
    """
    lowest = levels_of(table)[0]
    units = table.loc[surveyed, lowest][~level_ids(table)[surveyed].duplicated()]
    if len(units) < 2:
        named = f" ({units.iloc[0]})" if len(units) else ""
        raise InputError(
            f"all areas with direct estimates ({len(surveyed)}) lie in one unit of the lowest "
            f"level{named}, and models are compared by leaving out whole units",
            where=f"data_catalog.yaml, frame.levels.0 ({lowest})",
            remedy="bring estimates of areas in at least two units, or declare a lower level; if "
            "there is none, let each area be its own unit: name the column of the areas' codes "
            "as the level's `column`",
        )

"""The models stage without a fit: rates that models fitted before give the features of today."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.areas import load_frame
from smallarea.areas.levels import level_ids
from smallarea.errors import InputError
from smallarea.features import load_features
from smallarea.files import read_object, write_json
from smallarea.run.models import FITS, MADE_OF, NOTES, models_settings, models_stage
from smallarea.run.records import damage, read_record
from smallarea.run.stages import Stage, key_of

if TYPE_CHECKING:
    from smallarea.run.job import Job

#: What is of the fit, not of today's features.
OF_THE_FIT = (
    "cross_fitted.nc", "members.csv", "scores.csv", "calibration.csv", "diagnostics.csv",
    "evidence.json",
)  # fmt: skip


def projected_stage(job: Job, frame: Stage, features: Stage, ground: Stage, fit: Path) -> Stage:
    """Return the models stage, made with models fitted before.

    fit : folder of the models stage in which they were fitted.

    Raises
    ------
    InputError : survey, frame, model files, settings, engine or libraries are not those of the fit,
        or a feature is gone: the models have to be fitted again.
    """
    entry = str(Path(__file__).with_name("models.py"))
    record = read_record(fit)
    told = read_object(fit / MADE_OF) or {}
    said = damage(fit)
    if not said and record is not None:
        after = [frame.key, str(told.get("features")), ground.key]
        code = job.code(entry, job.inputs.models)
        if key_of("models", models_settings(job), code, after) != record.key:
            said = (
                "survey, areas, model files, settings, the engine or its libraries are not those "
                "of the fit any more"
            )
    if said or record is None:
        raise InputError(
            f"the fitted models cannot be used: {said}",
            where=str(fit),
            remedy="fit them again: `smallarea refresh --refit`",
        )
    if told["features"] == features.key:
        return models_stage(job, frame, features, ground)

    def compute(out: Path) -> None:
        from smallarea.models.applicability import applicability
        from smallarea.models.kept import load_fits

        fits, table = load_fits(fit / FITS), load_frame(frame.folder).table
        streams = load_features(features.folder)
        values = streams.values
        drawn = fits.draws(values, table, job.draws, job.seed_of("models"))
        drawn.to_netcdf(out / "rates.nc", engine="h5netcdf")
        fits.parts(values, table, streams.stream).to_parquet(out / "parts.parquet")
        near = applicability(
            fits.seen(values), fits.surveyed, level_ids(table), fitted=fits.features
        )
        near.to_csv(out / "applicability.csv")
        for name in OF_THE_FIT:
            shutil.copyfile(fit / name, out / name)
        before = json.loads((fit / NOTES).read_text()) if (fit / NOTES).is_file() else []
        write_json(out / NOTES, [*before, _note(len(fits.surveyed), int(near["outside"].sum()))])

    made = Stage("fit", fit, record.key, True, 0.0, record.seconds, record.hashes)
    job.store.finished.append(made)
    return job.store.stage(
        "models",
        compute,
        settings=models_settings(job) | {"fit": record.key},
        code=job.code(__file__, job.inputs.models),
        after=(frame, features, ground, made),
    )


def _note(surveyed: int, outside: int) -> str:
    return (
        "the models were not fitted again: they see the streams as they are now, but for "
        f"{surveyed} interviewed areas as they were at the fit, and {outside} areas are unlike "
        "any that the fit has seen"
    )

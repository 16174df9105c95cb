"""The features stage: every stream's columns, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.areas import load_frame
from smallarea.catalog.terms import Terms
from smallarea.features import build_features, save_features
from smallarea.run.inputs import spoken_of

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


def features_stage(job: Job, frame: Stage) -> Stage:
    """Every stream's columns, one row per area, side by side."""
    inputs = job.inputs

    def compute(out: Path) -> None:
        with spoken_of(inputs.features, "features"):
            made = build_features(
                job.catalog,
                load_frame(frame.folder),
                inputs.features,
                inputs.sources,
                progress=lambda stream, share: job.store.progress(f"features: {stream}", share),
            )
        save_features(made, out)

    return job.store.stage(
        "features",
        compute,
        settings={
            "sources": {
                name: source.model_dump(exclude=set(Terms.model_fields))
                for name, source in job.catalog.sources.items()
            },
            "files": {name: kept.sha256 for name, kept in inputs.sources.items()},
        },
        code=job.code(__file__, inputs.features),
        after=(frame,),
    )

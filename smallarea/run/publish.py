"""The publish stage: everything people open, made of what the stages before it left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


def publish_stage(job: Job, stages: list[Stage]) -> Stage:
    """Write what people open: tables, draws, map, report; and the facts for the manifest."""
    indicators = job.indicators
    k, synthetic, seed = job.top_k, job.inputs.synthetic, job.seed
    trace = {"profile": job.profile, "seed": seed} | {f"{s.name}_stage": s.key[:16] for s in stages}

    def compute(out: Path) -> None:
        from smallarea.run.publication import publish

        folders = {stage.name: stage.folder for stage in stages}
        publish(
            out,
            folders,
            job.catalog,
            job.settings,
            indicators,
            k=k,
            synthetic=synthetic,
            seed=seed,
            trace=trace,
        )

    return job.store.stage(
        "publish",
        compute,
        settings={"top_k": k, "indicators": indicators.model_dump()}
        | {"synthetic": synthetic}
        | {"comparisons": [each.model_dump() for each in job.catalog.comparisons]}
        | job.settings.model_dump(include={"small_population", "withhold_below"})
        | trace,
        code=job.code(__file__),
        after=tuple(stages),
    )

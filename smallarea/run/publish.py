"""The publish stage: everything people open, made of what the stages before it left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.catalog.declare import PROGRAMME
from smallarea.run.programmes import FILE

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.sound import Aside
    from smallarea.run.stages import Stage


def publish_stage(job: Job, stages: list[Stage], aside: Sequence[Aside] = ()) -> Stage:
    """Write what people open: tables, draws, map, report; and the facts for the manifest.

    aside : snapshots in quarantine; the report shows them.
    """
    indicators = job.indicators
    k, synthetic, seed = job.top_k, job.inputs.synthetic, job.seed
    trace = {"profile": job.profile, "seed": seed} | {f"{s.name}_stage": s.key[:16] for s in stages}

    programmes = {n: s for n, s in job.catalog.sources.items() if s.kind == PROGRAMME}
    hashes = {n: kept.sha256 for n, kept in job.inputs.sources.items() if n in programmes}

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
            trace=trace,
            aside=aside,
        )
        if programmes:
            from smallarea.areas import load_frame
            from smallarea.catalog.programmes import read_programmes

            frame = load_frame(folders["frame"])
            made = read_programmes(job.catalog, job.inputs.sources, frame)
            made.to_csv(out / FILE, index=False)

    return job.store.stage(
        "publish",
        compute,
        settings={"top_k": k, "indicators": indicators.model_dump()}
        | {"synthetic": synthetic}
        | {"programmes": {name: s.model_dump() for name, s in programmes.items()}, "hashes": hashes}
        | {"comparisons": [each.model_dump() for each in job.catalog.comparisons]}
        | job.settings.model_dump(include={"small_population", "withhold_below"})
        | {"aside": [(each.said, each.sha256) for each in aside]}
        | trace,
        code=job.code(__file__),
        after=tuple(stages),
    )

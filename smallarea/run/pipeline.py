"""The main job, stage by stage: frame, features, nsum, models, projection, findings, publish.

Here is only the order. Each stage is a module of this room: it reads what the stages before it
wrote, writes its own outputs into the folder it is given, and says what its key depends on. What
answers alone say, where anybody was asked, and totals of units, where a project gives any, are
stages of their own before the models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smallarea.areas import load_frame, load_table
from smallarea.areas.levels import levels_of
from smallarea.catalog.declare import PROGRAMME
from smallarea.catalog.programmes import read_programmes
from smallarea.features.saved import LEARNED_FROM
from smallarea.release.promise import require_levels
from smallarea.run.direct import direct_stage
from smallarea.run.findings import answers_stage, findings_stage
from smallarea.run.fits import projected_stage
from smallarea.run.frame import frame_stage, framed
from smallarea.run.models import models_stage
from smallarea.run.nsum import nsum_stage
from smallarea.run.projection import projection_stage
from smallarea.run.publish import publish_stage
from smallarea.run.sound import sound_features
from smallarea.run.totals import totals_stage

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


def main_job(job: Job) -> tuple[Job, Stage, list[str]]:
    """Run every stage, or find it finished.

    Returns
    -------
    The job as it was done, the published stage, and a sentence for each source in quarantine.
    """
    frame = frame_stage(job.store, job.catalog, [job.inputs.frame])
    job = framed(job, frame)
    require_levels(job.settings, levels_of(load_table(frame.folder)))
    if any(source.kind == PROGRAMME for source in job.catalog.sources.values()):
        read_programmes(job.catalog, job.inputs.sources, load_frame(frame.folder))  # before hours
    job, features, aside = sound_features(job, frame)
    ground = direct_stage(job, frame) if job.inputs.direct else nsum_stage(job, frame)
    survey = job.inputs.survey
    answers = [answers_stage(job, survey, frame, ground)] if survey else []
    given = totals_stage(job, frame, ground) if job.inputs.totals else None
    before = (job, frame, features.only(*LEARNED_FROM), ground)
    models = projected_stage(*before, job.fit) if job.fit else models_stage(*before)
    projection = projection_stage(job, frame, ground, models, given)
    findings = findings_stage(job, frame, ground, models, projection)
    stages = [frame, features, ground, *answers, models, projection, findings]
    return job, publish_stage(job, stages, aside), [str(each) for each in aside]

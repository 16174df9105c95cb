"""The features stages: one per stream, and all columns side by side."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.areas import load_frame
from smallarea.catalog.terms import Terms
from smallarea.features import load_features, load_streams, save_features
from smallarea.features.build import Sources, build_stream, left_out, side_by_side
from smallarea.files import digest_of, sha256
from smallarea.run.code import engine_hash
from smallarea.run.inputs import spoken_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from smallarea.areas import Frame
    from smallarea.features import Features
    from smallarea.features.stream import Stream
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


def features_stage(job: Job, frame: Stage) -> Stage:
    """Make every stream's columns, one row per area, and put them side by side.

    A stream is made anew only where its file, its sources or the engine have changed. The key of
    the stage returned hangs on what the streams have written, not on what they were made of.
    """
    inputs, store = job.inputs, job.store
    with spoken_of(inputs.features, "features"):
        streams = load_streams(inputs.features)
        shared = sorted(inputs.features.glob("_*.py"))
        code = engine_hash([Path(__file__), *streams, *shared])
        own = digest_of([code, [sha256(path) for path in shared]])
        areas = cache(lambda: load_frame(frame.folder))
        notes: list[Features] = []
        made: list[Stage] = []
        for done, (path, stream) in enumerate(streams.items()):
            store.progress(f"features: {stream.name}", done / len(streams))
            note = left_out(path, stream, job.catalog, inputs.sources)
            if note:
                notes.append(note)
            else:
                made.append(_stream_stage(job, frame, path, stream, areas, own))

        def join(out: Path) -> None:
            parts = [*notes, *(load_features(stage.folder) for stage in made)]
            save_features(side_by_side(parts, inputs.features), out)

        return store.stage(
            "features",
            join,
            settings={
                "streams": {stage.name: stage.content for stage in made},
                "left_out": [str(report) for note in notes for report in note.reports],
            },
            code=code,
            after=(frame,),
        )


def _stream_stage(
    job: Job, frame: Stage, path: Path, stream: Stream, areas: Callable[[], Frame], shared: str
) -> Stage:
    """Make one stream's columns. shared : hash of the code that all streams share."""
    given = job.inputs.sources
    sources = {name: job.catalog.sources[name] for name in stream.sources}

    def compute(out: Path) -> None:
        save_features(build_stream(path, stream, Sources(job.catalog, areas(), given)), out)

    return job.store.stage(
        f"features-{stream.name}",
        compute,
        settings={
            "sources": {
                name: source.model_dump(exclude=set(Terms.model_fields))
                for name, source in sources.items()
            },
            "files": {name: given[name].sha256 for name in sources if name in given},
        },
        code=digest_of([sha256(path), shared]),
        after=(frame,),
        told=False,
    )

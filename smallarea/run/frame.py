"""The frame stage: areas with codes, names, populations, polygons and neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.areas import build_frame, frame_inputs, load_table, save_frame
from smallarea.errors import InputError
from smallarea.run.code import source_hash

if TYPE_CHECKING:
    import pandas as pd

    from smallarea.catalog import Catalog
    from smallarea.indicators import Indicators
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage, StageStore

#: Numbers in a frame's table that count nobody.
NO_PEOPLE = ("lon", "lat", "area_km2", "urban_share")


def frame_stage(store: StageStore, catalog: Catalog, dirs: Sequence[Path]) -> Stage:
    """Areas: codes, names, populations, polygons, neighbours. It needs no survey."""

    def compute(out: Path) -> None:
        save_frame(build_frame(catalog, dirs), out)

    return store.stage(
        "frame",
        compute,
        settings={"frame": catalog.frame, "inputs": frame_inputs(catalog, dirs)},
        code=source_hash([Path(__file__)]),
    )


def framed(job: Job, frame: Stage) -> Job:
    """Return the job with what only the frame settles: k, and that its populations are there."""
    table = load_table(frame.folder)
    require_populations(job.indicators, table)
    return replace(job, top_k=job.settings.top_of(len(table)))


def require_populations(indicators: Indicators, table: pd.DataFrame) -> None:
    """Raise InputError if a reference population is no column of numbers in the frame's table."""
    numbers = [str(name) for name in table.select_dtypes("number")]
    people = [name for name in numbers if name not in NO_PEOPLE]
    for name in indicators.populations:
        if name not in numbers:
            raise InputError(
                f"population {name!r} is no column of the frame; there are {', '.join(people)}",
                where=f"data_catalog.yaml, indicators.populations.{name}",
                remedy="use one of these as its key, or, where the frame is a table, name its "
                f"column under frame.populations: {{{name}: COLUMN}}",
            )

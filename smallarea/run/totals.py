"""The totals stage: what is given for units above the areas, checked before any model is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.areas import load_frame

if TYPE_CHECKING:
    from smallarea.projection.top_down import Given
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage

GIVEN = "given.csv"


def totals_stage(job: Job, frame: Stage, ground: Stage) -> Stage:
    """Read totals of units; refuse those that contradict the nation or each other."""
    declared, path = job.settings.totals, job.inputs.totals
    assert declared is not None
    assert path is not None

    def compute(out: Path) -> None:
        import xarray as xr

        from smallarea.projection.given_checks import check_given
        from smallarea.projection.given_totals import draw_given, read_given

        areas = load_frame(frame.folder)
        national = xr.load_dataarray(ground.folder / "national.nc", engine="h5netcdf")
        given = read_given(path, areas, job.indicators)
        drawn = draw_given(given, national.sizes["draw"], job.seed_of("totals"))
        check_given(given, drawn, national, areas.table, job.indicators, path.name)
        given.to_csv(out / GIVEN)

    return job.store.stage(
        "totals",
        compute,
        settings={
            "file": job.inputs.own[declared.file],
            "indicators": job.indicators.model_dump(),
            "seed": job.seed,
        },
        code=job.code(__file__),
        after=(frame, ground),
    )


def load_given(folder: Path, draws: int, seed: int) -> Given:
    """Read back what the stage kept, and draw it."""
    from smallarea.projection.given_totals import draw_given
    from smallarea.projection.top_down import Given

    text = {"unit_id": str, "unit": str}
    given = pd.read_csv(folder / GIVEN, index_col="row", dtype=text, keep_default_na=False)
    return Given(given, draw_given(given, draws, seed))

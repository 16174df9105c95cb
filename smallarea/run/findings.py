"""Two stages of findings: what the answers alone say, and what needs the map as well.

The first does not know the streams, so that a refreshed one leaves it as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.areas import load_frame
from smallarea.files import write_json
from smallarea.run.answers import in_frame, read_answers

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


def answers_stage(job: Job, survey: Path, frame: Stage, ground: Stage) -> Stage:
    """Tell what the answers alone say: tables fit to publish, one figure, notes."""
    settings, seed = job.settings, job.seed_of("findings")

    def compute(out: Path) -> None:
        from smallarea.findings import FitChecks, answer_findings
        from smallarea.nsum import load_direct
        from smallarea.nsum.annex.group_tables import largest_figure
        from smallarea.nsum.annex.plots import svg_text

        areas = load_frame(frame.folder)
        ard = in_frame(read_answers(survey, job.indicators, settings), areas)
        tables, notes = answer_findings(
            ard,
            areas.table,
            load_direct(ground.folder),
            job.indicators,
            checks=FitChecks(
                pd.read_csv(ground.folder / "checks.csv"),
                pd.read_csv(ground.folder / "leave_one_out.csv"),
            ),
            casework=read_casework(ground.folder),
            by=settings.describe_by,
            numbers=settings.describe_numbers,
            seed=seed,
        )
        _write(tables, out)
        drawn = largest_figure(ard)
        if drawn is not None:
            (out / "known_groups.svg").write_text(svg_text(drawn), encoding="utf-8")
        write_json(out / "notes.json", notes)

    return job.store.stage(
        "answers",
        compute,
        settings=_settings(job)
        | settings.model_dump(include={"describe_numbers"})
        | {"seed": seed},
        code=job.code(__file__),
        after=(frame, ground),
    )


def findings_stage(
    job: Job, frame: Stage, ground: Stage, models: Stage, projection: Stage
) -> Stage:
    """Tell what answers and map say together: tables fit to publish."""

    def compute(out: Path) -> None:
        import xarray as xr

        from smallarea.findings import Asked, map_findings
        from smallarea.nsum import load_direct

        areas = load_frame(frame.folder)
        rates = xr.load_dataarray(models.folder / "rates.nc", engine="h5netcdf")
        with xr.open_dataset(projection.folder / "counts.nc", engine="h5netcdf") as projected:
            counts = projected["counts"].load()
            tau = projected["tau"].load() if "tau" in projected else None
        asked = None
        if job.inputs.survey is not None:
            ard = in_frame(read_answers(job.inputs.survey, job.indicators, job.settings), areas)
            casework = read_casework(ground.folder)
            anchors = None if casework is None else casework["areas"].query("used").index.tolist()
            asked = Asked(ard, job.settings.describe_by, anchors, job.top_k)
        direct = load_direct(ground.folder)
        _write(map_findings(areas.table, direct, job.indicators, rates, counts, tau, asked), out)

    return job.store.stage(
        "findings",
        compute,
        settings=_settings(job) | {"top_k": job.top_k},
        code=job.code(__file__),
        after=(frame, ground, models, projection),
    )


def _settings(job: Job) -> dict[str, object]:
    return {
        "survey": job.inputs.answers,
        "describe_by": job.settings.describe_by,
        "indicators": job.indicators.model_dump(),
    }


def _write(tables: dict[str, pd.DataFrame], out: Path) -> None:
    for name, table in tables.items():
        table.to_csv(out / f"{name}.csv", index=False)


def read_casework(folder: Path) -> dict[str, pd.DataFrame] | None:
    """Read what the nsum stage kept of the casework bridge; None without casework."""
    if not (folder / "casework_summary.csv").is_file():
        return None
    return {
        "summary": pd.read_csv(folder / "casework_summary.csv", index_col=0),
        "sensitivity": pd.read_csv(folder / "casework_sensitivity.csv", index_col="factor"),
        "areas": pd.read_csv(
            folder / "casework_areas.csv", dtype={"area_id": str}, index_col="area_id"
        ),
    }

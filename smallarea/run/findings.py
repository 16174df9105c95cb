"""The findings stage: what the survey itself says, as tables, one figure and notes."""

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


def findings_stage(
    job: Job, frame: Stage, ground: Stage, models: Stage, projection: Stage
) -> Stage:
    """Tell what the survey itself says: tables fit to publish, one figure, notes."""
    by, top_k, survey = job.settings.describe_by, job.top_k, job.inputs.survey
    numbers, seed = job.settings.describe_numbers, job.seed_of("findings")

    def compute(out: Path) -> None:
        import xarray as xr

        from smallarea.findings import FitChecks, direct_findings, findings
        from smallarea.nsum import load_direct
        from smallarea.nsum.annex.group_tables import largest_figure
        from smallarea.nsum.annex.plots import svg_text

        areas = load_frame(frame.folder)
        direct = load_direct(ground.folder)
        rates = xr.load_dataarray(models.folder / "rates.nc", engine="h5netcdf")
        with xr.open_dataset(projection.folder / "counts.nc", engine="h5netcdf") as projected:
            counts = projected["counts"].load()
            tau = projected["tau"].load() if "tau" in projected else None
        if survey is None:
            tables = direct_findings(areas.table, direct, job.indicators, rates, counts, tau)
            for name, table in tables.items():
                table.to_csv(out / f"{name}.csv", index=False)
            write_json(out / "notes.json", [])
            return
        ard = in_frame(read_answers(survey, job.indicators, job.settings), areas)
        tables, notes = findings(
            ard,
            areas.table,
            direct,
            job.indicators,
            rates=rates,
            counts=counts,
            tau=tau,
            checks=FitChecks(
                pd.read_csv(ground.folder / "checks.csv"),
                pd.read_csv(ground.folder / "leave_one_out.csv"),
            ),
            casework=read_casework(ground.folder),
            by=by,
            numbers=numbers,
            seed=seed,
            top_k=top_k,
        )
        for name, table in tables.items():
            table.to_csv(out / f"{name}.csv", index=False)
        drawn = largest_figure(ard)
        if drawn is not None:
            (out / "known_groups.svg").write_text(svg_text(drawn), encoding="utf-8")
        write_json(out / "notes.json", notes)

    return job.store.stage(
        "findings",
        compute,
        settings={
            "survey": job.inputs.answers,
            "describe_by": by,
            "describe_numbers": numbers,
            "seed": seed,
            "top_k": top_k,
            "indicators": job.indicators.model_dump(),
        },
        code=job.code(__file__),
        after=(frame, ground, models, projection),
    )


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

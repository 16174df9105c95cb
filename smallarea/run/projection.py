"""The projection stage: reported rates made to agree with the nation, then people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.areas import load_frame
from smallarea.files import write_json

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


def projection_stage(job: Job, frame: Stage, ground: Stage, models: Stage) -> Stage:
    """Make reported rates agree with the nation, divide by the reporting rate, count people."""

    def compute(out: Path) -> None:
        import xarray as xr

        from smallarea.nsum.reporting.tau import TauPrior, tau_draws
        from smallarea.projection import agree, bound_rates, reference_sizes, to_counts

        table = load_frame(frame.folder).table
        rates = xr.load_dataarray(models.folder / "rates.nc", engine="h5netcdf")
        national = xr.load_dataarray(ground.folder / "national.nc", engine="h5netcdf")
        stated = ground.folder / "tau.json"
        tau = None
        if stated.is_file():
            prior = TauPrior(**json.loads(stated.read_text()))
            tau = tau_draws(prior, rates.sizes["draw"], job.seed_of("tau"))
        rates, bounded = bound_rates(rates, job.indicators.labels)
        sizes = reference_sizes(table, job.indicators)
        prevalence, agreement = agree(rates, sizes, national, table["covered"], tau=tau)
        counts = to_counts(prevalence, sizes, table["covered"])
        made = xr.Dataset({"counts": counts} | ({} if tau is None else {"tau": ("draw", tau)}))
        made.to_netcdf(out / "counts.nc", engine="h5netcdf")
        agreement.components.to_csv(out / "agreement.csv")
        agreement.movement.to_csv(out / "movement.csv")
        write_json(out / "warnings.json", [*bounded, *agreement.warnings])

    return job.store.stage(
        "projection",
        compute,
        settings={"seed": job.seed},
        code=job.code(__file__),
        after=(frame, ground, models),
    )

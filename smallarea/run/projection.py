"""The projection stage: reported rates made to agree with the nation, then people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.areas import load_frame
from smallarea.files import write_json
from smallarea.run.totals import load_given

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


def projection_stage(
    job: Job, frame: Stage, ground: Stage, models: Stage, given: Stage | None = None
) -> Stage:
    """Make reported rates agree with the nation, divide by the reporting rate, count people.

    given : the stage of totals of units, where the project gives any.
    """

    def compute(out: Path) -> None:
        import xarray as xr

        from smallarea.nsum.reporting.tau import TauPrior, tau_draws
        from smallarea.projection import (
            agree_top_down,
            apply_tau,
            bound_rates,
            bounded_words,
            reference_sizes,
            side_by_side,
            to_counts,
        )

        table = load_frame(frame.folder).table
        rates = xr.load_dataarray(models.folder / "rates.nc", engine="h5netcdf")
        national = xr.load_dataarray(ground.folder / "national.nc", engine="h5netcdf")
        stated = ground.folder / "tau.json"
        tau = None
        if stated.is_file():
            prior = TauPrior(**json.loads(stated.read_text()))
            tau = tau_draws(prior, rates.sizes["draw"], job.seed_of("tau"))
        rates, above = bound_rates(rates)
        sizes = reference_sizes(table, job.indicators)
        told = (
            load_given(given.folder, rates.sizes["draw"], job.seed_of("totals")) if given else None
        )
        made = agree_top_down(rates, sizes, national, table, job.indicators, told, tau=tau)
        rates = rates if tau is None else apply_tau(rates, tau)[0]
        agreement = made.agreement.components.join(above)
        agreement = agreement.join(side_by_side(rates, made.rates, sizes, made.held))
        del rates
        counts = to_counts(made.rates, sizes, table["covered"])
        kept = xr.Dataset({"counts": counts} | ({} if tau is None else {"tau": ("draw", tau)}))
        kept.to_netcdf(out / "counts.nc", engine="h5netcdf")
        agreement.to_csv(out / "agreement.csv")
        made.agreement.movement.to_csv(out / "movement.csv")
        if given:
            made.units.to_csv(out / "totals.csv")
        bounded = bounded_words(above, job.indicators.labels)
        write_json(out / "warnings.json", [*bounded, *made.agreement.warnings])

    return job.store.stage(
        "projection",
        compute,
        settings={"seed": job.seed},
        code=job.code(__file__),
        after=(frame, ground, models, *([given] if given else [])),
    )

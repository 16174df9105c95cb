"""The direct stage: estimates from elsewhere, in the place of a scale-up survey."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.areas import load_frame
from smallarea.files import write_json

if TYPE_CHECKING:
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


def direct_stage(job: Job, frame: Stage) -> Stage:
    """Read direct estimates; draw the nation's counts from stated totals or from them."""
    settings, draws = job.settings, job.draws
    declared, path = settings.direct, job.inputs.direct
    assert declared is not None
    assert path is not None

    def compute(out: Path) -> None:
        from smallarea.nsum import save_direct
        from smallarea.nsum.direct.elsewhere import (
            about_direct,
            national_from_direct,
            read_direct,
        )
        from smallarea.nsum.reporting.tau import TauPrior

        areas = load_frame(frame.folder)
        components = list(job.indicators.components)
        direct = read_direct(path, areas, components, declared.deff)
        covered = areas.table[areas.table["covered"]]
        people = pd.DataFrame({c: covered[job.indicators.reference[c]] for c in components})
        totals = {name: (stated.total, stated.se) for name, stated in declared.national.items()}
        save_direct(direct, out)
        (out / "about.txt").write_text(about_direct(path, declared.deff), encoding="utf-8")
        direct.reports.index.to_frame().to_csv(out / "surveyed.csv", index=False)
        national = national_from_direct(direct, people, draws, job.seed_of("direct"), totals)
        national.to_netcdf(out / "national.nc", engine="h5netcdf")
        stated_tau = settings.tau_prior
        if stated_tau is not None:
            prior = TauPrior(stated_tau.a, stated_tau.b, stated_tau.source)
            write_json(out / "tau.json", asdict(prior))

    return job.store.stage(
        "direct",
        compute,
        settings={
            "direct": job.inputs.answers,
            "chosen": settings.model_dump(include={"tau_prior", "direct"}),  # who published too
            "indicators": job.indicators.model_dump(),
            "draws": draws,
            "seed": job.seed,
        },
        code=job.code(__file__),
        after=(frame,),
    )

"""The nsum stage: what the survey gives for the nation and, directly, for surveyed areas."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.areas import load_frame
from smallarea.files import write_json
from smallarea.run.answers import surveyed_areas
from smallarea.survey.removal import REMOVED

if TYPE_CHECKING:
    from smallarea.areas import Frame
    from smallarea.indicators import Indicators
    from smallarea.nsum import Direct
    from smallarea.nsum.reporting.tau import TauPrior
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage
    from smallarea.settings import Settings


def nsum_stage(job: Job, frame: Stage) -> Stage:
    """From the survey: national posterior on the reported scale, and direct estimates per area."""
    settings, survey, draws = job.settings, job.inputs.survey, job.draws
    assert survey is not None
    indicators = job.indicators

    def compute(out: Path) -> None:
        from smallarea.nsum import killworth_table, save_direct
        from smallarea.nsum.bayesian.predictive import check_fits
        from smallarea.nsum.national import national_fits
        from smallarea.nsum.plausible import within_population
        from smallarea.nsum.raised import answer_warnings, model_warnings

        areas = load_frame(frame.folder)
        ard, direct = surveyed_areas(settings, survey, areas, indicators)
        covered = areas.table[areas.table["covered"]]
        population = {name: covered[name].sum() for name in indicators.populations}
        save_direct(direct, out)
        about = f"{len(ard.counts):,} respondents in {len(direct.reports):,} areas"
        (out / "about.txt").write_text(about, encoding="utf-8")
        direct.reports.index.to_frame().to_csv(out / "surveyed.csv", index=False)
        closed, warnings = within_population(killworth_table(ard), ard.groups["population"])
        closed.to_csv(out / "killworth.csv")
        tau, casework, periods = reporting_prior(
            settings, indicators, survey, direct, areas, job.seed_of("casework")
        )
        if tau is not None:
            write_json(out / "tau.json", asdict(tau))
        for name, table in casework.items():
            table.to_csv(out / f"casework_{name}.csv")
        national, fits = national_fits(
            ard, population, indicators, draws, job.seed_of("nsum"), job.profile,
            posterior=settings.posterior,
        )  # fmt: skip
        national.to_netcdf(out / "national.nc", engine="h5netcdf")
        checks, left_out = check_fits(fits, job.seed_of("checks"))
        checks.to_csv(out / "checks.csv", index=False)
        left_out.to_csv(out / "leave_one_out.csv", index=False)
        said, doubtful = answer_warnings(ard)
        said = (
            ard.loud_notes + warnings + periods + said + model_warnings(ard, fits, checks, left_out)
        )
        write_json(out / "warnings.json", said)
        doubtful.answers.to_csv(out / "implausible.csv", index=False)
        pd.DataFrame(ard.removed, columns=REMOVED).to_csv(out / "removed.csv", index=False)

    return job.store.stage(
        "nsum",
        compute,
        settings={
            "survey": job.inputs.answers,
            "chosen": settings.model_dump(include={"tau_prior", "degrees", "remove", "posterior"}),
            "indicators": indicators.model_dump(),
            "profile": job.profile,
            "draws": draws,
            "seed": job.seed,
        },
        code=job.code(__file__),
        after=(frame,),
    )


def reporting_prior(
    settings: Settings,
    indicators: Indicators,
    survey: Path,
    direct: Direct,
    areas: Frame,
    seed: int,
) -> tuple[TauPrior | None, dict[str, pd.DataFrame], list[str]]:
    """Return the prior of the reporting rate, if one is set: updated by declared casework.

    Beside it the tables of the casework bridge: `summary`, `sensitivity` to the share detected, and
    `areas` (those with casework; `used` where there were interviews too); and warnings, where
    casework speaks of other years than the survey. Without a
    sum that declares its `detection` there are none and casework is left alone: it cannot inform
    the reporting rate unless somebody states how much of the harm it detects.
    """
    from smallarea.nsum.reporting.cases import period_warnings, read_cases
    from smallarea.nsum.reporting.casework import Detection, casework_bridge, detection_sensitivity
    from smallarea.nsum.reporting.tau import TauPrior

    stated = settings.tau_prior
    if stated is None:
        return None, {}, []
    name, added = next(
        ((name, added) for name, added in indicators.sums.items() if added.detection), ("", None)
    )
    if added is None or added.detection is None:
        return TauPrior(stated.a, stated.b, stated.source), {}, []
    detection = added.detection
    known = read_cases(survey / "casework.csv", detection.column, areas, detection.window)
    periods = (indicators.components[part].reference_period for part in added.of)
    said = [*known.notes, *period_warnings(known, detection.window, periods)]
    evidence = (
        direct,
        known.people,
        areas.table[indicators.reference[name]],
        added.of,
        Detection.from_mean(detection.mean, detection.cv, detection.source),
    )
    options: dict[str, Any] = {
        "overlap": added.overlap, "prior": (stated.a, stated.b), "seed": seed
    }  # fmt: skip
    bridge = casework_bridge(*evidence, **options)
    with_cases = pd.Index([*bridge.areas.index, *bridge.left_out], name="area_id")
    used = with_cases.isin(bridge.areas.index)
    tables = {
        "summary": bridge.summary,
        "sensitivity": detection_sensitivity(*evidence, **options),
        "areas": pd.DataFrame({"used": used}, with_cases),
    }
    return bridge.tau, tables, said

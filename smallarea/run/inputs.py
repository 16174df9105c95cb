"""What a run reads, resolved once before its first stage: files with their hashes, the survey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from smallarea.areas import frame_inputs
from smallarea.catalog import Catalog, locate
from smallarea.errors import InputError
from smallarea.files import sha256

SURVEY_FILES = ("respondents.csv", "groups.csv", "roster.csv", "casework.csv")


@dataclass(frozen=True)
class File:
    """A file as it was when the run began; `invented` when it is a digital twin's."""

    path: Path
    sha256: str
    invented: bool


@dataclass(frozen=True)
class Inputs:
    """Everything a run reads.

    Attributes
    ----------
    root : the project's folder, with `data_catalog.yaml`, `features/` and `models/`.
    dirs : folders searched for a source's file, first match wins.
    survey : folder of the survey's files, or None; direct : file of direct estimates, or None.
    answers : hashes by name of the files of either.
    sources : file of each declared source, None where it is absent.
    frame : what the frame is read from, name -> hash or version.
    synthetic : whether the survey or any stream is a digital twin's.
    """

    root: Path
    dirs: tuple[Path, ...]
    survey: Path | None
    direct: Path | None
    answers: dict[str, str]
    sources: dict[str, File | None]
    frame: dict[str, str]
    synthetic: bool

    @property
    def features(self) -> Path:
        """The project's stream files."""
        return self.root / "features"

    @property
    def models(self) -> Path:
        """The project's model files."""
        return self.root / "models"

    @property
    def snapshots(self) -> Path:
        """Where immutable copies of the sources are kept."""
        return self.root / ".smallarea"

    def listed(self, catalog: Catalog) -> list[dict[str, Any]]:
        """List every input file with its hash: catalog, project files, survey, sources, frame."""
        own = [self.root / "data_catalog.yaml"]
        own += sorted(p for room in (self.features, self.models) for p in room.glob("*.py"))
        hashes = {path: sha256(path) for path in own}
        folder = self.survey or (self.direct.parent if self.direct else self.root)
        hashes |= {folder / name: digest for name, digest in self.answers.items()}
        entries: list[dict[str, Any]] = [
            {
                "file": str(p.relative_to(self.root) if p.is_relative_to(self.root) else p),
                "sha256": digest,
            }
            for p, digest in hashes.items()
        ]
        for name, file in self.sources.items():
            if file is not None:
                source = catalog.sources[name]
                entries.append(
                    {
                        "file": source.file,
                        "source": name,
                        "vintage": source.vintage,
                        "licence": source.licence,
                        "synthetic": file.invented,
                        "sha256": file.sha256,
                    }
                )
        return entries + [
            {"file": name, "source": "frame", "sha256": digest}
            for name, digest in self.frame.items()
        ]


def resolve_inputs(
    root: Path,
    catalog: Catalog,
    truth: Path,
    dirs: Sequence[Path],
    twin: Path,
) -> Inputs:
    """Find and hash all that a run reads.

    Parameters
    ----------
    truth : the survey's folder, or the file of direct estimates.
    twin : the digital twin's folder: what comes from there is invented.

    Raises
    ------
    InputError : the survey lacks its respondents or groups, or there are no direct estimates.
    """
    files = _truth_files(truth)
    sources: dict[str, File | None] = {}
    for name, source in catalog.sources.items():
        path = locate(source, dirs)
        sources[name] = None if path is None else File(path, sha256(path), twin in path.parents)
    invented = any(file is not None and file.invented for file in sources.values())
    return Inputs(
        root=root,
        dirs=tuple(dirs),
        survey=truth if truth.is_dir() else None,
        direct=None if truth.is_dir() else truth,
        answers={file.name: sha256(file) for file in files},
        sources=sources,
        frame=frame_inputs(catalog, dirs),
        synthetic=invented or is_synthetic(files[0]),
    )


def _truth_files(truth: Path) -> list[Path]:
    if truth.suffix and not truth.is_dir():
        if not truth.is_file():
            raise InputError(
                "no such file",
                where=str(truth),
                remedy="put the direct estimates there, or correct settings.direct.file",
            )
        return [truth]
    missing = [name for name in SURVEY_FILES[:2] if not (truth / name).is_file()]
    if missing:
        raise InputError(
            f"{', '.join(missing)} not found",
            where=str(truth),
            remedy="put the survey there, name its folder in settings.survey of the catalog, or "
            "run `smallarea simulate`",
        )
    return [truth / name for name in SURVEY_FILES if (truth / name).is_file()]


def is_synthetic(answers: Path) -> bool:
    """Whether answers or direct estimates are invented.

    A twin leaves `twin.json` beside its survey and marks every respondent, so that a copy of its
    survey is known for what it is.
    """
    with answers.open(encoding="utf-8", errors="replace") as lines:
        marked = any("SYNTHETIC" in line for line in islice(lines, 2))
    return marked or (answers.parent.parent / "twin.json").is_file()

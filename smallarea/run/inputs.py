"""What a run reads, copied once before its first stage: no later edit can change what was used."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from smallarea.areas import frame_files, frame_inputs
from smallarea.catalog import Catalog, Snapshot, kept_copy, take_snapshots
from smallarea.catalog.persons import refuse_persons_in_table
from smallarea.catalog.quarantine import accept
from smallarea.errors import InputError
from smallarea.files import UNFINISHED, private_folder, sha256, storing
from smallarea.survey.reading import refuse_respondents_named

CATALOG = "data_catalog.yaml"
SURVEY_FILES = ("respondents.csv", "groups.csv", "roster.csv", "casework.csv")
#: Those with a row per respondent or member of a household.
ASKED = ("respondents.csv", "roster.csv")
STORE = ".smallarea"


@dataclass(frozen=True)
class Inputs:
    """Everything a run reads, as copies that nobody else writes to.

    Attributes
    ----------
    features, models, frame : folders of the copies of stream files, model files and frame files.
    survey : folder of the survey's files, or None; direct : file of direct estimates, or None;
        totals : file of totals of units, or None; earlier : folder of an earlier wave's, or None.
    answers : hashes by name of the files of either; then : of the earlier wave's.
    own : hashes of the project's files by their names in the project: catalog, stream and model
        files, survey.
    sources : snapshot of each declared source that has a file.
    invented : the sources whose file is a digital twin's.
    framed : what the frame is read from, name -> hash or version.
    synthetic : whether the survey or any stream is a digital twin's.
    """

    features: Path
    models: Path
    frame: Path
    survey: Path | None
    direct: Path | None
    totals: Path | None
    earlier: Path | None
    answers: dict[str, str]
    then: dict[str, str]
    own: dict[str, str]
    sources: dict[str, Snapshot]
    invented: frozenset[str]
    framed: dict[str, str]
    synthetic: bool

    def listed(self, catalog: Catalog) -> list[dict[str, Any]]:
        """List every input file with its hash: catalog, project files, survey, sources, frame."""
        own = [{"file": name, "sha256": digest} for name, digest in self.own.items()]
        sources = [
            {
                "file": catalog.sources[name].file,
                "source": name,
                "vintage": catalog.sources[name].vintage,
                "licence": catalog.sources[name].licence,
                "synthetic": name in self.invented,
                "sha256": kept.sha256,
            }
            for name, kept in self.sources.items()
        ]
        framed = [
            {"file": name, "source": "frame", "sha256": digest}
            for name, digest in self.framed.items()
        ]
        return own + sources + framed


class Desk:
    """A folder in which a run finds copies of its inputs under their own names.

    The copies are links to the store's, which are named by their hashes: nothing is stored twice.
    """

    def __init__(self, store: Path, folder: Path, tell: Callable[[str], None]) -> None:
        self.store, self.folder, self._tell = store, folder, tell

    def take(self, original: Path, name: str) -> str:
        """Put a copy of a file on the desk under `name`; return its hash."""
        kept = kept_copy(original, self.store / "inputs", self._tell)
        path = self.folder / name
        if ".." in Path(name).parts:
            raise InputError(
                "it lies outside of its folder", where=name, remedy="put the file below it"
            )
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(kept, path)
            except OSError:  # a file system without hard links
                shutil.copyfile(kept, path)
        return kept.stem

    def take_sources(self, catalog: Catalog, dirs: Sequence[Path]) -> dict[str, Snapshot]:
        """Take a snapshot of every source that has a file."""
        return take_snapshots(catalog.sources, dirs, self.store, self._tell)

    def take_frame(self, catalog: Catalog, dirs: Sequence[Path]) -> Path:
        """Copy the files that the frame is built from; return the folder to search for them."""
        for path in frame_files(catalog, dirs):
            self.take(path, f"frame/{_name_below(dirs, path)}")
        return self.folder / "frame"


@contextmanager
def desk(root: Path, tell: Callable[[str], None]) -> Iterator[Desk]:
    """Lay a desk in a project's store and clear it away in the end."""
    store = root / STORE
    private_folder(store)
    with storing(store):
        folder = Path(tempfile.mkdtemp(prefix=".desk.", suffix=UNFINISHED, dir=store))
    try:
        yield Desk(store, folder, tell)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def resolve_inputs(
    catalog: Catalog,
    truth: Path,
    dirs: Sequence[Path],
    twin: Path,
    desk: Desk,
    totals: str | None = None,
    earlier: str | None = None,
) -> Inputs:
    """Find, copy and hash all that a run reads.

    Parameters
    ----------
    catalog : read from its copy, which is on the desk already.
    truth : the survey's folder, or the file of direct estimates.
    dirs : folders searched for a source's file, first match wins.
    twin : the digital twin's folder: what comes from there is invented.
    totals : file of totals of units in the project, if the settings name one. earlier : folder of
        an earlier wave's survey, likewise.

    Raises
    ------
    InputError : the survey lacks its respondents or groups, or there are no direct estimates or
        totals where the settings name them; a file of the survey or of a source holds persons; the
        project lacks a folder; the disk refuses the copies.
    """
    root, files = desk.store.parent, _truth_files(truth)
    before = [] if earlier is None else _truth_files(root / earlier, "settings.earlier.survey")
    for path in [*files, *before]:
        if path.name in ASKED:
            refuse_respondents_named(path)
        else:
            refuse_persons_in_table(path)
    place = desk.folder / "survey"
    answers = {path.name: desk.take(path, f"survey/{path.name}") for path in files}
    own = {CATALOG: sha256(desk.folder / CATALOG)}
    for room in ("features", "models"):
        (desk.folder / room).mkdir()
        for path in _python_files(root / room):
            name = f"{room}/{path.name}"
            own[name] = desk.take(path, name)
    own |= {_name_in(root, path): answers[path.name] for path in files}
    then = {path.name: desk.take(path, f"earlier/{path.name}") for path in before}
    own |= {_name_in(root, path): then[path.name] for path in before}
    given = None if totals is None else desk.folder / "totals" / Path(totals).name
    if totals is not None and given is not None:
        _require_file(root / totals, "put the totals there, or correct settings.totals.file")
        own[totals] = desk.take(root / totals, f"totals/{given.name}")
    sources = desk.take_sources(catalog, dirs)
    frame = desk.take_frame(catalog, dirs)
    invented = frozenset(name for name, kept in sources.items() if twin in kept.original.parents)
    return Inputs(
        features=desk.folder / "features",
        models=desk.folder / "models",
        frame=frame,
        survey=place if truth.is_dir() else None,
        direct=None if truth.is_dir() else place / truth.name,
        totals=given,
        earlier=desk.folder / "earlier" if before else None,
        answers=answers,
        then=then,
        own=own,
        sources=sources,
        invented=invented,
        framed=frame_inputs(catalog, [frame]),
        synthetic=bool(invented)
        or _invented(place / files[0].name, files[0])
        or (given is not None and _marked(given))
        or any(_invented(desk.folder / "earlier" / path.name, path) for path in before[:1]),
    )


def accept_sources(inputs: Inputs, names: Sequence[str]) -> None:
    """Note that the present files of these sources are right, however little they cover."""
    for name in names:
        if name not in inputs.sources:
            raise InputError(
                f"no source {name!r} has a file",
                where="--accept",
                remedy=f"name one of {', '.join(inputs.sources) or 'none, there is not one'}",
            )
        accept(inputs.sources[name])


@contextmanager
def spoken_of(copies: Path, name: str) -> Iterator[None]:
    """Let errors name a folder of the project, not the one of its copies."""
    try:
        yield
    except InputError as error:
        raise error.at(error.where.replace(str(copies), name)) from error


def _python_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(
            "there is no such folder",
            where=str(folder),
            remedy="a project needs its features/ and models/: `smallarea init` writes an example",
        )
    return sorted(folder.glob("*.py"))


def _name_in(root: Path, path: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _name_below(dirs: Sequence[Path], path: Path) -> Path:
    return next(path.relative_to(folder) for folder in dirs if path.is_relative_to(folder))


def _truth_files(truth: Path, named: str = "settings.survey") -> list[Path]:
    if truth.suffix and not truth.is_dir():
        _require_file(truth, "put the direct estimates there, or correct settings.direct.file")
        return [truth]
    missing = [name for name in SURVEY_FILES[:2] if not (truth / name).is_file()]
    if missing:
        raise InputError(
            f"{', '.join(missing)} not found",
            where=str(truth),
            remedy=f"put the survey there, name its folder in {named} of the catalog, or run "
            "`smallarea simulate`",
        )
    return [truth / name for name in SURVEY_FILES if (truth / name).is_file()]


def _require_file(path: Path, remedy: str) -> None:
    if not path.is_file():
        raise InputError("no such file", where=str(path), remedy=remedy)


def _invented(copy: Path, original: Path) -> bool:
    """Whether answers or direct estimates are invented.

    A twin leaves `twin.json` beside its survey and marks every respondent, so that a copy of its
    survey is known for what it is.
    """
    return _marked(copy) or (original.parent.parent / "twin.json").is_file()


def _marked(copy: Path) -> bool:
    with copy.open(encoding="utf-8", errors="replace") as lines:
        return any("SYNTHETIC" in line for line in islice(lines, 2))

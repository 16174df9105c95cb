"""Run every stream file: from the catalog's sources to one table of features per area."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.catalog import Catalog, ReadReport, Snapshot, absent, read
from smallarea.catalog.declare import PROGRAMME
from smallarea.catalog.rasters import Raster
from smallarea.catalog.report import some
from smallarea.errors import InputError
from smallarea.features.dictionary import info_of
from smallarea.features.missing import reasons
from smallarea.features.observed import shares_observed, with_unseen, without_unobserved
from smallarea.features.stream import Stream, load_streams

if TYPE_CHECKING:
    from smallarea.areas import Frame


@dataclass(frozen=True)
class Features:
    """What all streams say about every area.

    Parameters
    ----------
    values : area_id x feature, all areas of the frame; NaN where missing, never filled.
    info : index feature; stream, source, domain, unit, level (the highest that a source's rows are
        about), vintage, access (the strictest of its sources), coverage (share of areas with a
        value), sha256 (of the sources' files).
    observed : like `values`, the share of the area that the feature's sources observed.
    missing : one row per missing value: feature, area_id, reason.
    reports : what became of each source's rows; an absent optional source has a note here.
    """

    values: pd.DataFrame
    info: pd.DataFrame
    reports: list[ReadReport]
    observed: pd.DataFrame = field(default_factory=pd.DataFrame)
    missing: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def stream(self) -> dict[str, str]:
        """Feature -> the stream that gives it."""
        return dict(zip(map(str, self.info.index), map(str, self.info["stream"]), strict=True))


def build_features(
    catalog: Catalog,
    frame: Frame,
    features_dir: Path,
    snapshots: Mapping[str, Snapshot],
    progress: Callable[[str, float], None] | None = None,
) -> Features:
    """Run every stream file of a folder on the sources of a catalog.

    Each source is read once, from its snapshot (`smallarea.catalog.take_snapshots`); one without is
    absent. `progress(stream, share done)` is called before each stream and after the last.

    Raises
    ------
    InputError : a required source is absent or breaks its declaration; a stream file does not load,
        fails, or its columns are not what it declares. File, column and row are named.
    """
    streams, sources = load_streams(features_dir), Sources(catalog, frame, snapshots)
    made = []
    for done, (path, stream) in enumerate(streams.items()):
        if progress:
            progress(stream.name, done / len(streams))
        note = left_out(path, stream, catalog, snapshots)
        made.append(note or build_stream(path, stream, sources))
    if progress:
        progress("", 1.0)
    return side_by_side(made, features_dir)


class Sources:
    """The sources of a catalog, each read once, when it is first asked for."""

    def __init__(self, catalog: Catalog, frame: Frame, snapshots: Mapping[str, Snapshot]) -> None:
        self.catalog, self.frame, self.snapshots = catalog, frame, snapshots
        self._read: dict[str, tuple[Any, ReadReport]] = {}

    def read(self, name: str) -> tuple[Any, ReadReport]:
        """Return a source's data, and the account of how it was read."""
        if name not in self._read:
            source, kept = self.catalog.sources[name], self.snapshots.get(name)
            if kept is None:
                raise absent(source, "none of the folders searched")
            try:
                self._read[name] = read(source, kept, self.frame)
            except InputError as error:
                raise error.of_source(name) from error
        return self._read[name]


def left_out(
    path: Path, stream: Stream, catalog: Catalog, snapshots: Mapping[str, Snapshot]
) -> Features | None:
    """Return features without a column, and a note, of a stream whose optional source is absent.

    None of any other.

    Raises
    ------
    InputError : it takes a source that the catalog does not declare, or a programme.
    """
    for name in stream.sources:
        if name not in catalog.sources:
            raise InputError(
                f"it takes the source '{name}', which the catalog does not declare",
                where=f"stream file {path.name}",
                remedy="declare it under `sources:` in data_catalog.yaml",
            )
        source = catalog.sources[name]
        if source.kind == PROGRAMME:
            raise InputError(
                f"it takes the programme '{name}': people work where need is thought high, so "
                "it would explain itself",
                where=f"stream file {path.name}",
                remedy="leave it out; `smallarea target --exclude` and `change --by` use it",
            )
        if source.optional and name not in snapshots:
            note = f"the optional file is absent: stream '{stream.name}' is left out"
            said = [ReadReport(name, source.file, notes=(note,))]
            return Features(pd.DataFrame(), pd.DataFrame(), said)
    return None


def build_stream(path: Path, stream: Stream, sources: Sources) -> Features:
    """Run one stream file; raise InputError as :func:`build_features`."""
    frame, catalog = sources.frame, sources.catalog
    read = [sources.read(name) for name in stream.sources]
    data, reports = [each for each, _ in read], [report for _, report in read]
    values = _checked(_run(path, stream, data, frame), path, stream, frame)
    values = without_unobserved(values, reports)
    names = frame.table["name"]
    reports = [
        with_unseen(report, each, names) if isinstance(each, Raster) else report
        for each, report in read
    ]
    return Features(
        values,
        info_of(values, stream, catalog, [sources.snapshots[s] for s in stream.sources]),
        reports,
        shares_observed(values, data),
        reasons(values, data, reports),
    )


def side_by_side(streams: Sequence[Features], features_dir: Path) -> Features:
    """Put the columns of streams side by side; of a source that several read, one account stays.

    Raises
    ------
    InputError : no stream was built, or two make the same feature.
    """
    built = [each for each in streams if len(each.info)]
    if not built:
        raise InputError(
            "no stream could be built",
            where=str(features_dir),
            remedy="add a stream file, or the data of one",
        )
    _refuse_twice([each.info for each in built])
    accounts: dict[str, ReadReport] = {}
    for report in (report for each in built for report in each.reports):
        known = accounts.setdefault(report.source, report)
        if len(report.missing) > len(known.missing):
            accounts[report.source] = report
    without = [report for each in streams if not len(each.info) for report in each.reports]
    return Features(
        pd.concat([each.values for each in built], axis=1),
        pd.concat([each.info for each in built]),
        [*accounts.values(), *without],
        pd.concat([each.observed for each in built], axis=1),
        pd.concat([each.missing for each in built], ignore_index=True),
    )


def _run(path: Path, stream: Stream, data: list[Any], frame: Frame) -> pd.DataFrame:
    where = f"stream file {path.name}"
    blamed = stream.sources[0] if len(stream.sources) == 1 else None
    try:
        return stream(*data, frame)
    except InputError as error:
        again = error.at(f"{where}: {error.where}")
        raise (again.of_source(blamed) if blamed else again) from error
    except Exception as error:
        failed = InputError(
            f"it fails: {type(error).__name__}: {error}",
            where=where,
            remedy=f"correct the file, or the source it takes ({', '.join(stream.sources)})",
        )
        raise (failed.of_source(blamed) if blamed else failed) from error


def _checked(values: Any, path: Path, stream: Stream, frame: Frame) -> pd.DataFrame:
    """Return the columns in the frame's order, as floats, or say how they break the rules."""

    def refuse(what: str, remedy: str) -> InputError:
        return InputError(what, where=f"stream file {path.name}", remedy=remedy)

    ids = frame.table.index
    if not isinstance(values, pd.DataFrame):
        raise refuse(
            f"it returns a {type(values).__name__}, not a DataFrame",
            "return one column per feature, indexed by area_id",
        )
    if len(values) != len(ids) or not values.index.isin(ids).all() or values.index.has_duplicates:
        raise refuse(
            f"its {len(values)} rows are not the frame's {len(ids)} areas, each once",
            "index the result by area_id: `reindex(areas.table.index)` leaves missing ones NaN",
        )
    if odd := set(values.columns) ^ set(stream.unit):
        raise refuse(
            f"its columns and its declared units differ in: {', '.join(map(str, sorted(odd)))}",
            "give every column a unit in @stream(unit=...), and return every column declared",
        )
    texts = [str(c) for c in values if not pd.api.types.is_numeric_dtype(values[c])]
    if texts:
        raise refuse(f"not numbers: {', '.join(texts)}", "features are numbers or NaN")
    values = values.reindex(ids)[list(stream.unit)].astype(float)
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        column = int(infinite.any(axis=0).argmax())
        raise refuse(
            f"column '{values.columns[column]}' is infinite in {some(ids[infinite.any(axis=1)])}",
            "guard the division: an undefined ratio is NaN",
        )
    return values


def _refuse_twice(info: list[pd.DataFrame]) -> None:
    streams = pd.concat(info)["stream"]
    if streams.index.has_duplicates:
        name = streams.index[streams.index.duplicated()][0]
        raise InputError(
            f"the feature '{name}' is made by more than one stream: {', '.join(streams[[name]])}",
            where="features",
            remedy="rename one of them",
        )

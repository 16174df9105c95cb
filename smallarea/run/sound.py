"""Features of sound sources only: a snapshot that lost much is set aside for the last good one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from smallarea.catalog import quarantine as q
from smallarea.errors import InputError
from smallarea.features import load_features
from smallarea.run.features import features_stage

if TYPE_CHECKING:
    from smallarea.catalog import Snapshot
    from smallarea.run.job import Job
    from smallarea.run.stages import Stage


class Aside(NamedTuple):
    """A source whose present snapshot is in quarantine: why, and all of it in a sentence."""

    source: str
    why: str
    said: str


def sound_features(job: Job, frame: Stage) -> tuple[Job, Stage, list[Aside]]:
    """Make the features, from the last good snapshot of a source whose present one is not good.

    A present snapshot is not good if it breaks its declaration, covers less than the declared
    `min_coverage`, or a feature made of it has lost half of its areas or moved by more than the
    declared `most_shift` since the last good one, both made by the stream files as they are
    now. A snapshot that somebody accepted is only read.

    Returns
    -------
    job : with the snapshots that were used, and the vintages of their time.
    stage : of the features.
    aside : each source whose present snapshot is in quarantine.

    Raises
    ------
    InputError : a snapshot is not good and there is no last good one, or its source is essential.
    """
    trial = _Trial(job, frame)
    stage = trial.build()
    suspected = {name: why for name in trial.judged if (why := trial.complaints(name))}
    if suspected:
        found = {name: (trial.coverage[name], trial.own(name)) for name in suspected}
        for name, why in suspected.items():
            trial.set_aside(name, why)
        stage = trial.build()
        cleared = [
            name
            for name in suspected
            if not q.complaints(job.catalog.sources[name], found[name][0], trial.coverage[name])
            and not q.shifts(
                job.catalog.sources[name], found[name][1], q.tenths_of(trial.own(name))
            )
        ]
        for name in cleared:  # the stream files made the difference, not the snapshot
            trial.restore(name)
        if cleared:
            stage = trial.build()
    for name in trial.judged:
        if name in trial.reasons and job.catalog.sources[name].essential:
            source = job.catalog.sources[name]
            raise _refused(name, source.file, trial.reasons[name], essential=True)
        _require_covered(trial, name)
        if name not in trial.reasons:
            q.record_good(trial.used[name], trial.coverage[name], q.tenths_of(trial.own(name)))
    aside = [
        Aside(name, "; ".join(why), q.quarantine(job.inputs.sources[name], why, trial.good[name]))
        for name, why in trial.reasons.items()
    ]
    return trial.job, stage, aside


@dataclass
class _Trial:
    """Which snapshot of every source is used so far.

    judged : sources that are not invented. good : their last good snapshots. used : by source.
    reasons : why the present one is not. coverage : source -> feature -> share of areas.
    """

    start: Job
    frame: Stage
    reasons: dict[str, list[str]] = field(default_factory=dict)
    coverage: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = pd.DataFrame()
        inputs = self.start.inputs
        self.used: dict[str, Snapshot] = dict(inputs.sources)
        self.judged = [name for name in inputs.sources if name not in inputs.invented]
        kept = {name: q.last_good(name, inputs.sources[name].store) for name in self.judged}
        self.good = {name: good for name, good in kept.items() if good is not None}

    @property
    def job(self) -> Job:
        """The run's job with the snapshots used."""
        sources = dict(self.start.catalog.sources)
        for name in self.reasons:
            vintage = self.good[name].vintage or sources[name].vintage
            sources[name] = sources[name].model_copy(update={"vintage": vintage})
        return replace(
            self.start,
            catalog=self.start.catalog.model_copy(update={"sources": sources}),
            inputs=replace(self.start.inputs, sources=self.used),
        )

    def build(self) -> Stage:
        """Make the features; a source whose present snapshot cannot be read is set aside."""
        while True:
            try:
                stage = features_stage(self.job, self.frame)
                break
            except InputError as error:
                name = error.source
                if name is None or name not in self.judged or name in self.reasons:
                    raise
                self.set_aside(name, [str(error)], error)
        made = load_features(stage.folder)
        info, self.values = made.info, made.values
        self.coverage = {name: _covered(info, name) for name in self.judged}
        return stage

    def complaints(self, name: str) -> list[str]:
        """Say why the snapshot used of a source is not good, as far as its coverage tells."""
        if q.accepted(self.used[name]) or name in self.reasons:
            return []
        good = self.good.get(name)
        before = None if good is None else good.coverage
        source = self.start.catalog.sources[name]
        said = q.complaints(source, self.coverage[name], before)
        tenths = {} if good is None else good.tenths
        return said + q.shifts(source, self.own(name), tenths)

    def own(self, name: str) -> pd.DataFrame:
        """Return the features made of a source."""
        return self.values[list(self.coverage[name])]

    def set_aside(self, name: str, why: list[str], error: InputError | None = None) -> None:
        """Use the last good snapshot of a source; raise `error`, or one that says why, if none."""
        source, good = self.start.catalog.sources[name], self.good.get(name)
        same = good is not None and good.snapshot.sha256 == self.used[name].sha256
        if error is not None and (good is None or same or source.essential):
            raise error
        if good is None:
            raise _refused(name, source.file, why, source.essential)
        if not same:  # else these very bytes covered more before: it is not the file
            self.used[name], self.reasons[name] = good.snapshot, why

    def restore(self, name: str) -> None:
        """Use the present snapshot of a source after all."""
        self.used[name] = self.start.inputs.sources[name]
        self.reasons.pop(name, None)


def _require_covered(trial: _Trial, name: str) -> None:
    source = trial.start.catalog.sources[name]
    why = q.complaints(source, trial.coverage[name])
    if why and not q.accepted(trial.used[name]):
        raise _refused(name, source.file, why, source.essential)


def _refused(name: str, file: str, why: list[str], essential: bool) -> InputError:
    return InputError(
        "; ".join(why),
        where=f"source '{name}', file '{file}'",
        remedy="supply the complete file"
        + (", since the source is essential" if essential else "")
        + f"; if it is right, lower `min_coverage` or run with --accept {name}",
    )


def _covered(info: pd.DataFrame, source: str) -> dict[str, float]:
    """Return the share of areas with a value of every feature made of a source."""
    own = [source in _sources(text) for text in info["source"]]
    return {str(name): float(share) for name, share in info.loc[own, "coverage"].items()}


def _sources(text: str) -> Iterable[str]:
    return text.split(", ")

"""Snapshots that lost much of what the one before them said: set aside, the last good one used.

Beside the snapshots of a source (`store/snapshots/<source>/`) stand

- `good.json`: the last snapshot that features were made of, and how much each covered;
- `<sha256>.quarantine.md`: why a snapshot is not used, in words, as long as it is not;
- `<sha256>.accepted`: that somebody looked at it and says it is right.

A twin's invented files are neither judged nor recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from smallarea.catalog.declare import Source
from smallarea.catalog.snapshots import Snapshot
from smallarea.files import read_object, sha256, write_json, writing

#: A feature that has a value in fewer than this share of the areas it had one in before.
LOST = 0.5
GOOD = "good.json"
#: Feature -> pairs of a value and the share of areas up to it.
Tenths = dict[str, list[list[float]]]


@dataclass(frozen=True)
class Good:
    """The last good snapshot of a source.

    coverage : feature -> share of areas with a value. since : when it was first found good, UTC.
    vintage : that the catalog declared of it. tenths : see `tenths_of`.
    """

    snapshot: Snapshot
    coverage: dict[str, float]
    since: str
    vintage: str
    tenths: Tenths


def last_good(source: str, store: Path) -> Good | None:
    """Return the last good snapshot of a source, None where none is recorded or it is damaged."""
    folder = store / "snapshots" / source
    told = read_object(folder / GOOD) or {}
    digest, name = told.get("sha256"), told.get("file")
    if not isinstance(digest, str) or not isinstance(name, str) or Path(name).name != name:
        return None
    path = folder / name
    if not path.is_file() or path.is_symlink() or sha256(path) != digest:
        return None
    snapshot = Snapshot(source, path, digest, store, Path(str(told.get("original", path))))
    papers = read_object(snapshot.papers) or {}
    coverage = {str(k): float(v) for k, v in dict(told.get("coverage") or {}).items()}
    vintage, tenths = str(papers.get("vintage", "")), dict(told.get("tenths") or {})
    return Good(snapshot, coverage, str(told.get("since")), vintage, tenths)


def record_good(
    snapshot: Snapshot,
    coverage: Mapping[str, float],
    tenths: Tenths | None = None,
) -> None:
    """Note that features were made of a snapshot, what share of areas each covers, its deciles."""
    lift(snapshot)
    path = snapshot.path.with_name(GOOD)
    told = read_object(path) or {}
    now = {"sha256": snapshot.sha256, "file": snapshot.path.name, "coverage": dict(coverage)}
    now["tenths"] = tenths or {}
    if all(told.get(key) == value for key, value in now.items()):
        return
    same = told.get("sha256") == snapshot.sha256
    since = told.get("since") if same else datetime.now(UTC).isoformat(timespec="seconds")
    write_json(path, now | {"original": str(snapshot.original), "since": since})


def complaints(
    source: Source, coverage: Mapping[str, float], before: Mapping[str, float] | None = None
) -> list[str]:
    """Say which features of a source cover too little; nothing if all is well.

    coverage : feature -> share of areas with a value. before : the same of the last good snapshot.
    """
    said = [
        f"{feature} has a value in {share:.1%} of the areas, and `min_coverage` is "
        f"{source.min_coverage:.1%}"
        for feature, share in coverage.items()
        if share < source.min_coverage
    ]
    return said + [
        f"{feature} has a value in {coverage[feature]:.1%} of the areas, and had one in {share:.1%}"
        for feature, share in (before or {}).items()
        if feature in coverage and coverage[feature] < LOST * share
    ]


def tenths_of(values: pd.DataFrame) -> Tenths:
    """Return feature -> its nine deciles over the areas, each with the share of areas up to it."""
    told: Tenths = {}
    for name in map(str, values):
        known = values[name].dropna()
        edges = known.quantile([number / 10 for number in range(1, 10)]).dropna()
        told[name] = [[float(edge), float((known <= edge).mean())] for edge in edges]
    return told


def shifts(source: Source, values: pd.DataFrame, tenths: Tenths) -> list[str]:
    """Say which features of a source moved by more than its `most_shift`; nothing if none did.

    values : area x feature. tenths : of the last good snapshot.
    """
    said = []
    for name in map(str, values if source.most_shift is not None else ()):
        known = values[name].dropna()
        gaps = [abs((known <= edge).mean() - share) for edge, share in tenths.get(name, [])]
        if len(known) and max(gaps, default=0.0) > (source.most_shift or 0):
            said.append(
                f"{name} moved: {max(gaps):.0%} of the areas crossed one of its deciles, and "
                f"`most_shift` is {source.most_shift:.0%}"
            )
    return said


def quarantine(snapshot: Snapshot, reasons: Sequence[str], instead: Good | None) -> str:
    """Set a snapshot aside: write the report beside it (`report_of`); return it as one sentence."""
    good = "and there is no good one" if instead is None else "but its last good snapshot"
    since = "" if instead is None else f", of {instead.since[:10]}"
    sentence = (
        f"source {snapshot.source}: {snapshot.original.name} was not used, {good}{since}: "
        f"{'; '.join(reasons)}"
    )
    used = (
        "nothing: no snapshot of it was good yet"
        if instead is None
        else f"`{instead.snapshot.path.name}`, good since {instead.since}"
    )
    lines = [
        f"# {snapshot.source}: this snapshot is not used",
        "",
        f"- file: `{snapshot.original}`",
        f"- its copy: `{snapshot.path.name}`",
        f"- used in its place: {used}",
        "",
        "Why:",
        "",
        *(f"- {reason}" for reason in reasons),
        "",
        "What to do: supply the complete file and run again, or correct the entry that it breaks.",
        "If it covers or moves so much with reason, say so with",
        f"`smallarea run --accept {snapshot.source}`. With `essential: true` in the catalog the",
        "run stops instead.",
    ]
    text = "\n".join(lines) + "\n"
    path = report_of(snapshot)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        with writing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return sentence


def report_of(snapshot: Snapshot) -> Path:
    """Return where the report of a snapshot stands as long as it is in quarantine."""
    return report_at(snapshot.store, snapshot.source, snapshot.sha256)


def report_at(store: Path, source: str, digest: str) -> Path:
    """Return the same for a file of which only the hash is known."""
    return store / "snapshots" / source / f"{digest}.quarantine.md"


def lift(snapshot: Snapshot) -> None:
    """Take a snapshot out of quarantine."""
    report_of(snapshot).unlink(missing_ok=True)


def accept(snapshot: Snapshot) -> None:
    """Note that somebody says a snapshot is right, however little it covers."""
    path = snapshot.path.with_name(f"{snapshot.sha256}.accepted")
    if not path.is_file():
        write_json(path, {"accepted": datetime.now(UTC).isoformat(timespec="seconds")})


def accepted(snapshot: Snapshot) -> bool:
    """Whether somebody said that a snapshot is right."""
    return snapshot.path.with_name(f"{snapshot.sha256}.accepted").is_file()


def needed(folder: Path) -> set[str]:
    """Return what begins the names of files in a source's folder that must stay: the last good."""
    told = read_object(folder / GOOD) or {}
    return {"good", str(told.get("sha256"))}

"""What the command line says of a run, a project, an area: facts first, then words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from smallarea.catalog import UNMATCHED, locate
from smallarea.catalog.quarantine import report_at
from smallarea.errors import InputError
from smallarea.fetching.state import read_state
from smallarea.files import sha256
from smallarea.project import Project, Run
from smallarea.publish.estimates import levels_in
from smallarea.publish.words import FLAG_WORDS, INTERNAL
from smallarea.run.cleaning import size_of
from smallarea.run.inputs import STORE
from smallarea.run.places import find_run_area
from smallarea.run.record import damage_of
from smallarea.run.records import some
from smallarea.watching import source_lines, watch_runs, watch_source

BANNER = "SYNTHETIC SURVEY: these numbers describe no real place"


def interval(row: Any, low: str = "q10", high: str = "q90") -> str:
    """Write an interval with a precision its width supports."""
    ends = [row[low], row[high]]
    if any(pd.isna(end) for end in ends):
        return "withheld"
    wide = max(abs(end) for end in ends)
    digits = 0 if wide >= 100 else 1 if wide >= 10 else 2
    return f"{ends[0]:,.{digits}f} to {ends[1]:,.{digits}f}"


def run_summary(run: Run) -> str:
    """Return the lines a run ends with: national totals, what helped, warnings, paths."""
    facts = run.manifest
    lines = [BANNER] if run.synthetic else []
    lines.append("Nationally, as 80 % intervals:")
    for indicator in run.indicators.headlines:
        row = facts["national"][indicator]
        lines.append(f"  {indicator:<17} {interval(row):>24}  {run.indicators.units[indicator]}")
    lines.append(facts["covariates"]["sentence"])
    lines += [f"warning {warning}" for warning in facts["warnings"]]
    lines += [f"warning {sentence}" for sentence in facts.get("quarantined", [])]
    lines += unmatched_lines(run)
    lines += [f"damaged {sentence}" for sentence in facts["mended"]]
    reused = sum(stage["reused"] for stage in facts["stages"].values())
    lines.append(
        f"{facts['seconds']} s, {reused} of {len(facts['stages'])} stages reused. Written:"
    )
    latest = run.folder.parent / "latest"
    written = dict.fromkeys(name.split("/")[0] for name in facts["outputs"])
    lines += [f"  {latest / name}" for name in [*written, "manifest.json"]]
    lines.append(INTERNAL)
    return "\n".join(lines)


def unmatched_lines(run: Run) -> list[str]:
    """Say in one line how many rows of sources found no area, and of one whose it may be."""
    rows = pd.read_csv(run.folder / UNMATCHED, dtype=str, keep_default_na=False)
    if rows.empty:
        return []
    row = rows.sort_values("similarity", ascending=False, kind="stable").iloc[0]
    like = f", nearest {row['nearest_name']}" if row["nearest_name"] else ""
    found = "1 row found no area" if len(rows) == 1 else f"{len(rows):,} rows found no area"
    one = f"{row['file']} row {row['row']} '{row['key']}'{like}"
    return [f"note {found}: {one}; see {UNMATCHED}"]


def project_status(project: Project, data: str | Path | None = None) -> dict[str, Any]:
    """Return what is at hand: sources with hash or absence, the survey, the newest run."""
    dirs = project.data_dirs(data)
    sources = []
    for name, source in project.catalog.sources.items():
        path = locate(source, dirs)
        twin = path is not None and project.twin in path.parents
        sources.append(
            {
                "source": name,
                "file": source.file,
                "vintage": str(source.vintage),
                "licence": source.licence,
                "at": "missing" if path is None else "twin" if twin else str(path.parent),
                "sha256": None if path is None else sha256(path),
                "quarantine": _quarantine(project, name, path),
            }
            | watch_source(project, source)
        )
    direct = project.settings.direct
    survey = project.root / (direct.file if direct else str(project.settings.survey))
    lacking = "missing" if direct else "missing: `smallarea run` makes the twin"
    finished = (project.root / "runs" / "latest").is_dir()
    damaged = damage_of(project.root / "runs" / "latest", added=False) if finished else []
    latest = project.latest().manifest if finished and not damaged else None
    used = {entry["file"]: entry["sha256"] for entry in latest["inputs"]} if latest else {}
    for entry in sources:
        entry["changed_since_run"] = (
            None if entry["file"] not in used else used[entry["file"]] != entry["sha256"]
        )
    return {
        "project": str(project.root),
        "survey": str(survey) if survey.exists() else lacking,
        "sources": sources,
        "damaged": damaged,
        "runs": watch_runs(project, sources),
        "disk": {
            name: size_of(project.root / part)
            for name, part in (
                ("inputs", f"{STORE}/inputs"),
                ("snapshots", f"{STORE}/snapshots"),
                ("stages", f"{STORE}/stages"),
                ("runs", "runs"),
            )
        },
        "latest": latest
        and {key: latest[key] for key in ("run", "started", "profile", "seed", "synthetic")},
    }


def _quarantine(project: Project, name: str, path: Path | None) -> str | None:
    """Return where it says why the file at hand, or the one that came last, is not used."""
    store = project.root / STORE
    came = read_state(store, name).sha256
    for digest in (None if path is None else sha256(path), came):
        if digest and (report := report_at(store, name, digest)).is_file():
            return str(report)
    return None


def status_text(facts: dict[str, Any]) -> str:
    """Write :func:`project_status` for a person."""
    lines = [f"project {facts['project']}", f"survey  {facts['survey']}", "sources:"]
    for entry in facts["sources"]:
        changed = "  CHANGED since the newest run" if entry["changed_since_run"] else ""
        lines.append(f"  {entry['source']:<26} {entry['vintage']:<10} {entry['at']}{changed}")
        if entry["quarantine"]:
            lines.append(f"    not used, the last good one is: see {entry['quarantine']}")
        lines += source_lines(entry)
    for run in facts["runs"]:
        if run["older_than"] or run["purged"]:
            older = f"older than {', '.join(run['older_than'])}" if run["older_than"] else ""
            purged = f"purged of {', '.join(run['purged'])}" if run["purged"] else ""
            lines.append(f"run {run['run']}: {'; '.join(filter(None, (older, purged)))}")
    used = ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in facts["disk"].items())
    lines.append(f"on disk: {used}")
    latest = facts["latest"]
    if facts["damaged"]:
        lines.append(f"newest run CHANGED after it was made: {some(facts['damaged'])}")
    elif latest is None:
        lines.append("no finished run yet: `smallarea run`")
    else:
        label = " SYNTHETIC SURVEY" if latest["synthetic"] else ""
        lines.append(
            f"newest run {latest['run']} ({latest['profile']}, seed {latest['seed']}){label}"
        )
    return "\n".join(lines)


def explain_area(
    run: Run, area: str, indicator: str | None = None, spelling: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what a run knows about one area: intervals, flags, covariates against the nation.

    `spelling` is the catalog's, for a run whose frame is no longer kept.
    Raises InputError when the area or the indicator is not in the run.
    """
    from smallarea.publish.basis import BASIS
    from smallarea.publish.explained import basis_of

    run.require_intact()
    units = run.indicators.units
    indicator = indicator or run.indicators.headline
    if indicator not in units:
        raise InputError(
            f"no indicator {indicator!r}",
            where="--indicator",
            remedy=f"choose one of {', '.join(units)}",
        )
    total = run.indicators.rates.get(indicator, indicator)
    table = run.table()
    area_id = find_run_area(run.folder, run.manifest, area, spelling or {})
    row = table[(table["area_id"] == area_id) & (table["indicator"] == indicator)].iloc[0]
    features = pd.read_parquet(run.folder / "features.parquet")
    place = features.rank(pct=True).loc[[area_id]].iloc[0]
    top = (place - 0.5).abs().sort_values(ascending=False).head(6).index
    return {
        "area_id": area_id,
        "name": row["name"],
        "levels": {level: row[level] for level in levels_in(table)},
        "indicator": indicator,
        "unit": units[indicator],
        "counts": [run.indicators.counted(name) for name in run.indicators.behind(indicator)],
        "surveyed": bool(row["surveyed"]),
        "estimate": {
            key: None if pd.isna(row[key]) else float(row[key])
            for key in ("q025", "q10", "q25", "q50", "q75", "q90", "q975")
        },
        "rank": None if pd.isna(row["rank_low"]) else [int(row["rank_low"]), int(row["rank_high"])],
        "areas": int(table["area_id"].nunique()),
        "flags": [flag for flag in str(row["flags"]).split(";") if flag],
        "covariates": run.manifest["covariates"],
        "features": {
            name: {"value": float(features.loc[area_id, name]), "percentile": float(place[name])}
            for name in top
            if pd.notna(place[name])
        },
        "missing_features": [str(name) for name in place.index[place.isna().to_numpy()]],
        "of": total,
        "basis": basis_of(pd.read_parquet(run.folder / BASIS), area_id, total),
        "synthetic": run.synthetic,
    }


def explain_tier(
    run: Run, folder: Path, area: str, indicator: str | None, spelling: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a tier of a run says about one place, and nothing of the run's own numbers.

    folder : the tier's. Raises InputError when it was changed, or place or indicator are not in it.
    """
    from smallarea.publish.explained import tier_facts

    if said := damage_of(folder):
        raise InputError(
            f"the tier was changed or is not there: {some(said)}",
            where=str(folder),
            remedy="run `smallarea publish` again",
        )
    indicators = run.indicators
    indicator = indicator or f"{indicators.headline}_rate"
    if indicator not in indicators.units:
        raise InputError(
            f"no indicator {indicator!r}",
            where="--indicator",
            remedy=f"choose one of {', '.join(indicators.units)}",
        )
    shown = pd.read_parquet(folder / "estimates.parquet", columns=["area_id", "name"])
    named = shown.drop_duplicates().set_index("area_id")["name"]
    same = named.index[(named.str.casefold() == area.casefold()) | (named.index == area)]
    place = same[0] if len(same) == 1 else None
    if place is None:
        place = find_run_area(run.folder, run.manifest, area, spelling)
        if place not in named.index:
            raise InputError(
                f"{area}: this tier has no number of it, because it names larger places alone",
                where=str(folder),
                remedy=f"ask for one of {', '.join(sorted(named)[:5])}, ...",
            )
    total = indicators.rates.get(indicator, indicator)
    facts = tier_facts(folder, str(place), indicator, total)
    counts = [indicators.counted(name) for name in indicators.behind(indicator)]
    return facts | {"unit": indicators.units[indicator], "counts": counts, "tier": folder.name}


def tier_text(facts: dict[str, Any]) -> str:
    """Write :func:`explain_tier` for a person."""
    from smallarea.publish.explained import basis_lines, flag_lines

    lines = [BANNER] if facts["notice"] else []
    lines.append(", ".join([facts["name"], *facts["levels"].values()]) + f" ({facts['area_id']})")
    lines.append(f"{facts['indicator']} ({facts['unit']}), in {facts['tier']}:")
    lines += [f"  {counted}" for counted in facts["counts"]]
    lines += _ranges(facts["estimate"])
    if facts["rank"]:
        low, high = facts["rank"]
        lines.append(f"  its rank among {facts['places']} is somewhere from {low} to {high}")
    lines += basis_lines(facts)
    return "\n".join([*lines, *flag_lines(facts["flags"])])


def _ranges(estimate: Mapping[str, float | None]) -> list[str]:
    row = {k: float("nan") if v is None else v for k, v in estimate.items()}
    return [
        f"  half of the plausible values lie in  {interval(row, 'q25', 'q75')}",
        f"  four fifths in                       {interval(row)}",
        f"  nineteen in twenty in                {interval(row, 'q025', 'q975')}",
    ]


def explanation_text(facts: dict[str, Any]) -> str:
    """Write :func:`explain_area` for a person."""
    from smallarea.publish.explained import basis_lines

    lines = [BANNER] if facts["synthetic"] else []
    lines.append(", ".join([facts["name"], *facts["levels"].values()]) + f" ({facts['area_id']})")
    lines.append(f"{facts['indicator']} ({facts['unit']}):")
    lines += [f"  {counted}" for counted in facts["counts"]]
    lines += _ranges(facts["estimate"])
    if facts["rank"]:
        low, high = facts["rank"]
        lines.append(f"  its rank among {facts['areas']} areas is somewhere from {low} to {high}")
    lines.append(
        "Some of its people were interviewed; their answers weigh in."
        if facts["surveyed"]
        else "Nobody was interviewed here; the numbers come from places that resemble it."
    )
    lines.append(facts["covariates"]["sentence"])
    lines += basis_lines(facts)
    if facts["features"]:
        lines.append("What stands out here (percentile among all areas):")
        lines += [
            f"  {name:<34} {value['value']:>12,.3g}   {value['percentile']:.0%}"
            for name, value in facts["features"].items()
        ]
    lines += [f"Note: {FLAG_WORDS.get(flag, flag)}." for flag in facts["flags"]]
    if facts["missing_features"]:
        lines.append(f"Not known here: {', '.join(facts['missing_features'])}.")
    return "\n".join(lines)

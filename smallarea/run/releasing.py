"""Tiers of a finished run: safe draws, tables, an audit; all of it or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea import __version__
from smallarea.areas.boundaries import united
from smallarea.areas.levels import level_ids, levels_of
from smallarea.catalog import load_catalog
from smallarea.errors import InputError
from smallarea.files import keep_private, sha256, write_json, writing
from smallarea.nsum.reporting.tau import TauPrior
from smallarea.progress import Progress, silent
from smallarea.projection import reference_sizes
from smallarea.publish import flag_areas, suppress
from smallarea.publish.basis import basis_table
from smallarea.publish.map_data import Beside
from smallarea.release.audit import (
    Check,
    audit_facts,
    audit_text,
    check_attack,
    check_classes,
    check_files,
    check_tables,
    check_units,
    require,
)
from smallarea.release.estimates import (
    Measured,
    added_up,
    area_numbers,
    classes,
    few_people,
    level_numbers,
    unit_numbers,
    unit_table,
)
from smallarea.release.layers import odd_layers
from smallarea.release.promise import check_promise, require_promise
from smallarea.release.report import Behind
from smallarea.release.spill import spilled
from smallarea.release.tables import Tables
from smallarea.release.tiers import Tier, tier_called
from smallarea.release.writing import write_tier
from smallarea.run.inputs import CATALOG
from smallarea.run.record import MANIFEST, Run, damage_of, seal
from smallarea.run.safe import Safe, safe_draws
from smallarea.run.threads import one_thread
from smallarea.settings import Settings, read_settings

RELEASES = "releases"
AUDIT = "{run}-{tier}-audit"


def publish_tiers(
    run: Run,
    tiers: Sequence[str],
    *,
    level: str | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> list[Path]:
    """Write `<run>-<tier>` for each tier, and its audit beside the run; return the tiers' folders.

    Parameters
    ----------
    run : in the folder runs/ of its project, whose stages, survey and model files are still there.
    tiers : `public`, `partner`. level : of the places of a public tier, coarser than the lowest;
        such a tier has no classes of areas.
    out : folder to put them into, by default the project's releases/.

    Raises
    ------
    InputError : an unknown tier, a run that cannot be made anew, or a check that fails: nothing is
        written then.
    """
    wanted = [tier_called(name) for name in dict.fromkeys(tiers)]
    if not wanted:
        raise InputError("no tier is named", where="tier", remedy="choose public or partner")
    run.require_intact()
    root = run.folder.resolve().parents[1]
    levels = levels_of(pd.read_parquet(run.folder / "areas.parquet"))
    wanted = [tier if level is None else tier.by(level, levels) for tier in wanted]
    settings = same_promise(run, root)
    for tier in wanted:  # before the hours that the draws may take
        require_promise([check_promise(settings, levels, tier.finest)], tier.name)
    with one_thread():
        safe = safe_draws(run, root, progress)
        measured = _measured(run, safe)
        releases = out or root / RELEASES
        ready = [_audited(run, tier, safe, measured, releases) for tier in wanted]
        folders = [releases / f"{run.folder.name}-{tier.name}" for tier in wanted]
        for tier, (tables, checks), folder in zip(wanted, ready, folders, strict=True):
            _write(run, tier, safe, measured, tables, checks, folder)
    progress("publish", 1.0)
    return folders


def earlier_release(releases: Path, run: str, tier: str) -> Path | None:
    """Return the newest whole release of the tier made from an earlier run; None without any."""
    named = {path.name.removesuffix(f"-{tier}"): path for path in releases.glob(f"*-{tier}")}
    for name in sorted((name for name in named if name < run), reverse=True):
        if not damage_of(named[name]):
            return named[name]
    return None


def same_promise(run: Run, root: Path) -> Settings:
    """Return a run's settings; raise InputError if the catalog now promises something else."""
    used = Settings.model_validate(run.manifest["settings"])
    now = read_settings(load_catalog(root / CATALOG).settings)
    if (used.promised_level, used.approval) != (now.promised_level, now.approval):
        raise InputError(
            "what respondents were told, or the approval of more, changed since the run",
            where=f"{CATALOG}, settings.promised_level, settings.approval",
            remedy="run `smallarea run` first: its stages are kept, so that takes seconds",
        )
    return used


def _measured(run: Run, safe: Safe) -> Measured:
    prior = run.manifest.get("tau_prior")
    moments = TauPrior(**prior) if prior else None
    has_mean, has_sd = (moments.has_mean, moments.has_sd) if moments else (True, True)
    made = (safe.counts, safe.frame.table, run.indicators)
    return Measured(*made, has_mean, has_sd, run.synthetic)


def _audited(
    run: Run, tier: Tier, safe: Safe, measured: Measured, releases: Path
) -> tuple[Tables, list[Check]]:
    """Return what a tier shows and the checks of it; raise InputError if one fails."""
    tables = tier_tables(tier, safe, measured, run.manifest["top_k"])
    before = earlier_release(releases, run.folder.name, tier.name)
    if before is not None:
        estimates = pd.read_parquet(before / "estimates.parquet")
        beside = replace(tables.beside, earlier=estimates, earlier_name=before.name)
        tables = replace(tables, beside=beside)
    populations = list(run.indicators.populations)
    minimum = safe.settings.withhold_below
    checks = check_tables(tier, tables, safe.frame.table, populations, minimum)
    checks += [check_units(safe.frame.table, safe.found, safe.group)]
    checks += [check_attack(safe.attack)]
    checks += [check_promise(safe.settings, levels_of(safe.frame.table), tier.finest)]
    checks += [] if tables.classes is None else [check_classes(tables.classes)]
    require(checks, tier.name)
    return tables, checks


def _write(
    run: Run,
    tier: Tier,
    safe: Safe,
    measured: Measured,
    tables: Tables,
    checks: list[Check],
    folder: Path,
) -> None:
    trace = {
        "tier": tier.name,
        "run": run.manifest["run"],
        "run_manifest_sha256": sha256(run.folder / MANIFEST),
        "code": run.manifest["code"] | {"published_by": __version__},
        "synthetic": run.synthetic,
        "title": measured.indicators.title,
        "place": tables.labels["area"],
        "labels": dict(measured.indicators.labels),
        "units": dict(measured.indicators.units),
        "meaning": list(measured.indicators.meaning),
    }
    with writing(folder) as temporary:
        temporary.mkdir()
        reporting = run.manifest.get("tau_prior") is not None
        write_tier(temporary, tier, tables, measured, reporting, _behind(run, trace))
        names = sorted(path.name for path in temporary.iterdir())
        checks = checks + check_files(
            tier,
            names,
            spilled(temporary, safe.units),
            odd_layers(temporary / "estimates.gpkg", tables),
        )
        require(checks, tier.name)
        outputs = {name: sha256(temporary / name) for name in names}
        write_json(temporary / MANIFEST, seal(trace | {"outputs": outputs}))
        _keep_audit(run, tier, checks, safe.attack, trace)


def _behind(run: Run, trace: dict[str, Any]) -> Behind:
    summary = json.loads((run.folder / "summary.json").read_text(encoding="utf-8"))
    weights = {name: weight for name, weight in summary["weights"].items() if weight}
    told = {
        "run": trace["run"],
        "tier": trace["tier"],
        "run's manifest (SHA-256)": trace["run_manifest_sha256"],
        "code (SHA-256)": trace["code"]["sha256"],
        "published by version": trace["code"]["published_by"],
    }
    if earlier := run.manifest["settings"].get("earlier"):
        share = f"{earlier['share']:.0%} of its interviews help to tell places apart"
        told["earlier wave of the survey"] = share
    return Behind(summary["covariates"]["sentence"], weights, told)


def _keep_audit(
    run: Run, tier: Tier, checks: list[Check], attack: pd.DataFrame, trace: dict[str, Any]
) -> None:
    folder = run.folder.parent / AUDIT.format(run=run.folder.name, tier=tier.name)
    with writing(folder) as temporary:
        temporary.mkdir()
        write_json(temporary / "audit.json", audit_facts(checks, attack, trace))
        (temporary / "audit.md").write_text(audit_text(checks, attack, trace), encoding="utf-8")
        keep_private(temporary)


def tier_tables(tier: Tier, safe: Safe, made: Measured, top_k: int) -> Tables:
    """Return what a tier shows, after suppression.

    top_k : the run's k of "among the k highest areas"; of units, a tenth of them.
    """
    settings, table, words = safe.settings, made.table, safe.frame.words
    populations = list(made.indicators.populations)
    withheld = few_people(table, populations, settings.withhold_below)
    shared: dict[str, Any] = {"mean": made.mean, "synthetic": made.synthetic}
    flags = flag_areas(
        table, extrapolated=set(safe.outside.index[safe.outside]),
        small=settings.small_population, **shared,
    )  # fmt: skip
    if tier.areas == "numbers":
        places, geometry, k = table, safe.frame.geometry, min(top_k, len(table))
        every, first, told = area_numbers(made, flags, k), 0, None
        unit, counts, plan = None, made.counts, safe.plan
        plan = plan[plan["target"] == "areas"]
    else:
        number = 0 if tier.level is None else levels_of(table).index(tier.level)
        unit, plan = level_ids(table, number), None
        counts = added_up(made.counts, unit)
        places = unit_table(table, number, tuple(populations))
        geometry = united(safe.frame.geometry, unit)
        k = max(1, round(len(places) / 10))
        far = _mostly(safe.outside, table, number)
        of_units = flag_areas(places, extrapolated=far, small=settings.small_population, **shared)
        every, first = unit_numbers(made, places, number, of_units, k), number + 1
        few = withheld | (table["population"] < settings.small_population)
        few |= safe.outside.loc[table.index] | ~table["covered"].astype(bool)
        told = classes(made, few) if tier.level is None else None
        words = words | {"area": words[levels_of(table)[number]], "nation": "Country"}
        words.pop("areas", None)  # what the areas below are called, together
    estimates = suppress(every, places, made.indicators, settings.withhold_below)
    levels = level_numbers(made, first, settings.withhold_below)
    if withheld.any() and tier.areas == "classes":  # as `level_numbers` does, and why
        estimates[["mean", "sd"]] = np.nan
    sizes = reference_sizes(table, made.indicators)
    basis = basis_table(
        safe.parts, safe.before, estimates, sizes, made.indicators, place=unit, lumped=safe.closed
    )
    beside = Beside(safe.tau, basis, plan, links={"report": "report.html", "readme": "README.md"})
    return Tables(
        estimates, places, geometry, levels, told, words, safe.frame.spelling, k, counts, beside
    )


def _mostly(outside: pd.Series, table: pd.DataFrame, number: int) -> set[str]:
    """Return the units of a level most of whose people live in areas marked."""
    unit = level_ids(table, number)
    people = table["population"].where(outside.loc[table.index], 0).groupby(unit).sum()
    return set(people.index[people > table["population"].groupby(unit).sum() / 2])

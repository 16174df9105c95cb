"""The folder of a tier: tables for the tools planners have, a map, a README in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.indicators import Indicators
from smallarea.publish import (
    overview,
    write_csv,
    write_csvw,
    write_excel,
    write_geopackage,
    write_geoparquet,
    write_hxl,
    write_map,
    write_parquet,
)
from smallarea.publish.basis import BASIS
from smallarea.publish.estimates import levels_in
from smallarea.publish.review import FORM, INVITES, form
from smallarea.publish.words import NOT_SAID, TAU_NOT_SAID, TIER_MEANING
from smallarea.release.report import Behind, tier_report
from smallarea.release.tables import Tables
from smallarea.release.tiers import ABOVE, BELOW, FEW, SURE, UNTOLD, WIDEST, Tier
from smallarea.spreadsheets import harmless_table

if TYPE_CHECKING:
    from smallarea.release.estimates import Measured


def write_tier(
    folder: Path, tier: Tier, tables: Tables, made: Measured, reporting: bool, behind: Behind
) -> None:
    """Write all files of a tier but its manifest into an existing folder.

    reporting : whether numbers were divided by a reporting rate. behind : for its report.
    """
    estimates, indicators = tables.estimates, made.indicators
    write_csv(estimates, folder / "estimates.csv")
    write_parquet(estimates, folder / "estimates.parquet")
    people = tables.places["population"]
    write_excel(
        estimates, folder / "estimates.xlsx", indicators, [tier.reader], TIER_MEANING, people
    )
    shapes = tables.geometry
    write_geopackage(
        estimates, shapes, folder / "estimates.gpkg", indicators, tables.places, tables.levels,
        TIER_MEANING,
    )  # fmt: skip
    title = f"{indicators.title}: {tier.name} tier"
    write_csvw(estimates, folder / "estimates.csv-metadata.json", indicators, title)
    write_hxl(overview(estimates, indicators, people), folder / "overview.hxl.csv")
    write_geoparquet(estimates, shapes, folder / "places.parquet")
    harmless_table(tables.levels).to_csv(folder / "levels.csv", index=False, float_format="%.6g")
    if tables.classes is not None:
        harmless_table(tables.classes).to_csv(folder / "classes.csv", index=False)
    assert tables.beside.basis is not None
    tables.beside.basis.to_parquet(folder / BASIS)
    harmless_table(form(estimates, indicators)).to_csv(folder / FORM, index=False)
    write_map(
        estimates,
        tables.counts,
        tables.places,
        shapes,
        folder / "map.html",
        indicators,
        k=tables.k,
        labels=tables.labels,
        spelling=tables.spelling,
        reporting=reporting,
        standing=tier.standing,
        beside=tables.beside,
    )
    page = tier_report(tier, tables, made, behind, reporting)
    (folder / "report.html").write_text(page, encoding="utf-8")
    about = readme(tier, tables, indicators, reporting, behind.trace["run"])
    (folder / "README.md").write_text(about, "utf-8")


def readme(tier: Tier, tables: Tables, indicators: Indicators, reporting: bool, run: str) -> str:
    """Return the README of a tier."""
    notice = max(tables.estimates["notice"])
    lines = [f"# {indicators.title}: {tier.name} tier", "", tier.reader, ""]
    lines += [f"**{notice}**: these numbers describe no real place.", ""] if notice else []
    place = tables.labels["area"]
    lines += [
        f"Made from run {run}. `smallarea verify FOLDER` compares every file with the manifest."
    ]
    lines += ["", "| file | what |", "|---|---|"]
    lines += [
        "| `estimates.*` | a row per place and indicator "
        f"(place: {place}; levels above: {', '.join(levels_in(tables.estimates))}); the same as "
        "CSV, Parquet, Excel and GeoPackage |",
        "| `places.parquet` | the GeoPackage's layer `areas` as GeoParquet; the others are of "
        "units, with what `levels.csv` says of them |",
        "| `overview.hxl.csv` | a row per place, a second row of HXL hashtags; `key`, a code "
        "that spreadsheets leave alone |",
        "| `estimates.csv-metadata.json` | every column of the CSV in words (CSV on the Web) |",
        "| `levels.csv` | the levels above, and the whole country |",
        "| `basis.parquet` | what each place's rate rests on: hundredths of its logarithm, over a "
        "typical place's, by model and stream; then pooling and agreement |",
        "| `report.html` | two pages to decide by, and what stands behind them |",
        "| `map.html` | a map that needs no network, with a planner's panel |",
    ]
    if tables.classes is not None:
        lines += ["| `classes.csv` | areas in classes |", "", *_class_words(tables.classes, place)]
    lines += ["", "## What do you say?", "", INVITES]
    lines += ["", "## What the numbers mean", "", *(f"- {text}" for text in TIER_MEANING)]
    lines += [f"- {text}" for text in indicators.meaning]
    said = [*NOT_SAID, *([TAU_NOT_SAID] if reporting else [])]
    lines += ["", "## What they do not say", "", *(f"- {text}" for text in said)]
    lines += [
        "",
        "A tier has no report, no answers, and nothing about sampling units. The draws in its map "
        "are of fits that saw no interview of a place or near it.",
    ]
    return "\n".join(lines) + "\n"


def _class_words(table: pd.DataFrame, shown: str) -> list[str]:
    columns = [name for name in table if str(name).endswith("_class")]
    told = int((table[columns] != UNTOLD).any(axis=1).sum())
    share = told / max(len(table), 1)
    rule = (
        f"An area is called '{ABOVE}' or '{BELOW}' where the chance is at least {SURE:.0%}, its "
        f"80 % interval is no wider than {WIDEST:g} times its lower end, it does not lie outside "
        "what the models have been tested on nor where the survey did not go, and not too few live "
        f"there; else '{UNTOLD}'."
    )
    found = f"{told:,} of {len(table):,} areas are in a class for some indicator."
    why = f" So few can be told apart that map and tables show {shown} and not areas."
    return [rule + " " + found + (why if share < FEW else "")]

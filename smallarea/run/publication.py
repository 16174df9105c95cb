"""The last stage: everything people open, and the facts that go into the manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from smallarea.catalog import UNMATCHED, unmatched_table, write_unmatched
from smallarea.files import write_json, writing
from smallarea.projection import reference_sizes
from smallarea.publish import (
    draws_dataset,
    overview,
    write_csv,
    write_csvw,
    write_draws,
    write_excel,
    write_geopackage,
    write_geoparquet,
    write_hxl,
    write_parquet,
)
from smallarea.publish.basis import BASIS, basis_table
from smallarea.release.estimates import Measured, level_numbers
from smallarea.run.behind import reported_sizes
from smallarea.run.kept_findings import keep_findings
from smallarea.run.left import read_left
from smallarea.run.numbers import Numbers, summarised
from smallarea.run.page import write_page
from smallarea.run.shown import show
from smallarea.spreadsheets import harmless_table

if TYPE_CHECKING:
    from smallarea.catalog import Catalog
    from smallarea.indicators import Indicators
    from smallarea.run.left import Left
    from smallarea.run.sound import Aside
    from smallarea.settings import Settings


def publish(
    out: Path,
    folders: dict[str, Path],
    catalog: Catalog,
    settings: Settings,
    indicators: Indicators,
    *,
    k: int,
    synthetic: bool,
    trace: dict[str, Any],
    aside: Sequence[Aside] = (),
) -> None:
    """Write tables, draws, map and report into `out`, and `summary.json` for the manifest.

    Parameters
    ----------
    folders : outputs of the stages before, see :func:`smallarea.run.left.read_left`.
    k : the k of the probability of being among the k highest areas.
    synthetic : whether the survey is a digital twin's.
    trace : what traces the files to their inputs: the keys of the stages, the seed, the profile.
    aside : snapshots in quarantine.
    """
    left = read_left(folders)
    table = left.frame.table
    made = Measured(left.counts, table, indicators, **left.moments, synthetic=synthetic)
    numbers = summarised(left, made, settings, k)
    draws = draws_dataset(left.counts, left.tau, table, indicators, synthetic=synthetic, **trace)
    rest = basis_table(
        left.parts, left.rates, numbers.areas, reference_sizes(table, indicators), indicators
    )

    write_tables(out, numbers, left, made)
    write_layers(out, numbers, left, made, settings)
    write_draws(draws, out / "draws.nc")
    rest.to_parquet(out / BASIS)
    write_sources(out, left, catalog)
    show(out / "map.html", numbers.areas, left, made, settings, rest, k=k)
    told = keep_findings(left.findings, out / "survey", synthetic, left.asked)
    write_page(
        out / "report.html", numbers, left, made, draws, told, catalog, settings,
        k=k, trace=trace, aside=aside,
    )  # fmt: skip
    write_json(out / "summary.json", facts(numbers, left, made, k))


def write_tables(out: Path, numbers: Numbers, left: Left, made: Measured) -> None:
    """Write tables of areas, of the nation, of reported sizes and of totals that were given."""
    areas, people, indicators = numbers.areas, made.table["population"], made.indicators
    write_parquet(areas, out / "estimates.parquet")
    write_csv(areas, out / "estimates.csv")
    write_csvw(areas, out / "estimates.csv-metadata.json", indicators, indicators.title)
    write_excel(areas, out / "estimates.xlsx", indicators, people=people)
    write_hxl(overview(areas, indicators, people), out / "overview.hxl.csv")
    plain = numbers.national.drop(columns=["nation", "rank_low", "rank_high"])
    plain.to_csv(out / "national.csv", index=False)
    if left.units is not None:
        with writing(out / "totals.csv") as temporary:
            left.units.to_csv(temporary, float_format="%.6g")
    reported_sizes(left.ground, made.table, indicators).to_csv(out / "reported.csv")


def write_layers(
    out: Path, numbers: Numbers, left: Left, made: Measured, settings: Settings
) -> None:
    """Write what a geographic information system opens."""
    table, geometry = left.frame.table, left.frame.geometry
    units = level_numbers(made, 0, settings.withhold_below)
    write_geopackage(numbers.areas, geometry, out / "estimates.gpkg", made.indicators, table, units)
    write_geoparquet(numbers.areas, geometry, out / "places.parquet")
    areas = gpd.GeoDataFrame(table, geometry=geometry, crs=geometry.crs)
    areas.reset_index().to_parquet(out / "areas.parquet")


def write_sources(out: Path, left: Left, catalog: Catalog) -> None:
    """Write the features, their dictionary, and the rows of sources that found no area."""
    left.features.values.to_parquet(out / "features.parquet")
    harmless_table(left.features.info).to_csv(out / "features.csv")
    unmatched = unmatched_table(left.features.reports, catalog.sources, left.frame)
    write_unmatched(unmatched, out / UNMATCHED)


def facts(numbers: Numbers, left: Left, made: Measured, k: int) -> dict[str, Any]:
    """Return what the manifest tells of a run beside its inputs."""
    national = numbers.national.set_index("indicator")
    national = national.drop(columns=["nation", "rank_low", "rank_high"])
    return {
        "synthetic": made.synthetic,
        "indicators": made.indicators.model_dump(exclude_none=True, exclude_defaults=True),
        "top_k": k,
        "national": json.loads(national.to_json(orient="index")),
        "covariates": left.evidence,
        **({"tau_prior": asdict(left.prior)} if left.prior else {}),
        "weights": left.weights.round(4).to_dict(),
        "agreement": json.loads(left.agreement.to_json(orient="index")),
        "warnings": left.warnings,
        "reads": [str(report) for report in left.features.reports],
    }

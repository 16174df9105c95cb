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
from smallarea.run.map_page import show_map
from smallarea.run.numbers import Numbers, summarised
from smallarea.run.outputs import read_outputs
from smallarea.run.report_page import write_page
from smallarea.spreadsheets import harmless_table

if TYPE_CHECKING:
    from smallarea.catalog import Catalog
    from smallarea.indicators import Indicators
    from smallarea.run.outputs import Outputs
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
    folders : outputs of the stages before, see :func:`smallarea.run.outputs.read_outputs`.
    k : the k of the probability of being among the k highest areas.
    synthetic : whether the survey is a digital twin's.
    trace : what traces the files to their inputs: the keys of the stages, the seed, the profile.
    aside : snapshots in quarantine.
    """
    outputs = read_outputs(folders)
    table = outputs.frame.table
    made = Measured(outputs.counts, table, indicators, **outputs.moments, synthetic=synthetic)
    numbers = summarised(outputs, made, settings, k)
    draws = draws_dataset(
        outputs.counts, outputs.tau, table, indicators, synthetic=synthetic, **trace
    )
    rest = basis_table(
        outputs.parts, outputs.rates, numbers.areas, reference_sizes(table, indicators), indicators
    )

    write_tables(out, numbers, outputs, made)
    write_layers(out, numbers, outputs, made, settings)
    write_draws(draws, out / "draws.nc")
    rest.to_parquet(out / BASIS)
    write_sources(out, outputs, catalog)
    show_map(out / "map.html", numbers.areas, outputs, made, settings, rest, k=k)
    told = keep_findings(outputs.findings, out / "survey", synthetic, outputs.asked)
    write_page(
        out / "report.html", numbers, outputs, made, draws, told, catalog, settings,
        k=k, trace=trace, aside=aside,
    )  # fmt: skip
    write_json(out / "summary.json", facts(numbers, outputs, made, k))


def write_tables(out: Path, numbers: Numbers, outputs: Outputs, made: Measured) -> None:
    """Write tables of areas, of the nation, of reported sizes and of totals that were given."""
    areas, people, indicators = numbers.areas, made.table["population"], made.indicators
    write_parquet(areas, out / "estimates.parquet")
    write_csv(areas, out / "estimates.csv")
    write_csvw(areas, out / "estimates.csv-metadata.json", indicators, indicators.title)
    write_excel(areas, out / "estimates.xlsx", indicators, people=people)
    write_hxl(overview(areas, indicators, people), out / "overview.hxl.csv")
    plain = numbers.national.drop(columns=["nation", "rank_low", "rank_high"])
    plain.to_csv(out / "national.csv", index=False)
    if outputs.units is not None:
        with writing(out / "totals.csv") as temporary:
            outputs.units.to_csv(temporary, float_format="%.6g")
    reported_sizes(outputs.ground, made.table, indicators).to_csv(out / "reported.csv")


def write_layers(
    out: Path, numbers: Numbers, outputs: Outputs, made: Measured, settings: Settings
) -> None:
    """Write what a geographic information system opens."""
    table, geometry = outputs.frame.table, outputs.frame.geometry
    units = level_numbers(made, 0, settings.withhold_below)
    write_geopackage(numbers.areas, geometry, out / "estimates.gpkg", made.indicators, table, units)
    write_geoparquet(numbers.areas, geometry, out / "places.parquet")
    areas = gpd.GeoDataFrame(table, geometry=geometry, crs=geometry.crs)
    areas.reset_index().to_parquet(out / "areas.parquet")


def write_sources(out: Path, outputs: Outputs, catalog: Catalog) -> None:
    """Write the features, their dictionary, and the rows of sources that found no area."""
    outputs.features.values.to_parquet(out / "features.parquet")
    harmless_table(outputs.features.info).to_csv(out / "features.csv")
    unmatched = unmatched_table(outputs.features.reports, catalog.sources, outputs.frame)
    write_unmatched(unmatched, out / UNMATCHED)


def facts(numbers: Numbers, outputs: Outputs, made: Measured, k: int) -> dict[str, Any]:
    """Return what the manifest tells of a run beside its inputs."""
    national = numbers.national.set_index("indicator")
    national = national.drop(columns=["nation", "rank_low", "rank_high"])
    return {
        "synthetic": made.synthetic,
        "indicators": made.indicators.model_dump(exclude_none=True, exclude_defaults=True),
        "top_k": k,
        "national": json.loads(national.to_json(orient="index")),
        "covariates": outputs.evidence,
        **({"tau_prior": asdict(outputs.prior)} if outputs.prior else {}),
        "weights": outputs.weights.round(4).to_dict(),
        "agreement": json.loads(outputs.agreement.to_json(orient="index")),
        "warnings": outputs.warnings,
        "reads": [str(report) for report in outputs.features.reports],
    }

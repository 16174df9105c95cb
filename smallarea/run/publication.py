"""The last stage: everything people open, and the facts that go into the manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas import load_frame
from smallarea.areas.boundaries import drawn_from_points
from smallarea.areas.levels import levels_of
from smallarea.catalog import UNMATCHED, unmatched_table, write_unmatched
from smallarea.features import load_features
from smallarea.files import write_json, writing
from smallarea.findings import FILES
from smallarea.nsum.reporting.tau import TauPrior
from smallarea.projection import reference_sizes
from smallarea.publish import (
    SYNTHETIC,
    ReportInput,
    draws_dataset,
    estimate_areas,
    estimate_groups,
    flag_areas,
    overview,
    suppress,
    write_csv,
    write_csvw,
    write_draws,
    write_excel,
    write_geopackage,
    write_geoparquet,
    write_hxl,
    write_map,
    write_parquet,
    write_report,
)
from smallarea.publish.basis import BASIS, basis_table
from smallarea.publish.before_after import before_after
from smallarea.publish.map_data import Beside
from smallarea.publish.words import INTERNAL
from smallarea.release.estimates import Measured, level_numbers
from smallarea.run.behind import answer_table, reported_sizes, source_table
from smallarea.run.mapping import Mapped, mapped
from smallarea.run.said import drawn_borders, silence_warnings, survey_warnings, weak_fits
from smallarea.spreadsheets import harmless_table

if TYPE_CHECKING:
    from smallarea.catalog import Catalog
    from smallarea.indicators import Indicators
    from smallarea.run.sound import Aside
    from smallarea.settings import Settings

SCORE_WORDS = {
    "log_score": "log probability given to the answers of held-out areas (higher is better)",
    "gain": "its gain over the first model",
    "gain_se": "standard error of that gain, clustered by group",
    "rmse_net": "error of the rate net of sampling variance, relative to the national rate",
    "cover_80": "share of held-out answers inside the 80 % interval",
}


def publish(
    out: Path,
    folders: dict[str, Path],
    catalog: Catalog,
    settings: Settings,
    indicators: Indicators,
    *,
    k: int,
    synthetic: bool,
    seed: int,
    trace: dict[str, Any],
    aside: Sequence[Aside] = (),
) -> None:
    """Write tables, draws, map and report into `out`, and `summary.json` for the manifest.

    Parameters
    ----------
    folders : outputs of the stages frame, features, nsum, models, projection and findings, by
        name.
    k : the k of the probability of being among the k highest areas.
    synthetic : whether the survey is a digital twin's.
    trace : what traces the files to their inputs: the keys of the stages, the seed, the profile.
    aside : snapshots in quarantine.
    """
    frame = load_frame(folders["frame"])
    features = load_features(folders["features"])
    table = frame.table
    with xr.open_dataset(folders["projection"] / "counts.nc", engine="h5netcdf") as made:
        counts = made["counts"].load()
        tau = made["tau"].values if "tau" in made else None
    asked = "nsum" in folders
    ground = folders["nsum"] if asked else folders["direct"]
    surveyed = pd.read_csv(ground / "surveyed.csv", dtype=str)["area_id"]
    agreement = pd.read_csv(folders["projection"] / "agreement.csv", index_col="component")
    given = folders["projection"] / "totals.csv"
    units = pd.read_csv(given, index_col="row", keep_default_na=False) if given.is_file() else None
    evidence = json.loads((folders["models"] / "evidence.json").read_text())
    weights = pd.read_csv(folders["models"] / "members.csv", index_col=0)["weight"]
    warnings = json.loads((folders["projection"] / "warnings.json").read_text())
    warnings += survey_warnings(ground) + silence_warnings(ground) + weak_fits(folders["models"])
    warnings += drawn_borders(frame)
    notes = folders["models"] / "notes.json"
    warnings += json.loads(notes.read_text()) if notes.is_file() else []

    prior = tau_prior(ground)
    mean, sd = (prior.has_mean, prior.has_sd) if prior else (True, True)
    near = pd.read_csv(folders["models"] / "applicability.csv", dtype={"area_id": str})
    far = set(near.loc[near["outside"], "area_id"])
    flags = flag_areas(
        table, extrapolated=far, mean=mean, small=settings.small_population, synthetic=synthetic
    )
    shared: dict[str, Any] = {"indicators": indicators, "mean": mean, "sd": sd}
    every = estimate_areas(counts, table, flags, set(surveyed), k=k, **shared)
    estimates = suppress(every, table, indicators, settings.withhold_below)
    national = estimate_groups(counts, table.assign(nation="nation"), "nation", **shared)
    levels = levels_of(table)
    told = levels[1:] or levels  # the lowest level has few interviews, and often but one unit
    groups = {level: estimate_groups(counts, table, level, **shared) for level in told}
    if estimates["q50"].isna().any():  # means add up: with the nation's, a withheld one would too
        national[["mean", "sd"]] = np.nan
        for group in groups.values():
            group[["mean", "sd"]] = np.nan

    write_parquet(estimates, out / "estimates.parquet")
    write_csv(estimates, out / "estimates.csv")
    write_excel(estimates, out / "estimates.xlsx", indicators, people=table["population"])
    measured = Measured(counts, table, indicators, mean, sd, synthetic)
    of_units = level_numbers(measured, 0, settings.withhold_below)
    write_geopackage(
        estimates, frame.geometry, out / "estimates.gpkg", indicators, table, of_units
    )  # fmt: skip
    write_csvw(estimates, out / "estimates.csv-metadata.json", indicators, indicators.title)
    places = overview(estimates, indicators, table["population"])
    write_hxl(places, out / "overview.hxl.csv")
    write_geoparquet(estimates, frame.geometry, out / "places.parquet")
    draws = draws_dataset(counts, tau, table, indicators, synthetic=synthetic, **trace)
    write_draws(draws, out / "draws.nc")
    areas = gpd.GeoDataFrame(table, geometry=frame.geometry, crs=frame.geometry.crs)
    areas.reset_index().to_parquet(out / "areas.parquet")
    features.values.to_parquet(out / "features.parquet")
    harmless_table(features.info).to_csv(out / "features.csv")
    unmatched = unmatched_table(features.reports, catalog.sources, frame)
    write_unmatched(unmatched, out / UNMATCHED)
    rates = xr.load_dataarray(folders["models"] / "rates.nc", engine="h5netcdf")
    parts = pd.read_parquet(folders["models"] / "parts.parquet")
    sizes = reference_sizes(table, indicators)
    basis = basis_table(parts, rates, estimates, sizes, indicators)
    basis.to_parquet(out / BASIS)
    shown = mapped(
        Mapped(estimates, counts, table, frame.geometry, frame.words, k),
        measured,
        settings,
    )
    beside = Beside(tau, basis, next_areas(folders["findings"]), links={"report": "report.html"})
    if shown.unit is not None:
        beside = replace(
            beside,
            basis=basis_table(parts, rates, shown.estimates, sizes, indicators, place=shown.unit),
            plan=None,
        )
    write_map(
        shown.estimates,
        shown.counts,
        shown.table,
        shown.geometry,
        out / "map.html",
        indicators,
        k=shown.k,
        spelling=frame.spelling,
        labels=shown.labels,
        reporting=prior is not None,
        beside=beside,
    )
    survey, survey_notes, known_groups = keep_findings(
        [folders[name] for name in ("answers", "findings") if name in folders],
        out / "survey",
        synthetic,
        asked,
    )
    scores = pd.read_csv(folders["models"] / "scores.csv", index_col=["model", "component"])
    write_report(
        ReportInput(
            indicators=indicators,
            estimates=estimates,
            national=national,
            groups=groups,
            labels=frame.words,
            draws=draws,
            geometry=frame.geometry,
            tau_prior=f"Beta({prior.a:.4g}, {prior.b:.4g}), {prior.source}" if prior else None,
            evidence=evidence["sentence"],
            scores=scores.loc[(slice(None), "all"), list(SCORE_WORDS)].droplevel("component"),
            weights=weights,
            calibration=calibration_of(folders["models"]),
            agreement=agreement,
            units=units,
            sources=pd.concat(
                [
                    answer_table(
                        settings,
                        indicators,
                        (ground / "about.txt").read_text("utf-8"),
                        0 if units is None else len(units),
                    ),
                    source_table(catalog, features, frame.table),
                ],
                ignore_index=True,
            ),
            comparisons=catalog.comparisons,
            trace=trace,
            k=k,
            drawn=drawn_from_points(table),
            asked=asked,
            stated=tuple(settings.direct.national) if settings.direct else (),
            reads=features.reports,
            survey=survey,
            survey_notes=survey_notes,
            known_groups=known_groups,
            warnings=warnings,
            aside=[(each.said, _both(each, frame.geometry)) for each in aside],
            score_words=SCORE_WORDS,
        ),
        out / "report.html",
    )
    national.drop(columns=["nation", "rank_low", "rank_high"]).to_csv(
        out / "national.csv", index=False
    )
    if units is not None:
        with writing(out / "totals.csv") as temporary:
            units.to_csv(temporary, float_format="%.6g")
    reported_sizes(ground, table, indicators).to_csv(out / "reported.csv")
    numbers = national.set_index("indicator").drop(columns=["nation", "rank_low", "rank_high"])
    write_json(
        out / "summary.json",
        {
            "synthetic": synthetic,
            "indicators": indicators.model_dump(exclude_none=True, exclude_defaults=True),
            "top_k": k,
            "national": json.loads(numbers.to_json(orient="index")),
            "covariates": evidence,
            **({"tau_prior": asdict(prior)} if prior else {}),
            "weights": weights.round(4).to_dict(),
            "agreement": json.loads(agreement.to_json(orient="index")),
            "warnings": warnings,
            "reads": [str(report) for report in features.reports],
        },
    )


def _both(aside: Aside, geometry: gpd.GeoSeries) -> dict[str, str]:
    """Return maps of features as they are used and as they were refused, by feature."""
    titles = ("in use", "set aside")
    return {
        str(name): before_after(aside.used[name], aside.refused[name], geometry, titles)
        for name in aside.refused
        if name in aside.used
    }


def tau_prior(ground: Path) -> TauPrior | None:
    """Read the prior of the reporting rate; None if numbers are as reported."""
    path = ground / "tau.json"
    return TauPrior(**json.loads(path.read_text())) if path.is_file() else None


def calibration_of(models: Path) -> pd.DataFrame | None:
    """Read how intervals held on groups left out; None of models kept by an earlier version."""
    path = models / "calibration.csv"
    return pd.read_csv(path, index_col="component") if path.is_file() else None


def next_areas(findings: Path) -> pd.DataFrame | None:
    """Read where to interview next for the sake of all areas' rates; None if nobody planned it."""
    path = findings / "next_places.csv"
    if not path.is_file():
        return None
    plan = pd.read_csv(path, dtype={"area_id": str})
    return plan[plan["target"] == "areas"]


def keep_findings(
    folders: Sequence[Path], target: Path, synthetic: bool, asked: bool
) -> tuple[dict[str, pd.DataFrame], list[str], str]:
    """Copy the findings into the run with a README; return tables, notes and the figure's SVG."""
    kind = "interviews" if asked else "direct estimates"
    kept = {path.name: path for folder in folders for path in folder.iterdir()}
    notes = json.loads(kept["notes.json"].read_text()) if "notes.json" in kept else []
    tables, lines = {}, [f"# What the {kind} say", "", INTERNAL, ""]
    if synthetic:
        lines += [f"**{SYNTHETIC}**: these {kind} were invented.", ""]
    target.mkdir()
    for name, words in FILES.items():
        path = kept.get(f"{name}.csv")
        if path is not None:
            tables[name] = pd.read_csv(path, dtype={"area_id": str, "level": str})
            if "note" in tables[name]:
                tables[name]["note"] = tables[name]["note"].astype("str").fillna("")
            shown = tables[name].assign(notice=SYNTHETIC) if synthetic else tables[name]
            with writing(target / path.name) as temporary:
                harmless_table(shown).to_csv(temporary, index=False, float_format="%.6g")
            lines.append(f"- `{path.name}`: {words}")
    figure = kept.get("known_groups.svg")
    drawn = figure.read_text(encoding="utf-8") if figure else ""
    if drawn and synthetic:
        mark = f'<text x="97%" y="86%" text-anchor="end" fill="#9c1c1c">{SYNTHETIC}</text></svg>'
        drawn = drawn.replace("</svg>", mark)
    if drawn:
        with writing(target / "known_groups.svg") as temporary:
            temporary.write_text(drawn, encoding="utf-8")
        lines.append("- `known_groups.svg`: known groups, estimated from the others, by size")
    lines += ["", *(f"Note: {note}." for note in notes)]
    with writing(target / "README.md") as temporary:
        temporary.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return tables, notes, drawn

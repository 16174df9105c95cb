"""report.html: what was found, how sure it is, what it rests on; for planners, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.catalog import ReadReport
from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.publish.checking import calibration_figure, calibration_words, left_out
from smallarea.publish.disclosure import check_columns
from smallarea.publish.estimates import levels_in
from smallarea.publish.figures import tau_curve, top_map
from smallarea.publish.interviews import interviews
from smallarea.publish.pages import percent, template
from smallarea.publish.words import (
    FLAG_WORDS,
    INTERNAL,
    MEANING,
    NOT_SAID,
    TAU_MEANING,
    TAU_NOT_SAID,
    cells,
    highest,
)

if TYPE_CHECKING:
    import geopandas as gpd

    from smallarea.catalog.declare import Comparison


@dataclass(frozen=True)
class ReportInput:
    """Everything the report tells.

    Attributes
    ----------
    indicators : what is published; the notice of a synthetic survey comes from `estimates`.
    estimates : the long table after disclosure control. k : the k of its `p_top`.
    national, groups : `estimate_groups` of the whole country, and of each level told of, by name.
    asked : whether it is a scale-up survey, not direct estimates from elsewhere. stated : the
        components whose national total is given from elsewhere.
    draws : see :func:`smallarea.publish.draws.draws_dataset`.
    geometry : polygons in degrees, index area_id; drawn : how many are cells around points.
    tau_prior : the prior of the reporting rate and where it comes from, in words; None without.
    evidence : one sentence on whether covariates helped.
    scores : cross-validation, one row per model, any numeric columns; what they mean is in
        `score_words` (column -> words). weights : share of each model, index model.
    calibration : of the pool on held-out groups, see `smallarea.models.calibration.calibration`.
    agreement : `Agreement.components`, with `above_one` and the columns of `side_by_side`.
    units : `TopDown.units`, where totals of units are given.
    survey : tables of `smallarea.findings.findings`, by name; without any, nothing is said of the
        interviews. survey_notes : sentences on them. known_groups : their figure, an SVG element.
    warnings : sentences that must not be overlooked.
    aside : snapshots in quarantine: a sentence, and two maps (`data:` addresses) by feature.
    sources : one row per source; columns of the table as they should be read.
    reads : what became of the rows of every source.
    comparisons : figures published elsewhere, as the catalog declares them.
    trace : what traces the page to a run: run, code version, seed, hashes.
    """

    indicators: Indicators
    estimates: pd.DataFrame
    national: pd.DataFrame
    groups: Mapping[str, pd.DataFrame]
    labels: Mapping[str, str]
    draws: xr.Dataset
    geometry: gpd.GeoSeries
    tau_prior: str | None
    evidence: str
    scores: pd.DataFrame
    weights: pd.Series
    agreement: pd.DataFrame
    sources: pd.DataFrame
    trace: Mapping[str, Any]
    calibration: pd.DataFrame | None = None
    comparisons: Sequence[Comparison] = ()
    units: pd.DataFrame | None = None
    k: int = 100
    asked: bool = True
    stated: Sequence[str] = ()
    drawn: int = 0
    reads: Sequence[ReadReport] = ()
    survey: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    survey_notes: Sequence[str] = ()
    known_groups: str = ""
    warnings: Sequence[str] = ()
    score_words: Mapping[str, str] = field(default_factory=dict)
    aside: Sequence[tuple[str, Mapping[str, str]]] = ()


def write_report(report: ReportInput, path: Path) -> None:
    """Write the page, self-contained, all or nothing."""
    check_columns(report.estimates)
    named, held = report.indicators, report.calibration
    what = "reports" if report.asked else "counts"
    html = template("report.html.j2").render(
        report=report,
        notice=max(report.estimates["notice"]),
        internal=INTERNAL,
        named=named,
        labels=named.labels,
        units=named.units,
        meaning=[*MEANING, *([TAU_MEANING] if report.tau_prior else []), *named.meaning],
        not_said=[*NOT_SAID, *([TAU_NOT_SAID] if report.tau_prior else [])],
        headlines=named.headlines,
        national=report.national.set_index("indicator").to_dict("index"),
        curves={n: _curve(report, n) for n in named.totals} if report.tau_prior else {},
        tau=_tau_words(report.draws["tau"].values) if report.tau_prior else None,
        scores=_with_weights(report),
        lowest=levels_in(report.estimates)[0],
        calibrated=None if held is None else calibration_words(held),
        calibration_figure="" if held is None else calibration_figure(held, what),
        outside=left_out(report.draws, report.estimates, named),
        groups={report.labels[level]: _groups(report, level) for level in report.groups},
        places=report.labels,
        periods=lambda name: ", ".join(
            dict.fromkeys(named.components[part].reference_period for part in named.parts(name))
        ),
        top_map=top_map(_top(report), report.geometry, report.k, max(report.estimates["notice"])),
        highest=highest(report.k),
        cells=cells(report.drawn, report.estimates["area_id"].nunique()),
        chances=_chances(report),
        flags=_flags(report.estimates),
        said=interviews(report.survey, named) if report.survey else None,
        areas=report.estimates["area_id"].nunique(),
    )
    with writing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def _curve(report: ReportInput, name: str) -> str:
    draws = report.draws
    total = (
        draws["national_total"].sel(component=list(report.indicators.parts(name))).sum("component")
    )
    return tau_curve(
        (total * draws["tau"]).values, draws["tau"].values, report.indicators.labels[name]
    )


def _with_weights(report: ReportInput) -> pd.DataFrame:
    weights = report.weights.reindex(report.scores.index).fillna(0)
    return report.scores.assign(weight=weights.map(percent))


def _tau_words(tau: np.ndarray) -> dict[str, float]:
    low, middle, high = np.quantile(tau, [0.1, 0.5, 0.9])
    return {"low": low, "middle": middle, "high": high}


def _top(report: ReportInput) -> pd.Series:
    rows = report.estimates[report.estimates["indicator"] == report.indicators.headline]
    return rows.set_index("area_id")["p_top"]


def _chances(report: ReportInput) -> dict[str, Any]:
    """How many areas are likely, possibly, hardly among the k highest; who is likely."""
    rows = report.estimates[report.estimates["indicator"] == report.indicators.headline].dropna(
        subset="p_top"
    )
    lowest = levels_in(report.estimates)[0]
    likely = rows[rows["p_top"] >= 0.8].sort_values([lowest, "name"])
    return {
        "likely": len(likely),
        "possible": int(rows["p_top"].between(0.2, 0.8, inclusive="left").sum()),
        "hardly": int((rows["p_top"] < 0.05).sum()),
        "names": [f"{row['name']} ({row[lowest]})" for _, row in likely.iterrows()],
    }


def _groups(report: ReportInput, level: str) -> list[dict[Any, Any]]:
    """Per unit of a level: areas, interviewed, ranges, and how many of the k highest to expect."""
    first = report.estimates[report.estimates["indicator"] == report.indicators.headline]
    areas = first.groupby(level).agg(
        areas=("area_id", "size"),
        surveyed=("surveyed", "sum"),
        left_out=("flags", lambda f: f.str.contains("not_covered_by_survey").all()),
        expected=("p_top", "sum"),
    )
    ranges = {
        indicator: rows.set_index(level)[["q10", "q90"]].T.to_dict("list")
        for indicator, rows in report.groups[level].groupby("indicator")
    }
    for indicator in report.indicators.headlines:
        areas[indicator] = areas.index.map(ranges[indicator])
    return areas.rename_axis("name").reset_index().to_dict("records")


def _flags(estimates: pd.DataFrame) -> list[tuple[str, int]]:
    """Flags in words, with the number of areas that carry each."""
    areas = estimates.drop_duplicates("area_id")
    count = areas["flags"].str.split(";").explode().value_counts()
    return [(words, int(count[flag])) for flag, words in FLAG_WORDS.items() if flag in count]

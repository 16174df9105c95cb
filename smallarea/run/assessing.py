"""What each source is worth, as measured: the viability table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.catalog.report import ReadReport
from smallarea.features import load_features
from smallarea.features.dictionary import level_of
from smallarea.run.kept import kept_stage

if TYPE_CHECKING:
    from smallarea.catalog import Catalog, Source
    from smallarea.features import Features
    from smallarea.run.record import Run

#: Folder of a run's comparison, beside the run (which is never changed), and its file of refits
#: without each stream.
COMPARED = "{run}-compare"
WITHOUT = "without.csv"


def assess_run(run: Run, root: Path, catalog: Catalog) -> pd.DataFrame:
    """Return one row per source of the catalog, by the features of a finished run.

    Returns
    -------
    index source; `domain`, `access`, `agreement_ends`; `level` that rows are about, `each` (what
    tells rows of an area apart), `cadence`; `age`, years from its vintage to the period that the
    indicators are about; `matched`, share of its rows that found an area; `features` made of it,
    `coverage`, the mean share of areas with a value, and `least`, that of the feature with fewest;
    `withheld`, its suppressed cells; `streams`, and `loss` with `loss_se`, what the log score of
    held-out reports lost without those (the largest of several), NaN where the run's comparison was
    not made with `--without stream`. A source that the run did not have has NaN for what is
    measured.
    """
    features = load_features(kept_stage(run, root, "features"))
    reports = {report.source: report for report in features.reports}
    year = _reference_year(catalog)
    rows = {
        name: _declared(source, year) | _measured(name, reports.get(name), features)
        for name, source in catalog.sources.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("source")
    return table.join(_losses(run, table["streams"]))


def _declared(source: Source, year: int | None) -> dict[str, object]:
    vintage = _years(source.vintage)
    return {
        "domain": source.domain,
        "access": source.access,
        "agreement_ends": source.agreement_ends,
        "level": level_of(source),
        "each": ", ".join(source.per) if source.kind == "table" else source.kind,
        "cadence": source.cadence,
        "age": year - max(vintage) if year is not None and vintage else None,
    }


def _measured(name: str, report: ReadReport | None, features: Features) -> dict[str, object]:
    of = features.info[features.info["source"].str.split(", ").map(lambda own: name in own)]
    coverage = of["coverage"]
    rows = report.rows if report else 0
    return {
        "matched": report.matched / rows if report and rows else None,
        "features": len(of),
        "coverage": coverage.mean(),
        "least": coverage.min(),
        "withheld": sum(report.suppressed.values()) if report else 0,
        "streams": ", ".join(of["stream"].unique()),
    }


def _losses(run: Run, streams: pd.Series) -> pd.DataFrame:
    path = run.folder.parent / COMPARED.format(run=run.folder.name) / WITHOUT
    empty = pd.DataFrame(columns=["loss", "loss_se"], index=streams.index, dtype=float)
    if not path.is_file():
        return empty
    told = pd.read_csv(path)
    if "stream" not in told:  # it was made without each domain
        return empty
    told = told.sort_values("loss", ascending=False)
    for source, names in streams.items():
        own = told[told["stream"].isin(names.split(", "))]
        if len(own):
            empty.loc[source, ["loss", "loss_se"]] = own[["loss", "loss_se"]].to_numpy()[0]
    return empty


def _reference_year(catalog: Catalog) -> int | None:
    """Return the last year that the indicators are about."""
    components = catalog.indicators.get("components", {}).values()
    years = [year for c in components for year in _years(str(c.get("reference_period", "")))]
    return max(years, default=None)


def _years(text: str) -> list[int]:
    return [int(year) for year in re.findall(r"\b[12]\d{3}\b", text)]

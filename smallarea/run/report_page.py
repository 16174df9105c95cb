"""The report page of a run, of what the stages before left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.areas.boundaries import drawn_from_points
from smallarea.publish import ReportInput, write_report
from smallarea.publish.before_after import before_after
from smallarea.run.behind import answer_table, source_table

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

    from smallarea.catalog import Catalog
    from smallarea.release.estimates import Measured
    from smallarea.run.kept_findings import Told
    from smallarea.run.numbers import Numbers
    from smallarea.run.outputs import Outputs
    from smallarea.run.sound import Aside
    from smallarea.settings import Settings

SCORE_WORDS = {
    "log_score": "log probability given to the answers of held-out areas (higher is better)",
    "gain": "its gain over the first model",
    "gain_se": "standard error of that gain, clustered by group",
    "rmse_net": "error of the rate net of sampling variance, relative to the national rate",
    "cover_80": "share of held-out answers inside the 80 % interval",
}


def write_page(
    path: Path,
    numbers: Numbers,
    outputs: Outputs,
    made: Measured,
    draws: xr.Dataset,
    told: Told,
    catalog: Catalog,
    settings: Settings,
    *,
    k: int,
    trace: Mapping[str, Any],
    aside: Sequence[Aside],
) -> None:
    """Write the report page; parameters as in :func:`smallarea.run.publication.publish`."""
    frame, prior, indicators = outputs.frame, outputs.prior, made.indicators
    units = 0 if outputs.units is None else len(outputs.units)
    about = (outputs.ground / "about.txt").read_text("utf-8")
    answers = answer_table(settings, indicators, about, units)
    sources = source_table(catalog, outputs.features, frame.table)
    write_report(
        ReportInput(
            indicators=indicators,
            estimates=numbers.areas,
            national=numbers.national,
            groups=numbers.groups,
            labels=frame.words,
            draws=draws,
            geometry=frame.geometry,
            tau_prior=f"Beta({prior.a:.4g}, {prior.b:.4g}), {prior.source}" if prior else None,
            evidence=outputs.evidence["sentence"],
            scores=outputs.scores[list(SCORE_WORDS)],
            score_words=SCORE_WORDS,
            weights=outputs.weights,
            calibration=outputs.calibration,
            agreement=outputs.agreement,
            units=outputs.units,
            sources=pd.concat([answers, sources], ignore_index=True),
            comparisons=catalog.comparisons,
            trace=trace,
            k=k,
            drawn=drawn_from_points(frame.table),
            asked=outputs.asked,
            stated=tuple(settings.direct.national) if settings.direct else (),
            reads=outputs.features.reports,
            survey=told.tables,
            survey_notes=told.notes,
            known_groups=told.drawn,
            warnings=outputs.warnings,
            aside=[(each.said, _both(each, frame.geometry)) for each in aside],
        ),
        path,
    )


def _both(aside: Aside, geometry: gpd.GeoSeries) -> dict[str, str]:
    """Return maps of features as they are used and as they were refused, by feature."""
    titles = ("in use", "set aside")
    return {
        str(name): before_after(aside.used[name], aside.refused[name], geometry, titles)
        for name in aside.refused
        if name in aside.used
    }

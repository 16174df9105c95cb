"""The report of what a refresh moved, beside the runs: `runs/<run>-drift/`, HTML and JSON."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.features import load_features
from smallarea.files import keep_private, write_json, writing
from smallarea.findings.drift import estimate_drift, feature_drift, reasons_to_refit
from smallarea.models.kept import load_fits
from smallarea.run.kept import kept_stage
from smallarea.run.models import FITS

if TYPE_CHECKING:
    from smallarea.run.record import Run

LISTED = 50
MAPPED = 3


def drift_of(run: Run, earlier: Run, root: Path) -> dict[str, Any]:
    """Compare a run with the one before it, and its features with those of the fit.

    Returns
    -------
    JSON-able: `run`, `earlier`, `refitted`, `features` and `since_fit` (by feature), `indicators`
    (areas compared, moved beyond their uncertainty, ranks moved), `areas` (those that moved),
    `outside` (share of areas beyond what the fit has seen), `refit` (why the models had better be
    fitted again).
    """
    values = load_features(kept_stage(run, root, "features")).values
    before = pd.read_parquet(earlier.folder / "features.parquet")
    fitted = "fit" not in run.manifest["stages"]
    models = kept_stage(run, root, "models")
    fit = kept_stage(run, root, "models" if fitted else "fit")
    near = pd.read_csv(models / "applicability.csv")
    since_fit = feature_drift(load_fits(fit / FITS).features, values)
    moved = estimate_drift(earlier.table(), run.table())
    outside = float(near["outside"].mean())
    counted = moved.groupby("indicator", sort=False)[["moved", "rank_moved"]].sum()
    counted.insert(0, "areas", moved.groupby("indicator", sort=False).size())
    some = moved[moved["moved"] | moved["rank_moved"]]
    return {
        "run": run.folder.name,
        "earlier": earlier.folder.name,
        "synthetic": run.synthetic,
        "refitted": fitted,
        "features": _records(feature_drift(before, values)),
        "since_fit": _records(since_fit),
        "indicators": _records(counted),
        "areas": json.loads(some.to_json(orient="records")),
        "outside": outside,
        "refit": [] if fitted else reasons_to_refit(since_fit, outside),
        "quarantined": run.manifest["quarantined"],
    }


def drift_maps(run: Run, earlier: Run, facts: dict[str, Any]) -> dict[str, str]:
    """Return feature -> two maps, of those that moved most since the earlier run."""
    import geopandas as gpd

    from smallarea.publish.before_after import before_after

    moved = [one for one in facts["features"] if one["state"] == "changed"]
    moved.sort(key=lambda one: -one["psi"])
    shapes = gpd.read_parquet(run.folder / "areas.parquet").set_index("area_id")["geometry"]
    before, after = (pd.read_parquet(one.folder / "features.parquet") for one in (earlier, run))
    names = [one["feature"] for one in moved[:MAPPED]]
    return {name: before_after(before[name], after[name], shapes) for name in names}


def write_drift(facts: dict[str, Any], maps: Mapping[str, str], folder: Path) -> Path:
    """Write the report; only its owner can read it. Return its folder.

    maps : of :func:`drift_maps`.
    """
    with writing(folder) as temporary:
        temporary.mkdir()
        write_json(temporary / "drift.json", facts)
        (temporary / "drift.html").write_text(drift_page(facts, maps), encoding="utf-8")
        keep_private(temporary)
    return folder


def drift_page(facts: dict[str, Any], maps: Mapping[str, str]) -> str:
    """Return the report as one HTML page without scripts."""
    label = "SYNTHETIC SURVEY. " if facts["synthetic"] else ""
    how = "fitted again" if facts["refitted"] else "not fitted again"
    areas = facts["areas"]
    features = sorted(facts["features"], key=lambda one: -(one["psi"] or 0))
    parts = [
        f"<h1>What moved: {html.escape(facts['run'])}</h1>",
        f"<p>{label}Compared with {html.escape(facts['earlier'])}; models were {how}.</p>",
        "<h2>To be looked at</h2>",
        _list([*facts["quarantined"], *facts["refit"]], "Nothing."),
        "<h2>Estimates</h2><p>An area moved when its median left its earlier 80 % interval; its "
        "rank moved when the two intervals of its rank do not meet.</p>",
        _table(facts["indicators"]),
        _table(areas[:LISTED]),
        f"<p>{len(areas) - LISTED} more are in drift.json.</p>" if len(areas) > LISTED else "",
        "<h2>Features since the earlier run</h2>",
        _table(features),
        *(
            f'<h3>{html.escape(name)}</h3><img alt="Maps of {html.escape(name)}" src="{image}">'
            for name, image in maps.items()
        ),
        f"<h2>Features since the fit</h2><p>{facts['outside']:.1%} of the areas are unlike any "
        "that the fit has seen.</p>",
        _table(facts["since_fit"]),
    ]
    return page("Drift", "\n".join(parts))


def page(title: str, body: str) -> str:
    """Return a plain HTML page."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        "<style>body{font:15px/1.4 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
        "td,th{padding:.2rem .7rem;text-align:left;border-bottom:1px solid #ddd}"
        "table{border-collapse:collapse}.bad{color:#a00;font-weight:bold}</style>\n"
        f"<body>{body}</body></html>\n"
    )


def _list(said: list[str], nothing: str) -> str:
    if not said:
        return f"<p>{nothing}</p>"
    return "<ul>" + "".join(f"<li>{html.escape(one)}</li>" for one in said) + "</ul>"


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{html.escape(str(name).replace('_', ' '))}</th>" for name in rows[0])
    lines = ["".join(f"<td>{_cell(v)}</td>" for v in row.values()) for row in rows]
    return f"<table><tr>{head}</tr>" + "".join(f"<tr>{x}</tr>\n" for x in lines) + "</table>"


def _cell(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    return html.escape(f"{value:,.3g}" if isinstance(value, float) else str(value))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return list(json.loads(table.reset_index().to_json(orient="records")))

"""map.html: one page that needs no network, no server and no library.

Each area is shown with its range, its chance of being among the k highest and whether
anybody was interviewed there; nothing on the page is a bare rank. Numbers have three significant
digits; rates are counts over reference populations, so only counts and ratios are stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.areas.boundaries import drawn_from_points
from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.projection.summaries import QUANTILES
from smallarea.publish.disclosure import check_columns
from smallarea.publish.estimates import levels_in
from smallarea.publish.topology import build_topology
from smallarea.publish.words import (
    FLAG_WORDS,
    INTERNAL,
    MEANING,
    NOT_SAID,
    TAU_MEANING,
    TAU_NOT_SAID,
    cells,
)

if TYPE_CHECKING:
    import geopandas as gpd

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("map_data.js", "map_draw.js", "map_find.js", "map_page.js")
HATCHED = ("not_covered_by_survey", "extrapolated")


def write_map(
    estimates: pd.DataFrame,
    national: pd.DataFrame,
    table: pd.DataFrame,
    geometry: gpd.GeoSeries,
    path: Path,
    indicators: Indicators,
    *,
    k: int = 100,
    labels: Mapping[str, str],
    spelling: Mapping[str, str] | None = None,
    reporting: bool = True,
    meaning: Sequence[str] = MEANING,
    standing: str = INTERNAL,
) -> None:
    """Write the page, about 1 MB for 1,642 areas.

    Parameters
    ----------
    estimates : the long table after disclosure control. Without the column `surveyed` the page
        does not say where anybody was interviewed.
    national : rows of `estimate_groups` for the whole country, one per indicator.
    table : the frame's table, index area_id, with the reference populations.
    geometry : polygons, EPSG:4326, index area_id; simplified here, for drawing only.
    k : the k of the estimates' `p_top`.
    labels : what an area and each level are called, see `smallarea.areas.Frame.words`.
    reporting : whether numbers were divided by a reporting rate.
    meaning : what the numbers mean. standing : for whom the page is.
    spelling : words the search takes for others, see `smallarea.areas.names.canonical`.
    """
    from jinja2 import Environment, FileSystemLoader

    check_columns(estimates)
    data = map_data(estimates, national, table, geometry, indicators, labels, k, reporting, meaning)
    data["spelling"] = dict(spelling or {})
    pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    html = pages.get_template("map.html.j2").render(
        title=indicators.title,
        names={"area": labels["area"], "lowest": labels[levels_in(estimates)[0]]},
        notice=data["notice"],
        internal=standing,
        not_said=[*NOT_SAID, *([TAU_NOT_SAID] if reporting else [])],
        labels=[f"{indicators.labels[n]} ({indicators.units[n]})" for n in indicators.totals],
        rows=_plain_rows(estimates, indicators.totals),
        css=(TEMPLATES / "map.css").read_text(encoding="utf-8"),
        js="".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS),
        # Inside a script element `</` would end it, and `<!--<script` would hide its end.
        data=json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c"),
    )
    with writing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def map_data(
    estimates: pd.DataFrame,
    national: pd.DataFrame,
    table: pd.DataFrame,
    geometry: gpd.GeoSeries,
    indicators: Indicators,
    labels: Mapping[str, str],
    k: int,
    reporting: bool = True,
    meaning: Sequence[str] = MEANING,
) -> dict[str, Any]:
    """Return everything the page's script reads; arrays are in the order of `areas.id`."""
    by = {name: rows.set_index("area_id") for name, rows in estimates.groupby("indicator")}
    first = by[f"{indicators.headline}_rate"].sort_index()
    ids = first.index
    by = {name: rows.loc[ids] for name, rows in by.items()}
    whole = national.set_index("indicator")[list(QUANTILES)].astype(float)
    above = {level: pd.factorize(first[level]) for level in levels_in(estimates)}
    flag, flags = pd.factorize(first["flags"])
    people = table.loc[ids]
    return {
        "start": f"{indicators.headline}_rate",
        "k": k,
        "notice": max(estimates["notice"]),
        "cells": cells(drawn_from_points(people), len(people)),
        "hatch": HATCHED,
        "words": FLAG_WORDS,
        "meaning": [*meaning, *([TAU_MEANING] if reporting else []), *indicators.meaning],
        "indicators": {
            name: {
                "label": indicators.labels[name],
                "unit": unit,
                "base": indicators.rates.get(name, name),
                "per": indicators.reference[indicators.rates[name]]
                if name in indicators.rates
                else None,
                "ratio": name in indicators.ratios,
                "nation": _short(whole["q50"][name]),
            }
            for name, unit in indicators.units.items()
        },
        "national": {
            name: {q: _short(whole[q][name]) for q in QUANTILES} for name in indicators.units
        },
        "labels": dict(labels),
        "levels": [
            {"label": labels[level], "names": names.tolist()} for level, (_, names) in above.items()
        ],
        "flags": [[word for word in text.split(";") if word] for text in flags],
        "areas": {
            "id": ids.tolist(),
            "name": first["name"].tolist(),
            "levels": [codes.tolist() for codes, _ in above.values()],
            "flags": flag.tolist(),
        }
        | ({"surveyed": first["surveyed"].astype(int).tolist()} if "surveyed" in first else {})
        | {name: people[name].round().astype(int).tolist() for name in indicators.populations},
        "numbers": {
            name: [list(map(_short, by[name][q])) for q in QUANTILES]
            for name in indicators.units
            if name not in indicators.rates
        },
        "ranks": {
            name: [
                [None if pd.isna(rank) else int(rank) for rank in by[name][column]]
                for column in ("rank_low", "rank_high")
            ]
            for name in indicators.units
        },
        "top": {
            name: [None if np.isnan(p) else round(100 * p) for p in by[name]["p_top"]]
            for name in indicators.units
        },
        "shapes": build_topology(geometry.loc[ids]).packed(),
    }


def _short(number: float) -> float | int | None:
    """Three significant digits; None when missing."""
    if np.isnan(number):
        return None
    value = float(f"{number:.3g}")
    return int(value) if value.is_integer() else value


def _plain_rows(estimates: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Name, lowest level and 80 % ranges of the totals, for readers without JavaScript."""
    keyed = [estimates[estimates["indicator"] == name].set_index("area_id") for name in names]
    both = keyed[0][["name", levels_in(estimates)[0]]]
    texts = [
        [
            "withheld" if np.isnan(low) else f"{_short(low):,}–{_short(high):,}"
            for low, high in rows.loc[both.index, ["q10", "q90"]].to_numpy(dtype=float)
        ]
        for rows in keyed
    ]
    return sorted(zip(both.iloc[:, 0], both.iloc[:, 1], *texts, strict=True))

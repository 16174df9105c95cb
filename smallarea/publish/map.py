"""map.html: one page that needs no network, no server and no library.

Each place is shown with its range, its chances beside others, and what it rests on; a panel
chooses sets of places from joint draws. Nothing on the page is a bare rank. What the page holds is
said in `map_data`, `map_numbers`, `map_draws` and `basis`; its words are in `languages/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.publish.disclosure import check_columns
from smallarea.publish.estimates import levels_in
from smallarea.publish.map_data import Beside, map_data, panel_draws
from smallarea.publish.map_numbers import short
from smallarea.publish.words import ENGLISH, NOT_SAID, STANDING, TAU_NOT_SAID, spoken

if TYPE_CHECKING:
    import geopandas as gpd

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = (
    "map_words.js",
    "map_data.js",
    "map_colours.js",
    "map_shapes.js",
    "map_draw.js",
    "map_find.js",
    "map_sets.js",
    "map_card.js",
    "map_table.js",
    "map_plan.js",
    "map_compare.js",
    "map_about.js",
    "map_page.js",
)


def write_map(
    estimates: pd.DataFrame,
    counts: xr.DataArray,
    places: pd.DataFrame,
    geometry: gpd.GeoSeries,
    path: Path,
    indicators: Indicators,
    *,
    k: int = 100,
    labels: Mapping[str, str],
    spelling: Mapping[str, str] | None = None,
    reporting: bool = True,
    standing: str = "internal",
    beside: Beside | None = None,
) -> None:
    """Write the page, about 2 MB for 1,642 areas, 1 MB of it draws; half of that compressed.

    Parameters
    ----------
    estimates : the long table after disclosure control. Without the column `surveyed` the page
        does not say where anybody was interviewed.
    counts : draws of the places (component, area_id, draw), those behind `estimates`; of places
        without numbers no draw is written.
    places : the frame's table, index area_id, with the reference populations; or units.
    geometry : polygons, EPSG:4326, index area_id; simplified here, for drawing only.
    k : the k of the estimates' `p_top`.
    labels : what an area and each level are called, see `smallarea.areas.Frame.words`.
    reporting : whether numbers were divided by a reporting rate.
    standing : for whom the page is, `internal` or a tier, see `words.STANDING`.
    spelling : words the search takes for others, see `smallarea.areas.names.canonical`.
    beside : what else is known.
    """
    from jinja2 import Environment, FileSystemLoader

    check_columns(estimates)
    beside = beside or Beside()
    data = map_data(
        estimates, counts, places, geometry, indicators, labels, k, reporting, standing, beside
    )
    data["spelling"] = dict(spelling or {})
    data["draws"], draws = panel_draws(estimates, counts, places, indicators, beside.tau)
    pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    html = pages.get_template("map.html.j2").render(
        title=indicators.title,
        names={"area": labels["area"], "lowest": labels[levels_in(estimates)[0]]},
        notice=data["notice"],
        t=ENGLISH["page"],
        standing=STANDING[standing],
        not_said=[*NOT_SAID, *([TAU_NOT_SAID] if reporting else [])],
        labels=[f"{indicators.labels[n]} ({indicators.units[n]})" for n in indicators.totals],
        rows=_plain_rows(estimates, indicators.totals),
        css=(TEMPLATES / "map.css").read_text(encoding="utf-8"),
        words=_script(spoken(reporting)),
        js="".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS),
        data=_script(data),
        draws=draws,
    )
    with writing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def _script(data: Any) -> str:
    """Write JSON that may stand in a script element: "</" would end it, "<!--" hide its end."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c")


def _plain_rows(estimates: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Name, lowest level and 80 % ranges of the totals, for readers without JavaScript."""
    keyed = [estimates[estimates["indicator"] == name].set_index("area_id") for name in names]
    both = keyed[0][["name", levels_in(estimates)[0]]]
    texts = [
        [
            "withheld" if np.isnan(low) else f"{short(low):,}–{short(high):,}"
            for low, high in rows.loc[both.index, ["q10", "q90"]].to_numpy(dtype=float)
        ]
        for rows in keyed
    ]
    return sorted(zip(both.iloc[:, 0], both.iloc[:, 1], *texts, strict=True))

"""features.html: what each feature looks like, before anybody models with it.

Per feature a small map, its distribution, which others say the same, where it comes from, why cells
are missing, and its trap. Maps show seventh parts of the areas by rank; the page holds no values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.features import Features
from smallarea.files import writing
from smallarea.publish.estimates import SYNTHETIC

if TYPE_CHECKING:
    import geopandas as gpd

TEMPLATES = Path(__file__).parent / "templates"
#: Colours of a map, classes of areas by rank: 0 is the lowest seventh.
CLASSES = 7
#: Bars of a histogram, which runs from the lowest to the highest hundredth part.
BARS = 24
#: Width of the country in units of the paths' whole numbers.
WIDE = 600
INTERNAL = (
    "Internal: features rest on sources that may be under agreement or restricted. Beside each "
    "stands the strictest tier of its sources."
)


def write_features_page(
    features: Features,
    geometry: gpd.GeoSeries,
    about: Mapping[str, str],
    path: Path,
    *,
    title: str,
    synthetic: bool,
) -> None:
    """Write the page, about 1 MB for 1,642 areas and 92 features; it needs no network.

    Parameters
    ----------
    geometry : polygons in degrees, index area_id.
    about : stream -> what its file says of itself, its trap included.
    """
    from jinja2 import Environment, FileSystemLoader

    ids = features.values.index
    told = describe(features, about)
    shapes, size = outlines(geometry.reindex(ids))
    data = {"shapes": shapes, "size": size, "classes": classes(features.values)}
    pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    html = pages.get_template("features.html.j2").render(
        title=f"Features: {title}",
        notice=SYNTHETIC if synthetic else "",
        internal=INTERNAL,
        features=told,
        areas=len(ids),
        js=(TEMPLATES / "features.js").read_text(encoding="utf-8"),
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    )
    with writing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
        temporary.chmod(0o600)


def describe(features: Features, about: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the page says of each feature, in words and short numbers."""
    alike = features.values.rank().corr().mask(np.eye(features.values.shape[1], dtype=bool))
    found = []
    for name, row in features.info.iterrows():
        values = features.values[name].dropna()
        near = alike[name].dropna().sort_values(key=abs, ascending=False)[:3]
        lost = features.missing
        why = lost.loc[lost["feature"] == name, "reason"].value_counts() if len(lost) else lost
        text, _, trap = about.get(str(row["stream"]), "").partition("Trap:")
        found.append(
            {
                "name": name,
                **{key: "" if pd.isna(row[key]) else row[key] for key in row.index},
                "about": " ".join(text.split()),
                "trap": " ".join(trap.split()),
                "middle": [_number(float(values.quantile(q))) for q in (0, 0.25, 0.5, 0.75, 1)]
                if len(values)
                else [],
                "bars": bars(values),
                "alike": [(other, f"{r:+.2f}") for other, r in near.items()],
                "why": [(reason, f"{n:,}") for reason, n in why.items()] if len(lost) else [],
            }
        )
    return found


def bars(values: pd.Series) -> list[float]:
    """Return heights of a histogram's bars, 0 to 1; none where nothing differs."""
    low, high = (values.quantile([0.01, 0.99])) if len(values) else (0.0, 0.0)
    if not high - low > 1e-9 * max(abs(low), abs(high)):  # else nothing but rounding differs
        return []
    count, _ = np.histogram(values.clip(low, high), BARS, (low, high))
    return (count / count.max()).round(3).tolist()


def classes(values: pd.DataFrame) -> dict[str, str]:
    """Return per feature one letter per area: its seventh by rank, or - where it is missing."""
    shares = values.rank(pct=True)
    group = (shares * CLASSES).apply(np.ceil).sub(1).clip(0, CLASSES - 1)
    letters = group.astype("Int64").astype("str").where(values.notna(), "-")
    return {str(name): "".join(column) for name, column in letters.items()}


def outlines(geometry: gpd.GeoSeries) -> tuple[list[str], tuple[int, int]]:
    """Return each area's outline as an SVG path of whole numbers, and the width and height of all.

    Coarse, for small maps only: borders of neighbours need not meet.
    """
    import shapely

    west, south, east, north = geometry.total_bounds
    narrow = np.cos(np.radians((south + north) / 2))
    scale = WIDE / max((east - west) * narrow, (north - south) / 1.4)
    place = shapely.transform(
        geometry.to_numpy(), lambda xy: (xy - [west, north]) * [scale * narrow, -scale]
    )
    coarse = shapely.simplify(place, 1.0, preserve_topology=False)
    coarse = np.where(shapely.is_empty(coarse), shapely.envelope(place), coarse)
    size = int((east - west) * narrow * scale) + 1, int((north - south) * scale) + 1
    return [_path(shape) for shape in coarse], size


def _path(shape: Any) -> str:
    import shapely

    rings = []
    for part in shapely.get_parts(shape):
        if shapely.get_dimensions(part) == 2:
            points = np.rint(shapely.get_coordinates(part.exterior)).astype(int)
            rings.append("M" + "L".join(f"{x} {y}" for x, y in points[:-1]) + "z")
    return "".join(rings)


def _number(value: float) -> str:
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"

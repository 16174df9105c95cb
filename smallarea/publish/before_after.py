"""Two maps side by side, before and after: a dot for every area, one scale of colours for both."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd


def before_after(
    before: pd.Series,
    after: pd.Series,
    shapes: gpd.GeoSeries,
    titles: tuple[str, str] = ("before", "after"),
) -> str:
    """Return a PNG of two maps as the text of a `data:` address.

    before, after : index area_id; missing areas are hollow, and counted. shapes : the areas',
        index area_id. titles : over the maps.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    at = shapes.representative_point()
    known = pd.concat([before, after]).dropna()
    low, high = np.quantile(known, [0.02, 0.98]) if len(known) else (0.0, 1.0)
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for panel, values, title in zip(panels, (before, after), titles, strict=True):
        values = values.reindex(at.index)
        has = values.notna().to_numpy()
        size = float(np.clip(6000 / len(at), 4, 60))
        panel.scatter(at.x[~has], at.y[~has], s=size, facecolors="none", edgecolors="#999999")
        drawn = panel.scatter(
            at.x[has], at.y[has], s=size, c=values[has], cmap="viridis", vmin=low, vmax=high
        )
        without = f", {(~has).sum():,} without a value" if not has.all() else ""
        panel.set(title=title + without, aspect="equal", xticks=[], yticks=[])
    figure.colorbar(drawn, ax=list(panels), shrink=0.7)
    content = io.BytesIO()
    FigureCanvasAgg(figure).print_png(content, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()

"""Pictures of the report, as text that stands inside the page."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.nsum.annex.plots import svg_text

if TYPE_CHECKING:
    import geopandas as gpd

INK, ACCENT, SOFT, GREY = "#1c2733", "#1f5f8b", "#b9cfdf", "#c9ced3"
CLASSES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
RAMP = ("#fdf5cd", "#dfeab1", "#b3d9a5", "#7cc2a2", "#4ba5a5", "#2b5e91", "#283872")


def tau_curve(reported: np.ndarray, tau: np.ndarray, label: str) -> str:
    """Total against the reporting rate, over where the prior believes that rate to be; SVG.

    reported : (draw,) reported people, whole country; tau : (draw,) draws of its prior.
    """
    rates = np.geomspace(max(np.quantile(tau, 0.005), 1e-3), min(np.quantile(tau, 0.995), 1), 60)
    low, middle, high = np.quantile(reported, [0.1, 0.5, 0.9])[:, None] / rates
    figure, (top, bottom) = _figure(6.2, 3.6, rows=2, heights=[3, 1])
    top.fill_between(rates, low, high, color=SOFT, label="80 % interval, were the rate known")
    top.plot(rates, middle, color=ACCENT, lw=2, label="median")
    top.set_ylim(0)
    top.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    top.set_ylabel(label)
    top.legend(frameon=False, fontsize=9)
    top.tick_params(labelbottom=False)
    bottom.hist(tau, bins=60, range=(rates[0], rates[-1]), color=GREY)
    bottom.set_yticks([])
    bottom.set_ylabel("belief", color="#5a6775")
    bottom.set_xlabel("reporting rate: share of known cases that people tell of")
    bottom.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    for axis in (top, bottom):
        axis.set_xlim(rates[0], rates[-1])
    return svg_text(figure)


def top_map(probability: pd.Series, geometry: gpd.GeoSeries, k: int, notice: str) -> str:
    """Each area's probability of being among the k highest; a data URI of a PNG.

    probability : index area_id, NaN where withheld. geometry : index area_id, degrees.
    """
    from matplotlib.collections import PolyCollection

    figure, axis = _figure(4.6, 5.6, background="#eaf0f4")
    shapes = geometry.simplify(0.01).explode(index_parts=False)
    chance = probability.reindex(shapes.index).to_numpy(dtype=float)
    number = np.clip(np.searchsorted(CLASSES, chance, side="right") - 1, 0, len(RAMP) - 1)
    colours = [GREY if np.isnan(p) else RAMP[n] for p, n in zip(chance, number, strict=True)]
    outlines = [np.asarray(shape.exterior.coords)[:, :2] for shape in shapes]
    axis.add_collection(
        PolyCollection(outlines, facecolors=colours, edgecolors="#ffffff80", linewidths=0.15)
    )
    west, south, east, north = geometry.total_bounds
    axis.set(xlim=(west - 0.2, east + 0.2), ylim=(south - 0.2, north + 0.2))
    axis.set_aspect(1 / np.cos(np.radians((south + north) / 2)))
    axis.set_axis_off()
    for n, colour in enumerate(RAMP):
        text = f"{CLASSES[n]:.0%} to {CLASSES[n + 1]:.0%}"
        axis.scatter([], [], marker="s", s=60, color=colour, label=text)
    title = f"chance of being among\nthe {k} highest"
    axis.legend(title=title, loc="upper left", frameon=False, fontsize=8, alignment="left")
    if notice:
        axis.text(
            1, 0, notice, transform=axis.transAxes, ha="right", color="#9c1c1c", weight="bold"
        )
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _figure(
    width: float,
    height: float,
    rows: int = 1,
    heights: list[int] | None = None,
    background: str = "white",
) -> tuple:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor=background)
    axes = figure.subplots(rows, 1, gridspec_kw={"height_ratios": heights} if heights else None)
    for axis in np.atleast_1d(axes):
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(colors=INK, labelsize=9)
    return figure, axes

"""Pictures of the report, as text that stands inside the page."""

from __future__ import annotations

import base64
from io import BytesIO
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.nsum.annex.plots import plain_names, svg_text
from smallarea.publish.words import highest

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.figure import Figure

INK, ACCENT, SOFT, GREY, SEA = "#1c2733", "#1f5f8b", "#b9cfdf", "#c9ced3", "#eaf0f4"
CLASSES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
FINENESS = 1600  # outlines are simplified to the country's extent over this
RAMP = ("#fdf5cd", "#dfeab1", "#b3d9a5", "#7cc2a2", "#4ba5a5", "#2b5e91", "#283872")


def tau_curve(reported: np.ndarray, tau: np.ndarray, label: str) -> str:
    """Total against the reporting rate, over where the prior believes that rate to be; SVG.

    reported : (draw,) reported people, whole country; tau : (draw,) draws of its prior.
    """
    rates = np.geomspace(max(np.quantile(tau, 0.005), 1e-3), min(np.quantile(tau, 0.995), 1), 60)
    low, middle, high = np.quantile(reported, [0.1, 0.5, 0.9])[:, None] / rates
    figure, (top, bottom) = figure_of(6.2, 3.6, rows=2, heights=[3, 1])
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


def top_map(
    probability: pd.Series,
    geometry: gpd.GeoSeries,
    k: int,
    notice: str,
    width: float = 4.6,
    dpi: int = 130,
) -> str:
    """Each area's probability of being among the k highest; a data URI of a PNG.

    probability : index area_id, NaN where withheld. geometry : index area_id, degrees. width : in
    inches, about as wide as it will be shown, so that its words can be read.
    """
    buffer = BytesIO()
    figure = top_figure(probability, geometry, k, notice, width)
    plain_names(figure)
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def top_figure(
    probability: pd.Series, geometry: gpd.GeoSeries, k: int, notice: str, width: float = 4.6
) -> Figure:
    """Draw the map of `top_map`, its legend below it, as high as the country's shape asks for."""
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    west, south, east, north = geometry.total_bounds
    stretch = 1 / np.cos(np.radians((south + north) / 2))
    extent, columns = max(east - west, north - south), 4 if width > 4 else 2
    tall = width * (north - south) * stretch / max(east - west, 1e-9)
    figure, axis = figure_of(
        width, float(np.clip(tall, 1.8, 5.6)) + 0.3 + 2 / columns, background=SEA
    )
    shapes = geometry.simplify(extent / FINENESS).explode(index_parts=False)
    chance = probability.reindex(shapes.index).to_numpy(dtype=float)
    number = np.clip(np.searchsorted(CLASSES, chance, side="right") - 1, 0, len(RAMP) - 1)
    colours = [GREY if np.isnan(p) else RAMP[n] for p, n in zip(chance, number, strict=True)]
    line = float(np.clip(15 / len(geometry), 0.15, 0.8))
    outlines = [np.asarray(shape.exterior.coords)[:, :2] for shape in shapes]
    axis.add_collection(
        PolyCollection(outlines, facecolors=colours, edgecolors="#ffffff80", linewidths=line)
    )
    margin = extent / 80
    axis.set(xlim=(west - margin, east + margin), ylim=(south - margin, north + margin))
    axis.set_aspect(stretch)
    axis.set_axis_off()
    keys = [
        Patch(color=colour, label=f"{CLASSES[n]:.0%} to {CLASSES[n + 1]:.0%}")
        for n, colour in enumerate(RAMP)
    ]
    if np.isnan(chance).any():
        keys.append(Patch(color=GREY, label="withheld"))
    figure.legend(
        handles=keys, title=f"chance of {highest(k)}", loc="outside lower left", ncols=columns,
        frameon=False, fontsize=8, alignment="left", columnspacing=1, handlelength=1.5,
    )  # fmt: skip
    if notice:
        axis.text(
            1, 0, notice, transform=axis.transAxes, ha="right", color="#9c1c1c", weight="bold"
        )
    return figure


def figure_of(
    width: float,
    height: float,
    rows: int = 1,
    heights: list[int] | None = None,
    background: str = "white",
    columns: int = 1,
) -> tuple:
    """Return an empty figure, its size in inches, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor=background)
    axes = figure.subplots(
        rows, columns, gridspec_kw={"height_ratios": heights} if heights else None
    )
    for axis in np.atleast_1d(axes):
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(colors=INK, labelsize=9)
    return figure, axes


def ranges_figure(rows: pd.DataFrame, typical: float, label: str, k: int) -> Figure:
    """Draw 50, 80 and 95 % ranges of places, the likeliest among the k highest first.

    It is as wide as a tier's report shows it beside the map on A4, so that its words can be read.

    rows : a row per place with `name`, `p_top` and quantiles. typical : median of a typical place.
    """
    known = rows.dropna(subset="q50")[::-1]
    figure, axis = figure_of(4.6, 1.0 + 0.22 * len(known))
    at = np.arange(len(known))
    for low, high, width, colour in (
        ("q025", "q975", 1.2, SOFT), ("q10", "q90", 3.5, SOFT), ("q25", "q75", 6.0, ACCENT),
    ):  # fmt: skip
        axis.hlines(at, known[low], known[high], lw=width, color=colour)
    axis.plot(known["q50"], at, "o", color="white", ms=3.5, mec=INK, mew=0.8)
    axis.axvline(typical, color=GREY, lw=1, zorder=0)
    named = zip(known["name"], known["p_top"], strict=True)
    axis.set_yticks(at, [f"{name}  {chance:.0%}" for name, chance in named])
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    words = fill(f"{label}: 50, 80 and 95 % ranges; the line is a typical place", 60)
    figure.supxlabel(words, fontsize=9, color=INK)
    title = fill(f"behind the name: chance of {highest(k)}", 60)
    figure.suptitle(title, fontsize=9, color=INK, x=0.01, ha="left")
    plain_names(figure)
    return figure


def reach_figure(share: np.ndarray, people: np.ndarray, label: str) -> Figure:
    """Draw what share of all the likeliest places would reach together, and of all people.

    share : (places, draws), of the first so many places in each draw. people : (places,).
    """
    number = np.arange(1, len(share) + 1)
    low, middle, high = np.quantile(share, [0.1, 0.5, 0.9], axis=1)
    figure, axis = figure_of(6.6, 2.6)
    axis.fill_between(number, low, high, color=SOFT, label="80 % range")
    axis.plot(number, middle, color=ACCENT, lw=2, label="of all counted, median")
    axis.plot(number, people, color=INK, lw=1, ls="--", label="of all people")
    axis.set_ylim(0, 1)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis.set_xlabel("places, the likeliest first", fontsize=9)
    title = f"{label}: share that work in so many places would reach"
    axis.set_title(title, fontsize=9, loc="left")
    axis.legend(frameon=False, fontsize=8)
    return figure

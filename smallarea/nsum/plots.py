"""Figures of the known-group checks; each returns a matplotlib Figure."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.nsum.known_groups import Recall, Trimming

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMED = 9  # groups named in a figure: those furthest from their size
_INK, _ACCENT, _QUIET = "#1f2933", "#b0413e", "#9aa5b1"


def plot_back_estimates(table: pd.DataFrame, line: Recall | None = None) -> Figure:
    """Draw leave-one-out estimates against sizes, log-log, with 95 % bars and the recall line.

    The groups furthest from their size are named.

    Parameters
    ----------
    table : of `back_estimates`. line : of `recall`.
    """
    figure, axes = _axes(6.4, 5.6)
    shown = table[table["estimate"] > 0]
    half = 1.96 * shown["se"] / shown["estimate"]
    low, high = shown["estimate"] * np.exp(-half), shown["estimate"] * np.exp(half)
    axes.vlines(shown["size"], low, high, color=_QUIET, lw=1.2, zorder=1)
    axes.scatter(shown["size"], shown["estimate"], s=22, color=_INK, zorder=2)
    far = np.log(shown["ratio"]).abs().nlargest(_NAMED).index
    for name, row in shown.loc[far].iterrows():
        axes.annotate(
            str(name),
            (row["size"], row["estimate"]),
            xytext=(5, 5 if row["ratio"] > 1 else -9),
            textcoords="offset points",
            fontsize=7,
            color=_INK,
        )
    ends = np.array([shown["size"].min() / 1.5, shown["size"].max() * 1.5])
    axes.plot(ends, ends, color=_QUIET, ls="--", lw=1, label="estimate = size")
    if line is not None:
        axes.plot(
            ends,
            np.exp(line.intercept) * ends**line.slope,
            color=_ACCENT,
            lw=1.4,
            label=f"recall line, slope {line.slope:.2f}",
        )
    axes.set(xscale="log", yscale="log", xlabel="size on record (people)")
    axes.set_ylabel("estimate from the other groups (people)")
    axes.set_title("Known groups, each estimated from the others", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def plot_trimming(trimming: Trimming) -> Figure:
    """Draw hidden sizes and the known groups' error along the trimming.

    Hidden sizes move together, since what changes is the degrees; the median over groups of the
    estimate relative to the untrimmed one is drawn.
    """
    from matplotlib.figure import Figure

    path = trimming.path
    hidden = path.drop(columns=["groups", "removed", "ratio", "error"])
    figure = Figure(figsize=(7.2, 5.2), layout="constrained")
    axes = figure.subplots(2, sharex=True)
    axes[0].plot(path.index, (hidden / hidden.iloc[0]).median(axis=1), color=_ACCENT, marker="o")
    axes[0].set_ylabel("hidden sizes\n/ untrimmed")
    axes[1].plot(path.index, path["error"], color=_INK, marker="o")
    axes[1].set_ylabel("mean relative error\nof the groups left")
    axes[1].set_ylim(bottom=0)
    labels = [
        "all groups",
        *(f"− {row.removed} ({row.ratio:.2g} x)" for row in path.iloc[1:].itertuples()),
    ]
    axes[1].set_xticks(path.index, labels, rotation=35, ha="right", fontsize=8)
    axes[0].set_title("As known groups are trimmed, worst first", loc="left", fontsize=10)
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", color=_QUIET, alpha=0.3)
    return figure


def plot_side_by_side(table: pd.DataFrame) -> Figure:
    """Draw every classical estimate of each hidden group on one line.

    Parameters
    ----------
    table : of `side_by_side`.
    """
    figure, axes = _axes(7.2, 1.6 + 0.6 * len(table))
    markers = {
        "untrimmed": "o",
        "trimmed": "D",
        "summation": "s",
        "mean_of_ratios": "^",
        "pimle": "v",
        "recall_adjusted": "x",
    }
    rows = np.arange(len(table))
    axes.hlines(
        rows,
        table["leave_one_out_low"],
        table["leave_one_out_high"],
        color=_QUIET,
        lw=5,
        zorder=1,
        label="leave one out",
    )
    for place, (name, marker) in enumerate(markers.items()):
        if table[name].notna().any():
            axes.scatter(
                table[name],
                rows,
                marker=marker,
                s=28,
                color=_ACCENT if place % 2 else _INK,
                label=name.replace("_", " "),
                zorder=2,
            )
    axes.set(xscale="log", xlabel="estimated size (people)")
    axes.set_yticks(rows, [str(name) for name in table.index])
    axes.margins(y=0.25)
    axes.invert_yaxis()
    axes.set_title("One survey, every classical estimate", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def svg_text(figure: Figure) -> str:
    """Return the figure as an SVG element, the same text for the same figure."""
    from matplotlib import rc_context

    text = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "smallarea"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _axes(width: float, height: float) -> tuple:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes

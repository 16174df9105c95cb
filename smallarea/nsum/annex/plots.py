"""Figures of the checks behind a survey's estimates; each returns a matplotlib Figure."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from smallarea.nsum.classical.known_groups import Recall, Trimming
from smallarea.nsum.reporting.tau import TauPrior

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
    from matplotlib.ticker import LogLocator, NullFormatter

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
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(rows, [str(name) for name in table.index])
    axes.margins(y=0.25)
    axes.invert_yaxis()
    axes.set_title("One survey, every classical estimate", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def plot_tau_curves(table: pd.DataFrame, prior: TauPrior | None = None) -> Figure:
    """Draw every hidden size against the reporting rate it would follow from, log-log.

    Parameters
    ----------
    table : index (group, tau), columns median, q10, q90 (`totals_given_tau`). prior : its central
        95 % is shaded.
    """
    figure, axes = _axes(7.2, 4.8)
    groups = list(table.index.get_level_values("group").unique())
    for place, group in enumerate(groups):
        curve = table.loc[group]
        color = _INK if place % 2 else _ACCENT
        axes.fill_between(curve.index, curve["q10"], curve["q90"], color=color, alpha=0.15, lw=0)
        axes.plot(curve.index, curve["median"], color=color, lw=1.4)
        end = -(place % 2)  # labels in turn at the left and at the right
        axes.annotate(
            str(group),
            (curve.index[end], curve["median"].iloc[end]),
            xytext=(-4 if end else 4, 4),
            textcoords="offset points",
            ha="right" if end else "left",
            fontsize=8,
            color=color,
        )
    if prior is not None:
        low, high = stats.beta(prior.a, prior.b).ppf([0.025, 0.975])
        axes.axvspan(low, high, color=_QUIET, alpha=0.25, lw=0, label="95 % of the prior of tau")
        axes.legend(frameon=False, fontsize=8)
    rates = list(table.index.get_level_values("tau").unique())
    axes.set(xscale="log", yscale="log", xlabel="reporting rate tau, were it known")
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.minorticks_off()
    axes.set_ylabel("size (people): median, 80 % interval")
    axes.set_title("What the survey says depends on the reporting rate", loc="left", fontsize=10)
    return figure


def plot_residuals(residuals: pd.DataFrame, hidden: list[str]) -> Figure:
    """Draw quantiles of surrogate residuals against the standard normal's, a line per group.

    Hidden groups stand out; the known groups furthest from the diagonal are named. Quantiles in
    place of points: no respondent is in the figure.
    """
    figure, axes = _axes(6.4, 5.6)
    levels = np.linspace(0.01, 0.99, 99)
    normal = stats.norm.ppf(levels)
    lines = residuals.quantile(levels)
    distance = (lines.sub(normal, axis=0)).abs().max()
    named = {*hidden, *distance.drop(hidden).nlargest(3).index}
    for group in lines:
        color = _ACCENT if group in hidden else _QUIET
        axes.plot(normal, lines[group], color=color, lw=1.2, zorder=3 if group in hidden else 2)
        if group in named:
            axes.annotate(
                str(group),
                (normal[-1], lines[group].iloc[-1]),
                xytext=(4, 0),
                textcoords="offset points",
                fontsize=7,
                color=_INK,
            )
    axes.plot(normal[[0, -1]], normal[[0, -1]], color=_INK, ls="--", lw=1)
    axes.set(xlabel="standard normal quantile", ylabel="quantile of the residuals")
    axes.margins(x=0.15)
    axes.set_title("On the diagonal if the model describes the answers", loc="left", fontsize=10)
    return figure


def svg_text(figure: Figure, notice: str = "") -> str:
    """Return the figure as an SVG element, the same text for the same figure.

    `notice` stands at its foot.
    """
    from matplotlib import rc_context

    if notice:
        figure.supxlabel(notice, fontsize=9, color=_ACCENT, weight="bold")
    plain_names(figure)
    text = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "smallarea"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def plain_names(figure: Figure) -> None:
    """Have a figure write names as they are: between two dollar signs there is no formula.

    Labels that an axis makes of numbers are left as they are; powers of ten need formulas.
    """
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    numbers = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not isinstance(axis.get_major_formatter(), FixedFormatter | FuncFormatter):
                numbers |= {id(label) for label in axis.findobj(Text)} - {id(axis.label)}
    for text in figure.findobj(Text):
        text.set_parse_math(id(text) in numbers)


def _axes(width: float, height: float) -> tuple:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes

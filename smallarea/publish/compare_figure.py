"""The picture of a comparison of models: gains, what intervals hold, and where reports fell."""

from __future__ import annotations

from io import BytesIO
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd

from smallarea.models.comparing import BINS, POOL, SHARES, Compared
from smallarea.publish.figures import ACCENT, GREY, INK, SOFT

_WARNING = "#9c1c1c"


def compare_figure(found: Compared, conclusion: str, notice: str) -> bytes:
    """Draw a :class:`Compared` over a sentence that says what it shows; return a PNG."""
    from matplotlib.figure import Figure

    rows = found.scores.loc[(slice(None), "all"), :].droplevel("component")
    height = max(4.8, 2.5 + 0.36 * len(rows))
    figure = Figure(figsize=(13.5, height), layout="constrained", facecolor="white")
    left, middle, right = figure.subplots(1, 3, gridspec_kw={"width_ratios": [1.4, 1, 1]})
    _gains(left, rows, found.baseline)
    _coverage(middle, rows)
    shown = POOL if POOL in found.transforms.index else found.transforms.index[-1]
    _transforms(right, found.transforms.T[shown], str(shown))
    for axis in (left, middle, right):
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(colors=INK, labelsize=9)
    made = found.parts.words.split(";")[0]
    title = f"How well models predict places they have not seen ({made})"
    figure.suptitle(title, fontsize=12, color=INK, x=0.01, ha="left")
    figure.supxlabel(fill(conclusion, 165), fontsize=10, color=INK, x=0.01, ha="left")
    if notice:
        figure.text(0.995, 0.99, notice, ha="right", va="top", color=_WARNING, weight="bold")
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _gains(axis: Any, rows: pd.DataFrame, baseline: str) -> None:
    """Gain of each model with its interval, the best on top."""
    rows = rows.drop(index=baseline).sort_values("gain")
    for y, (model, row) in enumerate(rows.iterrows()):
        colour = ACCENT if model == POOL else "#5a6775"
        axis.plot([row["gain_low"], row["gain_high"]], [y, y], color=colour, lw=2.5, alpha=0.6)
        axis.plot(row["gain"], y, "o", color=colour, ms=9 if model == POOL else 7)
    axis.axvline(0, color=INK, lw=1)
    axis.set_yticks(range(len(rows)), [str(model) for model in rows.index])
    for label in axis.get_yticklabels():
        label.set_weight("bold" if label.get_text() == POOL else "normal")
    axis.set_ylim(-0.7, len(rows) - 0.3)
    axis.set_title("Do they predict better?", fontsize=11, loc="left", color=INK)
    axis.set_xlabel(
        f"better than {baseline} to the right of the line (gain in log score)\n"
        "bars: 95 %; where a bar crosses the line it cannot be told",
        fontsize=9,
    )


def _coverage(axis: Any, rows: pd.DataFrame) -> None:
    """Share of reports within intervals, beside the share promised."""
    models = [model for model in rows.index if model != POOL]
    order = [*models, POOL] if POOL in rows.index else models
    offsets = np.linspace(-0.3, 0.3, len(order)) if len(order) > 1 else [0.0]
    for x, share in enumerate(SHARES):
        axis.plot([x - 0.42, x + 0.42], [share, share], color=INK, lw=1.2, zorder=1)
        for offset, model in zip(offsets, order, strict=True):
            row, pooled = rows.loc[model], model == POOL
            ends = [100 * row[f"cover_{share}_{end}"] for end in ("low", "high")]
            colour = ACCENT if pooled else "#9aa5b0"
            axis.plot([x + offset] * 2, ends, color=colour, lw=2 if pooled else 1.2)
            axis.plot(x + offset, 100 * row[f"cover_{share}"], "o", color=colour, ms=5)
    axis.plot([], [], "o-", color=ACCENT, ms=5, label=POOL)
    axis.plot([], [], "o-", color="#9aa5b0", ms=5, label="other models")
    axis.plot([], [], color=INK, lw=1.2, label="promised")
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    axis.set_xticks(range(len(SHARES)), [f"{share} % intervals" for share in SHARES])
    axis.set_ylim(min(30, axis.get_ylim()[0]), 101)
    axis.set_ylabel("% of held-out reports inside", fontsize=9)
    axis.set_title("Do intervals hold what they promise?", fontsize=11, loc="left", color=INK)
    axis.set_xlabel("above the black line: wider than needed\nbelow it: too sure", fontsize=9)


def _transforms(axis: Any, heights: pd.Series, model: str) -> None:
    """Where reports fell in what was predicted for them."""
    middles = np.asarray(heights.index, dtype=float)
    axis.bar(100 * middles, 100 * heights / BINS, width=92 / BINS, color=SOFT, edgecolor=ACCENT)
    axis.axhline(100 / BINS, color=INK, lw=1.2)
    axis.set_ylim(0, max(200 / BINS, 110 * float(heights.max()) / BINS))
    axis.set_xlabel(
        f"percentile of what the {model} predicted\nflat: right; high at both ends: too sure",
        fontsize=9,
    )
    axis.set_ylabel("% of held-out reports", fontsize=9)
    axis.set_title("Where did the reports fall?", fontsize=11, loc="left", color=INK)
    axis.grid(axis="y", color=GREY, lw=0.4)
    axis.set_axisbelow(True)

"""A series of surveys on disk: one table, one picture, and all of it as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from textwrap import fill
from typing import Any

from smallarea.files import keep_private, write_json, writing
from smallarea.findings.series import Series
from smallarea.findings.series_words import assumed, certainty
from smallarea.publish.estimates import SYNTHETIC
from smallarea.publish.figures import ACCENT, INK
from smallarea.spreadsheets import harmless_table

_WARNING, _SOFT = "#9c1c1c", "#5a6775"


def write_series(found: Series, folder: Path, trace: Mapping[str, Any]) -> list[Path]:
    """Write series.csv, steps.csv, series.json and series.png; return their paths.

    trace : what the series was made of.
    """
    with writing(folder) as temporary:
        temporary.mkdir()
        for name, table in (("series", found.index), ("steps", found.steps)):
            rows = table.reset_index()
            rows["notice"] = SYNTHETIC if found.synthetic else ""
            harmless_table(rows).to_csv(temporary / f"{name}.csv", index=False, float_format="%.6g")
        plain = json.loads(json.dumps(found.to_dict() | {"made_of": dict(trace)}, default=str))
        write_json(temporary / "series.json", plain)
        (temporary / "series.png").write_bytes(series_figure(found))
        keep_private(temporary)
    return sorted(folder.iterdir())


def series_figure(found: Series) -> bytes:
    """Draw the totals' index over the waves, steps that are certain as full lines; return a PNG."""
    from matplotlib.figure import Figure

    names = list(found.shown)
    figure = Figure(figsize=(5.2 * len(names) + 1, 5.4), layout="constrained", facecolor="white")
    axes = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
    for axis, name in zip(axes, names, strict=True):
        _draw(axis, found, name)
    word = "Reported prevalence" if found.reporting else "Prevalence"
    figure.suptitle(f"{word} over that of {found.waves[0]}", x=0.01, ha="left", color=INK)
    certain, _ = certainty(found)
    said = " ".join([*(certain or ["No step is certain."]), assumed(found)])
    figure.supxlabel(fill(said, 52 * len(names) + 20), fontsize=9, color=INK, x=0.01, ha="left")
    if found.synthetic:
        figure.text(0.995, 0.99, SYNTHETIC, ha="right", va="top", color=_WARNING, weight="bold")
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()


def _draw(axis: Any, found: Series, name: str) -> None:
    rows, steps = found.index.loc[name], found.steps.loc[name]
    times = dict(zip(found.waves, found.times, strict=True))
    for earlier, later in zip(found.waves[:-1], found.waves[1:], strict=True):
        sure = steps.loc[(earlier, later), "verdict"] != "cannot tell"
        ends = [rows.loc[earlier, "ratio"], rows.loc[later, "ratio"]]
        style = {"ls": "-", "lw": 2.5} if sure else {"ls": ":", "lw": 1.5}
        axis.plot([times[earlier], times[later]], ends, color=ACCENT if sure else _SOFT, **style)
    for wave, row in rows.iterrows():
        at = times[str(wave)]
        axis.plot([at, at], [row["q025"], row["q975"]], color=_SOFT, lw=1.5)
        axis.plot([at, at], [row["q10"], row["q90"]], color=_SOFT, lw=4, alpha=0.6)
        axis.plot(at, row["ratio"], "o", color=ACCENT, ms=7)
    axis.axhline(1, color=INK, lw=0.8)
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter("{x:g}")
    axis.set_xticks(list(found.times), [f"{t:g}" for t in found.times])
    axis.set_xlabel(f"{found.unit}; bars: 80 and 95 %; full line: certain", fontsize=9)
    axis.set_title(name, fontsize=11, loc="left", color=INK)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(colors=INK, labelsize=9)

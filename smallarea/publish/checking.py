"""The report's sections on models: do their intervals hold, and what would move the totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.indicators import Indicators
from smallarea.nsum.annex.plots import svg_text
from smallarea.projection.indicators import count_draws
from smallarea.publish.estimates import levels_in
from smallarea.publish.figures import ACCENT, GREY, INK, SOFT, figure_of

SHARES = (50, 80, 95)
LISTED = 20  # units, at most, that are named
#: Groups left out; fewer do not tell how intervals hold.
FEW = 20


def calibration_words(table: pd.DataFrame) -> dict[str, Any]:
    """Return what the section on calibration says, by the results.

    table : see `smallarea.models.calibration.calibration`.
    """
    row: dict[Any, Any] = table.loc["all"].to_dict()
    ends = ("", "_low", "_high")
    held = {share: {end: row[f"cover_{share}{end}"] for end in ends} for share in SHARES}
    sure = [share for share, found in held.items() if found["_high"] < share / 100]
    wide = [share for share, found in held.items() if found["_low"] > share / 100]
    said = [f"{_listed(sure)} held less than they promise: they are too narrow"] if sure else []
    said += [f"{_listed(wide)} held more than they promise: they are wider than needed"] * bool(
        wide
    )
    verdict = "; ".join(said) or "What they held cannot be told from what they promise"
    if 0 < len(sure + wide) < len(SHARES):
        verdict += "; of the others nothing else can be told"
    if row["groups"] < FEW:
        verdict = "Of so few units nobody can tell whether they hold what they promise"
    return {
        "held": held,
        "verdict": f"{verdict}.",
        "groups": int(row["groups"]),
        "zeros": row["zeros"],
        "rows": table.drop(index="all").reset_index().to_dict("records"),
    }


def _listed(shares: Sequence[int]) -> str:
    return f"The {' and '.join(f'{share} %' for share in shares)} intervals"


def calibration_figure(table: pd.DataFrame, what: str) -> str:
    """Draw shares held beside shares promised, and where in the predictions reports fell; SVG.

    what : the word for what was predicted, such as reports.
    """
    row = table.loc["all"]
    figure, axes = figure_of(7.4, 3.1, columns=2)
    left, right = axes
    for x, share in enumerate(SHARES):
        left.plot([x - 0.3, x + 0.3], [share, share], color=INK, lw=1.5)
        ends = [100 * row[f"cover_{share}_{end}"] for end in ("low", "high")]
        left.plot([x, x], ends, color=ACCENT, lw=3, alpha=0.6)
        left.plot(x, 100 * row[f"cover_{share}"], "o", color=ACCENT, ms=7)
    left.plot([], [], color=INK, lw=1.5, label="promised")
    left.plot([], [], "o-", color=ACCENT, label="held, with its 95 % interval")
    left.legend(frameon=False, fontsize=8, loc="lower right")
    left.set_xticks(range(len(SHARES)), [f"{share} %" for share in SHARES])
    left.set_xlim(-0.5, len(SHARES) - 0.5)
    left.set_ylim(min(30.0, left.get_ylim()[0]), 104)
    left.set_xlabel("intervals", fontsize=9)
    left.set_title(f"% of {what} inside", fontsize=9, loc="left", color=INK)
    bins = [name for name in row.index if name.startswith("bin_") and name.count("_") == 1]
    heights = 100 * row[bins].to_numpy(float)
    at = (np.arange(len(bins)) + 0.5) * 100 / len(bins)
    right.bar(at, heights, width=92 / len(bins), color=SOFT)
    ends = [
        100 * row[[f"{name}_{end}" for name in bins]].to_numpy(float) for end in ("low", "high")
    ]
    right.vlines(at, *ends, color=ACCENT, lw=1.2)
    right.axhline(100 / len(bins), color=INK, lw=1.5)
    right.grid(axis="y", color=GREY, lw=0.4)
    right.set_axisbelow(True)
    right.set_xlabel("percentile of what was predicted", fontsize=9)
    right.set_title(f"% of {what} that fell there", fontsize=9, loc="left", color=INK)
    return svg_text(figure)


def left_out(
    draws: xr.Dataset, estimates: pd.DataFrame, indicators: Indicators
) -> dict[str, Any] | None:
    """Return totals with and without the areas that the survey did not cover; None: it covered all.

    draws : see `smallarea.publish.draws.draws_dataset`.
    """
    covered = draws["covered"].values
    if covered.all():
        return None
    rows: list[Mapping[str, Any]] = []
    for name in indicators.totals:
        per_area = count_draws(draws["counts"], name, indicators)
        every = per_area.sum("area_id").values
        known = per_area[covered].sum("area_id").values
        drawn = {"every": every, "known": known, "outside": 1 - known / every}
        at = {what: np.quantile(values, [0.1, 0.5, 0.9]) for what, values in drawn.items()}
        rows.append({"name": name, **at})
    areas = estimates.drop_duplicates("area_id").set_index("area_id")
    inside = pd.Series(covered, draws["area_id"].values).reindex(areas.index)
    return {"areas": int((~covered).sum()), "units": _whole(areas, inside), "rows": rows}


def _whole(areas: pd.DataFrame, inside: pd.Series) -> list[str]:
    """Return the largest units of which nothing is covered, as many as can be listed."""
    rest, found = areas[~inside], []
    for level in reversed(levels_in(areas.reset_index())):
        out = ~inside.groupby(areas[level]).any()
        found += sorted(map(str, set(rest[level]) & set(out.index[out])))
        rest = rest[~rest[level].isin(out.index[out])]
    return found if len(found) <= LISTED else []

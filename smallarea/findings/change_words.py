"""A comparison of two runs, written for a person."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smallarea.findings.comparison import CLEAR, Change


def change_text(found: Change) -> str:
    """Write a :class:`Change` for a person."""
    lines = []
    if found.synthetic:
        lines.append("SYNTHETIC SURVEY: these numbers describe no real place")
    lines += [f"warning {warning}" for warning in found.warnings]
    lines.append(
        f"{'Reported prevalence' if found.reporting else 'Prevalence'}, {found.later} against "
        f"{found.earlier}:"
    )
    lines.append(f"{'':<21}{'change':>7}  {'95 % interval':>15}   chance that it fell, by 30 %")
    for name, row in found.nation.iterrows():
        lines.append(f"  {name:<19}{_row(row)}")
    lines += _unit_lines(found)
    counted = "; ".join(
        f"{name}: {row['fell']:,} fell, {row['rose']:,} rose of {row['areas']:,}"
        for name, row in found.areas.loc[list(found.shown)].iterrows()
    )
    lines.append(
        f"Single areas, with a probability above {CLEAR:.0%}: {counted}. A change in one area is "
        + ("rarely visible: a survey has a handful of reports about it, mostly none, and most of "
           if found.reporting else "rarely visible: most of ")
        + "what it shows is the nation's change. Nothing here puts areas in an order."
    )  # fmt: skip
    if not found.reporting:
        lines.append(
            "Assumed: both surveys count the same thing in the same way. They cannot tell a change "
            "in how they count from a change in prevalence."
        )
        return "\n".join(lines)
    if found.tau_drift:
        lines.append(
            f"Assumed: the reporting rate drifted by {found.tau_drift:.0%} (sd) either way, alike "
            "everywhere."
        )
    else:
        lines.append(
            "Assumed: people report as large a share of what they know as before. The surveys "
            "cannot tell a change in reporting from a change in prevalence."
        )
    for name in [n for n in found.shown if n in found.drift.index]:
        first, *others = found.drift.loc[name].items()
        parts = ", ".join(f"{_chance(p)} with {float(str(sd)):.0%}" for sd, p in others)
        lines.append(f"  {name}: chance of a fall {_chance(first[1])} without drift, {parts}")
    return "\n".join(lines)


def _unit_lines(found: Change) -> list[str]:
    units = found.units
    told = units.index.get_level_values("indicator")
    names = [name for name in found.shown if name in told]
    lines = [f"By {found.level}, 95 % interval and chance that it fell: {', '.join(names)}"]
    for place, rows in units.groupby(level="unit", sort=False):
        each = (rows.xs(name, level="indicator").iloc[0] for name in names)
        cells = (f"{_interval(row):>15} {_chance(row['p_decrease']):>7}" for row in each)
        lines.append(f"  {str(place)[:44]:<45}{'  '.join(cells)}")
    return lines


def _row(row: pd.Series) -> str:
    chances = f"{_chance(row['p_decrease']):>8}, {_chance(row['p_decrease_30'])}"
    return f"{row['ratio'] - 1:>+7.0%}  {_interval(row):>15}   {chances}"


def _interval(row: pd.Series) -> str:
    return f"{row['q025'] - 1:+.0%} to {row['q975'] - 1:+.0%}"


def _chance(p: Any) -> str:
    return "> 0.99" if p > 0.99 else "< 0.01" if p < 0.01 else f"{p:.2f}"

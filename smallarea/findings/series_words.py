"""A series of surveys, written for a person: what is certain, and what is not."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smallarea.findings.series import Series


def series_text(found: Series) -> str:
    """Write a :class:`Series` for a person."""
    lines = ["SYNTHETIC SURVEY: these numbers describe no real place"] * found.synthetic
    lines += [f"warning {warning}" for warning in found.warnings]
    lines.append(
        f"{'Reported prevalence' if found.reporting else 'Prevalence'} over that of "
        f"{found.waves[0]}, 95 % intervals:"
    )
    for name in found.shown:
        lines.append(f"  {name}")
        rows = found.index.loc[name]
        for (wave, row), time in zip(rows.iterrows(), found.times, strict=True):
            told = "1" if wave == found.waves[0] else _index(row)
            lines.append(f"    {str(wave)[:40]:<41}{found.unit} {time:g}  {told}")
    lines += [said for part in certainty(found) for said in part]
    lines.append(
        "Certain: where nothing changed, 19 of 20 whole series have no step that is called so."
    )
    return "\n".join([*lines, assumed(found)])


def certainty(found: Series) -> tuple[list[str], list[str]]:
    """Return sentences on what is certain, and on what is not, of the totals shown."""
    certain, open_ = [], []
    for name in found.shown:
        steps: Any = found.steps.loc[name].iterrows()
        for (earlier, later), row in steps:
            step = f"{name}, {earlier} to {later}"
            if row["verdict"] == "cannot tell":
                open_.append(f"Cannot be told: {step}: {_change(row)}.")
            else:
                certain.append(f"Certain: {step}: it {row['verdict']}, {_change(row)}.")
        slope: Any = found.slope.loc[name]
        open_.append(
            f"{name}: change per {found.unit} {_change(slope)}, chance that it falls "
            f"{slope['p_decrease']:.2f}."
        )
    return certain, open_


def assumed(found: Series) -> str:
    """Return the sentence on what was taken of the reporting rate."""
    if not found.reporting:
        return "Assumed: all surveys count the same thing in the same way."
    if not found.tau_drift:
        return (
            "Assumed: people report as large a share of what they know in every wave. The surveys "
            "cannot tell a change in reporting from a change in prevalence (--tau-drift)."
        )
    return (
        f"Assumed: the reporting rate wanders by {found.tau_drift:.0%} (sd) a {found.unit}, either "
        "way, alike everywhere, from where it was in the wave before."
    )


def _index(row: pd.Series) -> str:
    return f"{row['ratio']:.2f}  ({row['q025']:.2f} to {row['q975']:.2f})"


def _change(row: pd.Series) -> str:
    return f"{row['ratio'] - 1:+.0%} ({row['q025'] - 1:+.0%} to {row['q975'] - 1:+.0%})"

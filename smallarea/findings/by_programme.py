"""Did reported rates move differently where a programme came to work? Mostly: cannot tell.

A difference in differences of the surveys' own reports, never of modelled areas: models take most
of an area's number from its neighbours, which would hide a difference and make none look certain.
It is no effect: programmes go where need is thought high, and campaigns raise reporting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from smallarea.nsum import Direct

#: A difference that a comparison should be able to find, and with which chance.
DIFFERENCE, POWER = 0.3, 0.8
#: Surveyed areas that each side needs in each survey, for its variance to be known at all.
FEWEST = 3
WARNING = (
    "Campaigns raise reporting: where one came to work more may be told though no more happens, "
    "and a fall may hide behind that; no survey can tell the two apart. And programmes go where "
    "need is thought high: a difference is not their effect"
)
CANNOT = "cannot tell"


@dataclass(frozen=True)
class ByProgramme:
    """What is known of areas with a programme against those without.

    table : index indicator; `ratio` (change with the programme over change without), `q025`,
        `q975`, `power` (chance to find that one side fell by 30 % more), `verdict`, `why` it cannot
        be told.
    areas : surveyed areas, index (programme, survey).
    notes : what was left out or assumed.
    """

    programme: str
    table: pd.DataFrame
    areas: pd.Series
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able records."""
        return {
            "programme": self.programme,
            "indicators": json.loads(self.table.reset_index().to_json(orient="records")),
            "areas": json.loads(self.areas.rename("areas").reset_index().to_json(orient="records")),
            "notes": list(self.notes),
            "warning": WARNING,
        }


def compare_by(
    waves: tuple[Direct, Direct],
    start: pd.Series,
    parts: Mapping[str, Sequence[str]],
    *,
    programme: str,
    years: tuple[int, int] | None = None,
    tau_drift: float = 0.0,
) -> ByProgramme:
    """Compare the change of reported rates with and without a programme.

    Parameters
    ----------
    waves : direct estimates of the earlier and the later survey. start : since when the programme
        works, text YYYY-MM-DD, index area_id; areas not in it have none.
    parts : indicator -> its components. programme : its name.
    years : of the two surveys: areas where the programme worked in the earlier year already are
        left out, those where it began after the later one count as without. None: all are with it.
    tau_drift : sd by which log tau may have moved otherwise with the programme than without.
    """
    notes = []
    with_it, left_out = set(start.index), set[str]()
    if years is None:
        notes.append("the runs say no rising years: it is taken as begun between them everywhere")
    else:
        left_out = set(start.index[start.str[:4].astype(int) <= years[0]])
        with_it -= left_out | set(start.index[start.str[:4].astype(int) > years[1]])
        if left_out:
            notes.append(
                f"{len(left_out):,} areas where it worked in {years[0]} or before are left out"
            )
    sides = {}
    for wave, direct in zip(("earlier", "later"), waves, strict=True):
        areas = direct.reports.index.difference(list(left_out))
        sides["with", wave] = areas.intersection(list(with_it))
        sides["without", wave] = areas.difference(list(with_it))
    by_wave = {"earlier": waves[0], "later": waves[1]}
    rows = {}
    for name, components in parts.items():
        cells = {key: _rate(by_wave[key[1]], areas, components) for key, areas in sides.items()}
        rows[name] = _contrast(cells, tau_drift)
    counted = pd.Series({key: len(ids) for key, ids in sides.items()}, dtype=int)
    return ByProgramme(
        programme,
        pd.DataFrame.from_dict(rows, orient="index").rename_axis("indicator"),
        counted.rename_axis(["programme", "survey"]),
        tuple(notes),
    )


@dataclass(frozen=True)
class _Cell:
    """Log rate of some areas in one survey, its variance, and how many areas it rests on."""

    log_rate: float
    variance: float
    areas: int


def _rate(direct: Direct, areas: pd.Index, components: Sequence[str]) -> _Cell:
    """Ratio estimate over areas, its relative variance between areas, at least the design's.

    Linearised (Cochran 1977, 6.3): n / (n - 1) sum (y_a - r d_a)^2 / (sum y)^2, areas as clusters.
    """
    names = list(components)
    known = direct.exposure.loc[areas, names].mean(axis=1)
    seen = known > 0
    y = direct.reports.loc[areas, names].sum(axis=1)[seen].to_numpy(float)
    d = known[seen].to_numpy(float)
    total, n = y.sum(), len(y)
    if n < 2 or total == 0:
        return _Cell(np.nan, np.nan, n)
    spread = n / (n - 1) * ((y - total / d.sum() * d) ** 2).sum() / total**2
    design = max(float(direct.deff[names].mean()), 1.0) / total
    return _Cell(float(np.log(total / d.sum())), float(max(spread, design)), n)


def _contrast(cells: dict[tuple[str, str], _Cell], tau_drift: float) -> dict[str, Any]:
    missing = {"ratio": np.nan, "q025": np.nan, "q975": np.nan, "power": np.nan}
    if few := [f"{wave} survey, {side}" for (side, wave), c in cells.items() if c.areas < FEWEST]:
        why = f"fewer than {FEWEST} surveyed areas ({'; '.join(few)})"
        return missing | {"verdict": CANNOT, "why": why}
    if none := [f"{wave} survey, {side}" for (side, wave), c in cells.items()
                if np.isnan(c.log_rate)]:  # fmt: skip
        return missing | {"verdict": CANNOT, "why": f"nobody was reported ({'; '.join(none)})"}
    moved = {
        side: cells[side, "later"].log_rate - cells[side, "earlier"].log_rate
        for side in ("with", "without")
    }
    difference = moved["with"] - moved["without"]
    sd = float(np.sqrt(sum(cell.variance for cell in cells.values()) + tau_drift**2))
    # Areas are few: Student's t with the degrees of freedom of the smallest side.
    t = float(stats.t.ppf(0.975, min(cell.areas for cell in cells.values()) - 1))
    low, high = difference - t * sd, difference + t * sd
    power = float(stats.norm.cdf(-np.log(1 - DIFFERENCE) / sd - t))
    verdict, why = CANNOT, f"a difference of {DIFFERENCE:.0%} would be found {power:.0%} of times"
    if high < 0 or low > 0:
        verdict, why = ("fell more" if high < 0 else "rose more") + " with the programme", ""
    elif power >= POWER:
        verdict, why = "no large difference", ""
    return {
        "ratio": float(np.exp(difference)), "q025": float(np.exp(low)),
        "q975": float(np.exp(high)), "power": power, "verdict": verdict, "why": why,
    }  # fmt: skip


def by_programme_text(found: ByProgramme) -> str:
    """Write a :class:`ByProgramme` for a person."""
    cells: Any = found.areas.items()
    counted = ", ".join(f"{n} {side} in the {wave}" for (side, wave), n in cells)
    lines = [f"With {found.programme} against without it (surveyed areas: {counted}):"]
    for name, row in found.table.iterrows():
        if row["verdict"] == CANNOT:
            lines.append(f"  {name}: cannot tell: {row['why']}.")
        else:
            ends = f"{row['q025'] - 1:+.0%} to {row['q975'] - 1:+.0%}"
            lines.append(f"  {name}: {row['verdict']}, {row['ratio'] - 1:+.0%} ({ends}).")
    lines += [f"note {note}." for note in found.notes]
    return "\n".join([*lines, f"warning {WARNING}."])

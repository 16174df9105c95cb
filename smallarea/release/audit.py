"""The checks before anything leaves, after the UK Data Service's handbook on output checking."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from smallarea.areas.levels import level_ids, levels_of
from smallarea.errors import InputError
from smallarea.publish.estimates import NUMBERS, levels_in
from smallarea.release.attack import ALL
from smallarea.release.estimates import few_people
from smallarea.release.groups import FEWEST_UNITS, MOST
from smallarea.release.tables import Tables
from smallarea.release.tiers import ABOVE, BELOW, LEVEL_COLUMNS, Tier

#: What an attack may gain over a world without the interviews, as a difference of AUCs.
GAIN = 0.03
SIGN = (
    "Author of the release",
    "First output checker (not the author)",
    "Second output checker (not the author)",
    "Owner of the survey's data",
)


@dataclass(frozen=True)
class Check:
    """One rule, whether it holds (None: people must judge), and what was found."""

    name: str
    rule: str
    holds: bool | None
    found: str


def require(checks: list[Check], tier: str) -> None:
    """Raise InputError if a check fails."""
    if failed := [f"{check.name}: {check.found}" for check in checks if check.holds is False]:
        raise InputError(
            f"the {tier} tier does not pass its audit: {'; '.join(failed)}",
            where="smallarea publish",
            remedy="nothing was written; mend the cause, or keep the run internal",
        )


def check_tables(
    tier: Tier, tables: Tables, areas: pd.DataFrame, populations: list[str], minimum: float
) -> list[Check]:
    """Check columns, small populations and secondary suppression.

    Parameters
    ----------
    areas : the frame's table. populations : its columns of reference populations.
    minimum : `settings.withhold_below`.
    """
    estimates, above = tables.estimates, tables.levels
    allowed = {*tier.columns, *levels_in(estimates)}
    extra = [c for c in estimates if c not in allowed]
    extra += [c for c in above if c not in LEVEL_COLUMNS]
    small = few_people(tables.places, populations, minimum)
    numbers = [name for name in (*NUMBERS, "p_top") if name in estimates]
    places = estimates["area_id"].isin(small.index[small])
    shown = bool(estimates.loc[places, numbers].notna().any(axis=None))
    for level in levels_of(areas):  # and of units of the levels above, which may be a single place
        people = areas.groupby(f"{level}_id")[populations].sum()
        few = few_people(people, populations, minimum)
        units = (above["level"] == level) & above["unit_id"].isin(few.index[few])
        shown |= bool(above.loc[units, list(NUMBERS)].notna().any(axis=None))
    sums = [above] if tier.areas == "numbers" else [above, estimates]
    withheld = few_people(areas, populations, minimum)
    means = any(table[["mean", "sd"]].notna().any(axis=None) for table in sums)
    return [
        Check(
            "columns",
            "No column but the declared ones.",
            not extra,
            f"not declared: {', '.join(map(str, extra))}" if extra else "all are declared",
        ),
        Check(
            "threshold, people",
            f"No number of a place, or a unit of places, with fewer than {minimum:g} people of a "
            "reference population.",
            not shown,
            f"{int(small.sum())} places are this small; "
            + ("numbers of some are shown" if shown else "no number of one is shown"),
        ),
        Check(
            "secondary suppression, differencing within and between tiers",
            "No withheld number of an area can be computed from totals in any tier: medians and "
            "quantiles do not add up, means do and are blank above the areas if one is withheld.",
            not (withheld.any() and means),
            f"{int(withheld.sum())} areas are withheld; means above the areas are "
            + ("shown" if means else "blank"),
        ),
    ]


def check_units(table: pd.DataFrame, found: pd.DataFrame, group: pd.Series) -> Check:
    """Check that no cell rests on the interviews of a few sampling units, or mainly of one.

    found, group : see `smallarea.release.groups`.
    """
    levels = levels_of(table)
    rank = group.str.split(" ", n=1).str[0].map({level: i for i, level in enumerate(levels)})
    wrong = []
    for level, unit in found.index[found["thin"]]:
        if level not in levels:  # the nation
            wrong.append(str(level))
            continue
        number = levels.index(level)
        if ((level_ids(table, number) == unit) & (rank < number)).any():
            wrong.append(f"{level} {unit}")
    return Check(
        "threshold and dominance, sampling units",
        f"No cell of any level with fewer than {FEWEST_UNITS} sampling units, or of which one has "
        f"over {MOST:.0%} of the people known, rests on them.",
        not wrong,
        f"these do: {', '.join(wrong[:5])}"
        if wrong
        else f"{int(found['thin'].sum())} of {len(found)} cells are thin; no place, and no group "
        f"of places, rests on its own interviews ({group.nunique()} groups)",
    )


def check_attack(attack: pd.DataFrame) -> Check:
    """Judge what `smallarea.release.attack.judge` found, component by component.

    All components together are told beside it and decide nothing: a gain in one and a loss in
    another, which tell as much, would cancel.
    """
    known = attack.dropna(subset=["gain"])
    rule = (
        "Who knows which places were surveyed cannot tell from the tier where somebody told better "
        f"than from a world without those interviews: AUCs differ by at most {GAIN:g}; for a "
        "place's rate over that of its unit's other places, so does the upper 95 % bound; for that "
        "of a unit's other places, unless the difference may be chance."
    )
    if known.empty:
        said = "too few surveyed places where somebody told, or where nobody did"
        return Check("attack", rule, None, f"cannot be judged: {said}")
    together, known = known[known["component"] == ALL], known[known["component"] != ALL]
    gain, bound = known["gain"].abs(), known[["low", "high"]].abs().max(axis=1)
    place = known["attack"] == "unit"
    chance = (known["attack"] == "unit/above") & (known["low"] <= 0) & (known["high"] >= 0)
    holds = bool((chance | (gain <= GAIN)).all() and (bound[place] <= GAIN).all())
    said = (
        f"largest difference {gain.max():.3f}, upper bound {bound[place].max():.3f} (of all "
        f"components together {together['gain'].abs().max():.3f}); AUC of the run up to "
        f"{known['pooled'].max():.2f}, of the tier up to {known['safe'].max():.2f}"
    )
    return Check("attack", rule, holds, said)


def check_classes(table: pd.DataFrame) -> Check:
    """Count units of which all places are in one class: people judge whether that harms."""
    levels = levels_in(table.rename(columns={"notice": "indicator"}))
    levels = [name for name in levels if not name.endswith("_class")]
    alike = 0
    for column in (name for name in table if str(name).endswith("_class")):
        by = table[column].groupby(table[levels[0]])
        alike += int(by.agg(lambda own: set(own) in ({ABOVE}, {BELOW})).sum())
    rule = "No group of which all members are known to be alike, where that can hurt them."
    return Check("class disclosure", rule, None, f"{alike} units have all places in one class")


def check_files(
    tier: Tier, names: list[str], spilled: list[str], odd_layers: list[str]
) -> list[Check]:
    """Check what was written: the declared files, and nothing in them that is forbidden.

    odd_layers : see `smallarea.release.layers.odd_layers`.
    """
    odd = sorted(set(names) ^ set(tier.files))
    return [
        Check(
            "files", "The declared files and no other.", not odd, ", ".join(odd) or "as declared"
        ),
        Check(
            "contents",
            "No file holds codes of sampling units, who was surveyed, or counts of answers.",
            not spilled,
            "; ".join(spilled[:5]) or "every file was opened and searched",
        ),
        Check(
            "layers",
            "The GeoPackage has no layer, unit or number that is not in estimates or levels.csv.",
            not odd_layers,
            "; ".join(odd_layers[:5]) or "every layer was read back and compared",
        ),
    ]


def audit_facts(checks: list[Check], attack: pd.DataFrame, trace: dict[str, Any]) -> dict[str, Any]:
    """Return what audit.json says."""
    rows = attack.replace({np.nan: None}).to_dict("records")
    return {**trace, "checks": [asdict(c) for c in checks], "attack": rows, "to_sign": SIGN}


def audit_text(checks: list[Check], attack: pd.DataFrame, trace: dict[str, Any]) -> str:
    """Return what audit.md says: what was checked, what people must judge, who signs."""
    words = {True: "holds", False: "FAILS", None: "to be judged"}
    lines = [f"# Audit of the {trace['tier']} tier of run {trace['run']}", ""]
    lines += ["Internal: it counts places by what was answered there. Keep it with the run.", ""]
    lines += ["| check | result | rule | found |", "|---|---|---|---|"]
    lines += [f"| {c.name} | {words[c.holds]} | {c.rule} | {c.found} |" for c in checks]
    lines += ["", "## The attack", ""]
    lines += ["AUC of telling surveyed places where somebody told from those where nobody did.", ""]
    shown = attack.round(3).astype(object).where(attack.notna(), "–")
    lines += ["| " + " | ".join(shown.columns) + " |", "|---" * shown.shape[1] + "|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in shown.to_numpy()]
    lines += [
        "",
        "Not tested: differencing against releases of other runs or of other surveys.",
        "",
    ]
    lines += ["## Signed", "", *(f"- {who}: name, date, signature" for who in SIGN), ""]
    return "\n".join(lines)

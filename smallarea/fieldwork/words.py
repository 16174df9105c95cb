"""What is to be done tomorrow, and what numbers about interviewers mean, in sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smallarea.fieldwork.gather import Picture

MISSING = 0.05  # share of empty answers that is worth a word
FEW_CHECKED = 30

DESIGN = {
    "crossed": "units have several interviewers, so places and interviewers can be told apart",
    "nested": "each unit has one interviewer: a difference between interviewers may in part be one "
    "between the places they were sent to",
    "one": "each unit has one interviewer and most interviewers have one unit: what looks like the "
    "place may be the interviewer, and nothing in these data can tell. Let two share a unit",
}
SENT = "teams and languages go with places, so this may be the places"
TOLD = "reports anyone"
WHO = {"enumerator": "interviewers", "supervisor": "teams", "language": "languages"}


def place(row: pd.Series) -> str:
    """Name a unit by its own name and its area's, else by its code."""
    unit, area = row.get("psu_name"), row.get("name")
    named = str(row.name) if pd.isna(unit) else str(unit)
    return named if pd.isna(area) else f"{named}, {area}"


def to_do(picture: Picture, sample: pd.DataFrame) -> list[str]:
    """Sentences on what a supervisor should look at first, the most urgent first."""
    units, facts, tables = picture.tables["units"], picture.facts, picture.tables
    said = []
    waiting = units[(units["left"] > 0) & (units["status"] == "saturated")]
    closed = units[(units["left"] > 0) & (units["reason"].notna()) & (units["done"] == 0)]
    stuck = pd.concat([waiting, closed[~closed.index.isin(waiting.index)]])
    stuck = stuck[stuck["status"].isin(["saturated", "not begun", "under way"])]
    for psu, row in stuck.iterrows():
        spare = sample[(sample["replaces"] == psu) & (sample["role"] == "replacement")]
        spare = spare[~spare.index.isin(units.index)]
        if "order" in spare:
            spare = spare.sort_values("order", key=lambda c: pd.to_numeric(c, errors="coerce"))
        after = (
            f"Next in line: {place(spare.iloc[0])}." if len(spare) else "No replacement is left."
        )
        why = "" if pd.isna(row["reason"]) else f" ({row['reason']})"
        said.append(f"{place(row)} cannot go on{why}: {int(row['left'])} left. {after}")
    if facts.get("named"):
        said.append(
            f"Speak with {', '.join(facts['named'])} and sit in on their next interviews: their "
            "answers are hardly possible by chance (see Interviewers). This is a reason to look, "
            "not a proof."
        )
    due = facts.get("response", {}).get("callbacks_due", 0)
    if due:
        said.append(f"{due} households were not at home and have visits left (see Households).")
    if "quotas" in tables and (tables["quotas"]["off"] > 0).any():
        off = tables["quotas"]["off"]
        names = units.reindex(off.index[off > 0]).apply(place, axis=1)
        more = "" if len(names) <= 4 else f" and {len(names) - 4} more"
        said.append(
            f"Too many of one sex in {len(names)} units ({'; '.join(names[:4])}{more}): the rest "
            "of the interviews there should be with the other."
        )
    bad = tables["missing"]
    for column, row in bad[bad["share"] > MISSING].iterrows():
        by = f", mostly by {row['worst']}" if "worst" in row and pd.notna(row["worst"]) else ""
        said.append(f"“{column}” is empty in {row['share']:.0%} of the interviews{by}.")
    if facts["progress"].get("expansion_open"):
        said.append(
            f"{facts['progress']['expansion_open']} expansion units have no interviews yet. They "
            "are to be used all together or not at all."
        )
    return said or ["Nothing needs attention tonight."]


def on_shares(shares: pd.DataFrame) -> list[str]:
    """Say how much of the answers' variance is the interviewers', and how sure that is."""
    said = []
    for _, row in shares.iterrows():
        if pd.isna(row["p"]) or (row["of"] != "enumerator" and row["outcome"] != TOLD):
            continue
        sure = (
            "more than chance brings" if row["p"] < 0.05 else "no more than chance may bring"
        ) + f" (p = {row['p']:.2g})"
        if pd.isna(row["interviewer"]):
            share = f"up to {row['high']:.1%} of the variance goes with {WHO[row['of']]}"
        else:
            share = (
                f"{row['interviewer']:.1%} of the variance is between {WHO[row['of']]}, "
                f"{row['place']:.1%} between places"
            )
        after = DESIGN[row["design"]] if row["of"] == "enumerator" else SENT
        said.append(f"{str(row['outcome']).capitalize()}: {share}, {sure}; {after}.")
    return said


def on_sexes(found: dict[str, Any] | None) -> str:
    """Say whether people told more to an interviewer of their own sex."""
    if not found or pd.isna(found.get("difference", float("nan"))):
        return ""
    clear = found["low"] > 0 or found["high"] < 0
    return (
        f"Interviewed by their own sex {found['rate']:.1%} reported anyone ({found['n']} "
        f"interviews), by the other {found['rate_others']:.1%} ({found['n_others']}): a difference "
        f"of {100 * found['difference']:+.1f} points ({100 * found['low']:+.1f} to "
        f"{100 * found['high']:+.1f}), {'which is clear' if clear else 'which may be chance'}."
    )


def on_drift(found: dict[str, Any]) -> list[str]:
    """Say whether fewer and fewer report as weeks pass."""
    if found.get("weeks", 0) < 2:
        return ["Less than two weeks say nothing of a drift."] if found else []
    said = []
    for name, words in (
        ("over_time", "Over the field period the share reporting anyone"),
        ("within", "Within each interviewer's own work it"),
    ):
        if name in found:
            p = found[f"{name}_p"]
            said.append(
                f"{words} changes by {100 * found[name]:+.1f} points in 30 days "
                f"({100 * found[f'{name}_low']:+.1f} to {100 * found[f'{name}_high']:+.1f}; "
                f"{'clear' if p < 0.05 else 'may be chance'})."
            )
    if "over_time" in found:
        said.append("Teams move from place to place, so the first may be the places.")
    return said

"""Targets and what came back: by unit, area, day and sex; what became of the units drawn.

A *slot* is a unit that was drawn and whatever stands in for it: where it could not be entered, or
gave too few interviews, a replacement takes its place or shares it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

#: What a slot can be, in words of the page.
STATUS = {
    "complete": "complete",
    "replaced": "replaced by another unit",
    "expanded": "shared with another unit, for it was exhausted",
    "saturated": "exhausted, and nothing stands in yet",
    "dropped": "given up",
    "under way": "under way",
    "not begun": "not begun",
}
PLACED = ("replaced", "expanded")


def units(
    sample: pd.DataFrame, respondents: pd.DataFrame, visits: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return what became of every unit that was drawn or used.

    Returns
    -------
    Index psu_id: slot (the unit it stands for, itself if it was drawn), role, target (of the slot,
    0 for stand-ins), done, left (of the slot), status (of the slot, see `STATUS`), reason, last
    (date of the last interview); `p_drawn` and `p_used` where the sample has probabilities, and the
    names it has of places. Expansion units are left out until one of them is used, replacements
    unless they are.

    p_used of a stand-in: the slot was drawn with the probability p of its unit, proportional to
    size; another unit in the same slot would have been drawn with p times its own size over the
    first one's. That takes the units that cannot be entered to be like those that can.
    """
    done = respondents["psu"].value_counts()
    table = pd.DataFrame({"role": sample["role"]})
    is_spare = sample["role"] == "replacement"
    table["slot"] = sample["replaces"].where(is_spare, sample.index.to_series())
    table["done"] = done.reindex(table.index).fillna(0).astype(int)
    began = table.loc[sample["role"] == "expansion", "done"].sum() > 0
    kept = (~is_spare & ((sample["role"] != "expansion") | began)) | (table["done"] > 0)
    told = _told(visits)
    table["reason"] = told["reason"].reindex(table.index)
    table["told"] = told["outcome"].reindex(table.index)
    target = sample["interviews"].astype(int)
    by_slot = table.groupby("slot")["done"].sum()
    own = table["done"].reindex(table["slot"]).to_numpy()
    total = by_slot.reindex(table["slot"]).to_numpy()
    aim = target.reindex(table["slot"]).to_numpy()
    said = table["told"].reindex(table["slot"]).to_numpy()
    others = total - own
    table["target"] = np.where(is_spare, 0, target)
    given_up = (said == "dropped") | ((said == "replaced") & (others == 0))
    table["status"] = np.select(
        [(others > 0) & ((own == 0) | (said == "replaced")), others > 0, said == "dropped",
         total >= aim, said == "saturated", total > 0],
        ["replaced", "expanded", "dropped", "complete", "saturated", "under way"],
        "not begun",
    )  # fmt: skip
    left = np.where(given_up & (said == "dropped"), 0, np.maximum(aim - total, 0))
    table["left"] = np.where(is_spare, 0, left)
    if "date" in respondents:
        table["last"] = respondents.groupby("psu")["date"].max().reindex(table.index)
    if {"p_area", "p_psu"} <= set(sample.columns):
        expanded = began and "p_area_expanded" in sample
        p_area = sample["p_area_expanded"] if expanded else sample["p_area"]
        table["p_drawn"] = (sample["p_area"] * sample["p_psu"]).where(~is_spare)
        size = sample["population"] / sample["population"].reindex(table["slot"]).to_numpy()
        table["p_used"] = np.minimum(p_area * sample["p_psu"] * size, 1.0).where(table["done"] > 0)
    named = [c for c in ("psu_name", "name", "area_id", "stratum") if c in sample]
    return table.join(sample[named])[kept].drop(columns="told")


def _told(visits: pd.DataFrame | None) -> pd.DataFrame:
    """Return what was last said of each unit as a whole: outcome, reason."""
    if visits is None:
        return pd.DataFrame({"outcome": [], "reason": []}, dtype=object)
    whole = visits[visits["household"].isna()]
    return whole.groupby("psu")[["outcome", "reason"]].last()


def by_day(respondents: pd.DataFrame, target: int) -> pd.DataFrame:
    """Interviews per day and in all, and what is then left of the target; index date."""
    day = respondents["date"].dropna().value_counts().sort_index()
    table = pd.DataFrame({"interviews": day, "so_far": day.cumsum()})
    undated = len(respondents) - int(day.sum())
    return table.assign(left=(target - undated - table["so_far"]).clip(lower=0))


def pace(days: pd.DataFrame, left: int, until: pd.Timestamp | None) -> dict[str, float | None]:
    """Interviews a day over the last five days with any, days left at that pace, and needed.

    `needed` : interviews a calendar day to be through on `until`, None without such a day.
    """
    recent = float(days["interviews"].tail(5).mean()) if len(days) else 0.0
    needed = None
    if until is not None and len(days):
        remaining = max((until - days.index[-1]).days, 0)
        needed = left / remaining if remaining else (np.inf if left else 0.0)
    return {
        "recent": recent,
        "days_at_this_pace": left / recent if recent else None,
        "needed_a_day": needed,
    }


def quotas(
    respondents: pd.DataFrame, table: pd.DataFrame, wanted: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Interviews by sex in every slot against the quota; index slot, one column per sex.

    wanted : share of each sex; equal shares of those met where none is given. `off` : how many
    interviews of the slot cannot become right any more: those of a sex beyond its quota, rounded
    up.
    """
    sexes = sorted(respondents["sex"].dropna().unique())
    share = pd.Series(wanted or dict.fromkeys(sexes, 1 / max(len(sexes), 1)), dtype=float)
    slot = table["slot"].reindex(respondents["psu"]).to_numpy()
    found = pd.crosstab(slot, respondents["sex"].to_numpy())
    found = found.reindex(columns=share.index, fill_value=0).rename_axis("slot")
    target = table["target"].reindex(found.index).astype(float)
    most = np.ceil(np.outer(target, share / share.sum()) - 1e-9)
    found["off"] = np.maximum(found[share.index].to_numpy() - most, 0).sum(axis=1).astype(int)
    return found

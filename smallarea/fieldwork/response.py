"""Who was met, who refused, who is to be called on again, and which questions stay empty."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: A household's outcome over its visits: the first of these that occurred, else the last visit's.
FINAL = ("completed", "partial", "ineligible", "refused")
ELIGIBLE = ("completed", "partial", "refused", "not_home", "unable")


def households(visits: pd.DataFrame) -> pd.DataFrame:
    """Return one row per household: outcome over all its visits, number of visits, last date."""
    rows = visits[visits["household"].notna()].sort_values("visit", kind="stable")
    grouped = rows.groupby(["psu", "household"])
    table = grouped.agg(visits=("visit", "size"), outcome=("outcome", "last"))
    if "date" in rows:
        table["last"] = grouped["date"].max()
    for outcome in reversed(FINAL):
        any_of = (rows["outcome"] == outcome).groupby([rows["psu"], rows["household"]]).any()
        table["outcome"] = table["outcome"].mask(any_of.reindex(table.index), outcome)
    return table


def response_rates(met: pd.DataFrame, by: pd.Series | None = None) -> pd.DataFrame:
    """Response, refusal, contact and cooperation rates of households.

    met : from `households`. by : label of each unit (index psu), e.g. its stratum; all together
    first. AAPOR (2023) RR4, REF3, CON3, COOP2: partial interviews count as responses, and of
    households whose eligibility is unknown the share is taken as eligible that is among the others.
    """
    known = met["outcome"].isin([*ELIGIBLE, "ineligible"])
    eligible = met["outcome"].isin(ELIGIBLE).sum() / max(known.sum(), 1)
    labels = pd.Series("all", met.index)
    parts = {"all": met}
    if by is not None:
        labels = pd.Series(by.reindex(met.index.get_level_values("psu")).to_numpy(), met.index)
        parts |= {str(label): rows for label, rows in met.groupby(labels)}
    table = pd.DataFrame({name: _rates(rows, eligible) for name, rows in parts.items()}).T
    return table.rename_axis("of")


def _rates(met: pd.DataFrame, eligible: float) -> dict[str, float]:
    n = met["outcome"].value_counts().reindex([*ELIGIBLE, "ineligible", "unknown"], fill_value=0)
    answered = n["completed"] + n["partial"]
    reached = answered + n["refused"] + n["unable"]
    asked = reached + n["not_home"] + eligible * n["unknown"]
    nan = float("nan")
    return {
        "households": float(len(met)),
        "response": answered / asked if asked else nan,
        "refusal": n["refused"] / asked if asked else nan,
        "contact": reached / asked if asked else nan,
        "cooperation": answered / reached if reached else nan,
    }


def callbacks(met: pd.DataFrame, most: int) -> pd.DataFrame:
    """Households not met so far with visits left (`most` in all), oldest first."""
    due = met[(met["outcome"] == "not_home") & (met["visits"] < most)].copy()
    due["left"] = most - due["visits"]
    return due.sort_values("last", kind="stable") if "last" in due else due


def by_visit(visits: pd.DataFrame, reports: pd.Series | None) -> pd.DataFrame:
    """Interviews by the visit that brought them, and who reported anyone among them.

    Those who take many calls are the nearest to those never met: where they report other than
    the others, so may the missing (Lin & Schaeffer 1995). reports : people reported, by
    respondent; used where visits name their respondent (`respondent_id`).
    """
    done = visits[visits["outcome"].isin(("completed", "partial")) & visits["household"].notna()]
    table = done.groupby("visit").size().rename("interviews").to_frame()
    if reports is not None and "respondent_id" in done:
        told = (reports > 0).where(reports.notna()).astype(float).reindex(done["respondent_id"])
        table["share_reporting"] = told.groupby(done["visit"].to_numpy()).mean()
    return table


def missing_rates(
    table: pd.DataFrame, columns: list[str], by: pd.Series | None = None
) -> pd.DataFrame:
    """Share of empty cells of each column, and the interviewer with most of them.

    Index column: missing, share; worst, worst_share (with at least ten interviews).
    """
    empty = table[columns].isna()
    out = pd.DataFrame({"missing": empty.sum(), "share": empty.mean()})
    if by is not None:
        grouped = empty.groupby(by)
        shares = grouped.mean()[grouped.size() >= 10]
        if len(shares):
            out["worst"] = shares.idxmax().where(shares.max() > 0)
            out["worst_share"] = shares.max()
    out = out.rename_axis("question")
    return out[out["missing"] > 0].sort_values("share", ascending=False)


def effort(met: pd.DataFrame) -> dict[str, float]:
    """Visits per household and per interview."""
    n = met["outcome"].isin(("completed", "partial")).sum()
    visits = float(met["visits"].sum())
    return {
        "per_household": visits / max(len(met), 1),
        "per_interview": visits / n if n else np.nan,
    }

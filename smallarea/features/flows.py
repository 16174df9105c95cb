"""Flows between areas: who draws people, who sends them, who stands in the middle.

Flows come from `smallarea.catalog.read`: one row per pair, with `origin` and `destination`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp

from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.areas import Frame


def matrix(flows: pd.DataFrame, areas: Frame, value: str) -> sp.csr_array:
    """Return the flows as origin x destination, in the order of the frame; pairs add up.

    Unknown (suppressed) ones are left out: `unknown` says which areas have some.
    """
    ids = areas.table.index
    kept = flows[flows[value] > 0]
    at = [ids.get_indexer(pd.Index(kept[end])) for end in ("origin", "destination")]
    return sp.csr_array(sp.coo_array((kept[value].to_numpy(), at), shape=(len(ids), len(ids))))


def unknown(flows: pd.DataFrame, areas: Frame, value: str) -> pd.DataFrame:
    """Return which areas have a flow of unknown size (suppressed or missing): area_id x bool.

    `outflow` and `inflow` to and from other areas, `within` inside.
    """
    lost = flows[flows[value].isna()]
    inside = lost["origin"] == lost["destination"]
    ends = {
        "outflow": lost.loc[~inside, "origin"],
        "inflow": lost.loc[~inside, "destination"],
        "within": lost.loc[inside, "origin"],
    }
    ids = areas.table.index
    return pd.DataFrame({name: ids.isin(end) for name, end in ends.items()}, index=ids)


def balance(flows: pd.DataFrame, areas: Frame, value: str) -> pd.DataFrame:
    """Return what each area sends and receives.

    Returns
    -------
    area_id x: `outflow` and `inflow` (to and from other areas), `within`, `self_containment` (the
    share of what starts in the area that stays there) and `net_inflow` (inflow minus outflow as a
    share of their sum). An area the file never names as origin or destination is NaN throughout:
    it was not observed. So is a sum with a suppressed flow in it, and what is made of it.
    """
    trips = matrix(flows, areas, value)
    within = trips.diagonal()
    out, into = trips.sum(axis=1) - within, trips.sum(axis=0) - within
    lost = unknown(flows, areas, value).to_numpy().T
    out, into, within = (
        np.where(hidden, np.nan, known)
        for hidden, known in zip(lost, (out, into, within), strict=True)
    )
    seen = areas.table.index.isin(pd.unique(flows[["origin", "destination"]].to_numpy().ravel()))
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            "outflow": out,
            "inflow": into,
            "within": within,
            "self_containment": within / (within + out),
            "net_inflow": (into - out) / (into + out),
        }
    return pd.DataFrame(columns, index=areas.table.index).where(pd.Series(seen, areas.table.index))


def centrality(
    flows: pd.DataFrame, areas: Frame, value: str, *, damping: float = 0.85, tol: float = 1e-12
) -> pd.Series:
    """Return each area's weighted PageRank (Brin & Page 1998) times the number of areas.

    1 is an average area. Flows within an area do not count, nor do those of unknown size: an area
    that has some is NaN. An area that sends nothing is left for a random one.

    Raises
    ------
    InputError : no flow runs between two areas.
    """
    trips = matrix(flows, areas, value)
    trips = sp.csr_array(trips - sp.diags_array(trips.diagonal()))
    sent = trips.sum(axis=1)
    if not sent.any():
        raise InputError(
            "no flow runs between two areas", where=f"column '{value}'", remedy="check the file"
        )
    n = len(sent)
    share = sp.diags_array(np.divide(1.0, sent, out=np.zeros(n), where=sent > 0)) @ trips
    rank = np.full(n, 1.0 / n)
    change = 1.0
    while change > tol:  # shrinks by `damping` each time: under 200 steps
        moved = share.T @ rank + rank[sent == 0].sum() / n
        new = damping * moved + (1 - damping) / n
        change, rank = np.abs(new - rank).sum(), new
    lost = unknown(flows, areas, value)
    return pd.Series(rank * n, index=areas.table.index).mask(lost["outflow"] | lost["inflow"])


def zones(flows: pd.DataFrame, areas: Frame, value: str, *, least: float = 0.5) -> pd.Series:
    """Return the commuting zone of each area: the lowest code of the areas that are in it.

    Every area begins as a zone. The one that keeps the smallest share of the trips that start in it
    joins the one that it is tied to most closely, by the sum over both ways of flow^2 / (all that
    starts x all that ends), until all keep `least` or are tied to none (a plain form of Coombes &
    Bond 2008). An
    area that the file never names is NaN. Unknown (suppressed) flows are left out.
    """
    trips = matrix(flows, areas, value).tolil()
    to = [
        dict(zip(row, data, strict=True)) for row, data in zip(trips.rows, trips.data, strict=True)
    ]
    came: list[dict[int, float]] = [{} for _ in to]
    for origin, row in enumerate(to):
        for destination, size in row.items():
            came[destination][origin] = size
    sent, got = (np.array([sum(row.values()) for row in ends]) for ends in (to, came))
    tiny = np.finfo(float).tiny
    within = np.array([row.get(i, 0.0) for i, row in enumerate(to)])
    zone, kept = np.arange(len(to)), np.full(len(to), np.inf)
    np.divide(within, sent, out=kept, where=sent > 0)
    while (weakest := int(kept.argmin())) >= 0 and kept[weakest] < least:
        tied = {
            j: to[weakest].get(j, 0.0) ** 2 / (sent[weakest] * got[j])
            + came[weakest].get(j, 0.0) ** 2 / (max(sent[j], tiny) * max(got[weakest], tiny))
            for j in to[weakest].keys() | came[weakest].keys()
            if j != weakest
        }
        if not tied:
            kept[weakest] = np.inf
            continue
        into = max(tied, key=lambda j: (tied[j], -j))
        _merge(to, came, weakest, into)
        zone[zone == weakest] = into
        sent[into] += sent[weakest]
        got[into] += got[weakest]
        kept[weakest], kept[into] = np.inf, to[into].get(into, 0.0) / sent[into]
    ids = areas.table.index
    seen = ids.isin(pd.unique(flows[["origin", "destination"]].to_numpy().ravel()))
    named = pd.Series(ids, index=ids).groupby(zone).transform("min")
    return named.where(seen)


def _merge(to: list[dict[int, float]], came: list[dict[int, float]], old: int, new: int) -> None:
    """Let the zone `new` have all that starts and ends in `old`."""
    for ends, others in ((to, came), (came, to)):
        for j, size in ends[old].items():
            others[j].pop(old, None)
            at = new if j == old else j
            ends[new][at] = ends[new].get(at, 0.0) + size
            if at == new:
                continue
            others[at][new] = others[at].get(new, 0.0) + size
        ends[old] = {}

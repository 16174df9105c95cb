"""The attack that a tier must withstand: from published rates, who was told of anybody?

In most surveyed places all interviews come from one sampling unit. Set its median rate beside those
of places near it where nobody was asked, and in a run of pooled draws a high ratio gives away that
somebody there told. The attacker of these tests knows which places were surveyed. What covariates
alone say he may know: what counts is what he gains over a world in which the unit was not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from smallarea.areas.levels import level_ids

Scores = Mapping[str, pd.DataFrame]
#: Places of either kind that an AUC needs.
ENOUGH = 5
#: The row of an attack in which components are taken together.
ALL = "all"


def scores(rates: pd.DataFrame, table: pd.DataFrame, surveyed: pd.Index) -> dict[str, pd.DataFrame]:
    """Return what an attacker computes of every surveyed place from rates, area_id x component.

    `unit`: its rate over the median of its lowest-level unit's never-surveyed places; `above`: over
    those of the level above; `unit/above`: that unit's median over the level's. NaN where there is
    no such place.
    """
    rest = rates.drop(index=surveyed)
    low, high = (level_ids(table, number) for number in (0, 1))
    nearby = rest.groupby(low.loc[rest.index].to_numpy()).median()
    around = rest.groupby(high.loc[rest.index].to_numpy()).median()
    own = rates.loc[surveyed]
    unit = nearby.reindex(low.loc[surveyed]).set_axis(surveyed)
    above = around.reindex(high.loc[surveyed]).set_axis(surveyed)
    return {"unit": own / unit, "above": own / above, "unit/above": unit / above}


def auc(told: np.ndarray, score: np.ndarray) -> float:
    """Chance that a place where somebody told has the higher score; NaN scores are left out."""
    known = ~np.isnan(score)
    told, score = told[known], score[known]
    ones, zeros = int(told.sum()), int((~told).sum())
    if min(ones, zeros) == 0:
        return float("nan")
    return float((rankdata(score)[told].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def judge(
    told: pd.DataFrame,
    pooled: Scores,
    safe: Scores,
    unasked: Scores,
    *,
    n: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the attack on a run, on a tier and on a world without the interviews.

    Parameters
    ----------
    told : bool, surveyed area_id x component. pooled, safe, unasked : `scores` of the three.
    n : bootstrap samples of places, of either kind apart.

    Returns
    -------
    A row per attack and component, and per attack one of `ALL` components together: `told`,
    `silent` (places), AUCs `pooled`, `safe` and `unasked`; `gain`, safe less unasked, its bootstrap
    error `se` and 95 % interval `low`, `high`; of all components their means, over the same places
    in every sample, and no numbers of places. All but these are NaN with fewer than `ENOUGH` places
    of either kind.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for attack in safe:
        weights = rng.multinomial(len(told), np.full(len(told), 1 / len(told)), n)
        every, aucs_of = [], []
        for component in told:
            there = [each[attack][component].to_numpy(float) for each in (pooled, safe, unasked)]
            known = ~np.isnan(there).any(axis=0)
            is_told = told[component].to_numpy(bool)[known]
            ones, zeros = int(is_told.sum()), int((~is_told).sum())
            row: dict[str, Any] = {"attack": attack, "component": component}
            row |= {"told": ones, "silent": zeros}
            if min(ones, zeros) >= ENOUGH:
                values = [each[known] for each in there]
                aucs = [auc(is_told, each) for each in values]
                every.append(_gains(is_told, values[1], values[2], weights[:, known]))
                aucs_of.append(aucs)
                row |= _judged(aucs, every[-1])
            rows.append(row)
        row = {"attack": attack, "component": ALL}
        if every:
            row |= _judged(list(np.mean(aucs_of, axis=0)), np.mean(every, axis=0))
        rows.append(row)
    columns = ["attack", "component", "told", "silent", "pooled", "safe", "unasked"]
    return pd.DataFrame(rows, columns=[*columns, "gain", "se", "low", "high"])


def _judged(aucs: list[float], gains: np.ndarray) -> dict[str, float]:
    low, high = np.nanquantile(gains, [0.025, 0.975])
    row = dict(zip(("pooled", "safe", "unasked"), aucs, strict=True))
    return row | {"gain": aucs[1] - aucs[2], "se": np.nanstd(gains), "low": low, "high": high}


def _gains(
    told: np.ndarray, safe: np.ndarray, unasked: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Bootstrap the difference of two AUCs over places, weights (n, places); returns (n,)."""
    wins = _wins(safe[told], safe[~told]) - _wins(unasked[told], unasked[~told])
    ones, zeros = weights[:, told].astype(float), weights[:, ~told].astype(float)
    pairs = ones.sum(axis=1) * zeros.sum(axis=1)
    total = np.einsum("ni,ij,nj->n", ones, wins, zeros, optimize=True)
    return np.divide(total, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _wins(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one[:, None] > other) + 0.5 * (one[:, None] == other)

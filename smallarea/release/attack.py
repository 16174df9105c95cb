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
    A row per attack and component: `told`, `silent` (places), AUCs `pooled`, `safe` and `unasked`;
    `gain`, safe less unasked, with its 95 % interval `low`, `high`. All but the two numbers of
    places are NaN with fewer than `ENOUGH` places of either kind.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for attack in safe:
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
                gains = _gains(is_told, values[1], values[2], n, rng)
                low, high = np.quantile(gains, [0.025, 0.975])
                row |= dict(zip(("pooled", "safe", "unasked"), aucs, strict=True))
                row |= {"gain": aucs[1] - aucs[2], "low": low, "high": high}
            rows.append(row)
    columns = ["attack", "component", "told", "silent", "pooled", "safe", "unasked"]
    return pd.DataFrame(rows, columns=[*columns, "gain", "low", "high"])


def _gains(
    told: np.ndarray, safe: np.ndarray, unasked: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Bootstrap the difference of two AUCs, (n,)."""
    wins = _wins(safe[told], safe[~told]) - _wins(unasked[told], unasked[~told])
    ones = rng.multinomial(len(wins), np.full(len(wins), 1 / len(wins)), n) / len(wins)
    zeros = rng.multinomial(wins.shape[1], np.full(wins.shape[1], 1 / wins.shape[1]), n)
    return np.einsum("ni,ij,nj->n", ones, wins, zeros / wins.shape[1], optimize=True)


def _wins(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one[:, None] > other) + 0.5 * (one[:, None] == other)

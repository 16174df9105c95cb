"""Totals of the hidden groups under given weights, and how two sets of respondents differ.

Reported scale throughout: no reporting rate is applied. Areas are drawn first, so they are the
clusters of every error.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from smallarea.nsum.classical.scale_up import ScaleUp
from smallarea.nsum.classical.variance import clusters, total_covariance
from smallarea.survey.ard import ARD

FEW = 4  # clusters on either side below which two rates are not compared


def surveyed(ard: ARD, sample: pd.DataFrame, psu: pd.Series) -> ARD:
    """Return the answers with the sample's own design: strata, and areas as clusters."""
    design = ard.design.copy()
    unit = sample["area_id"] if "area_id" in sample else sample.index.to_series()
    design["psu"] = unit.reindex(psu).astype(str).to_numpy()
    design["area_id"] = design["psu"]
    design["stratum"] = (
        sample["stratum"].reindex(psu).astype(str).to_numpy() if "stratum" in sample else None
    )
    design["weight"] = 1.0
    return replace(ard, design=design)


def weighted(result: ScaleUp, weight: pd.Series) -> ScaleUp:
    """The same scale-up with other weights (0 leaves a respondent out)."""
    return replace(result, design=result.design.assign(weight=weight.to_numpy(float)))


def total_table(
    result: ScaleUp,
    cells: pd.DataFrame | None = None,
    before: pd.Series | None = None,
    *,
    interviewer: pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Totals with errors: group x estimate, se, low, high, reports.

    cells : what the weights were calibrated to: errors are then those of the residuals from it
    (Deville & Sarndal 1992), regressed with the weights `before` calibration. interviewer : of each
    respondent; answers of one are then alike as well as those of one area (two-way clusters,
    Cameron, Gelbach & Miller 2011), if that makes errors larger. Intervals are of the log, t by
    clusters less strata.
    """
    weight = result.design["weight"].to_numpy(float)
    used = result.design[weight > 0]
    units = clusters(used)
    freedom = max(len(units.stratum) - len(np.unique(units.stratum)), 1)
    residual = residuals(result)
    if cells is not None:
        first = weight if before is None else np.where(weight > 0, before.to_numpy(float), 0.0)
        residual = residual - fitted(residual, cells.to_numpy(), first)
    variance = np.diag(total_covariance(residual[weight > 0], used))
    if interviewer is not None:
        variance = _two_ways(residual[weight > 0], used, interviewer[weight > 0], variance)
    exposure = (result.exposure.fillna(0).mul(weight, axis=0)).sum()
    table = pd.DataFrame({"estimate": result.estimate})
    table["se"] = result.scale * np.sqrt(variance) / exposure
    spread = np.exp(
        stats.t.ppf((1 + level) / 2, freedom)
        * table["se"]
        / table["estimate"].where(lambda e: e > 0)
    )
    table["low"], table["high"] = table["estimate"] / spread, table["estimate"] * spread
    table["reports"] = result.reports[weight > 0].sum()
    return table.rename_axis("group")


def _two_ways(
    residual: np.ndarray, design: pd.DataFrame, interviewer: pd.Series, of_areas: np.ndarray
) -> np.ndarray:
    who = interviewer.fillna("none").astype(str)
    if who.nunique() < 2:
        return of_areas
    both = who + "/" + design["psu"].astype(str)
    one, two = (
        np.diag(total_covariance(residual, design.assign(psu=label, stratum=None)))
        for label in (who, both)
    )
    return np.maximum(of_areas, of_areas + one - two)


def residuals(result: ScaleUp) -> np.ndarray:
    """Residuals of the ratio, respondents x group; 0 where not answered."""
    ratio = result.estimate / result.scale
    return (result.reports - result.exposure * ratio).fillna(0.0).to_numpy()


def fitted(values: np.ndarray, cells: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted regression of values (n, p) on cells (n, k)."""
    weighted = cells * weight[:, None]
    return cells @ np.linalg.lstsq(weighted.T @ cells, weighted.T @ values, rcond=1e-10)[0]


def contrast(
    values: pd.Series, exposure: pd.Series, design: pd.DataFrame, one: pd.Series
) -> dict[str, float]:
    """Compare the rate sum w values / sum w exposure of some respondents with that of the others.

    one : who they are; missing = in neither. design : weight, stratum, psu.

    Returns
    -------
    `n`, `n_others`, `rate`, `rate_others`, `difference`, `low`, `high` (95 %, linearised over
    clusters), `p` (two-sided); NaN with fewer than `FEW` clusters on either side.
    """
    used = values.notna() & exposure.notna() & one.notna() & (design["weight"] > 0)
    y, x = values[used].astype(float), exposure[used].astype(float)
    here, where = one[used].astype(bool), design[used]
    found = {"n": int(here.sum()), "n_others": int((~here).sum())}
    names = ("rate", "rate_others", "difference", "low", "high", "p")
    weight = where["weight"].to_numpy(float)
    sums = {side: float((weight * x)[here == side].sum()) for side in (True, False)}
    seen = [where["psu"][here == side].nunique() for side in (True, False)]
    if min(sums.values()) <= 0 or min(seen) < FEW:
        return found | dict.fromkeys(names, float("nan"))
    rates = {side: float((weight * y)[here == side].sum()) / sums[side] for side in sums}
    score = np.where(
        here, (y - rates[True] * x) / sums[True], -(y - rates[False] * x) / sums[False]
    )
    units = clusters(where)
    freedom = max(len(units.stratum) - len(np.unique(units.stratum)), 1)
    error = float(np.sqrt(total_covariance(score[:, None], where)[0, 0]))
    gap = rates[True] - rates[False]
    reach = stats.t.ppf(0.975, freedom) * error
    p = 2 * stats.t.sf(abs(gap) / error, freedom) if error > 0 else 1.0
    values_ = (rates[True], rates[False], gap, gap - reach, gap + reach, float(p))
    return found | dict(zip(names, values_, strict=True))

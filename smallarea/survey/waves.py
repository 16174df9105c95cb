"""Two waves of one survey: did prevalence fall, and how sure is that?

A wave gives draws of reported rates w = tau * prevalence. The ratio of two waves is

    prevalence_2 / prevalence_1 = (w_2 / w_1) * (tau_1 / tau_2),

so a reporting rate that stayed as it was cancels, whatever it is: change is better identified than
level. One that moved does not cancel, and no draw can tell it from a change of prevalence; its
drift is therefore stated, not estimated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from smallarea.errors import InputError


def change(
    first: xr.DataArray,
    second: xr.DataArray,
    *,
    correlation: float = 0.0,
    tau_drift: float = 0.0,
    tau_drift_mean: float = 0.0,
    thresholds: Sequence[float] = (0.1, 0.2, 0.3),
    seed: int,
) -> pd.DataFrame:
    """Ratio of the second wave's prevalence to the first's, with its probability of decrease.

    Parameters
    ----------
    first, second : draws of reported rates (..., draw) of the same things, e.g. (component,
        draw) or (component, area_id, draw); the waves' draws need not be as many.
    correlation : of the two estimates' errors (normal scores), from PSUs in both waves:
        `overlap_correlation`. Draws are paired accordingly.
    tau_drift, tau_drift_mean : sd and mean of log(tau_2 / tau_1). At 0 reporting is taken as
        unchanged; 0.1 lets it differ by about a tenth either way. One drift is common to all.
    thresholds : relative decreases whose probability is wanted.

    Returns
    -------
    DataFrame, index the dimensions other than draw: `ratio` (median), `q025`, `q10`, `q90`,
    `q975`, `p_decrease`, and `p_decrease_<percent>` per threshold.

    Raises
    ------
    InputError : the waves do not hold the same things, or a rate is not positive.
    """
    _check(first, second, correlation, tau_drift)
    first, second = xr.align(first, second, join="exact", exclude={"draw"})
    dims = [str(d) for d in first.dims if d != "draw"]
    a, b = (np.log(w.transpose(*dims, "draw").to_numpy()) for w in (first, second))
    n = min(a.shape[-1], b.shape[-1])
    rng = np.random.default_rng(seed)
    a, b = (_thin(w, n, rng) for w in (a, b))
    if correlation:
        a, b = paired(a, b, correlation, rng)
    log_ratio = b - a - rng.normal(tau_drift_mean, tau_drift, n)

    levels = {"ratio": 0.5, "q025": 0.025, "q10": 0.1, "q90": 0.9, "q975": 0.975}
    quantiles = np.exp(np.quantile(log_ratio, list(levels.values()), axis=-1))
    columns = dict(zip(levels, quantiles.reshape(len(levels), -1), strict=True))
    columns["p_decrease"] = (log_ratio < 0).mean(axis=-1).ravel()
    for threshold in thresholds:
        name = f"p_decrease_{100 * threshold:.0f}"
        columns[name] = (log_ratio < np.log1p(-threshold)).mean(axis=-1).ravel()
    if not dims:
        return pd.DataFrame(columns)
    index = pd.MultiIndex.from_product([first[d].to_numpy() for d in dims], names=dims)
    return pd.DataFrame(columns, index=index if len(dims) > 1 else index.get_level_values(0))


def drift_sensitivity(
    first: xr.DataArray,
    second: xr.DataArray,
    *,
    drifts: Sequence[float] = (0.0, 0.1, 0.2, 0.3),
    correlation: float = 0.0,
    seed: int,
) -> pd.DataFrame:
    """Probability of decrease under each drift sd of the reporting rate; rows as in `change`."""
    tables = {
        drift: change(first, second, tau_drift=drift, correlation=correlation, seed=seed)
        for drift in drifts
    }
    columns = {drift: table["p_decrease"] for drift, table in tables.items()}
    return pd.DataFrame(columns).rename_axis(columns="tau_drift")


def overlap_correlation(
    first: pd.Series, second: pd.Series, exposure_first: pd.Series, exposure_second: pd.Series
) -> float:
    """Correlation of two waves' errors that PSUs visited in both bring.

    Parameters
    ----------
    first, second : reports per PSU in each wave. exposure_first, exposure_second : people known.

    The PSUs' contributions to a wave's error are z = reports - rate * exposure; their cross
    product over the PSUs in both waves, over the root of their sums of squares over all PSUs of
    each, is the correlation of the two ratio estimates. No common PSU: 0.
    """
    z = []
    for reports, exposure in ((first, exposure_first), (second, exposure_second)):
        rate = reports.sum() / exposure.sum()
        z.append(reports - rate * exposure)
    common = z[0].index.intersection(z[1].index)
    cross = (z[0].loc[common] * z[1].loc[common]).sum()
    size = np.sqrt((z[0] ** 2).sum() * (z[1] ** 2).sum())
    return float(np.clip(cross / size, -1, 1)) if size > 0 else 0.0


def paired(
    a: np.ndarray, b: np.ndarray, correlation: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Reorder draws (..., n) so that each row of `a` is correlated with that of `b`.

    Marginal distributions stay what they are (Iman & Conover 1982); `correlation` is that of the
    normal scores. Rows are reordered one by one: their joint distribution is given up.
    """
    n = a.shape[-1]
    normal = rng.standard_normal((2, n))
    target = correlation * normal[0] + np.sqrt(1 - correlation**2) * normal[1]
    ranks = [stats.rankdata(score, method="ordinal") - 1 for score in (normal[0], target)]
    first, second = np.sort(a, axis=-1)[..., ranks[0]], np.sort(b, axis=-1)[..., ranks[1]]
    return first, second


def _thin(draws: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """n of the draws in random order, so that two waves' draws are independent."""
    return draws[..., rng.permutation(draws.shape[-1])[:n]]


def _check(first: xr.DataArray, second: xr.DataArray, correlation: float, drift: float) -> None:
    same = set(first.dims) == set(second.dims) and all(
        first[d].equals(second[d]) for d in first.dims if d != "draw"
    )
    problem = ""
    if not same:
        problem = "the two waves do not hold the same components and areas, in the same order"
    elif not (bool((first > 0).all()) and bool((second > 0).all())):
        problem = "a rate is missing or not positive"
    elif not -1 < correlation < 1 or drift < 0:
        problem = f"correlation {correlation} or drift {drift} is out of range"
    if problem:
        raise InputError(
            problem,
            where="waves",
            remedy="give draws of positive rates of the same areas, a correlation between -1 and "
            "1, and a drift of at least 0",
        )

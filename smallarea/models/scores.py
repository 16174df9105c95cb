"""How well draws of rates predict counts of reports: log scores, coverage, errors net of noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln, logsumexp

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]


def log_density(draws: xr.DataArray, direct: Direct) -> pd.DataFrame:
    """Return the log of the mean over draws of the density of reports, area_id x component.

    Areas without exposure, of which reports say nothing, and missing reports are NaN.
    """
    y, mu, deff = predictive(draws, direct)
    log_p = log_mass(y, mu, deff)
    value = logsumexp(log_p, axis=2) - np.log(mu.shape[2])
    table = pd.DataFrame(value.T, direct.reports.index, direct.reports.columns)
    return table.where(direct.exposure > 0)


def log_mass(y: Array, mu: Array, deff: Array) -> Array:
    """Return log probabilities of counts with mean `mu` and variance `deff` times that."""
    with np.errstate(divide="ignore", invalid="ignore"):
        r = mu / (deff - 1)
        log_p = np.where(
            deff > 1.001,
            gammaln(y + r) - gammaln(r) - r * np.log(deff) + y * np.log1p(-1 / deff),
            y * np.log(mu) - mu,
        )
    return np.asarray(log_p - gammaln(y + 1))


def transform_to_uniform(draws: xr.DataArray, direct: Direct, seed: int) -> pd.DataFrame:
    """Return randomised probability integral transforms of the reports, area_id x component.

    Uniform where the predictive distribution is right (Czado, Gneiting & Held 2009).
    """
    below, at = pit_bounds(draws, direct)
    u = np.random.default_rng(seed).uniform(size=at.T.shape).T
    return below + u * (at - below)


def pit_bounds(draws: xr.DataArray, direct: Direct) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the predictive probabilities of fewer reports than came, and of no more than came.

    area_id x component, NaN without exposure: where the predictive distribution is right, a number
    drawn between the two is uniform.
    """
    y, mu, deff = predictive(draws, direct)
    r = mu / np.maximum(deff - 1, 1e-3)
    p = 1 / np.maximum(deff, 1.001)
    at, below = (
        pd.DataFrame(
            stats.nbinom.cdf(np.floor(y) - step, r, p).mean(2).T,
            direct.reports.index,
            direct.reports.columns,
        ).where(direct.exposure > 0)
        for step in (0, 1)
    )
    return below, at


def predictive(draws: xr.DataArray, direct: Direct) -> tuple[Array, Array, Array]:
    """Return reports, expected reports and design effect, aligned: (component, area, draw)."""
    aligned = draws.sel(component=list(direct.reports), area_id=list(direct.reports.index))
    y = direct.reports.to_numpy().T[:, :, None]
    mu = aligned.to_numpy() * direct.exposure.to_numpy().T[:, :, None]
    return y, mu, direct.deff.reindex(direct.reports.columns).to_numpy()[:, None, None]


def by_area_and_component(table: pd.DataFrame) -> pd.Series:
    """Return the values of area_id x component that are not missing, indexed by both."""
    index = pd.MultiIndex.from_product([table.index, table.columns], names=["area_id", "component"])
    return pd.Series(table.to_numpy().ravel(), index).dropna()


def clustered_sum(values: pd.Series, group: pd.Series) -> tuple[float, float]:
    """Return the sum of values by (area_id, component) and its group-clustered error."""
    area_id = values.index.get_level_values("area_id")
    by_group = values.groupby(group.loc[area_id].to_numpy()).sum()
    count = len(by_group)
    spread = by_group.std(ddof=1) if count > 1 else np.inf
    return float(by_group.sum()), float(np.sqrt(count) * spread)


def summarise(
    draws: dict[str, xr.DataArray],
    log_scores: pd.DataFrame,
    direct: Direct,
    group: pd.Series,
    seed: int,
) -> pd.DataFrame:
    baseline = log_scores.iloc[:, 0]
    precision = 1 / direct.variance.where(direct.variance > 0)
    national = direct.reports.sum() / direct.exposure.sum()
    table = []
    for name, model_draws in draws.items():
        mean = pd.DataFrame(model_draws.mean("draw").to_pandas()).T.loc[direct.rate.index]
        excess = precision * (direct.rate - mean) ** 2 - precision * direct.variance
        relative = excess / (precision * national**2).sum()
        uniform = transform_to_uniform(model_draws, direct, seed)
        for component in [*direct.reports, "all"]:
            chosen = list(direct.reports) if component == "all" else [component]
            own = log_scores[name][log_scores.index.isin(chosen, level="component")]
            gain, gain_se = clustered_sum(own - baseline.loc[own.index], group)
            net = relative[chosen].sum().mean()
            off = (by_area_and_component(uniform[chosen]) - 0.5).abs()
            table.append(
                {
                    "model": name,
                    "component": component,
                    "log_score": own.sum(),
                    "gain": gain,
                    "gain_se": gain_se,
                    "rmse_net": np.sign(net) * np.sqrt(abs(net)),
                    **{f"cover_{c}": (off <= c / 200).mean() for c in (50, 80, 95)},
                }
            )
    return pd.DataFrame(table).set_index(["model", "component"])

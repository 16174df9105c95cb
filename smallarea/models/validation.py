"""Province-grouped cross-validation of models that give draws, scored on held-out counts.

What is held out are reports, not rates: a model is judged by the probability its draws give to
the reports that came (negative binomial around rate x exposure, with the survey's design
effect), by its squared error net of sampling variance, and by how often its intervals cover.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln, logsumexp
from sklearn.base import clone

from smallarea.errors import InputError
from smallarea.models.counts import check_areas, rows

if TYPE_CHECKING:
    from smallarea.models.candidates import Candidate
    from smallarea.nsum.municipal import Direct

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CrossValidation:
    """Out-of-fold draws and what they score.

    Attributes
    ----------
    draws : model -> draws of reported rates (component, area_id, draw) of the surveyed areas,
        each area's from fits that saw no area of its province.
    log_scores : log predictive density of the held-out reports; index (area_id, component) of
        areas with exposure, one column per model.
    fold, province : of each surveyed area.
    scores : one row per model and component (and ``all``): ``log_score`` summed over areas,
        ``gain`` over the baseline with its province-clustered standard error ``gain_se``,
        ``rmse_net`` (precision-weighted error of the rate net of its sampling variance, over the
        national rate), and the shares of held-out reports in central intervals.
    """

    draws: dict[str, xr.DataArray]
    log_scores: pd.DataFrame
    fold: pd.Series
    province: pd.Series
    scores: pd.DataFrame


def cross_validate(
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    *,
    folds: int = 5,
    n: int = 500,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> CrossValidation:
    """Fit every model without each fold's provinces in turn and score it on their reports.

    Parameters
    ----------
    models : name -> candidate; the first is the baseline of ``gain``.
    X : features of all areas (area_id x feature). areas : the frame's table.
    folds : groups of whole provinces, balanced by exposure. n : draws per model.
    progress : called before every fit with what it is and the share of fits done.

    Raises
    ------
    InputError : areas missing from `X` or `areas`, or surveyed areas in a single province.
    """
    check_areas(X, direct, areas)
    surveyed = direct.reports.index
    province = areas["province_id"].loc[surveyed]
    fold = province_folds(province, direct.exposure.sum(axis=1), folds, seed)
    draws: dict[str, xr.DataArray] = {}
    for position, (name, model) in enumerate(models.items()):
        parts = []
        for k in range(fold.nunique()):
            if progress:
                share = (position + k / fold.nunique()) / len(models)
                progress(f"{name} without fold {k + 1} of {fold.nunique()}", share)
            held_out = surveyed[fold == k]
            own = model.select(X)
            fitted = clone(model.estimator).fit(own, rows(direct, surveyed[fold != k]), areas)
            parts.append(fitted.draws(own.loc[held_out], areas, n, seed + k))
        draws[name] = xr.concat(parts, "area_id", combine_attrs="drop").sel(area_id=list(surveyed))
    seen = (direct.exposure > 0) & direct.reports.notna()
    log_scores = pd.DataFrame(
        {name: _long(log_density(d, direct).where(seen)) for name, d in draws.items()}
    )
    scores = _summary(draws, log_scores, direct, province, seed)
    return CrossValidation(draws, log_scores, fold, province, scores)


def province_folds(province: pd.Series, exposure: pd.Series, folds: int, seed: int) -> pd.Series:
    """Return each area's fold: whole provinces, dealt so that folds have like exposure.

    Provinces go, largest first (in an order shaken by `seed`), to the fold with least so far.
    """
    size = exposure.groupby(province).sum()
    if len(size) < 2:
        raise InputError(
            "all surveyed areas are in one province",
            where="cross-validation",
            remedy="survey at least two provinces, or name smaller groups as provinces",
        )
    rng = np.random.default_rng(seed)
    order = (size.sort_index() * rng.uniform(0.5, 1.5, len(size))).sort_values(ascending=False)
    total = np.zeros(min(folds, len(size)))
    fold = {}
    for name in order.index:
        fold[name] = int(np.argmin(total))
        total[fold[name]] += size[name]
    return province.map(fold).rename("fold")


def log_density(draws: xr.DataArray, direct: Direct) -> pd.DataFrame:
    """Return the log of the mean over draws of the density of reports, area_id x component."""
    y, mu, deff = _predictive(draws, direct)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = mu / (deff - 1)
        log_p = np.where(
            deff > 1.001,
            gammaln(y + r) - gammaln(r) - r * np.log(deff) + y * np.log1p(-1 / deff),
            y * np.log(mu) - mu,
        )
    value = logsumexp(log_p - gammaln(y + 1), axis=2) - np.log(mu.shape[2])
    return pd.DataFrame(value.T, direct.reports.index, direct.reports.columns)


def transform_to_uniform(draws: xr.DataArray, direct: Direct, seed: int) -> pd.DataFrame:
    """Return randomised probability integral transforms of the reports, area_id x component.

    Uniform where the predictive distribution is right (Czado, Gneiting & Held 2009).
    """
    y, mu, deff = _predictive(draws, direct)
    r = mu / np.maximum(deff - 1, 1e-3)
    p = 1 / np.maximum(deff, 1.001)
    at, below = (stats.nbinom.cdf(np.floor(y) - step, r, p).mean(2) for step in (0, 1))
    u = np.random.default_rng(seed).uniform(size=at.shape)
    value = below + u * (at - below)
    return pd.DataFrame(value.T, direct.reports.index, direct.reports.columns)


def _predictive(draws: xr.DataArray, direct: Direct) -> tuple[Array, Array, Array]:
    """Return reports, expected reports and design effect, aligned: (component, area, draw)."""
    aligned = draws.sel(component=list(direct.reports), area_id=list(direct.reports.index))
    y = direct.reports.to_numpy().T[:, :, None]
    mu = aligned.to_numpy() * direct.exposure.to_numpy().T[:, :, None]
    return y, mu, direct.deff.reindex(direct.reports.columns).to_numpy()[:, None, None]


def _long(table: pd.DataFrame) -> pd.Series:
    """Return the values of area_id x component that are not missing, indexed by both."""
    index = pd.MultiIndex.from_product([table.index, table.columns], names=["area_id", "component"])
    return pd.Series(table.to_numpy().ravel(), index).dropna()


def clustered_sum(values: pd.Series, province: pd.Series) -> tuple[float, float]:
    """Return the sum of values by (area_id, component) and its province-clustered error."""
    area_id = values.index.get_level_values("area_id")
    by_province = values.groupby(province.loc[area_id].to_numpy()).sum()
    count = len(by_province)
    spread = by_province.std(ddof=1) if count > 1 else np.inf
    return float(by_province.sum()), float(np.sqrt(count) * spread)


def _summary(
    draws: dict[str, xr.DataArray],
    log_scores: pd.DataFrame,
    direct: Direct,
    province: pd.Series,
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
        uniform = uniform.where(direct.exposure > 0)
        for component in [*direct.reports, "all"]:
            chosen = list(direct.reports) if component == "all" else [component]
            own = log_scores[name][log_scores.index.isin(chosen, level="component")]
            gain, gain_se = clustered_sum(own - baseline.loc[own.index], province)
            net = relative[chosen].sum().mean()
            off = (_long(uniform[chosen]) - 0.5).abs()
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

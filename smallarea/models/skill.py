"""Scores of predictions whose targets are noisy counts, each with the replicates of its interval.

A score takes `weights` of areas, (1 + replicates, areas) from `group_weights`, and returns its
value under each row of them, (1 + replicates, components): the first row is the score itself, the
others are those of surveys whose groups were drawn anew. Tables are area_id x component, NaN where
nothing was observed.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import rankdata

from smallarea.models.scores import predictive
from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

TOP = 0.2  # share of the areas in `top_share`
_GRID = np.linspace(0, 1, 101)
_SIMULATED = 400  # surveys behind `reliability`


def group_weights(group: pd.Series, replicates: int, seed: int) -> Array:
    """Return how often each area counts: once, then as its group is drawn with replacement.

    group : of each area, which are sorted by area_id; groups are drawn as they are, whole.
    """
    codes, names = pd.factorize(group.astype(str), sort=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), replicates
    )
    return np.vstack([np.ones(len(group)), drawn[:, codes]])


def total(table: pd.DataFrame, weights: Array) -> Array:
    """Return the sum of what is not missing."""
    return weights @ table.fillna(0.0).to_numpy(float)


def mean(table: pd.DataFrame, weights: Array) -> Array:
    """Return the mean of what is not missing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return total(table, weights) / (weights @ table.notna().to_numpy(float))


def crps(draws: xr.DataArray, direct: Direct, seed: int) -> pd.DataFrame:
    """Return the continuous ranked probability score of each count of reports; 0 is best.

    A count is drawn from the negative binomial around every draw of the rate; with n of them, x,
    the score is mean |x - y| - sum |x_i - x_j| / (2 n (n - 1)), the second sum by sorting (the fair
    form of Ferro 2014, unbiased whatever n). In reports, so comparable only within a component.
    """
    y, mu, deff = predictive(draws, direct)
    mu = np.nan_to_num(mu)
    rng = np.random.default_rng(seed)
    extra = np.broadcast_to(deff - 1, mu.shape)
    shape = mu / np.maximum(extra, 1e-3)
    rate = np.where(extra > 1e-3, rng.gamma(shape) * extra, mu)
    x = np.sort(rng.poisson(rate), axis=2).astype(float)
    n = x.shape[2]
    spread = x @ (2 * np.arange(1, n + 1) - n - 1) / (n * (n - 1))
    value = np.abs(x - y).mean(axis=2) - spread
    table = pd.DataFrame(value.T, direct.reports.index, direct.reports.columns)
    return table.where(direct.exposure > 0)


def covered(below: pd.DataFrame, at: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return the chance that the transform of each count lies in the central interval.

    below, at : see `pit_bounds`; the number drawn between them is averaged over, not drawn. Counts
    that are nearly sure to be 0 come close to any share, so that few reports tell little.
    """
    low, high = (1 - share) / 2, (1 + share) / 2
    width = (at - below).clip(lower=1e-12)
    return ((at.clip(upper=high) - below.clip(lower=low)).clip(lower=0) / width).where(at.notna())


def pit_curve(below: pd.DataFrame, at: pd.DataFrame, weights: Array) -> Array:
    """Return the mean distribution function of transforms on 0, 0.01, ..., 1.

    (1 + replicates, components, 101): the diagonal, where predictions are right. Without random
    numbers (the non-randomised transform of Czado, Gneiting & Held 2009).
    """
    curves = []
    for k in at:
        known = at[k].notna().to_numpy()
        low, high = below[k].to_numpy()[known, None], at[k].to_numpy()[known, None]
        steps = np.clip((_GRID - low) / np.maximum(high - low, 1e-12), 0, 1)
        own = weights[:, known]
        with np.errstate(invalid="ignore"):
            curves.append(own @ steps / own.sum(axis=1, keepdims=True))
    return np.stack(curves, axis=1)


def pit_distance(curve: Array) -> Array:
    """Return Kolmogorov's distance of transforms from uniform; replicates lie above the score."""
    return np.abs(curve - _GRID).max(axis=-1)


def error_net(predicted: pd.DataFrame, direct: Direct, weights: Array) -> Array:
    """Return the root mean squared error beyond sampling variance, in national rates.

    Weighted by precision; negative (of the root of the amount) where errors are smaller than
    sampling alone would make them, which chance does to models that are nearly right.
    """
    precision = 1 / direct.variance.where(direct.variance > 0)
    national = direct.reports.sum() / direct.exposure.sum()
    excess = precision * (direct.rate - predicted) ** 2 - precision * direct.variance
    scale = (precision * national**2).where(excess.notna())
    with np.errstate(invalid="ignore", divide="ignore"):
        square = total(excess, weights) / total(scale, weights)
    return np.sign(square) * np.sqrt(np.abs(square))


def top_share(
    predicted: pd.DataFrame, amount: pd.DataFrame, exposure: pd.DataFrame, weights: Array
) -> Array:
    """Return the share of an amount in the fifth of areas with the highest predictions.

    With the reports as `amount`, the share found; with the exposure, what a random fifth of as many
    people would hold. The area on the border counts in part.
    """
    found = np.full((len(weights), predicted.shape[1]), np.nan)
    for j, k in enumerate(map(str, predicted)):
        rate = predicted[k].where((exposure[k] > 0) & amount[k].notna()).dropna()
        order = rate.sort_values(ascending=False, kind="stable").index
        own = weights[:, predicted.index.get_indexer(order)]
        before = np.cumsum(own, axis=1) - own
        room = TOP * own.sum(axis=1, keepdims=True) - before
        inside = np.clip(room, 0, own)
        value = amount[k].loc[order].to_numpy(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[:, j] = (inside @ value) / (own @ value)
    return found


def rank_correlation(predicted: pd.DataFrame, observed: pd.DataFrame, weights: Array) -> Array:
    """Return Spearman's correlation of predicted with observed rates; NaN where one is constant."""
    found = np.full((len(weights), predicted.shape[1]), np.nan)
    for j, k in enumerate(predicted):
        known = (observed[k].notna() & predicted[k].notna()).to_numpy()
        own = weights[:, known]
        one, other = (_ranks(t[k].to_numpy()[known], own) for t in (predicted, observed))
        with np.errstate(invalid="ignore", divide="ignore"):
            share = own / own.sum(axis=1, keepdims=True)
            one, other = (r - (share * r).sum(1, keepdims=True) for r in (one, other))
            scale = np.sqrt((share * one**2).sum(1) * (share * other**2).sum(1))
            found[:, j] = (share * one * other).sum(1) / np.where(scale > 1e-9, scale, np.nan)
    return found


def reliability(direct: Direct, seed: int) -> pd.Series:
    """Return, by component, the reliability of observed rates as far as their ranks go.

    It is the square of the rank correlation that true rates have with observed ones: a prediction
    that knew the truth would reach its root. True rates are taken for gamma distributed about the
    national one with the spread that reports show beyond sampling (by moments); surveys of the same
    exposure and design effect are simulated. NaN where the spread could be sampling alone (at 5 %):
    then nobody can tell how well ranks are predicted.
    """
    rng, found = np.random.default_rng(seed), {}
    for k in map(str, direct.reports):
        known = (direct.exposure[k] > 0) & direct.reports[k].notna()
        y, exposure = (t[k][known].to_numpy(float) for t in (direct.reports, direct.exposure))
        deff = float(direct.deff[k])
        expected = y.sum() / exposure.sum() * exposure
        found[k] = np.nan
        if y.sum() == 0:
            continue
        flat = _counts(np.tile(expected, (_SIMULATED, 1)), deff, rng)
        spread = _spread(y[None], exposure, deff)[0]
        if spread <= np.quantile(_spread(flat, exposure, deff), 0.95):
            continue
        true = rng.gamma(1 / spread, spread, (_SIMULATED, len(y)))
        seen = _counts(true * expected, deff, rng) / exposure
        one, other = (rankdata(v, axis=1) - (len(y) + 1) / 2 for v in (true, seen))
        scale = np.sqrt((one**2).sum(1) * (other**2).sum(1))
        found[k] = float(((one * other).sum(1) / np.maximum(scale, 1e-9)).mean() ** 2)
    return pd.Series(found)


def together(direct: Direct, predicted: pd.DataFrame) -> tuple[Direct, pd.DataFrame]:
    """Return all components as one, `all`: reports per report expected at the national rates.

    predicted : rates relative to the national ones; returned is their mean, weighted by expected
    reports. The variance is missing; components count as independent given the rates.
    """
    known = direct.reports.notna() & (direct.exposure > 0)
    expected = (direct.exposure * direct.reports.sum() / direct.exposure.sum()).where(known)
    reports = direct.reports.where(known).sum(axis=1).to_frame("all")
    exposure = expected.sum(axis=1).to_frame("all")
    share = direct.reports.sum() / max(direct.reports.to_numpy().sum(), 1.0)
    deff = pd.Series({"all": max(float((direct.deff * share).sum()), 1.0)})
    value = (predicted * expected).sum(axis=1).to_frame("all") / exposure.where(exposure > 0)
    return Direct(reports, exposure, exposure * np.nan, deff), value


def over_components(values: Array) -> Array:
    """Return the mean over the components (second axis) that have a value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(values, axis=1))


def _counts(expected: Array, deff: float, rng: np.random.Generator) -> Array:
    if deff > 1.001:
        expected = rng.gamma(expected / (deff - 1)) * (deff - 1)
    return rng.poisson(expected).astype(float)


def _spread(y: Array, exposure: Array, deff: float) -> Array:
    """Return the squared coefficient of variation of true rates, by moments; y (surveys, areas)."""
    expected = y.sum(1, keepdims=True) / exposure.sum() * exposure
    excess = (y - expected) ** 2 - deff * expected
    return excess.sum(1) / np.maximum((expected**2).sum(1), 1e-300)


def _ranks(values: Array, weights: Array) -> Array:
    """Return weighted midranks, (replicates, areas): half of what ties with it, all below it."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(values[order]) > 0])
    tied = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(tied, axis=1) - tied / 2
    which = np.empty(len(values), dtype=np.intp)
    which[order] = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(values)]))
    return middle[:, which]

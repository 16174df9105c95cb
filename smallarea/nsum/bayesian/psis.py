"""Pareto-smoothed importance sampling of many cells at once (Vehtari et al. 2024).

ArviZ smooths one cell after another; a survey has tens of thousands. Same numbers, whole arrays.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

_LEAST = float(np.log(np.finfo(float).tiny))
_BLOCK = 2_000_000  # numbers in a temporary array


def smoothed(log_ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return normalised, smoothed log weights (cell, draw) and each cell's Pareto k.

    The largest 3 sqrt(S) of S ratios (at most a fifth) give way to quantiles of the generalised
    Pareto distribution fitted to them. With four or fewer different ones there is nothing to fit:
    k is infinite and the ratios stay.
    """
    x = log_ratios - log_ratios.max(axis=1, keepdims=True)
    draws = x.shape[1]
    length = int(np.ceil(min(draws / 5, 3 * draws**0.5)))
    k = np.full(len(x), np.inf)
    if length < draws:
        order = np.argpartition(x, draws - length - 1, axis=1)[:, draws - length - 1 :]
        top = np.take_along_axis(x, order, axis=1)
        by_size = np.argsort(top, axis=1)
        order, top = (np.take_along_axis(a, by_size, axis=1) for a in (order, top))
        cutoff = np.maximum(top[:, :1], _LEAST)
        sizes = (top[:, 1:] > cutoff).sum(axis=1)  # less than `length` where ratios tie
        for size in np.unique(sizes[sizes > 4]):
            rows = np.flatnonzero(sizes == size)
            cells = max(1, int(_BLOCK // (size * (30 + int(size**0.5)))))
            for some in np.array_split(rows, -(-len(rows) // cells)):
                base = np.exp(cutoff[some])
                k[some], tail = _fitted(np.exp(top[some, -size:]) - base)
                new = np.minimum(np.log(tail + base), 0.0)
                new = np.where(np.isfinite(k[some])[:, None], new, top[some, -size:])
                x[some[:, None], order[some, -size:]] = new
    return x - logsumexp(x, axis=1, keepdims=True), k


def _fitted(tail: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pareto k and the quantiles that replace each row of excesses, sorted (Zhang & Stephens 2009).

    The shape is shrunk towards 1/2 as ten observations would.
    """
    n = tail.shape[1]
    m = 30 + int(n**0.5)
    grid = 1 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    with np.errstate(all="ignore"):  # a cell that cannot be fitted is NaN, and kept as it is
        b = grid / (3 * tail[:, int(n / 4 + 0.5) - 1, None]) + 1 / tail[:, -1:]
        shape = np.log1p(-b[:, :, None] * tail[:, None, :]).mean(axis=2)
        likelihood = n * (np.log(-b / shape) - shape - 1)
        weight = np.exp(likelihood - logsumexp(likelihood, axis=1, keepdims=True))
        weight = np.where(weight >= 10 * np.finfo(float).eps, weight, 0.0)
        best = np.where(weight > 0, b, 0.0) * weight
        best = best.sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
        k = np.log1p(-best * tail).mean(axis=1, keepdims=True)
        sigma = -k / best
        k = (n * k + 5) / (n + 10)
        below = np.log1p(-(np.arange(0.5, n) / n))
        small = np.abs(k) < np.finfo(float).eps
        quantile = np.where(small, -below, np.expm1(-k * below) / np.where(small, 1.0, k)) * sigma
    return k[:, 0], np.where(sigma > 0, quantile, np.nan)

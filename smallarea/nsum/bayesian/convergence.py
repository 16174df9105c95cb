"""R-hat and effective sample size of Markov chains (Vehtari et al. 2021), as ArviZ has them.

ArviZ draws in a plotting library and compiles code when it is imported, which costs more than the
fast profile's figures do; these few functions do not.
"""

from __future__ import annotations

import numpy as np
from scipy import special, stats


def rhat(draws: np.ndarray) -> float:
    """Return the rank-normalised split R-hat, the larger of bulk and tail, of (chain, draw)."""
    if draws.shape[0] < 2 or draws.shape[1] < 4 or not np.isfinite(draws).all():
        return float("nan")
    halves = _halves(draws)
    return max(_plain_rhat(_z(halves)), _plain_rhat(_z(np.abs(halves - np.median(halves)))))


def ess(draws: np.ndarray) -> float:
    """Return the effective sample size of (chain, draw): the smaller of bulk and tail (5, 95 %)."""
    if draws.shape[1] < 4 or not np.isfinite(draws).all():
        return float("nan")
    tails = [draws <= np.quantile(draws, p) for p in (0.05, 0.95)]
    return min(_plain_ess(v) for v in (_z(_halves(draws)), *(_halves(t * 1.0) for t in tails)))


def _halves(draws: np.ndarray) -> np.ndarray:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _z(draws: np.ndarray) -> np.ndarray:
    rank = stats.rankdata(draws).reshape(draws.shape)
    return special.ndtri((rank - 3 / 8) / (draws.size + 1 / 4))


def _plain_rhat(draws: np.ndarray) -> float:
    n = draws.shape[1]
    between, within = n * draws.mean(axis=1).var(ddof=1), draws.var(axis=1, ddof=1).mean()
    with np.errstate(all="ignore"):  # chains that never moved have no R-hat
        return float(np.sqrt((between / within + n - 1) / n))


def _plain_ess(draws: np.ndarray) -> float:
    """Effective sample size by Geyer's initial monotone sequence of paired autocorrelations."""
    chains, n = draws.shape
    if np.ptp(draws) < np.finfo(float).resolution:
        return float(draws.size)
    away = draws - draws.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(away, 2 * n, axis=1)) ** 2
    covariance = np.fft.irfft(spectrum, axis=1)[:, :n].mean(axis=0) / n
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + (draws.mean(axis=1).var(ddof=1) if chains > 1 else 0.0)
    rho = 1 - (within - covariance) / total
    rho[0] = 1.0
    pairs = rho[: n // 2 * 2].reshape(-1, 2)[: max(1, (n - 1) // 2)]
    stop = np.flatnonzero(pairs.sum(axis=1) <= 0)
    last = int(stop[0]) if len(stop) else len(pairs) - 1
    kept = np.minimum.accumulate(pairs[:last].sum(axis=1))
    time = -1 + 2 * kept.sum() + max(pairs[last, 0], 0.0)
    return float(draws.size / max(time, 1 / np.log10(draws.size)))

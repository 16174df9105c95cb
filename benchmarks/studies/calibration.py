"""Simulation-based calibration (Talts et al. 2018): are ranks of the truth uniform?"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

RANKED = 99  # posterior draws, thinned, among which the truth is ranked


def rank(draws: np.ndarray, truth: float) -> int:
    """Rank of the truth, 0 to 99, among 99 of the draws, evenly spaced over all chains."""
    thin = np.linspace(0, len(draws) - 1, RANKED).astype(int)
    return int((draws[thin] < truth).sum())


def uniformity(ranks: list[int]) -> dict[str, Any]:
    """Histogram of ranks in ten bins, and the p-value of a chi-squared test of flatness."""
    counts = np.bincount(np.array(ranks) * 10 // (RANKED + 1), minlength=10)
    return {"histogram": counts.tolist(), "p": round(float(stats.chisquare(counts).pvalue), 4)}

"""The shift on the logit scale that makes rates of areas add up to a total, draw by draw."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from smallarea.errors import InputError

_BELOW_ONE = np.nextafter(1.0, 0.0)


def uncertainty(variance: np.ndarray, inside: np.ndarray, weight: str) -> np.ndarray:
    """v_a, scaled to a median of 1 over the covered areas; uncovered ones capped at their max."""
    if weight == "flat":
        return np.ones_like(variance)
    if weight != "variance":
        raise InputError(
            f"unknown weight '{weight}'", where="weight", remedy="use 'variance' or 'flat'"
        )
    largest = variance[inside].max()
    if not largest > 0:
        raise InputError(
            "the rates do not vary between draws, so there is no variance to weight by",
            where="rates",
            remedy="give posterior draws, or use weight='flat'",
        )
    typical = np.median(variance[inside])
    return np.minimum(variance, largest) / (typical if typical > 0 else largest)


def close(
    rates: np.ndarray, v: np.ndarray, size: np.ndarray, total: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shift rates (draw, area) onto `total` (draw,); return lambda and rates (area, draw)."""
    eta = logit(rates)
    lam = solve_shift(eta[:, inside], v[inside], size[inside], total)
    moved = expit(eta + lam[:, None] * v)
    # What Newton left (at most 1e-12 of the total) is spread in proportion.
    moved[:, inside] *= (total / (moved[:, inside] @ size[inside]))[:, None]
    return lam, np.clip(moved, np.finfo(float).tiny, _BELOW_ONE).T


def solve_shift(
    eta: np.ndarray, v: np.ndarray, size: np.ndarray, total: np.ndarray, rtol: float = 1e-12
) -> np.ndarray:
    """Solve sum_a size_a * expit(eta_sa + lambda_s * v_a) = total_s for every draw s at once.

    Newton's method on logit(sum / population), which is linear in lambda when areas are alike,
    with a bracket to bisect in whenever a step leaves it. eta is (draw, area), v >= 0 and
    size >= 0 are (area,), total is (draw,); returns lambda, shape (draw,).
    """
    population = size.sum()
    target = logit(total / population)
    lam, low, high = np.zeros_like(total), np.full_like(total, -np.inf), np.full_like(total, np.inf)
    active = np.arange(total.size)
    for _ in range(200):
        at = lam[active]
        p = expit(eta[active] + at[:, None] * v)
        reached = p @ size
        far = np.abs(reached - total[active]) > rtol * total[active]
        if not far.any():
            return lam
        active, at, p, reached = active[far], at[far], p[far], reached[far]
        above = reached > total[active]
        high[active[above]], low[active[~above]] = at[above], at[~above]
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = ((p * (1 - p)) @ (size * v)) * population / (reached * (population - reached))
            step = at - (logit(reached / population) - target[active]) / slope
        middle = _between(low[active], high[active])
        outside = ~((step > low[active]) & (step < high[active]))
        lam[active] = np.where(outside, middle, step)
    raise InputError(
        f"{active.size} draws cannot reach their national total",
        where="totals",
        remedy="areas with posterior variance must be able to make up the total",
    )


def _between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Halve a bracket; where one end is open, go on from the other in growing steps."""
    with np.errstate(invalid="ignore"):
        middle = (low + high) / 2
        down, up = high - 2 - 2 * np.abs(high), low + 2 + 2 * np.abs(low)
    return np.where(np.isinf(low), down, np.where(np.isinf(high), up, middle))

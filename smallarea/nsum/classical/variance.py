"""Design-based variance of survey totals: rescaled bootstrap and linearisation.

Both treat the first sampling stage as with replacement: primary sampling units (PSUs) within a
stratum are independent, whatever happens inside them. Without PSUs every respondent is one;
without strata there is one. Everything works on PSU totals, so a replicate is one row of a
matrix product, never a loop over respondents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp

from smallarea.errors import InputError

_BLOCK = 4_000_000  # cells of the multiplicity matrix held at a time


@dataclass(frozen=True)
class Clusters:
    """Respondents in PSUs in strata.

    respondent : sparse 0/1, shape (n_psu, n). stratum : code of each PSU's stratum, shape
    (n_psu,), every stratum with at least two PSUs. collapsed : strata with a single PSU that
    were joined with a neighbour, because one PSU shows no variation.
    """

    respondent: sp.csr_array
    stratum: np.ndarray
    collapsed: tuple[str, ...] = ()

    def totals(self, values: np.ndarray) -> np.ndarray:
        """PSU totals, shape (n_psu, p), of respondents' values, shape (n, p)."""
        return self.respondent @ values


def clusters(design: pd.DataFrame) -> Clusters:
    """Read PSUs and strata from a survey's design (columns `psu` and `stratum`, both optional).

    A stratum with one PSU is joined with the next one in the order of their labels, the last
    with the one before it (collapsed strata, Wolter 2007, ch. 2.5): a little too wide, never
    zero.

    Raises
    ------
    InputError : fewer than two PSUs in all.
    """
    n = len(design)
    psu = np.arange(n) if design["psu"].isna().all() else pd.factorize(design["psu"])[0]
    n_psu = int(psu.max()) + 1
    if n_psu < 2:
        raise InputError(
            "one sampling unit shows no variation, so there is no standard error",
            where="survey",
            remedy="give two PSUs at least, or leave the PSU column out",
        )
    stratum, labels = np.zeros(n_psu, dtype=int), pd.Index(["all"])
    if design["stratum"].notna().all():
        codes, labels = pd.factorize(pd.Index(design["stratum"]), sort=True)
        stratum[psu] = codes
    size = np.bincount(stratum, minlength=len(labels))
    respondent = sp.csr_array((np.ones(n), (psu, np.arange(n))), shape=(n_psu, n))
    return Clusters(
        respondent, _collapse(size)[stratum], tuple(str(label) for label in labels[size == 1])
    )


def _collapse(size: np.ndarray) -> np.ndarray:
    """Return the stratum each stratum becomes, so that all have at least two PSUs."""
    joined = np.arange(len(size))
    pending = 0  # PSUs gathered so far in the open group
    group = 0
    for position, count in enumerate(size):
        joined[position] = group
        pending += int(count)
        if pending >= 2:
            group, pending = group + 1, 0
    if pending and group:
        joined[joined == group] = group - 1
    return joined


def bootstrap_totals(
    values: np.ndarray, design: pd.DataFrame, *, replicates: int = 1000, seed: int = 0
) -> np.ndarray:
    """Return bootstrap replicates of weighted totals, shape (replicates, p).

    The rescaled bootstrap (Rao & Wu 1988; Rao, Wu & Yue 1992): in each stratum draw n_h - 1 of
    the n_h PSUs with replacement and weight each by n_h / (n_h - 1) times how often it came up.
    Its variance is that of `total_covariance`, exactly, in expectation over the draws.

    Parameters
    ----------
    values : shape (n, p), no NaN (an unanswered cell adds 0).
    design : columns `weight`, `psu`, `stratum`, one row per row of `values`.
    """
    units = clusters(design)
    totals = units.totals(values * design["weight"].to_numpy(float)[:, None])
    rng = np.random.default_rng(seed)
    out = np.empty((replicates, values.shape[1]))
    block = max(1, _BLOCK // len(totals))
    for start in range(0, replicates, block):
        rows = slice(start, min(start + block, replicates))
        out[rows] = _multiplicities(units.stratum, rows.stop - rows.start, rng) @ totals
    return out


def _multiplicities(stratum: np.ndarray, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Rescaled multiplicities, shape (replicates, n_psu); each stratum's sum to its n_h."""
    out = np.empty((replicates, len(stratum)))
    for members in _members(stratum):
        n = len(members)
        drawn = rng.integers(n, size=(replicates, n - 1)) + n * np.arange(replicates)[:, None]
        times = np.bincount(drawn.ravel(), minlength=replicates * n).reshape(replicates, n)
        out[:, members] = times * (n / (n - 1))
    return out


def total_covariance(values: np.ndarray, design: pd.DataFrame) -> np.ndarray:
    """Return the covariance matrix, shape (p, p), of weighted totals.

    The with-replacement estimator between PSU totals within strata,
    sum_h n_h / (n_h - 1) sum_i (t_hi - mean_h)(t_hi - mean_h)'. Linearisation feeds it the
    residuals of a ratio in place of the values. Arguments as in `bootstrap_totals`.
    """
    units = clusters(design)
    totals = units.totals(values * design["weight"].to_numpy(float)[:, None])
    out = np.zeros((values.shape[1], values.shape[1]))
    for members in _members(units.stratum):
        spread = totals[members] - totals[members].mean(axis=0)
        out += len(members) / (len(members) - 1) * spread.T @ spread
    return out


def _members(stratum: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(stratum, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1)

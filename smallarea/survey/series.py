"""A series of surveys: an index of prevalence, its steps and its slope, reporting allowed to drift.

The reporting rate of wave t is unknown, and no draw can tell its drift from a change of prevalence.
It is stated as a random walk: log tau_t = log tau_(t-1) + N(0, drift^2 x time between them), from
the first wave on. With drift 0 reporting stayed what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from smallarea.errors import InputError

#: What is called a change: in a series without any, no step is called one with this probability.
SURE = 0.95


@dataclass(frozen=True)
class Path:
    """One quantity over the waves, after :func:`path`.

    index : row per wave; prevalence over that of the first: `ratio`, `q025`, `q10`, `q90`, `q975`.
    steps : row per pair (`earlier`, `later` in the index): the consecutive ones, and last the first
        to the last; the same columns, `p_decrease` and `verdict` (fell, rose, cannot tell).
    slope : relative change per unit of time, least squares on the log scale in each draw: `ratio`
        and quantiles, `p_decrease`.
    """

    index: pd.DataFrame
    steps: pd.DataFrame
    slope: pd.Series


def path(
    waves: Sequence[np.ndarray],
    times: Sequence[float],
    *,
    tau_drift: float = 0.0,
    correlation: float = 0.0,
    seed: int,
) -> Path:
    """Follow reported rates, draws (n,) of each wave, over time.

    Parameters
    ----------
    waves : draws of the reported rate; positive; they need not be as many. times : of the waves,
        rising. tau_drift : sd of the random walk of log tau over one unit of time.
    correlation : of the errors of neighbouring waves, from sampling units in both; between waves k
        apart it is that to the power of k. Draws are paired by their normal scores.

    Raises
    ------
    InputError : fewer than two waves, times that do not rise, a rate that is not positive, or a
        drift or correlation out of range.
    """
    _check(waves, times, tau_drift, correlation)
    rng = np.random.default_rng(seed)
    n, number = min(len(wave) for wave in waves), len(waves)
    lag = np.abs(np.subtract.outer(np.arange(number), np.arange(number)))
    cover = np.linalg.cholesky(float(correlation) ** lag)
    scores = cover @ rng.standard_normal((number, n))
    ranks = [stats.rankdata(row, method="ordinal") - 1 for row in scores]
    log_rate = np.array([
        np.sort(np.log(rng.permutation(wave)[:n]))[rank]
        for wave, rank in zip(waves, ranks, strict=True)
    ])  # fmt: skip
    gaps = np.diff(np.asarray(times, float))
    walk = np.cumsum(rng.normal(0, 1, (number - 1, n)) * tau_drift * np.sqrt(gaps)[:, None], axis=0)
    log_rate[1:] -= walk  # what tau gained, prevalence did not
    index = pd.DataFrame([_ratio(row - log_rate[0]) for row in log_rate])
    pairs = [(t, t + 1) for t in range(number - 1)] + [(0, number - 1)] * (number > 2)
    # Two-sided, and shared among the steps: no step is called a change by chance but in 5 %.
    bar = 1 - (1 - SURE) / 2 / len(pairs)
    rows = [_ratio(log_rate[b] - log_rate[a]) for a, b in pairs]
    labels = pd.MultiIndex.from_tuples(pairs, names=["earlier", "later"])
    steps = pd.DataFrame(rows, index=labels)
    fell = steps["p_decrease"]
    steps["verdict"] = np.select([fell > bar, fell < 1 - bar], ["fell", "rose"], "cannot tell")
    t = np.asarray(times, float) - np.mean(times)
    return Path(index, steps, pd.Series(_ratio(t @ log_rate / (t @ t))))


def _ratio(log_ratio: np.ndarray) -> dict[str, float]:
    levels = {"ratio": 0.5, "q025": 0.025, "q10": 0.1, "q90": 0.9, "q975": 0.975}
    quantiles = np.exp(np.quantile(log_ratio, list(levels.values())))
    fell = float((log_ratio < 0).mean())
    return dict(zip(levels, map(float, quantiles), strict=True)) | {"p_decrease": fell}


def _check(
    waves: Sequence[np.ndarray], times: Sequence[float], drift: float, correlation: float
) -> None:
    problem = ""
    if len(waves) < 2 or len(waves) != len(times):
        problem = "a series needs two waves or more, and a time for each"
    elif not (np.diff(np.asarray(times, float)) > 0).all():
        problem = "the times of the waves do not rise"
    elif not all(bool((wave > 0).all()) for wave in waves):
        problem = "a rate is missing or not positive"
    elif drift < 0 or not 0 <= correlation < 1:
        problem = f"drift {drift} or correlation {correlation} is out of range"
    if problem:
        raise InputError(
            problem,
            where="waves",
            remedy="give positive rates of waves in the order of their time, a drift of at least 0 "
            "and a correlation from 0 to below 1",
        )

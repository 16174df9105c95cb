"""The casework bridge: what cases known to the police say about the reporting rate tau.

A survey identifies reported rates w = tau * prevalence, never tau. Casework knows C_a of the N_a
cases of area a: C_a ~ BetaBinomial(N_a, detection), with N_a = w_a * population_a / tau. Together
they identify the *ratio* detection / tau and, because C_a <= N_a, a weak ceiling on tau. The level
of tau therefore comes from the stated prior for detection: moving that prior by a factor moves tau
by the same factor and every total by its inverse. Nothing here hides that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from smallarea.errors import InputError
from smallarea.nsum.tau import TauPrior

_NODES = 24  # equal-probability points that stand for one area's posterior rate
_MINIMUM_ESS = 50.0


@dataclass(frozen=True)
class Detection:
    """Beta(a, b) prior for the share of true cases that casework knows, where operations ran.

    `area_cv` is the coefficient of variation of that share between areas (exact while the share
    is small). Cases and survey must speak of the same period; where casework has been gathered
    over more years than the survey's one, the share must be stated accordingly larger.
    """

    a: float
    b: float
    source: str
    area_cv: float = 0.5

    def __post_init__(self) -> None:
        if not (self.a > 0 and self.b > 0 and self.area_cv > 0):
            raise InputError(
                f"Beta({self.a}, {self.b}) with area_cv {self.area_cv} is no distribution",
                where="detection prior",
                remedy="give positive a, b and area_cv",
            )

    @classmethod
    def from_mean(cls, mean: float, cv: float, source: str, area_cv: float = 0.5) -> Detection:
        """The Beta prior with this mean and coefficient of variation."""
        size = (1 - mean) / (mean * cv**2) - 1 if 0 < mean < 1 and cv > 0 else -1.0
        return cls(mean * size, (1 - mean) * size, source, area_cv)


@dataclass(frozen=True)
class Bridge:
    """What casework says about tau.

    tau : the Beta closest (in Kullback-Leibler divergence) to tau's posterior.
    summary : mean, sd, q025, q50, q975 of tau, detection, their ratio (all that the data
        identify), and `tau_ceiling`, the largest tau the known cases allow; prior and posterior.
    areas : the areas used; reports, exposure, population, cases and their own ceiling on tau.
    left_out : area_ids with casework but without interviews.
    ess : effective number of importance draws.
    """

    tau: TauPrior
    summary: pd.DataFrame
    areas: pd.DataFrame
    left_out: list[str]
    ess: float


def casework_bridge(
    direct: Any,
    cases: pd.Series,
    population: pd.Series,
    components: Sequence[str],
    detection: Detection,
    *,
    overlap: float = 0.0,
    prior: tuple[float, float] = (1.0, 1.0),
    draws: int = 4000,
    seed: int = 0,
) -> Bridge:
    """Posterior of the reporting rate tau from areas that have both interviews and operations.

    Parameters
    ----------
    direct : direct estimates with `reports`, `exposure` (area_id x component) and `deff`.
    cases : people known to casework, indexed by area_id, areas with operations only.
    population : reference population of the components (children or adults), by area_id.
    components : hidden groups that together make up the cases, e.g. live and non-live victims.
    detection : prior for the share of true cases casework knows. The answer scales with it.
    overlap : share of the smaller component that is also in the larger (people, not reports).
    prior : Beta prior of tau before casework.

    Rates borrow strength through a gamma prior fitted to all surveyed areas by moments; draws
    of (mean rate, detection, tau) are importance-weighted, area rates are integrated out.

    Raises
    ------
    InputError : bad cases, no area in common, or cases and priors that cannot both be true.
    """
    _check(cases, overlap)
    reports, exposure, deff = _pooled(direct, components)
    used = cases.index.intersection(reports.index)
    if used.empty:
        raise InputError(
            f"none of the {len(cases)} areas with casework was surveyed",
            where="casework",
            remedy="show totals as a function of tau instead; nothing here can inform it",
        )
    known = cases.loc[used].to_numpy(float)
    seen, exposed = reports.loc[used].to_numpy() / deff, exposure.loc[used].to_numpy() / deff
    people = population.loc[used].to_numpy(float) * _union_share(direct, components, overlap)

    rng = np.random.default_rng(seed)
    mean_rate, spread = _gamma_prior(reports, exposure, deff)
    total = max(reports.sum() / deff, 0.5)
    mu = rng.gamma(total, mean_rate / total, draws)

    def rates(area: int) -> np.ndarray:  # (draws, nodes): posterior of one area's reported rate
        points = (np.arange(_NODES) + 0.5) / _NODES
        unit = special.gammaincinv(spread + seen[area], points)
        return unit / (spread / mu[:, None] + exposed[area])

    guess = np.array([rates(i).mean() for i in range(len(used))]) * people
    log_ratio = np.log((known.sum() + 0.5) / guess.sum())
    width = 2 * np.sqrt(1 / (known.sum() + 0.5) + detection.area_cv**2 / len(used) + 1 / total)
    ratio = stats.t(4, log_ratio, width)
    delta, tau, log_weight = _propose(rng, detection, prior, ratio, draws)
    for i in range(len(used)):
        cases_true = rates(i) * people[i] / tau[:, None]
        log_weight += _log_mean_exp(_log_beta_binomial(known[i], cases_true, delta, detection))
    weight = _normalise(log_weight)

    areas = pd.DataFrame(
        {
            "reports": reports.loc[used],
            "exposure": exposure.loc[used],
            "population": population.loc[used],
            "cases": known,
            "tau_ceiling": np.where(known > 0, guess / np.maximum(known, 1), np.inf).clip(max=1),
        },
        index=used,
    )
    ceiling = np.minimum(mu / mean_rate * guess.sum() / max(known.sum(), 0.5), 1.0)
    summary = pd.DataFrame(
        {
            "tau prior": _describe(rng.beta(*prior, draws)),
            "tau posterior": _describe(tau, weight),
            "detection prior": _describe(rng.beta(detection.a, detection.b, draws)),
            "detection posterior": _describe(delta, weight),
            "detection / tau": _describe(delta / tau, weight),
            "tau ceiling": _describe(ceiling),
        }
    ).T
    a, b = closest_beta(tau, weight)
    source = (
        f"casework in {len(used)} surveyed areas ({known.sum():.0f} cases, "
        f"{reports.loc[used].sum():.0f} reports) under the prior share detected "
        f"Beta({detection.a:g}, {detection.b:g}): {detection.source}"
    )
    left_out = cases.index.difference(used).tolist()
    return Bridge(TauPrior(a, b, source), summary, areas, left_out, float(1 / (weight**2).sum()))


def detection_sensitivity(
    direct: Any,
    cases: pd.Series,
    population: pd.Series,
    components: Sequence[str],
    detection: Detection,
    *,
    factors: Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0),
    **options: Any,
) -> pd.DataFrame:
    """The bridge again with the prior mean of detection multiplied by each factor.

    Returns one row per factor: the prior mean of detection and tau's median and 95 % interval.
    Factors that would put the mean at or above one are left out.
    """
    mean = detection.a / (detection.a + detection.b)
    cv = stats.beta(detection.a, detection.b).std() / mean
    rows = {}
    for factor in (f for f in factors if f * mean < 1):
        scaled = Detection.from_mean(
            factor * mean, min(cv, 0.9 * np.sqrt(1 / (factor * mean) - 1)), detection.source
        )
        scaled = replace(scaled, area_cv=detection.area_cv)
        bridge = casework_bridge(direct, cases, population, components, scaled, **options)
        row = bridge.summary.loc["tau posterior", ["q025", "q50", "q975"]]
        rows[factor] = {"detection_mean": factor * mean, **row.add_prefix("tau_")}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor")


def closest_beta(values: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float]:
    """Beta(a, b) closest to weighted draws in Kullback-Leibler divergence.

    It matches E[log tau] and E[log(1 - tau)], so that totals, which go as 1 / tau, are kept on
    the log scale. `values` strictly between 0 and 1.
    """
    log_t = np.average(np.log(values), weights=weight)
    log_1t = np.average(np.log1p(-values), weights=weight)

    def loss(log_ab: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = np.exp(log_ab)
        pull = special.digamma(a + b)
        slope = [a * (special.digamma(a) - pull - log_t), b * (special.digamma(b) - pull - log_1t)]
        return special.betaln(a, b) - a * log_t - b * log_1t, np.array(slope)

    mean = np.average(values, weights=weight)
    variance = np.average((values - mean) ** 2, weights=weight)
    size = max(mean * (1 - mean) / variance - 1, 0.1)
    start = np.log([mean * size, (1 - mean) * size])
    a, b = np.exp(optimize.minimize(loss, start, jac=True, method="BFGS").x)
    return float(a), float(b)


def _check(cases: pd.Series, overlap: float) -> None:
    if not cases.index.is_unique or not (cases >= 0).all():
        raise InputError(
            "cases must be counts, one row per area",
            where=f"casework, column '{cases.name}'",
            remedy="leave out areas without operations and correct negative or missing counts",
        )
    if not 0 <= overlap <= 1:
        raise InputError(
            f"overlap {overlap} is not a share", where="overlap", remedy="give a value from 0 to 1"
        )


def _pooled(direct: Any, components: Sequence[str]) -> tuple[pd.Series, pd.Series, float]:
    """Reports of all components, their common exposure, and their mean design effect."""
    names = list(components)
    reports = direct.reports[names].sum(axis=1, skipna=False)
    exposure = direct.exposure[names].mean(axis=1, skipna=False)
    seen = (exposure > 0) & reports.notna()
    weight = direct.reports[names].sum() + 0.5
    deff = float(np.average(direct.deff[names], weights=weight))
    return reports[seen], exposure[seen], max(deff, 1.0)


def _union_share(direct: Any, components: Sequence[str], overlap: float) -> float:
    """People in any component as a share of the components' sum."""
    totals = direct.reports[list(components)].sum()
    return float(1 - overlap * totals.min() / totals.sum()) if len(totals) > 1 else 1.0


def _gamma_prior(reports: pd.Series, exposure: pd.Series, deff: float) -> tuple[float, float]:
    """Mean and shape of area rates: moments of overdispersed counts (Clayton & Kaldor 1987)."""
    mean = max(reports.sum(), 0.5) / exposure.sum()
    expected = mean * exposure
    excess = ((reports - expected) ** 2 - deff * expected).sum() / (expected**2).sum()
    return float(mean), float(1 / np.clip(excess, 1e-3, None))


def _propose(
    rng: np.random.Generator,
    detection: Detection,
    prior: tuple[float, float],
    ratio: Any,
    draws: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw detection and tau: one from its prior, the other so that log(detection / tau) ~ `ratio`.

    Half the draws start from detection, half from tau. Returns detection, tau and the log of
    prior / proposal; pairs outside (0, 1) get no weight.
    """
    p_delta, p_tau = stats.beta(detection.a, detection.b), stats.beta(*prior)
    delta, tau = rng.beta(detection.a, detection.b, draws), rng.beta(*prior, draws)
    step = np.exp(ratio.rvs(draws, random_state=rng))
    first = rng.random(draws) < 0.5
    delta, tau = np.where(first, delta, tau * step), np.where(first, delta / step, tau)
    inside = (delta > 0) & (delta < 1) & (tau > 0) & (tau < 1)
    delta, tau = np.where(inside, delta, 0.5), np.where(inside, tau, 0.5)
    near = ratio.pdf(np.log(delta / tau))
    proposal = 0.5 * near * (p_delta.pdf(delta) / tau + p_tau.pdf(tau) / delta)
    log_weight = p_delta.logpdf(delta) + p_tau.logpdf(tau) - np.log(proposal)
    return delta, tau, np.where(inside, log_weight, -np.inf)


def _log_beta_binomial(
    known: float, true: np.ndarray, delta: np.ndarray, detection: Detection
) -> np.ndarray:
    """Log probability of `known` of `true` (real-valued) cases; -inf where known > true."""
    a = detection.area_cv**-2
    b = (a * (1 - delta) / delta)[:, None]
    rest = np.where(true >= known, true - known, 0.0)
    value = (
        special.gammaln(known + rest + 1)
        - special.gammaln(rest + 1)
        - special.gammaln(known + 1)
        + special.betaln(known + a, rest + b)
        - special.betaln(a, b)
    )
    return np.where(true >= known, value, -np.inf)


def _log_mean_exp(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return special.logsumexp(values, axis=1) - np.log(values.shape[1])


def _normalise(log_weight: np.ndarray) -> np.ndarray:
    peak = log_weight.max()
    weight = np.exp(log_weight - peak) if np.isfinite(peak) else np.zeros(len(log_weight))
    weight = weight / weight.sum() if weight.sum() > 0 else weight
    ess = 1 / (weight**2).sum() if weight.any() else 0.0
    if ess < _MINIMUM_ESS:
        raise InputError(
            f"cases, reports and priors hardly fit together ({ess:.0f} effective draws)",
            where="casework bridge",
            remedy="widen the prior for detection or its variation between areas",
        )
    return weight


def _describe(values: np.ndarray, weight: np.ndarray | None = None) -> dict[str, float]:
    weight = np.full(len(values), 1 / len(values)) if weight is None else weight
    mean = np.average(values, weights=weight)
    order = np.argsort(values)
    at = np.interp([0.025, 0.5, 0.975], np.cumsum(weight[order]) - weight[order] / 2, values[order])
    sd = np.sqrt(np.average((values - mean) ** 2, weights=weight))
    return {"mean": mean, "sd": sd, "q025": at[0], "q50": at[1], "q975": at[2]}

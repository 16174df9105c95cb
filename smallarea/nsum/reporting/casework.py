"""The casework bridge: what cases known to the police say about the reporting rate tau.

A survey identifies reported rates w = tau * prevalence, never tau. In areas with operations,
casework knows C of the N cases: C ~ Binomial(N, detection), N = sum_a w_a * population_a / tau.
Together they identify the *ratio* detection / tau and, because C <= N, a weak ceiling on tau. The
level of tau therefore comes from the stated prior for detection: moving that prior by a factor
moves tau by the same factor and every total by its inverse. Nothing here hides that.

Cases are pooled over the areas. That C_a <= N_a in each one would bound tau a little more, but
through the few areas where casework is richest and the survey poorest, and people are found
elsewhere than they live: those ceilings are shown, not imposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from smallarea.errors import InputError
from smallarea.nsum.reporting.tau import BetaPrior, TauPrior

_MINIMUM_ESS = 50.0
_FEWEST_TOLD = 3  # areas behind a published sum of cases or reports
_CV = np.linspace(0.05, 2.5, 50)


class Detection(BetaPrior):
    """Prior for the share of true cases that casework knows.

    The share is of all cases in the areas that have both interviews and operations, taken
    together: detection may differ between them in any way. Cases and survey must speak of the
    same period; where casework was gathered over more years than the survey's one, state a larger
    share.
    """

    about = "detection prior"


@dataclass(frozen=True)
class Bridge:
    """What casework says about tau.

    tau : the Beta closest (in Kullback-Leibler divergence) to tau's posterior.
    summary : mean, sd, q025, q50, q975 of tau, detection, their ratio (all that the data
        identify), and the `tau ceiling` that the known cases alone allow; prior and posterior.
    areas : the areas used: reports, exposure, population, cases, and `tau_ceiling`, the
        posterior mean of w_a * population_a over the cases, at most 1.
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
    components : hidden groups that together make up the cases, e.g. those of one sum.
    detection : prior for the share of true cases casework knows. The answer scales with it.
    overlap : share of the smaller component that is also in the larger (people, not reports).
    prior : Beta prior of tau before casework.

    Draws of (area rates, detection, tau) are importance-weighted by the probability of the cases;
    area rates borrow strength from each other, not from areas without operations: police work
    where there is more to find.

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
    rng = np.random.default_rng(seed)
    known = cases.loc[used].to_numpy(float)
    people = population.loc[used].to_numpy(float) * _union_share(direct, components, overlap)
    reported = people * _rates(
        reports.loc[used], exposure.loc[used], deff, draws, rng
    )  # (draws, areas)
    total = reported.sum(axis=1)
    delta, tau, log_weight = _propose(rng, detection, prior, known.sum(), total)
    log_weight += _log_binomial(known.sum(), total / tau, delta)
    weight = _normalise(log_weight)

    areas = pd.DataFrame(
        {
            "reports": reports.loc[used],
            "exposure": exposure.loc[used],
            "population": population.loc[used],
            "cases": known,
            "tau_ceiling": np.minimum(reported.mean(axis=0) / np.maximum(known, 1e-9), 1.0),
        },
        index=used,
    )
    summary = {
        "tau prior": _describe(rng.beta(*prior, draws)),
        "tau posterior": _describe(tau, weight),
        "detection prior": _describe(rng.beta(detection.a, detection.b, draws)),
        "detection posterior": _describe(delta, weight),
        "detection / tau": _describe(delta / tau, weight),
        "tau ceiling": _describe(np.minimum(total / max(known.sum(), 1e-9), 1.0)),
    }
    told = f" ({_told(known.sum())} cases, {_told(areas['reports'].sum())} reports)"
    told = told if len(used) >= _FEWEST_TOLD else ""
    source = (
        f"casework in {len(used)} surveyed areas{told} under the prior share detected "
        f"Beta({detection.a:g}, {detection.b:g}): {detection.source}"
    )
    return Bridge(
        tau=TauPrior(*closest_beta(tau, weight), source),
        summary=pd.DataFrame(summary).T,
        areas=areas,
        left_out=cases.index.difference(used).tolist(),
        ess=float(1 / (weight**2).sum()),
    )


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
    """Return the bridge again with the prior mean of detection multiplied by each factor.

    One row per factor: the prior mean of detection, and tau's median and 95 % interval. The
    coefficient of variation stays (as far as a Beta of that mean can have it); factors that would
    put the mean at or above one are left out; where cases, reports and priors hardly fit together,
    tau is NaN.
    """
    cv = stats.beta(detection.a, detection.b).std() / detection.mean
    rows = {}
    for factor in factors:
        mean = factor * detection.mean
        if mean >= 1:
            continue
        feasible = min(cv, 0.9 * np.sqrt(1 / mean - 1))
        scaled = Detection.from_mean(mean, feasible, detection.source)
        tau = pd.Series(np.nan, index=["q025", "q50", "q975"])
        try:
            bridge = casework_bridge(direct, cases, population, components, scaled, **options)
            tau = bridge.summary.T["tau posterior"].reindex(tau.index)
        except InputError:
            if factor == 1:
                raise
        rows[factor] = {"detection_mean": mean} | tau.add_prefix("tau_").to_dict()
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


def _rates(
    reports: pd.Series, exposure: pd.Series, deff: float, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Posterior draws of the areas' reported rates, (draws, areas).

    Gamma-Poisson on effective counts (Clayton & Kaldor 1987). The mean rate and the coefficient
    of variation between areas (half-normal prior of scale 1) are drawn once for all areas.
    """
    y, e = reports.to_numpy() / deff, exposure.to_numpy() / deff
    total = max(float(y.sum()), 0.5)
    mean = total / e.sum()
    shape = _CV**-2.0
    at = [
        special.gammaln(k + y) - special.gammaln(k) + k * np.log(k) - (k + y) * np.log(k + mean * e)
        for k in shape
    ]
    probability = special.softmax(np.sum(at, axis=1) - _CV**2 / 2)
    k = rng.choice(shape, (draws, 1), p=probability)
    mu = mean * rng.gamma(total, 1 / total, (draws, 1))
    return rng.gamma(k + y) / (k / mu + e)


def _propose(
    rng: np.random.Generator,
    detection: Detection,
    prior: tuple[float, float],
    known: float,
    reported: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw detection and tau so that the cases expected, detection * reported / tau, are likely.

    One of the two comes from its prior (half the draws from either), the other from a gamma draw
    of the cases expected. Returns detection, tau and the log of prior / proposal; pairs outside
    (0, 1) get no weight.
    """
    draws = len(reported)
    p_delta, p_tau = stats.beta(detection.a, detection.b), stats.beta(*prior)
    expected = stats.gamma(known + 0.5)
    step = expected.rvs(draws, random_state=rng) / reported
    delta, tau = rng.beta(detection.a, detection.b, draws), rng.beta(*prior, draws)
    first = rng.random(draws) < 0.5
    delta, tau = np.where(first, delta, tau * step), np.where(first, delta / step, tau)
    inside = (delta > 0) & (delta < 1) & (tau > 0) & (tau < 1)
    delta, tau = np.where(inside, delta, 0.5), np.where(inside, tau, 0.5)
    at = delta * reported / tau
    with np.errstate(divide="ignore", invalid="ignore"):
        log_near = expected.logpdf(at) + np.log(at)
        log_either = np.log(p_delta.pdf(delta) / tau + p_tau.pdf(tau) / delta)
        log_weight = p_delta.logpdf(delta) + p_tau.logpdf(tau) - log_near - log_either
    return delta, tau, np.where(inside, log_weight, -np.inf)


def _log_binomial(known: float, true: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Log probability of `known` out of `true` (real-valued) cases; -inf where known > true."""
    rest = np.where(true >= known, true - known, 0.0)
    value = special.gammaln(known + rest + 1) - special.gammaln(rest + 1)
    value += special.xlogy(known, share) + rest * np.log1p(-share)
    return np.where(true >= known, value, -np.inf)


def _normalise(log_weight: np.ndarray) -> np.ndarray:
    peak = log_weight.max()
    weight = np.exp(log_weight - peak) if np.isfinite(peak) else np.zeros(len(log_weight))
    weight = weight / weight.sum() if weight.any() else weight
    ess = 1 / (weight**2).sum() if weight.any() else 0.0
    if ess < _MINIMUM_ESS:
        raise InputError(
            f"cases, reports and priors hardly fit together ({ess:.0f} effective draws)",
            where="casework bridge",
            remedy="check the cases, or widen the prior for detection or that for tau",
        )
    return weight


def _told(number: float) -> str:
    """A number fit to publish: few reports could be traced to those who gave them."""
    return f"{number:.0f}" if number >= 10 else "fewer than 10"


def _describe(values: np.ndarray, weight: np.ndarray | None = None) -> dict[str, float]:
    weight = np.full(len(values), 1 / len(values)) if weight is None else weight
    mean = np.average(values, weights=weight)
    order = np.argsort(values)
    at = np.interp([0.025, 0.5, 0.975], np.cumsum(weight[order]) - weight[order] / 2, values[order])
    sd = np.sqrt(np.average((values - mean) ** 2, weights=weight))
    return {"mean": mean, "sd": sd, "q025": at[0], "q50": at[1], "q975": at[2]}

"""What a planned scale-up survey could tell: precision and power by simulating it many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from smallarea.errors import InputError


@dataclass(frozen=True)
class Plan:
    """A scale-up survey to be simulated.

    prevalence, tau : share of the reference population in the hidden group, and the share of
        known members that is reported. Only their product matters for precision.
    areas, take : areas with one PSU each, and interviews per PSU.
    degree, degree_sd : median and log sd of people known per respondent.
    area_sd, psu_sd : log sd of reported rates between areas, and between PSUs of an area.
    overdispersion : variance over mean of a respondent's reports, given degree and place.
    weight_effect : variance from unequal weights over that of equal ones (Kish's 1 + cv^2).
    known_share : the known groups' share of the reference population, from which degrees are
        estimated; None where degrees are observed (summation).
    """

    prevalence: float
    tau: float
    areas: int = 150
    take: int = 24
    degree: float = 200.0
    degree_sd: float = 0.6
    area_sd: float = 0.8
    psu_sd: float = 0.3
    overdispersion: float = 1.5
    weight_effect: float = 1.0
    known_share: float | None = None

    def __post_init__(self) -> None:
        shares = 0 < self.prevalence <= 1 and 0 < self.tau <= 1
        if not (shares and min(self.overdispersion, self.weight_effect) >= 1 and self.degree > 0):
            raise InputError(
                f"prevalence {self.prevalence}, tau {self.tau}, degree {self.degree}, "
                f"overdispersion {self.overdispersion}, weight effect {self.weight_effect}",
                where="survey plan",
                remedy="give shares above 0 and at most 1, a degree above 0, and an overdispersion "
                "and an effect of weights of at least 1",
            )


def simulate_plan(
    plan: Plan, *, simulations: int = 1000, seed: int | Sequence[int]
) -> dict[str, np.ndarray]:
    """Simulate the survey; every array is (simulations, areas).

    `rate` true reported rates of the areas (prevalence x tau, varying), `reports`, `degrees`
    (sum of the respondents' estimated degrees).

    Respondents' counts are negative binomial with variance proportional to the mean, so that the
    total of a PSU is again one. Unequal weights are taken as more of that variance.
    """
    rng = np.random.default_rng(seed)
    shape = (simulations, plan.areas)
    log_rate = rng.normal(-(plan.area_sd**2) / 2, plan.area_sd, shape)
    rate = plan.prevalence * plan.tau * np.exp(log_rate)
    psu = np.exp(rng.normal(-(plan.psu_sd**2) / 2, plan.psu_sd, shape))
    degrees = np.zeros(shape)
    for _ in range(plan.take):
        degrees += plan.degree * rng.lognormal(0.0, plan.degree_sd, shape)
    mean = degrees * rate * psu
    excess = plan.overdispersion * plan.weight_effect - 1
    reports = rng.poisson(rng.gamma(mean / excess, excess) if excess > 0 else mean)
    if plan.known_share is not None:
        degrees = rng.poisson(degrees * plan.known_share) / plan.known_share
    return {"rate": rate, "reports": reports, "degrees": degrees}


def nsum_power(
    plan: Plan,
    *,
    decreases: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5),
    level: float = 0.95,
    simulations: int = 1000,
    seed: int,
) -> pd.Series:
    """Precision of the national and the areas' estimates of a plan, tau taken as known.

    Returns
    -------
    Series: `reports` (mean number), `deff` (variance of the national rate over a Poisson
    count's), `national_cv`, `national_margin` (half-width of its 95 % interval, relative),
    `areas_without_report` (share), `area_error` and `area_error_shrunk` (relative RMSE of the
    direct and of the best linear estimate; the second knows the variances), and per decrease the
    `power_<percent>`: how often a second such survey finds it with a probability of decrease of
    at least `level`.

    Uncertainty about tau comes on top and no sample size removes it.
    """
    world = simulate_plan(plan, simulations=simulations, seed=seed)
    rate, reports, degrees = world["rate"], world["reports"], world["degrees"]
    nation = reports.sum(axis=1) / degrees.sum(axis=1)
    mean = plan.prevalence * plan.tau
    cv = float(nation.std(ddof=1) / mean)
    poisson = 1 / (mean * degrees.sum(axis=1).mean())
    direct = np.divide(reports, degrees, out=np.full(rate.shape, np.nan), where=degrees > 0)
    sampling = np.nanvar(direct - rate)
    pull = rate.var() / (rate.var() + sampling)
    shrunk = nation[:, None] + pull * (np.nan_to_num(direct, nan=mean) - nation[:, None])
    out = {
        "reports": reports.sum(axis=1).mean(),
        "deff": cv**2 / poisson,
        "national_cv": cv,
        "national_margin": stats.norm.ppf(0.975) * cv,
        "areas_without_report": (reports == 0).mean(),
        "area_error": np.sqrt(np.nanmean((direct - rate) ** 2)) / mean,
        "area_error_shrunk": np.sqrt(((shrunk - rate) ** 2).mean()) / mean,
    }
    for decrease in decreases:
        out[f"power_{100 * decrease:.0f}"] = power_of_change(decrease, cv, level=level)
    return pd.Series(out)


def power_of_change(
    decrease: float, cv: float, *, level: float = 0.95, correlation: float = 0.0
) -> float:
    """Probability that two surveys of this cv show a relative decrease with certainty `level`.

    correlation : of the two sampling errors, from PSUs visited in both waves. The log ratio is
    taken as normal and tau as unchanged.
    """
    sd = cv * np.sqrt(2 * (1 - correlation))
    return float(stats.norm.cdf(-np.log1p(-decrease) / sd - stats.norm.ppf(level)))

"""A posterior that keeps to the design: a Poisson likelihood to the power of 1 / design effect.

The barrier and the overdispersed models take one rate for all and weigh respondents by how precise
they take them to be. Where the reported rate goes with degree (on real indirect reports it falls),
that rate is neither the population's nor is its interval honest. A Poisson likelihood has the
score sum_i w_i (y_i - r d_i), whatever the answers' true distribution: its mode is the ratio of
sums, which is right as long as reports add up to acquaintances, however the rate goes with degree.
Raised to the power of 1 / design effect it is as wide as strata, PSUs, weights and overdispersion
make it (power posterior, sandwich: Bissiri, Holmes & Walker 2016; Ribatet, Cooley & Davison 2012).
With p(N) proportional to 1 / N it is a gamma distribution: nothing to sample or to converge. How it
covers: benchmarks/studies/nsum_power.py.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.nsum.classical.scale_up import ScaleUp
from smallarea.nsum.classical.variance import clusters
from smallarea.nsum.reporting.tau import TauPrior, divide_by_tau


def power_posterior(result: ScaleUp, *, draws: int = 4000, seed: int = 0) -> pd.DataFrame:
    """Draw the reported sizes of all groups, draw x group, in people, none above its population.

    The design effect is itself estimated, with as many degrees of freedom as there are PSUs less
    strata: each draw has its own. Groups are drawn independently of each other. A group nobody
    reported is exponential with 97.5 % below `ScaleUp.upper_bound`.
    """
    rng = np.random.default_rng(seed)
    units = clusters(result.design)
    freedom = max(len(units.stratum) - len(np.unique(units.stratum)), 1)
    estimate, error, bound = result.estimate, result.standard_error(), result.upper_bound()
    out = {}
    for group in result.reports.columns:
        most = float(result.scale[group])
        if not estimate[group] > 0:
            values = rng.exponential(bound[group] / -np.log(0.025), draws)
        else:
            spread = freedom / rng.chisquare(freedom, draws)
            shape = (estimate[group] / error[group]) ** 2 / spread if error[group] > 0 else np.inf
            values = estimate[group] * (rng.gamma(shape) / shape if error[group] > 0 else 1.0)
        out[group] = np.minimum(values, most) * np.ones(draws)
    return pd.DataFrame(out)


def power_summary(
    result: ScaleUp, prior: TauPrior | None, *, draws: int = 4000, seed: int = 0
) -> pd.DataFrame:
    """Summarise the sizes, divided by the reporting rate where it has a prior.

    Returns
    -------
    By group: mean, sd, q025, median, q975 in people; a moment that does not exist under the prior
    is NaN. Of a group nobody reported only q975 says anything, the others are 0.
    """
    sizes = power_posterior(result, draws=draws, seed=seed)
    if prior is not None:
        people = result.scale.astype(float)
        for group in sizes.columns:
            values = sizes[group].to_numpy()[None]
            sizes[group] = divide_by_tau(values, prior, float(people[group]), seed)[0]
    table = sizes.quantile([0.025, 0.5, 0.975]).T.set_axis(["q025", "median", "q975"], axis=1)
    table.insert(0, "mean", sizes.mean() if prior is None or prior.has_mean else np.nan)
    table.insert(1, "sd", sizes.std() if prior is None or prior.has_sd else np.nan)
    none = result.estimate == 0
    table.loc[none, ["mean", "q025", "median"]] = 0.0
    table.loc[none, "sd"] = np.nan
    if prior is None:
        table.loc[none, "q975"] = result.upper_bound()[none]
    return table

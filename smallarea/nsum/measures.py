"""A survey's measures from draws of its components: sums, rates per 1,000 and ratios."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from smallarea.errors import InputError
from smallarea.indicators import PER, Indicators
from smallarea.nsum.classical.scale_up import killworth
from smallarea.survey.ard import ARD


def indicator_draws(
    draws: pd.DataFrame, population: Mapping[str, float], indicators: Indicators
) -> pd.DataFrame:
    """Recompute every indicator draw by draw, so that sums, rates and ratios agree.

    Parameters
    ----------
    draws : draw x component, people. population : people of each reference population.

    Returns
    -------
    draw x indicator, in the order and units of `indicators.units`; a sum counts a person in
    several of its components in each. A ratio is NaN in a draw with nobody below the line.
    """
    absent = [c for c in indicators.components if c not in draws.columns]
    if absent:
        raise InputError(
            f"no draws of {', '.join(absent)}",
            where="indicators",
            remedy=f"the components are {', '.join(indicators.components)}",
        )
    counts = {c: draws[list(indicators.parts(c))].sum(axis=1) for c in indicators.counts}
    out = {}
    for name in indicators.units:
        if name in indicators.ratios:
            above, below = (counts[part] for part in indicators.ratios[name].of)
            out[name] = above / below.where(below > 0)
        elif name in indicators.rates:
            counted = indicators.rates[name]
            out[name] = PER * counts[counted] / population[indicators.reference[counted]]
        else:
            out[name] = counts[name]
    return pd.DataFrame(out)


def killworth_indicators(
    ard: ARD, indicators: Indicators, *, replicates: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Estimate the indicators in closed form, on the reported scale (tau = 1).

    Returns
    -------
    DataFrame by indicator: mean (the estimate), sd, q025, median, q975 (rescaled bootstrap; the
    components are resampled together) and unit.
    """
    result = killworth(ard, groups=list(indicators.components))
    people = {
        c.population: float(ard.groups.loc[name, "population"])  # type: ignore[arg-type]
        for name, c in indicators.components.items()
    }
    draws = indicator_draws(result.bootstrap(replicates=replicates, seed=seed), people, indicators)
    table = draws.quantile([0.025, 0.5, 0.975]).T.set_axis(["q025", "median", "q975"], axis=1)
    table.insert(
        0, "mean", indicator_draws(result.estimate.to_frame().T, people, indicators).iloc[0]
    )
    table.insert(1, "sd", draws.std())
    return table.assign(unit=pd.Series(indicators.units)).rename_axis("indicator")

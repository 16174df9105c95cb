"""The study's measures from draws of its four components: sums, rates per 1,000 and the ratio."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from smallarea.errors import InputError
from smallarea.indicators import COMPONENTS, REFERENCE, SUMS, UNITS
from smallarea.nsum.classical import killworth
from smallarea.survey.ard import ARD


def indicator_draws(draws: pd.DataFrame, population: Mapping[str, float]) -> pd.DataFrame:
    """Recompute every indicator draw by draw, so that sums, rates and the ratio agree.

    Parameters
    ----------
    draws : draw x component, people. population : people of each reference population
        (`children`, `adults`).

    Returns
    -------
    draw x indicator, in the order and units of `smallarea.indicators.UNITS`; live + non-live
    counts a person in both twice. The ratio is NaN in a draw without traffickers.
    """
    absent = [c for c in COMPONENTS if c not in draws.columns]
    if absent:
        raise InputError(
            f"no draws of {', '.join(absent)}",
            where="indicators",
            remedy=f"the four components are {', '.join(COMPONENTS)}",
        )
    counts = {c: draws[c] for c in COMPONENTS}
    counts |= {name: draws[list(parts)].sum(axis=1) for name, parts in SUMS.items()}
    out = {}
    for name in UNITS:
        base = name.removesuffix("_rate")
        if name == "ratio":
            below = counts["traffickers"]
            out[name] = counts["victims"] / below.where(below > 0)
        elif base != name:
            people = population[REFERENCE[SUMS.get(base, (base,))[0]]]
            out[name] = 1000 * counts[base] / people
        else:
            out[name] = counts[name]
    return pd.DataFrame(out)


def killworth_indicators(ard: ARD, *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Estimate the study's indicators in closed form, on the reported scale (tau = 1).

    Returns
    -------
    DataFrame by indicator: mean (the estimate), sd, q025, median, q975 (rescaled bootstrap; the
    components are resampled together) and unit.
    """
    result = killworth(ard, groups=list(COMPONENTS))
    people = {
        REFERENCE[c]: float(ard.groups.loc[c, "population"])  # type: ignore[arg-type]
        for c in COMPONENTS
    }
    draws = indicator_draws(result.bootstrap(replicates=replicates, seed=seed), people)
    table = draws.quantile([0.025, 0.5, 0.975]).T.set_axis(["q025", "median", "q975"], axis=1)
    table.insert(0, "mean", indicator_draws(result.estimate.to_frame().T, people).iloc[0])
    table.insert(1, "sd", draws.std())
    return table.assign(unit=pd.Series(UNITS)).rename_axis("indicator")

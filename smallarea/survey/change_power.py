"""How often a second survey would show a fall, told for each hidden component.

Pairs of surveys are simulated and judged as two real ones are: bootstrap draws of the two reported
rates, their ratio, and whether the chance of a decrease exceeds a level. Children and adults are
seen through networks of different size, so each component has its own number of reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.survey.power import Plan, nsum_power, simulate_plan
from smallarea.survey.reading import read_table

#: Simulated pairs that share their bootstrap weights.
_BLOCK = 50


def plan_power(
    base: Plan,
    groups: Path | pd.DataFrame,
    degrees: Mapping[str, float],
    *,
    barrier: float | None = None,
    decrease: float = 0.3,
    seed: int,
) -> pd.DataFrame:
    """:func:`power_by_component` of the hidden groups in a table, or in a file of one.

    Parameters as in :func:`component_plans`, whose InputErrors it raises.
    """
    table = read_table(groups) if isinstance(groups, Path) else groups
    plans = component_plans(table, degrees, base, barrier=barrier)
    return power_by_component(plans, decrease=decrease, seed=seed)


def component_plans(
    groups: pd.DataFrame, degrees: Mapping[str, float], base: Plan, *, barrier: float | None = None
) -> dict[str, Plan]:
    """One plan per hidden component, each seen through its own network.

    Parameters
    ----------
    groups : columns `group` and, as far as known, `kind` (rows other than hidden are left out),
        `network` (adult where absent, as in a survey's table) and `prevalence` (expected share of
        the reference population; that of `base` where absent or empty).
    degrees : median people known per respondent, by network.
    base : everything else.
    barrier : correlation of a respondent's acquaintances (to be in the group or not), from which
        follows each network's overdispersion: :func:`overdispersion`. None: that of `base`.

    Raises
    ------
    InputError : no hidden group, a group twice, a network without a degree, a prevalence that is
        no share.
    """
    table = groups.rename(columns=str.lower)
    if "kind" in table:
        table = table[table["kind"] == "hidden"]
    names = table["group"].astype(str) if "group" in table else pd.Series(dtype=str)
    if names.empty or names.duplicated().any():
        raise InputError(
            "no hidden group" if names.empty else "a hidden group is listed twice",
            where="table of groups",
            remedy="give one row per hidden group: group, kind (hidden), network",
        )
    network = table["network"].astype(str) if "network" in table else names.map(lambda _: "adult")
    missing = sorted(set(network) - set(degrees))
    if missing:
        raise InputError(
            f"no degree for the network {', '.join(missing)}",
            where="degrees",
            remedy="give the median number of people known for every network of a hidden group",
        )
    told = table["prevalence"] if "prevalence" in table else names.map(lambda _: None)
    share = pd.to_numeric(told, errors="coerce").fillna(base.prevalence)
    if not pd.to_numeric(told, errors="coerce").notna().eq(told.notna()).all():
        raise InputError(
            "a prevalence is not a number",
            where="table of groups, column 'prevalence'",
            remedy="give shares above 0 and at most 1, or leave cells empty",
        )
    plans = {
        name: replace(base, degree=float(degrees[net]), prevalence=float(p))
        for name, net, p in zip(names, network, share, strict=True)
    }
    if barrier is None:
        return plans
    return {
        name: replace(plan, overdispersion=overdispersion(plan, barrier))
        for name, plan in plans.items()
    }


def overdispersion(plan: Plan, barrier: float) -> float:
    """Variance over mean of a respondent's reports, of which acquaintances are alike by `barrier`.

    Of d acquaintances a beta-binomial number is in the group and a share tau of it reported: 1 +
    (d - 1) barrier tau for a rare group, d averaged over acquaintances (lognormal degrees).
    """
    degree = plan.degree * np.exp(1.5 * plan.degree_sd**2)
    return float(1 + max(degree - 1, 0.0) * barrier * plan.tau)


def power_by_component(
    plans: Mapping[str, Plan],
    *,
    decrease: float = 0.3,
    level: float = 0.95,
    simulations: int = 1000,
    draws: int = 400,
    seed: int,
) -> pd.DataFrame:
    """What a plan tells of each component, and its chance of showing a relative `decrease`.

    Returns
    -------
    Index component; `prevalence`, `degree` as planned, the columns of
    :func:`smallarea.survey.power.nsum_power` (reports, deff, national_cv, ...) without its normal
    approximations of power, `decrease`, `power` (share of simulated pairs) and `power_error` (its
    Monte Carlo standard error). Components with equal plans get equal figures.
    """
    rows: dict[Plan, dict[Any, Any]] = {}
    for plan in dict.fromkeys(plans.values()):
        precision = nsum_power(plan, decreases=(), simulations=simulations, seed=seed)
        power, error = simulated_power(
            plan, decrease, level=level, simulations=simulations, draws=draws, seed=seed
        )
        rows[plan] = {
            "prevalence": plan.prevalence,
            "degree": plan.degree,
            **precision.to_dict(),
            "decrease": decrease,
            "power": power,
            "power_error": error,
        }
    table = {name: rows[plan] for name, plan in plans.items()}
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("component")


def simulated_power(
    plan: Plan,
    decrease: float,
    *,
    level: float = 0.95,
    simulations: int = 1000,
    draws: int = 400,
    seed: int,
) -> tuple[float, float]:
    """Share of simulated pairs of surveys, in other PSUs, that show a fall; its standard error.

    The second survey's prevalence is lower by the share `decrease` (0 to below 1); tau is as it
    was. A fall is shown where the chance of a decrease is above `level`. The standard error is
    that of a share, a success and a failure added so that it is not 0 at the ends.
    """
    if not 0 <= decrease < 1:
        raise InputError(
            f"a decrease by {decrease}",
            where="power of change",
            remedy="give a share of at least 0 and below 1",
        )
    later = replace(plan, prevalence=plan.prevalence * (1 - decrease))
    first, second = (
        simulate_plan(p, simulations=simulations, seed=[seed, wave])
        for wave, p in enumerate((plan, later), start=1)
    )
    rng = np.random.default_rng([seed, 3])
    shown = int((_chance_of_decrease(first, second, draws, rng) > level).sum())
    steady = (shown + 1) / (simulations + 2)
    return shown / simulations, float(np.sqrt(steady * (1 - steady) / simulations))


def power_text(power: pd.DataFrame) -> str:
    """Write the table of :func:`power_by_component` for a person."""
    decrease = power["decrease"].iloc[0]
    width = max(len(str(name)) for name in power.index) + 2
    lines = [
        f"Hidden groups, and the chance that a second such survey shows a fall of {decrease:.0%} "
        "(simulated, ± its Monte Carlo error):",
        f"  {'':<{width}}prevalence  degree  reports  areas without  design effect    cv   chance",
    ]
    for name, row in power.iterrows():
        lines.append(
            f"  {name!s:<{width}}{row['prevalence']:>10.2%}{row['degree']:>8.0f}"
            f"{row['reports']:>9.0f}{row['areas_without_report']:>15.0%}{row['deff']:>15.1f}"
            f"{row['national_cv']:>6.0%}   {row['power']:.0%} ± {row['power_error']:.1%}"
        )
    lines.append(
        "cv: of the national figure, before any doubt about the reporting rate. A fall is shown "
        "where its chance is above 95 %, the reporting rate unchanged, other sampling units."
    )
    return "\n".join(lines)


def _chance_of_decrease(
    first: dict[str, np.ndarray],
    second: dict[str, np.ndarray],
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Share of bootstrap draws in which the rate fell, (simulations,); arrays (simulations, PSUs).

    n - 1 of n PSUs are drawn with replacement, as for the estimates of a real survey.
    """
    simulations, n = first["reports"].shape
    chance = np.empty(simulations)
    for start in range(0, simulations, _BLOCK):
        block = slice(start, start + _BLOCK)
        rates = []
        for wave in (first, second):
            times = rng.multinomial(n - 1, np.full(n, 1 / n), size=draws).astype(float)
            reports, degrees = (times @ wave[key][block].T for key in ("reports", "degrees"))
            rates.append(reports / degrees)
        chance[block] = (rates[1] < rates[0]).mean(axis=0)
    return chance

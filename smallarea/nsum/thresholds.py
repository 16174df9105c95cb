"""Diagnostics that exist are raised: what lies beyond a stated threshold becomes a warning."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.nsum.classical.known_groups import back_estimates, checkable
from smallarea.nsum.classical.scale_up import ScaleUp
from smallarea.survey.ard import ARD

KNOWN_BAND = 2.0  # a known group estimated from the others is within this factor of its size
KNOWN_ERROR = 0.5  # mean relative error of the known groups
SOURCE = {"other": "the others", "asked": "the degree that was asked"}
TAIL = 0.005  # of a predictive check of a hidden group, either side
BAD_K = 0.1  # share of a group's answers with Pareto k > 0.7
DEFF = 5.0  # design effect: interviews are worth so many times fewer
Z = 2.0  # standard errors between a model and the design


def known_group_warnings(ard: ARD) -> list[str]:
    """Say which known groups the others estimate badly (`KNOWN_BAND`, `KNOWN_ERROR`)."""
    said = []
    for network in ("adult", "child"):
        by = checkable(ard, network)
        if by is None:
            continue
        ratio = back_estimates(ard, network)["ratio"].dropna()
        error = (ratio - 1).abs().mean()
        with np.errstate(divide="ignore"):
            off = np.log(ratio).abs()
        far = off[off > np.log(KNOWN_BAND)].sort_values(ascending=False)
        if far.empty and not error > KNOWN_ERROR:
            continue
        named = ", ".join(f"{g} {ratio[g]:.3g} times its size" for g in far.index[:3])
        said.append(
            f"known groups of the {network} network, each estimated from {SOURCE[by]}, are off by "
            f"{error:.0%} on average, {len(far)} of {len(ratio)} by more than a factor of "
            f"{KNOWN_BAND:g}" + (f" ({named})" if named else "") + ": hidden groups may be as well"
        )
    return said


def design_effect_warnings(result: ScaleUp) -> list[str]:
    """Say which groups' variance is more than `DEFF` times that of independent reports."""
    effect = (result.standard_error() / result.binomial_error()).pow(2)
    return [
        f"{group}: design effect {value:,.0f}, so the reports are worth {value:,.0f} times fewer "
        "independent ones: they come from few respondents, PSUs or weights"
        for group, value in effect.items()
        if np.isfinite(value) and value > DEFF
    ]


def fit_warnings(checks: pd.DataFrame, left_out: pd.DataFrame, hidden: list[str]) -> list[str]:
    """Say where a model does not describe the answers about hidden groups.

    Parameters
    ----------
    checks, left_out : the tables of `check_fits`.
    """
    said = []
    posterior = checks[(checks["kind"] == "posterior") & checks["group"].isin(hidden)]
    for group, table in posterior.groupby("group", sort=False):
        far = table[(table["tail"] < TAIL) | (table["tail"] > 1 - TAIL)]
        if len(far):
            named = ", ".join(
                f"{r.statistic} {r.observed:,.4g} where it expects {r.predicted:,.4g}"
                for r in far.itertuples()
            )
            said.append(f"{group}: the model does not describe the answers ({named})")
    for row in left_out[left_out["bad"] > BAD_K].itertuples():
        said.append(
            f"{row.group}: Pareto k is above 0.7 for {row.bad:.0%} of the answers: single answers "
            "decide the fit, and its leave-one-out scores are not to be trusted"
        )
    return said


def disagreement_warnings(design: pd.DataFrame, model: pd.DataFrame, ard: ARD) -> list[str]:
    """Show design-based and model-based sizes where they differ by more than their errors allow.

    Both are of the same answers, so their difference is judged by the design's error alone.

    Parameters
    ----------
    design : by group, `estimate` and `se` in people. model : by group, median, q025, q975, in
        people as reported.
    """
    said = []
    for group in model.index.intersection(design.index):
        estimate, se = (float(design.loc[group, c]) for c in ("estimate", "se"))
        median = float(model.loc[group, "median"])
        if not (estimate > 0 and se > 0 and median > 0):
            continue
        z = (np.log(median) - np.log(estimate)) / (se / estimate)
        if abs(z) > Z:
            low, high = (float(model.loc[group, c]) for c in ("q025", "q975"))
            said.append(
                f"{group}: as reported, the model gives {median:,.0f} [{low:,.0f}; {high:,.0f}], "
                f"the design {estimate:,.0f} (standard error {se:,.0f}), {abs(z):.1f} standard "
                f"errors apart{_why(ard, str(group))}; killworth and power follow the design "
                "(in a project `settings.posterior: power`)"
            )
    return said


def _why(ard: ARD, group: str) -> str:
    """Say how the reported rate goes with degree, which the models hold constant."""
    network = str(ard.groups.loc[group, "network"])
    known = ard.known(network)
    if not known:
        return ""
    degree, y, w = ard.counts[known].sum(axis=1), ard.counts[group], ard.weights
    used = (y.notna() & (degree > 0)).to_numpy()
    low = used & (degree <= degree[used].median()).to_numpy()
    rate = [
        float((w * y)[of].sum() / max((w * degree)[of].sum(), 1e-300)) for of in (low, used & ~low)
    ]
    if not min(rate) > 0:
        return ""
    falls = rate[0] / rate[1]
    return (
        f": respondents who know few report at {falls:.2g} times the rate of those who know many; "
        "the model, which takes one rate for all, weighs the two otherwise than a sum does"
    )

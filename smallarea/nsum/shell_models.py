"""The Bayesian half of `smallarea nsum`: one fit per network, judged before it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.nsum.classical.scale_up import killworth
from smallarea.nsum.raised import model_warnings
from smallarea.progress import Progress, silent
from smallarea.survey.ard import ARD

if TYPE_CHECKING:
    from smallarea.nsum.bayesian.posterior import NsumFit
    from smallarea.nsum.reporting.tau import TauPrior

BAYESIAN = ("degree", "barrier", "transmission", "full", "overdispersed", "correlated")
WITH_TAU = ("transmission", "full")


def stated_prior(tau_prior: tuple[float, float] | None) -> TauPrior | None:
    from smallarea.nsum.reporting.tau import TauPrior

    return None if tau_prior is None else TauPrior(*tau_prior, source="--tau-prior")


def fit_networks(ard: ARD, model: str, degree: str | None, **settings: Any) -> dict[str, NsumFit]:
    """Fit each network of hidden groups; a group that nobody reported cannot be fitted.

    By the quickest sampler; where Gibbs sampling did not converge, by nutpie.
    """
    from smallarea.nsum.bayesian.fit import fit_nsum, quickest

    seen = ard.only([g for g in ard.groups.index if g not in _unseen(ard)])
    sampler, fits = quickest(model, settings.get("recall", False)), {}
    for network, how, part in _networks(seen, degree):
        fit = fit_nsum(part, model, degree=how, sampler=sampler, **settings)
        if not fit.publishable and sampler == "gibbs":
            fit = fit_nsum(part, model, degree=how, sampler="nutpie", **settings)
        fits[network] = fit
    return fits


def _unseen(ard: ARD) -> list[str]:
    reported = ard.counts[ard.hidden()].sum() > 0
    return list(reported.index[~reported])


def bayesian(
    ard: ARD,
    model: str,
    degree: str | None,
    fits: dict[str, NsumFit],
    prior: TauPrior | None,
    seed: int,
    allow_unconverged: bool,
    progress: Progress = silent,
) -> tuple[pd.DataFrame, dict[str, Any], list[str]]:
    from smallarea.nsum.reporting.tau import UNIFORM

    tables, diagnostics, warnings = [], {}, list(ard.notes)
    unseen = _unseen(ard)
    if unseen:
        result = killworth(ard, degree=degree)  # of all: the bound takes their design effect
        bound = result.upper_bound()[unseen]
        if model in WITH_TAU:
            bound = _bound_given_tau(bound, result.scale, prior or UNIFORM, seed)
        tables.append(pd.DataFrame({"mean": 0.0, "q025": 0.0, "median": 0.0, "q975": bound}))
        warnings += result.notes[len(ard.notes) :]
    if fits:
        warnings += model_warnings(ard, fits, *_checked(fits, seed, progress), degree)
    for network, fit in fits.items():
        tables.append(fit.summary(allow_unconverged=allow_unconverged))
        found = fit.diagnostics
        diagnostics[network] = {
            "respondents": len(fit.respondents),
            "converged": fit.publishable,
            "rhat": json_number(found.rhat),
            "ess": json_number(found.ess),
            "divergences": found.divergences,
            "ebfmi": json_number(found.ebfmi),
        }
        warnings += [f"{network}: {reason}" for reason in fit.reasons]
        if fit.excluded:
            warnings.append(f"{fit.excluded} respondents with a zero sum were left out")
    if model in WITH_TAU and prior is None:
        warnings.append(
            "no --tau-prior: under the uniform one the level is not identified and no mean exists"
        )
    if any(fit.recall for fit in fits.values()):
        warnings.append("--recall: sizes have quantiles but no mean or sd to speak of")
    return pd.concat(tables), diagnostics, warnings


def _checked(
    fits: dict[str, NsumFit], seed: int, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Posterior predictive checks and leave-one-out of all fits, as `check_fits` has them."""
    from smallarea.nsum.bayesian.predictive import leave_one_out, predictive_check

    checks = [
        predictive_check(fit, "posterior", seed, progress).reset_index() for fit in fits.values()
    ]
    left = [
        leave_one_out(fit, progress).rename_axis("group").reset_index() for fit in fits.values()
    ]
    return pd.concat(checks).assign(kind="posterior"), pd.concat(left)


def _bound_given_tau(
    bound: pd.Series, population: pd.Series, prior: TauPrior, seed: int
) -> pd.Series:
    """Bound of the reported size, an exponential's 97.5 % point, carried over to w / tau."""
    from smallarea.nsum.reporting.tau import divide_by_tau

    people = population.astype(float).to_dict()
    w = np.random.default_rng(seed).exponential(-1 / np.log(0.025), size=20_000)
    out = {
        group: np.quantile(divide_by_tau(b * w[None], prior, people[group], seed), 0.975)
        for group, b in bound.items()
    }
    return pd.Series(out)


def _networks(ard: ARD, degree: str | None) -> Iterator[tuple[str, str, ARD]]:
    """One survey per network of hidden groups, labelled as the models expect it.

    They scale up adult networks and sum child ones; asked otherwise, the label follows.
    """
    for network in ard.groups.loc[ard.hidden(), "network"].unique():
        how = degree or ("summation" if network == "child" else "known")
        members = ard.groups.index[ard.groups["network"] == network]
        part = ard.only(list(members))
        label = "child" if how == "summation" else "adult"
        yield network, how, replace(part, groups=part.groups.assign(network=label))


def json_number(value: Any) -> float | None:
    """A JSON number, or None where there is none."""
    if value is None or not np.isfinite(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() and math.fabs(number) < 2**53 else number

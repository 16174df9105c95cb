"""A survey on its own, no project around it: what `smallarea nsum` prints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.nsum.annex.folder import SYNTHETIC, check_folder, is_synthetic, write_annex
from smallarea.nsum.classical.known_groups import back_estimates
from smallarea.nsum.classical.known_groups import recall as recall_line
from smallarea.nsum.classical.scale_up import killworth
from smallarea.survey.ard import ARD
from smallarea.survey.reading import Columns, read_ard

if TYPE_CHECKING:
    from smallarea.nsum.bayesian.fit import NsumFit
    from smallarea.nsum.reporting.tau import TauPrior

CLASSICAL = {"killworth": "mle", "pimle": "pimle"}
BAYESIAN = ("degree", "barrier", "transmission", "full", "overdispersed", "correlated")
WITH_TAU = ("transmission", "full")
COLUMNS = ("mean", "sd", "q025", "median", "q975", "ess", "rhat")


def nsum_survey(
    survey: Path | str,
    groups: Path | str,
    model: str = "full",
    *,
    degree: str | None = None,
    tau_prior: tuple[float, float] | None = None,
    weights: str | None = None,
    psu: str | None = None,
    strata: str | None = None,
    columns: Path | str | None = None,
    recall: bool = False,
    covariates: Sequence[str] = (),
    seed: int = 0,
    draws: int = 1000,
    allow_unconverged: bool = False,
    out: Path | str | None = None,
) -> dict[str, Any]:
    """Estimate the hidden groups of one survey file; everything returned is JSON-able.

    Parameters
    ----------
    survey : wide table of answers (.csv, .xlsx, .dta, .sav).
    groups : table `group,kind,size,population`, optionally `network` (adult, child).
    model : killworth, pimle (closed form; errors by rescaled bootstrap over strata and PSUs, or
        respondents), or Bayesian: degree, barrier, transmission, full, overdispersed,
        correlated (see `fit_nsum`).
    degree : known scales answers up by the known groups' sizes; summation adds up the answers
        to exhaustive, exclusive known groups, leaves zero sums out and counts them. None is
        summation for child groups and known for adult ones.
    tau_prior : (A, B) of the Beta prior of the transmission rate, for transmission and full.
    weights, psu, strata : columns of the survey's design. columns : a YAML that describes the
        survey's columns (see `survey.reading`); what is named here takes precedence. With any
        of the design, Bayesian models weigh the hidden groups' likelihood (see `weighting`, and
        there why they do not poststratify).
    recall : let answers drift with the size of the group (Bayesian, known degrees).
    covariates : numeric columns of the survey that explain answers, for the correlated model.
    draws : bootstrap replicates, or posterior draws per chain.
    allow_unconverged : print a Bayesian fit that did not converge, with a warning, where it
        would otherwise be refused.
    out : folder for the annex: tables and figures of every check (see `annex`).

    Returns
    -------
    ``{"model", "groups": [{"group", "mean", "sd", "q025", "median", "q975", "ess", "rhat"}],
    "diagnostics", "warnings"}``; null where a moment does not exist or does not apply.

    Raises
    ------
    InputError : files, columns or settings that do not fit; a fit that did not converge.
    """
    if model not in CLASSICAL and model not in BAYESIAN:
        raise InputError(
            f"no model '{model}'",
            where="--model",
            remedy=f"choose one of {', '.join((*CLASSICAL, *BAYESIAN))}",
        )
    if tau_prior is not None and model not in WITH_TAU:
        raise InputError(
            f"the model {model} has no transmission rate",
            where="--tau-prior",
            remedy=f"leave it out, or use the model {' or '.join(WITH_TAU)}",
        )
    if recall and model in CLASSICAL:
        raise InputError(
            f"the model {model} does not adjust for recall",
            where="--recall",
            remedy="leave it out (--out shows the recall line), or use a Bayesian model",
        )
    if covariates and model != "correlated":
        raise InputError(
            f"the model {model} takes no covariates",
            where="--covariates",
            remedy="leave them out, or use the model correlated",
        )
    if out is not None:
        check_folder(Path(out))
    described = _columns(columns, weights, psu, strata)
    ard = read_ard(survey, groups, described)
    if not ard.hidden():
        raise InputError(
            "no hidden group, so there is nothing to estimate",
            where=Path(groups).name,
            remedy="mark the groups of unknown size as hidden",
        )
    fits: dict[str, NsumFit] = {}
    if model in CLASSICAL:
        table, diagnostics, warnings = _classical(ard, model, degree, draws, seed)
    else:
        prior = _prior(tau_prior)
        fits = _fits(
            ard, model, degree, tau_prior=prior, recall=recall, covariates=list(covariates),
            weighted=any((described.weight, described.psu, described.stratum)),
            draws=draws, seed=seed,
        )  # fmt: skip
        table, diagnostics, warnings = _bayesian(
            ard, model, degree, fits, prior, seed, allow_unconverged
        )
    if is_synthetic(ard):
        warnings.insert(0, f"{SYNTHETIC}: these numbers describe no real place")
    table = table.reindex(index=ard.hidden(), columns=list(COLUMNS))
    found = {
        "model": model,
        "groups": [
            {"group": str(name)} | {c: _number(row[c]) for c in COLUMNS}
            for name, row in table.iterrows()
        ],
        "diagnostics": diagnostics | _known_groups(ard),
        "warnings": list(dict.fromkeys(warnings)),
    }
    if out is not None:
        files = {"survey": survey, "groups": groups, "columns": columns}
        settings = {
            "model": model, "degree": degree, "tau_prior": tau_prior, "weights": weights,
            "psu": psu, "strata": strata, "recall": recall, "covariates": list(covariates),
            "draws": draws, "allow_unconverged": allow_unconverged,
        }  # fmt: skip
        write_annex(
            Path(out), found, ard, fits,
            inputs={role: None if path is None else Path(path) for role, path in files.items()},
            settings=settings, seed=seed,
        )  # fmt: skip
    return found


def _columns(
    described: Path | str | None, weights: str | None, psu: str | None, strata: str | None
) -> Columns:
    """Columns of the design: those named, else those described; a design is never guessed."""
    named: dict[str, Any] = {"weight": weights, "psu": psu, "stratum": strata}
    columns = Columns() if described is None else Columns.from_yaml(Path(described))
    return replace(columns, **{k: v for k, v in named.items() if v is not None})


def _classical(
    ard: ARD, model: str, degree: str | None, replicates: int, seed: int
) -> tuple[pd.DataFrame, dict[str, Any], list[str]]:
    result = killworth(ard, method=CLASSICAL[model], degree=degree)
    unit = "respondents" if ard.design["psu"].isna().all() else "PSUs"
    within = "" if ard.design["stratum"].isna().all() else " within strata"
    diagnostics = {
        "respondents": len(ard),
        "used": {g: int(n) for g, n in result.reports.notna().sum().items()},
        "reports": {g: _number(y) for g, y in ard.counts[ard.hidden()].sum().items()},
        "bootstrap": {"replicates": replicates, "of": unit + within, "seed": seed},
        "linearised_se": {g: _number(v) for g, v in result.standard_error().items()},
    }
    warnings = list(result.notes)
    if model == "pimle":
        warnings.append("pimle is biased up where degrees are small; killworth is not")
    return result.summary(replicates=replicates, seed=seed), diagnostics, warnings


def _prior(tau_prior: tuple[float, float] | None) -> TauPrior | None:
    from smallarea.nsum.reporting.tau import TauPrior

    return None if tau_prior is None else TauPrior(*tau_prior, source="--tau-prior")


def _fits(ard: ARD, model: str, degree: str | None, **settings: Any) -> dict[str, NsumFit]:
    """Fit each network of hidden groups; a group that nobody reported cannot be fitted."""
    from smallarea.nsum.bayesian.fit import fit_nsum

    seen = ard.only([g for g in ard.groups.index if g not in _unseen(ard)])
    return {
        network: fit_nsum(part, model, degree=how, **settings)
        for network, how, part in _networks(seen, degree)
    }


def _unseen(ard: ARD) -> list[str]:
    reported = ard.counts[ard.hidden()].sum() > 0
    return list(reported.index[~reported])


def _bayesian(
    ard: ARD,
    model: str,
    degree: str | None,
    fits: dict[str, NsumFit],
    prior: TauPrior | None,
    seed: int,
    allow_unconverged: bool,
) -> tuple[pd.DataFrame, dict[str, Any], list[str]]:
    from smallarea.nsum.reporting.tau import UNIFORM

    tables, diagnostics, warnings = [], {}, list(ard.notes)
    unseen = _unseen(ard)
    if unseen:
        result = killworth(ard, degree=degree, groups=unseen)
        bound = result.upper_bound()
        if model in WITH_TAU:
            bound = _bound_given_tau(bound, result.scale, prior or UNIFORM, seed)
        tables.append(pd.DataFrame({"mean": 0.0, "q025": 0.0, "median": 0.0, "q975": bound}))
        warnings += result.notes[len(ard.notes) :]
    for network, fit in fits.items():
        tables.append(fit.summary(allow_unconverged=allow_unconverged))
        found = fit.diagnostics
        diagnostics[network] = {
            "respondents": len(fit.respondents),
            "converged": fit.publishable,
            "rhat": _number(found.rhat),
            "ess": _number(found.ess),
            "divergences": found.divergences,
            "ebfmi": _number(found.ebfmi),
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


def _known_groups(ard: ARD) -> dict[str, Any]:
    """Back-estimates of the known groups, and the slope of recall, per network."""
    out = {}
    for network in ("adult", "child"):
        if len(ard.known(network)) >= 2:
            table = back_estimates(ard, network)
            entry: dict[str, Any] = {
                "mean_relative_error": _number((table["ratio"] - 1).abs().mean()),
                "ratio": {str(g): _number(r) for g, r in table["ratio"].items()},
            }
            try:
                entry["recall_slope"] = _number(recall_line(table).slope)
            except InputError:
                entry["recall_slope"] = None
            out[network] = entry
    return {"known_groups": out}


def _number(value: Any) -> float | None:
    """A JSON number, or None where there is none."""
    if value is None or not np.isfinite(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() and math.fabs(number) < 2**53 else number

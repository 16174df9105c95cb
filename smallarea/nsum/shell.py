"""A survey on its own, no project around it: what `smallarea nsum` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.errors import InputError
from smallarea.limits import require
from smallarea.nsum.annex.folder import SYNTHETIC, check_folder, is_synthetic, write_annex
from smallarea.nsum.classical.known_groups import back_estimates, checkable
from smallarea.nsum.classical.known_groups import recall as recall_line
from smallarea.nsum.classical.power import power_summary
from smallarea.nsum.classical.scale_up import killworth
from smallarea.nsum.classical.variance import clusters
from smallarea.nsum.plausible import left_out, within_population
from smallarea.nsum.raised import answer_warnings
from smallarea.nsum.shell_models import (
    BAYESIAN,
    WITH_TAU,
    bayesian,
    fit_networks,
    json_number,
    stated_prior,
)
from smallarea.progress import Progress, silent
from smallarea.survey.ard import ARD
from smallarea.survey.reading import Columns, read_ard

if TYPE_CHECKING:
    from smallarea.nsum.bayesian.posterior import NsumFit
    from smallarea.nsum.reporting.tau import TauPrior

CLASSICAL = {"killworth": "mle", "pimle": "pimle", "power": "mle"}
FEW = 10  # sampling units below which no interval is to be trusted
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
    degree_column: str | Mapping[str, str] | None = None,
    reading: Mapping[str, Any] | None = None,
    recall: bool = False,
    covariates: Sequence[str] = (),
    seed: int = 0,
    draws: int | None = None,
    allow_unconverged: bool = False,
    out: Path | str | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Estimate the hidden groups of one survey file; everything returned is JSON-able.

    Parameters
    ----------
    survey : wide table of answers (.csv, .xlsx, .dta, .sav).
    groups : table `group,kind,size,population`, optionally `network` (adult, child).
    model : killworth, pimle (closed form; errors by rescaled bootstrap over strata and PSUs, or
        respondents), power (a posterior in closed form that keeps to the design, see
        `classical.power`), or Bayesian: degree, barrier, transmission, full, overdispersed,
        correlated (see `fit_nsum`).
    degree : known scales answers up by the known groups' sizes; summation adds up the answers
        to exhaustive, exclusive known groups, leaves zero sums out and counts them. None is
        summation for child groups and known for adult ones.
    tau_prior : (A, B) of the Beta prior of the transmission rate, for transmission, full, power.
    weights, psu, strata : columns of the survey's design. columns : a YAML that describes the
        survey's columns (see `survey.reading`); what is named here takes precedence. With any
        of the design, Bayesian models weigh the hidden groups' likelihood (see `weighting`, and
        there why they do not poststratify).
    degree_column : column with the number of people each respondent knows, asked directly; of
        several networks {network: column}. No known group is needed then.
    reading : further entries of such a description (`missing`, `top_code`, `remove`, `nest`,
        `lonely`, `sep`, `encoding`, `sheet`), which take precedence over the YAML's.
    recall : let answers drift with the size of the group (Bayesian, known degrees).
    covariates : numeric columns of the survey that explain answers, for the correlated model.
    draws : bootstrap replicates, or posterior draws per chain; None: 1,000, of the correlated
        model 2,500, without which it seldom passes its own check of convergence.
    allow_unconverged : print a Bayesian fit that did not converge, with a warning, where it
        would otherwise be refused.
    progress : told `(what is being done, share done or None)`.
    out : folder for the annex: tables and figures of every check (see `annex`).

    Returns
    -------
    ``{"model", "groups": [{"group", "mean", "sd", "q025", "median", "q975", "ess", "rhat"}],
    "diagnostics", "warnings"}``; null where a moment does not exist or does not apply.

    Raises
    ------
    InputError : files, columns or settings that do not fit; a fit that did not converge.
    """
    draws = (2500 if model == "correlated" else 1000) if draws is None else draws
    if draws < 1:
        raise InputError(f"{draws} draws", where="--draws", remedy="take some hundreds")
    require("draws", draws, "--draws")
    if model not in CLASSICAL and model not in BAYESIAN:
        raise InputError(
            f"no model '{model}'",
            where="--model",
            remedy=f"choose one of {', '.join((*CLASSICAL, *BAYESIAN))}",
        )
    if tau_prior is not None and model not in (*WITH_TAU, "power"):
        raise InputError(
            f"the model {model} has no transmission rate",
            where="--tau-prior",
            remedy=f"leave it out, or use the model {', '.join(WITH_TAU)} or power",
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
    named = {"weight": weights, "psu": psu, "stratum": strata, "degree": degree_column}
    described = _columns(columns, named | dict(reading or {}))
    if described.degree is not None:
        if degree not in (None, "summation"):
            raise InputError(
                f"the degree is asked, so it is not '{degree}'",
                where="--degree",
                remedy="leave it out",
            )
        degree = "summation"
    ard = read_ard(survey, groups, described)
    if not ard.hidden():
        raise InputError(
            "no hidden group, so there is nothing to estimate",
            where=Path(groups).name,
            remedy="mark the groups of unknown size as hidden",
        )
    fits: dict[str, NsumFit] = {}
    if model == "power":
        table, diagnostics, warnings = _power(ard, degree, stated_prior(tau_prior), draws, seed)
    elif model in CLASSICAL:
        table, diagnostics, warnings = _classical(ard, model, degree, draws, seed)
    else:
        prior = stated_prior(tau_prior)
        fits = fit_networks(
            ard, model, degree, tau_prior=prior, recall=recall, covariates=list(covariates),
            weighted=any((described.weight, described.psu, described.stratum)),
            draws=draws, seed=seed, progress=progress,
        )  # fmt: skip
        table, diagnostics, warnings = bayesian(
            ard, model, degree, fits, prior, seed, allow_unconverged, progress
        )
    if is_synthetic(ard):
        warnings.insert(0, f"{SYNTHETIC}: these numbers describe no real place")
    table = table.reindex(index=ard.hidden(), columns=list(COLUMNS))
    table, cut = within_population(table, ard.groups["population"])
    raised, doubtful = answer_warnings(ard, degree)
    warnings += cut + raised + _few(ard)
    diagnostics |= doubtful.facts() | {"removed": list(ard.removed)}
    found = {
        "model": model,
        "groups": [
            {"group": str(name)} | {c: json_number(row[c]) for c in COLUMNS}
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
            "degree_column": degree_column, "reading": dict(reading or {}),
        }  # fmt: skip
        write_annex(
            Path(out), found, ard, fits,
            inputs={role: None if path is None else Path(path) for role, path in files.items()},
            settings=settings, seed=seed,
        )  # fmt: skip
    return found


def _columns(described: Path | str | None, named: Mapping[str, Any]) -> Columns:
    """Columns of the design: those named, else those described; a design is never guessed."""
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
        "reports": {g: json_number(y) for g, y in ard.counts[ard.hidden()].sum().items()},
        "bootstrap": {"replicates": replicates, "of": unit + within, "seed": seed},
        "linearised_se": {g: json_number(v) for g, v in result.standard_error().items()},
    }
    warnings = list(result.notes)
    if model == "pimle":
        warnings.append("pimle is biased up where degrees are small; killworth is not")
        warnings += left_out(result, ard)
    table = result.summary(replicates=replicates, seed=seed)
    none = table["mean"] == 0
    if model == "pimle" and none.any():  # one bound for the same answers, whatever the estimator
        table.loc[none, "q975"] = killworth(ard, degree=degree).upper_bound()[none]
    return table, diagnostics, warnings


def _power(
    ard: ARD, degree: str | None, prior: TauPrior | None, draws: int, seed: int
) -> tuple[pd.DataFrame, dict[str, Any], list[str]]:
    """The posterior that keeps to the design; its figures beside it, as of the other closed forms.

    It is drawn independently, so four chains' worth of draws cost nothing.
    """
    table = power_summary(killworth(ard, degree=degree), prior, draws=4 * draws, seed=seed)
    _, diagnostics, warnings = _classical(ard, "killworth", degree, 2, seed)
    del diagnostics["bootstrap"]
    return table, diagnostics | {"draws": 4 * draws}, warnings


def _few(ard: ARD) -> list[str]:
    """Say that an interval rests on hardly any sampling units."""
    units = len(clusters(ard.design).stratum)
    if units >= FEW:
        return []
    what = "respondents" if ard.design["psu"].isna().all() else "PSUs"
    return [f"{units} {what} in all: so few show hardly any variation, and no interval holds"]


def _known_groups(ard: ARD) -> dict[str, Any]:
    """Back-estimates of the known groups, and the slope of recall, per network."""
    out = {}
    for network in ("adult", "child"):
        if checkable(ard, network):
            table = back_estimates(ard, network)
            entry: dict[str, Any] = {
                "mean_relative_error": json_number((table["ratio"] - 1).abs().mean()),
                "ratio": {str(g): json_number(r) for g, r in table["ratio"].items()},
            }
            try:
                entry["recall_slope"] = json_number(recall_line(table).slope)
            except InputError:
                entry["recall_slope"] = None
            out[network] = entry
    return {"known_groups": out}

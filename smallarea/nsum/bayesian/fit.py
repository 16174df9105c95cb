"""Bayesian network scale-up: one call from a survey to draws of hidden sizes, with a gate.

The fit samples reported rates (see `pymc_models`), never the transmission rate; sizes follow by
division (see `posterior`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError
from smallarea.nsum.bayesian.checks import diagnose
from smallarea.nsum.bayesian.gibbs import sample_gibbs
from smallarea.nsum.bayesian.posterior import NsumFit, hidden_rates, same_sign, tidy_posterior
from smallarea.nsum.bayesian.pymc_models import MODELS, Answers, Priors, barrier
from smallarea.nsum.bayesian.pymc_models import degree as simple_degree
from smallarea.nsum.bayesian.weighting import likelihood_weights
from smallarea.nsum.reporting.tau import UNIFORM, TauPrior
from smallarea.progress import Progress, silent
from smallarea.survey.ard import ARD
from smallarea.survey.validation import numbers, require

if TYPE_CHECKING:
    import pymc as pm

WITH_TAU = ("transmission", "full")
GIBBS = tuple(name for name, build in MODELS.items() if build in (barrier, simple_degree))
CORRELATED_SECONDS = 1.6e-6  # per answer, step and chain: 3,700 x 12 answers, one processor


def fit_nsum(
    ard: ARD,
    model: str = "full",
    *,
    degree: str = "known",
    tau_prior: TauPrior | None = None,
    weighted: bool = False,
    recall: bool = False,
    covariates: list[str] | None = None,
    priors: Priors | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = 0,
    cores: int | None = None,
    sampler: str = "nutpie",
    progress: Progress = silent,
) -> NsumFit:
    """Fit a Bayesian scale-up model to one network of a survey.

    Parameters
    ----------
    model : degree, barrier, transmission, full (Maltiel et al. 2015), overdispersed (Zheng et
        al. 2006) or correlated (after Laga et al. 2023).
    degree : `known` estimates degrees from the known groups of the adult network; `summation`
        takes the sum of the child groups as the degree: observed, so respondents with a sum
        of 0 carry no exposure; they are left out and counted.
    tau_prior : for transmission and full; a uniform one (no information) if not given.
    weighted : weight the hidden groups' likelihood by the survey weights, scaled to the
        effective sample size of each group (see `weighting`).
    recall : let answers drift from true sizes with the size of the group (known degrees only).
    covariates : columns of `ard.design` for the correlated model.
    sampler : `nutpie`; `gibbs` (degree, barrier, transmission and full without recall: nothing to
        compile, see `smallarea.nsum.bayesian.gibbs`); or `pymc` as a fallback.
    progress : told `(what is being done, share done or None)`.

    Raises
    ------
    InputError : no such model, no hidden group, too few known groups, settings that exclude
        each other.
    """
    _check(model, degree, tau_prior, recall, covariates)
    if sampler == "gibbs" and (model not in GIBBS or recall):
        raise InputError(
            f"Gibbs sampling is for the models {', '.join(GIBBS)} without recall",
            where="sampler",
            remedy="choose nutpie",
        )
    ard, log_degree, excluded = _network(ard, degree)
    simple = MODELS[model] is simple_degree
    if sampler == "gibbs" and simple and (none := _unreported(ard)):
        raise InputError(
            f"nobody reported anybody of {', '.join(none)}",
            where=f"{model} model, Gibbs sampling",
            remedy="leave the group out: there is a bound in closed form; or choose nutpie",
        )
    hidden, known = ard.hidden(), ard.known() if log_degree is None else []
    minimum = 3 if recall else 2 if model not in ("degree", "transmission") else 1
    if log_degree is None and len(known) < minimum:
        raise InputError(
            f"{len(known)} known groups in the network, {minimum} needed",
            where=f"{model} model",
            remedy="one group cannot tell large networks from overdispersed answers; add known "
            "groups or use the degree model",
        )
    population = float(ard.groups["population"].iloc[0])
    answered = ard.counts[known + hidden]
    weights = likelihood_weights(ard, log_degree, weighted)
    answers = Answers(
        counts=answered.fillna(0).to_numpy(float),
        weights=weights.table[known + hidden].to_numpy(float),
        log_known=np.log(ard.groups.loc[known, "size"].to_numpy(float) / population),
        log_degree=log_degree,
        population=population,
        covariates=_centred(ard, covariates),
    )
    priors = priors or Priors()
    effort = draws, tune, chains, seed
    if sampler == "gibbs":
        kind = "degree" if simple else "barrier"
        trace, seconds = sample_gibbs(kind, answers, priors, *effort, progress)
    else:
        progress(f"sampling: {model} model{_how_long(model, answers, draws, tune, chains)}", None)
        built = MODELS[model](answers, priors, recall)
        trace, seconds = sample(built, *effort, cores, sampler)
    posterior = trace.posterior
    if "loading" in posterior:
        sign = same_sign(posterior["loading"])
        posterior["loading"] = posterior["loading"] * sign
        posterior["factor"] = posterior["factor"] * sign
    rates = hidden_rates(posterior, answers, recall, seed)
    reported = xr.DataArray(
        np.moveaxis(population * rates, -1, 0),
        coords={"group": hidden, "chain": posterior.chain, "draw": posterior.draw},
        name="reported",
    )
    return NsumFit(
        model=model,
        reported=reported,
        posterior=tidy_posterior(posterior, ard.counts.index, known + hidden),
        answers=answers,
        respondents=ard.counts.index,
        groups=pd.Index(known + hidden, name="group"),
        tau_prior=(tau_prior or UNIFORM) if model in WITH_TAU else None,
        diagnostics=diagnose(trace, reported),
        excluded=excluded,
        weights=weights,
        seconds=seconds,
        seed=seed,
        priors=priors,
        recall=recall,
    )


def _unreported(ard: ARD) -> list[str]:
    total = ard.counts[ard.hidden()].sum()
    return list(total.index[~(total > 0)])


def quickest(model: str, recall: bool) -> str:
    """Return the sampler that needs least time for a model: Gibbs where it exists, else nutpie."""
    return "gibbs" if model in GIBBS and not recall else "nutpie"


def _how_long(model: str, answers: Answers, draws: int, tune: int, chains: int) -> str:
    """Say how long a slow model needs, by what it took per answer and step here."""
    if model != "correlated":
        return ""
    seconds = CORRELATED_SECONDS * answers.counts.size * (draws + tune) * chains
    return f", about {max(1, round(seconds / 60))} CPU min"


def sample(
    model: pm.Model, draws: int, tune: int, chains: int, seed: int, cores: int | None, sampler: str
) -> tuple[Any, dict[str, float]]:
    """Run NUTS; return the ArviZ trace and CPU seconds spent compiling and sampling."""
    start = time.process_time()
    if sampler == "nutpie":
        import nutpie

        compiled = nutpie.compile_pymc_model(model, backend="numba", freeze_model=True)
        ready = time.process_time()
        trace = nutpie.sample(
            compiled,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            seed=seed,
            save_warmup=False,
            progress_bar=False,
        )
    elif sampler == "pymc":
        import pymc as pm

        ready = start  # it compiles as it samples
        with model:
            trace = pm.sample(
                draws, tune=tune, chains=chains, cores=1, random_seed=seed, progressbar=False
            )
    else:
        raise InputError(
            f"no sampler {sampler!r}", where="sampler", remedy="choose nutpie, gibbs or pymc"
        )
    return trace, {"compile": ready - start, "sample": time.process_time() - ready}


def _check(
    model: str,
    degree: str,
    tau_prior: TauPrior | None,
    recall: bool,
    covariates: list[str] | None,
) -> None:
    def fail(what: str, remedy: str) -> None:
        raise InputError(what, where="Bayesian scale-up", remedy=remedy)

    if model not in MODELS:
        fail(f"no model {model!r}", f"choose one of {', '.join(MODELS)}")
    if degree not in ("known", "summation"):
        fail(f"no degree {degree!r}", "choose known or summation")
    if tau_prior is not None and model not in WITH_TAU:
        fail(f"the {model} model has no transmission rate", f"use {' or '.join(WITH_TAU)}")
    if recall and degree == "summation":
        fail("recall is learned from known groups", "use degree='known'")
    if covariates and model != "correlated":
        fail(f"the {model} model takes no covariates", "use the correlated model")


def _network(ard: ARD, degree: str) -> tuple[ARD, np.ndarray | None, int]:
    """Reduce the survey to one network; observed log degrees if they are summed."""
    network = "adult" if degree == "known" else "child"
    known, hidden = ard.known(network), ard.hidden(network)
    if not hidden:
        raise InputError(
            f"no hidden group in the {network} network",
            where="groups",
            remedy=f"mark the group to be sized 'hidden' and its network '{network}'",
        )
    if not known:
        raise InputError(
            f"no known group in the {network} network",
            where="groups",
            remedy="add the groups that make up the degree",
        )
    ard = ard.only(known + hidden)
    if degree == "known":
        return ard, None, 0
    summed = ard.counts[known].sum(axis=1, skipna=False).to_numpy()
    exposed = summed > 0  # a missing part leaves the sum unknown: no exposure either
    return ard.respondents(exposed), np.log(summed[exposed]), int((~exposed).sum())


def _centred(ard: ARD, covariates: list[str] | None) -> np.ndarray | None:
    if not covariates:
        return None
    require(ard.design, covariates, "covariates")
    table = pd.DataFrame({c: numbers(ard.design[c], f"column '{c}'") for c in covariates})
    if table.isna().to_numpy().any():
        raise InputError(
            "missing covariate values",
            where=f"columns {', '.join(covariates)}",
            remedy="leave out the respondents or the covariate",
        )
    return ((table - table.mean()) / table.std(ddof=0).replace(0, 1)).to_numpy()

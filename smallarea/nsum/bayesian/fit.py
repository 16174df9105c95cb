"""Bayesian network scale-up: one call from a survey to draws of hidden sizes, with a gate.

The fit samples reported rates (see `pymc_models`), never the transmission rate; sizes follow by
division (see `tau`). A fit that did not converge says so and is not publishable.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError
from smallarea.nsum.bayesian.checks import Diagnostics, diagnose
from smallarea.nsum.bayesian.gibbs import sample_gibbs
from smallarea.nsum.bayesian.pymc_models import MODELS, Answers, Priors, barrier
from smallarea.nsum.bayesian.pymc_models import degree as simple_degree
from smallarea.nsum.bayesian.weighting import LikelihoodWeights, likelihood_weights
from smallarea.nsum.reporting.tau import UNIFORM, TauPrior, divide_by_tau, totals_given_tau
from smallarea.progress import Progress, silent
from smallarea.survey.ard import ARD
from smallarea.survey.validation import numbers, require

if TYPE_CHECKING:
    import pymc as pm

WITH_TAU = ("transmission", "full")
GIBBS = tuple(name for name, build in MODELS.items() if build in (barrier, simple_degree))
CORRELATED_SECONDS = 1.6e-6  # per answer, step and chain: 3,700 x 12 answers, one processor
KEPT_DRAWS = 500  # of what belongs to each respondent (degree, factor), for checks


@dataclass(frozen=True)
class NsumFit:
    """Posterior of a Bayesian scale-up model.

    Attributes
    ----------
    reported : draws of reported sizes w = tau * N in people, dims (group, chain, draw).
    posterior : the other parameters, dims (chain, draw, ...): `mu`, `sigma`, `rho` and
        what else the model has, among them each group's `share` of a network as answered;
        `degree` and, of the correlated model, `factor` (chain, kept, respondent) on every so
        many draws.
    answers : what the model saw; respondents and groups name its rows and columns.
    tau_prior : None for a model without transmission: then w is N.
    excluded : respondents with an observed degree of 0, who carry no exposure.
    weights : the likelihood weights and the design effects behind them.
    seconds : CPU seconds, compilation told apart.
    """

    model: str
    reported: xr.DataArray
    posterior: xr.Dataset
    answers: Answers
    respondents: pd.Index
    groups: pd.Index
    tau_prior: TauPrior | None
    diagnostics: Diagnostics
    excluded: int
    weights: LikelihoodWeights
    seconds: dict[str, float]
    seed: int
    priors: Priors
    recall: bool

    @property
    def publishable(self) -> bool:
        """Whether the sampler converged; `reasons` says why not."""
        return not self.diagnostics.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.diagnostics.reasons

    def totals(self, tau_prior: TauPrior | None = None) -> pd.DataFrame:
        """Draws of true sizes N, draw x group, under the fit's or another transmission prior.

        None is above the population.
        """
        flat = self.reported.transpose("group", "chain", "draw")
        prior = tau_prior or self.tau_prior
        values = flat.to_numpy().reshape(flat.sizes["group"], -1)
        if prior is not None:
            values = divide_by_tau(values, prior, self.answers.population, self.seed)
        values = np.minimum(values, self.answers.population)
        return pd.DataFrame(values.T, columns=pd.Index(flat["group"].to_numpy(), name="group"))

    def summary(self, *, allow_unconverged: bool = False) -> pd.DataFrame:
        """Summarise the sizes: index group; mean, sd, q025, median, q975, ess, rhat.

        A moment that does not exist under the transmission prior is NaN; so are both with
        recall, whose log-normal error over an uncertain exponent has none: only the bound at the
        population would make them finite, and set them. `ess` and `rhat` are those of the
        reported size, the part that was sampled.

        Raises
        ------
        InputError : the fit is not publishable and that was not allowed explicitly.
        """
        if not (self.publishable or allow_unconverged):
            raise InputError(
                "; ".join(self.reasons),
                where=f"{self.model} model",
                remedy="sample longer (draws, tune), simplify the model, or allow an "
                "unconverged result explicitly",
            )
        draws, prior = self.totals(), self.tau_prior
        has_mean = not self.recall and (prior is None or prior.has_mean)
        has_sd = has_mean and (prior is None or prior.has_sd)
        table = pd.DataFrame(
            {
                "mean": draws.mean() if has_mean else np.nan,
                "sd": draws.std() if has_sd else np.nan,
                "q025": draws.quantile(0.025),
                "median": draws.median(),
                "q975": draws.quantile(0.975),
            }
        )
        return table.join(self.diagnostics.sizes[["ess", "rhat"]])

    def curve(self, group: str) -> pd.DataFrame:
        """Return the group's total as a function of a fixed tau (see `totals_given_tau`)."""
        return totals_given_tau(self.reported.sel(group=group).to_numpy().ravel())


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
        sign = _same_sign(posterior["loading"])
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
        posterior=_tidy(posterior, ard.counts.index, known + hidden),
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


def hidden_rates(posterior: xr.Dataset, answers: Answers, recall: bool, seed: int) -> np.ndarray:
    """Draws (chain, draw, hidden group) of reported rates, freed of recall effects.

    Undoing recall draws what the answers cannot show: the hidden group's own error, and the
    part of the error that all known groups share. Draws whose error would make the group
    outnumber its population are set to a rate of 1.
    """
    log_rate = posterior["log_rate"].to_numpy()
    if not recall:
        return np.exp(log_rate)
    rng = np.random.default_rng(seed)
    known = answers.log_known
    exponent, scatter = (posterior[v].to_numpy()[..., None] for v in ("exponent", "scatter"))
    common = scatter / np.sqrt(len(known)) * rng.normal(size=scatter.shape)
    error = scatter * rng.normal(size=log_rate.shape)
    log_freed = known.mean() + (log_rate + common - known.mean() - error) / exponent
    return np.exp(np.minimum(log_freed, 0.0))


def _same_sign(loading: xr.DataArray) -> xr.DataArray:
    """Sign (chain, draw), 1 or -1, by which to multiply loadings and factor.

    A factor and its mirror image are the same; with it, the loadings of all draws point one way.
    """
    values = loading.to_numpy()
    flat = values.reshape(-1, values.shape[-1])
    main = np.linalg.eigh(flat.T @ flat)[1][:, -1]
    return xr.DataArray(np.where(values @ main < 0, -1.0, 1.0), dims=loading.dims[:2])


def _tidy(posterior: xr.Dataset, respondents: pd.Index, groups: list[str]) -> xr.Dataset:
    tidy = xr.Dataset()
    for name, values in posterior.data_vars.items():
        if name not in ("log_rate", "log_degree", "factor"):
            by_group = name != "beta" and values.sizes.get(f"{name}_dim_0") == len(groups)
            tidy[name] = values.rename({f"{name}_dim_0": "group"}) if by_group else values
    tidy = tidy.assign_coords(group=groups)
    draws = posterior.sizes["draw"]
    kept = np.arange(0, draws, max(1, posterior.sizes["chain"] * draws // KEPT_DRAWS))
    people = {"chain": posterior.chain, "kept": kept, "respondent": respondents.to_numpy()}
    if "log_degree" in posterior:
        log_degree = posterior["log_degree"].to_numpy().astype(np.float32)
        tidy["degree"] = xr.DataArray(np.exp(log_degree[:, kept]), coords=people)
    if "factor" in posterior:
        factor = posterior["factor"].to_numpy().astype(np.float32)
        tidy["factor"] = xr.DataArray(factor[:, kept], coords=people)
    return tidy

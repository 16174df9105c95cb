"""The national figure on the reported scale: posterior draws of tau * N for every component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.nsum.bayesian.fit import fit_nsum
from smallarea.nsum.bayesian.posterior import NsumFit
from smallarea.nsum.classical.power import power_posterior
from smallarea.nsum.classical.scale_up import killworth, usual_degree
from smallarea.survey.ard import ARD


@dataclass(frozen=True)
class Effort:
    """How long to sample: per chain, `tune` and at least `draws`; and by what sampler."""

    chains: int
    tune: int
    draws: int
    sampler: str = "nutpie"


#: Both samplers draw from the same posterior; Gibbs sampling compiles nothing.
EFFORT = {"fast": Effort(2, 200, 500, "gibbs"), "full": Effort(4, 1000, 1000)}


def national_draws(
    ard: ARD,
    covered_population: Mapping[str, float],
    indicators: Indicators,
    draws: int,
    seed: int,
    profile: str = "fast",
    *,
    posterior: str = "barrier",
    allow_unconverged: bool = False,
) -> xr.DataArray:
    """Draw the reported national counts w = tau * N of all components, from the survey alone.

    Each network is fitted with the barrier model, degrees being estimated from known groups or,
    in a network of children, observed. The likelihood is weighted and scaled to the design effect,
    so the draws are as wide as strata, clusters and weights make them. Where the reported rate goes
    with degree that rate is not the population's: then the power posterior gives the draws, and the
    fits only check the answers. The components' errors are correlated, because neighbours report
    several of them; draws are paired so that their rank correlations are those of the design-based
    errors.

    Parameters
    ----------
    covered_population : people by reference population in the part of
        the country that the survey stands for; reported rates are multiplied by it.
    draws : number of draws returned.
    profile : `fast` (Gibbs sampling) or `full` (NUTS), the sampling effort. A run that did not
        converge is repeated four times as long; if that was Gibbs sampling, then by NUTS.
    posterior : `barrier`, or `power` (:func:`smallarea.nsum.classical.power.power_posterior`).

    Returns
    -------
    Dims (component, draw); attrs per network: `rhat`, `ess`, `divergences`, `ebfmi` (NaN of Gibbs
    sampling: it has no energy), `excluded`; per component `deff`; `converged` (0/1)
    and `reasons`; `silent`, the components that nobody reported: their draws say what is ruled
    out, no more.

    Raises
    ------
    InputError : a component is not in the survey, nobody reported anyone, or a fit did not
        converge twice and that was not allowed.
    """
    return national_fits(
        ard,
        covered_population,
        indicators,
        draws,
        seed,
        profile,
        posterior=posterior,
        allow_unconverged=allow_unconverged,
    )[0]


def national_fits(
    ard: ARD,
    covered_population: Mapping[str, float],
    indicators: Indicators,
    draws: int,
    seed: int,
    profile: str = "fast",
    *,
    posterior: str = "barrier",
    allow_unconverged: bool = False,
) -> tuple[xr.DataArray, dict[str, NsumFit]]:
    """Return the draws of `national_draws` and the fits behind them, to be checked.

    The fits are by reference population, one without any report left out.
    """
    if profile not in EFFORT:
        raise InputError(
            f"no profile {profile!r}", where="national figure", remedy="choose fast or full"
        )
    components = list(indicators.components)
    absent = [c for c in components if c not in ard.hidden()]
    if absent:
        raise InputError(
            f"{', '.join(absent)} not among the hidden groups",
            where="groups",
            remedy="list every component with kind 'hidden'",
        )
    silent = [c for c in components if not ard.counts[c].sum() > 0]
    if len(silent) == len(components):
        raise InputError(
            "nobody reported anyone in any hidden group",
            where="survey",
            remedy="check the hidden groups' columns; if they are right, the survey bounds the "
            "groups' sizes (`smallarea nsum`) but cannot say where they are",
        )
    heard = ard.only([g for g in ard.groups.index if g not in silent])
    spoken_of = {indicators.reference[c] for c in components if c not in silent}
    fits = {
        name: _converged(heard, usual_degree(population.network), draws, seed, profile)
        for name, population in indicators.populations.items()
        if name in spoken_of
    }
    reasons = [f"{p}: {reason}" for p, fit in fits.items() for reason in fit.reasons]
    if reasons and not allow_unconverged:
        raise InputError(
            "; ".join(reasons),
            where="national figure",
            remedy="use the full profile, or allow an unconverged result explicitly",
        )
    rng = np.random.default_rng(seed)
    closed = killworth(ard, groups=components)
    bound = closed.upper_bound() / closed.scale
    design = power_posterior(closed, draws=draws, seed=seed) if posterior == "power" else None
    sizes = pd.DataFrame(index=range(draws), columns=components, dtype=float)
    for component in components:
        population = covered_population[indicators.reference[component]]
        if component in silent:
            sizes[component] = population * _rate_of_silence(bound[component], draws, rng)
            continue
        if design is None:
            fit = fits[indicators.reference[component]]
            rate = fit.reported.sel(group=component).to_numpy().ravel() / fit.answers.population
        else:
            rate = (design[component] / closed.scale[component]).to_numpy()
        chosen = rng.permutation(len(rate))[:draws]
        sizes[component] = np.minimum(rate[chosen], 1.0) * population
    scores = pd.concat([fit.weights.scores for fit in fits.values()], axis=1)
    scores = scores.reindex(columns=components).fillna(0)
    values = paired(sizes.to_numpy(), scores.to_numpy(float), rng)
    made = xr.DataArray(
        values.T,
        coords={"component": components, "draw": np.arange(draws)},
        name="reported",
        attrs=_attributes(fits, reasons) | {"silent": ", ".join(silent)},
    )
    return made, fits


def _rate_of_silence(bound: float, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the reported rate of a group nobody reported: exponential, 97.5 % below its bound.

    The one rule for such a group is `ScaleUp.upper_bound`. An exponential is the posterior of a
    Poisson rate without reports under a flat prior, its exposure divided by the design effect. The
    draws say how large the group may be unseen, not how large it is.
    """
    return np.minimum(rng.exponential(bound / -np.log(0.025), draws), 1.0)


def paired(draws: np.ndarray, scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reorder each column of draws so that columns correlate as the columns of `scores` do.

    Gaussian copula (Iman & Conover 1982): marginals stay what they are, draw for draw.

    Parameters
    ----------
    draws : (n, K). scores : (m, K), centred error contributions of m units.
    """
    covariance = scores.T @ scores
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale).clip(min=np.finfo(float).tiny)
    np.fill_diagonal(correlation, 1.0)
    shape = rng.multivariate_normal(np.zeros(len(scale)), correlation, size=len(draws))
    ranks = stats.rankdata(shape, axis=0, method="ordinal") - 1
    return np.take_along_axis(np.sort(draws, axis=0), ranks, axis=0)


def _converged(ard: ARD, degree: str, draws: int, seed: int, profile: str) -> NsumFit:
    effort = EFFORT[profile]
    attempts = [(1, effort.sampler), (4, effort.sampler)]
    if effort.sampler != "nutpie":
        attempts.append((4, "nutpie"))
    for longer, sampler in attempts:
        fit = fit_nsum(
            ard,
            "barrier",
            degree=degree,
            weighted=True,
            draws=longer * max(effort.draws, -(-draws // effort.chains)),
            tune=longer * effort.tune,
            chains=effort.chains,
            seed=seed,
            sampler=sampler,
        )
        if fit.publishable:
            break
    return fit


def _attributes(fits: dict[str, NsumFit], reasons: list[str]) -> dict[str, object]:
    """Flat numbers and text, as NetCDF wants them."""
    found: dict[str, object] = {"converged": int(not reasons), "reasons": "; ".join(reasons)}
    for name, fit in fits.items():
        judged = fit.diagnostics
        found |= {
            f"{name}_rhat": judged.rhat,
            f"{name}_ess": judged.ess,
            f"{name}_divergences": judged.divergences,
            f"{name}_ebfmi": judged.ebfmi,
            f"{name}_respondents": len(fit.respondents),
            f"{name}_excluded": fit.excluded,
        }
        found |= {f"deff_{c}": float(d) for c, d in fit.weights.deff.items()}
    return found

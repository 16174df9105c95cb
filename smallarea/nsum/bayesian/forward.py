"""Draws from the priors of the Bayesian scale-up models, for checks: no graph, no compilation."""

from __future__ import annotations

import numpy as np
import xarray as xr

from smallarea.nsum.bayesian.posterior import NsumFit


def prior_draws(fit: NsumFit, seed: int, draws: int = 200) -> xr.Dataset:
    """Draw a fit's parameters from its priors, for as many new respondents.

    The priors are those of `pymc_models`, where each is explained.

    Returns
    -------
    Along `sample`, with the names that a posterior has: share, degree (respondent) and what else
    the model needs: shape, inverse_omega, loading and factor, beta.
    """
    rng = np.random.default_rng(seed)
    answers, priors = fit.answers, fit.priors
    n, groups = answers.counts.shape
    made: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    if answers.log_degree is None:
        mu, sigma = rng.uniform(*priors.mu, draws), rng.uniform(*priors.sigma, draws)
        degree = np.exp(mu[:, None] + sigma[:, None] * rng.normal(size=(draws, n)))
        made["degree"] = ("sample", "respondent"), degree
    else:
        made["degree"] = ("respondent",), np.exp(answers.log_degree)
    low, high = np.log(np.clip(priors.size, None, answers.population) / answers.population)
    log_rate = rng.uniform(low, high, (draws, answers.n_hidden))
    known = np.tile(answers.log_known, (draws, 1))
    if fit.recall:
        exponent = np.exp(priors.log_exponent_sd * rng.normal(size=(draws, 1)))
        middle, spread = priors.log_scatter
        scatter = np.exp(middle + spread * rng.normal(size=(draws, 1)))
        error = rng.normal(size=known.shape)
        error -= error.mean(axis=1, keepdims=True)
        centre = answers.log_known.mean()
        known = centre + exponent * (known - centre) + scatter * error
    by_group = ("sample", "group")
    made["share"] = by_group, np.exp(np.hstack([known, log_rate]))
    if fit.model == "overdispersed":
        made["inverse_omega"] = by_group, rng.uniform(size=(draws, groups))
    if fit.model in ("barrier", "full", "beta_binomial", "correlated"):
        rho = rng.uniform(*priors.rho, (draws, groups))
        true = np.hstack([np.tile(answers.log_known, (draws, 1)), log_rate])
        made["shape"] = by_group, np.exp(true) * (1 / rho - 1)
    if fit.model == "correlated":
        made["loading"] = by_group, priors.loading_sd * rng.normal(size=(draws, groups))
        made["factor"] = ("sample", "respondent"), rng.normal(size=(draws, n))
        if answers.covariates is not None:
            size = (draws, answers.covariates.shape[1], groups)
            made["beta"] = ("sample", "beta_dim_0", "beta_dim_1"), 0.5 * rng.normal(size=size)
    return xr.Dataset(made)

"""What a Bayesian scale-up model leaves: draws of reported sizes, and of true ones by division.

A fit that did not converge says so and is not publishable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError
from smallarea.nsum.bayesian.checks import Diagnostics
from smallarea.nsum.bayesian.pymc_models import Answers, Priors
from smallarea.nsum.bayesian.weighting import LikelihoodWeights
from smallarea.nsum.reporting.tau import TauPrior, divide_by_tau, totals_given_tau

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


def same_sign(loading: xr.DataArray) -> xr.DataArray:
    """Sign (chain, draw), 1 or -1, by which to multiply loadings and factor.

    A factor and its mirror image are the same; with it, the loadings of all draws point one way.
    """
    values = loading.to_numpy()
    flat = values.reshape(-1, values.shape[-1])
    main = np.linalg.eigh(flat.T @ flat)[1][:, -1]
    return xr.DataArray(np.where(values @ main < 0, -1.0, 1.0), dims=loading.dims[:2])


def tidy_posterior(posterior: xr.Dataset, respondents: pd.Index, groups: list[str]) -> xr.Dataset:
    """Name what the sampler called by number; keep of respondents' values every so many draws."""
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

"""Does the model describe the answers? Predictive checks, surrogate residuals, leave-one-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats
from scipy.special import gammaln, logsumexp

from smallarea.errors import InputError
from smallarea.nsum.bayesian.forward import prior_draws
from smallarea.nsum.bayesian.posterior import NsumFit
from smallarea.nsum.bayesian.psis import smoothed
from smallarea.progress import Progress, silent

PREDICTIVE_DRAWS = 200  # of all answers, for a predictive check


def _mean(y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (weights * y).sum(axis=0) / weights.sum(axis=0)


#: of answers and likelihood weights, both respondent x group; a weight of 0 is no answer
STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "zeros": lambda y, w: _mean(y == 0, w),
    "mean": _mean,
    "sd": lambda y, w: np.sqrt(_mean((y - _mean(y, w)) ** 2, w)),
    "largest": lambda y, w: np.max(y, axis=0, where=w > 0, initial=0),
}


@dataclass(frozen=True)
class _Cells:
    """Distribution of the answers for one or more draws: negative binomial, or Poisson."""

    mean: np.ndarray  # (..., n, K)
    shape: np.ndarray | None  # broadcastable to it; None: Poisson

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        if self.shape is None:
            return rng.poisson(self.mean).astype(float)
        shape = np.broadcast_to(self.shape, self.mean.shape)
        return rng.poisson(self.mean * rng.gamma(shape) / shape).astype(float)

    def group(self, k: int) -> _Cells:
        """Return one group's distributions."""
        shape = None if self.shape is None else self.shape[..., k]
        return _Cells(self.mean[..., k], shape)

    def log_density(self, y: np.ndarray) -> np.ndarray:
        """Log probability of the answers; log-gammas once per shape and different answer."""
        different, which = np.unique(y, return_inverse=True)
        fixed = gammaln(different + 1)
        if self.shape is None:
            return y * np.log(self.mean) - self.mean - fixed[which]
        if np.ndim(self.shape) and self.shape.shape[-1] == self.mean.shape[-1] > 1:
            return self.exact.logpmf(y)  # each respondent's own shape
        gammas = (gammaln(different + self.shape) - gammaln(self.shape) - fixed)[..., which]
        ratio = self.mean / self.shape
        return gammas + y * np.log(ratio) - (y + self.shape) * np.log1p(ratio)

    @property
    def exact(self) -> stats.rv_frozen:
        if self.shape is None:
            return stats.poisson(self.mean)
        return stats.nbinom(self.shape, self.shape / (self.shape + self.mean))


def predictive_check(
    fit: NsumFit, kind: str = "posterior", seed: int = 0, progress: Progress = silent
) -> pd.DataFrame:
    """Compare the answers with answers drawn from the fitted model, or from its priors.

    Drawn answers are for the same respondents (posterior) or for as many new ones (prior). Both
    sides take the weights of the likelihood: a weighted fit describes the hidden groups' weighted
    answers, not those of the sample. The largest answer is unweighted. Drawn respondents are
    independent given the parameters, so where answers cluster (by PSU, interviewer) the bands
    are too narrow, and a tail near 0 or 1 says less.

    Returns
    -------
    Index (group, statistic), the statistics being share of zeros, mean, sd and largest answer;
    columns observed, predicted (mean over draws), q05, q95, and tail: the share of draws at or
    above the observed value. A tail near 0 or 1 shows where the model does not fit.
    """
    rng = np.random.default_rng(seed)
    answered, weights = fit.answers.counts, fit.answers.weights
    if kind == "posterior":
        parameters = _kept(fit)
    elif kind == "prior":
        parameters = prior_draws(fit, seed)
    else:
        raise InputError(
            f"no {kind!r} predictive check", where="checks", remedy="choose prior or posterior"
        )
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in STATISTICS}
    available = parameters.sizes["sample"]
    for at in range(0, available, max(1, available // PREDICTIVE_DRAWS)):
        progress("checking: answers drawn from the model", at / available)
        simulated = _cells(fit, parameters.isel(sample=at)).draw(rng)
        for name, statistic in STATISTICS.items():
            drawn[name].append(statistic(simulated, weights))
    rows = {}
    for name, statistic in STATISTICS.items():
        observed, values = statistic(answered, weights), np.array(drawn[name])
        low, high = np.quantile(values, [0.05, 0.95], axis=0)
        tail = (values > observed).mean(axis=0) + 0.5 * (values == observed).mean(axis=0)
        table = {"observed": observed, "predicted": values.mean(axis=0), "q05": low, "q95": high}
        rows[name] = pd.DataFrame({**table, "tail": tail}, index=fit.groups)
    return pd.concat(rows, names=["statistic"]).swaplevel().sort_index()


def surrogate_residuals(fit: NsumFit, seed: int = 0) -> pd.DataFrame:
    """Residuals that are standard normal if the model is right, respondent x group.

    Each answer gets a uniform draw between F(y - 1) and F(y), F being the model's distribution
    at one posterior draw, turned normal (Liu & Zhang 2018; for ARD Laga, Bao & Niu 2023).
    Correlation between columns calls for the correlated model; a trend along a respondent
    variable for that covariate. NaN where unanswered. Of a weighted fit the hidden groups'
    residuals are standard normal under the likelihood's weights only.
    """
    rng = np.random.default_rng(seed)
    parameters = _kept(fit)
    at = int(rng.integers(parameters.sizes["sample"]))
    exact, y = _cells(fit, parameters.isel(sample=at)).exact, fit.answers.counts
    below, up_to = exact.cdf(y - 1), exact.cdf(y)
    uniform = below + rng.uniform(size=y.shape) * (up_to - below)
    tiny = np.finfo(float).eps
    residuals = stats.norm.ppf(np.clip(uniform, tiny, 1 - tiny))
    return pd.DataFrame(
        np.where(fit.answers.weights > 0, residuals, np.nan), fit.respondents, fit.groups
    )


def leave_one_out(fit: NsumFit, progress: Progress = silent) -> pd.DataFrame:
    """Expected log predictive density of each answer given all others, per group (PSIS-LOO).

    One cell is left out at a time, so a respondent's other answers still inform the degree:
    what is judged is the prediction of one group from the others. Compare models by the sum of
    `elpd` over the same groups (Vehtari, Gelman & Gabry 2017).

    A cell leaves the posterior as it entered it, to the power of its likelihood weight w: its
    importance ratios are p^-w. What is scored is whole cells, p, summed with the weights relative
    to their mean: the survey's answers as the population would have given them, whatever the
    design effect. Without weights that is the usual sum.

    Returns
    -------
    Index group; elpd, se (of independent respondents), p_loo (what leaving out costs, whole cells;
    without weights the effective parameters), bad (share of cells with Pareto k > 0.7, where the
    approximation is not to be trusted).
    """
    kept, rows = _kept(fit), {}
    for k, group in enumerate(fit.groups):
        progress("checking: each answer against all others", k / len(fit.groups))
        used = fit.answers.weights[:, k] > 0
        cells = _cells(fit, kept, slice(k, k + 1)).group(0)
        log_lik = cells.log_density(fit.answers.counts[:, k])
        log_lik, weight = log_lik.T[used], fit.answers.weights[used, k]  # (cells, sample)
        ratios, pareto_k = smoothed(-weight[:, None] * log_lik)
        elpd = logsumexp(ratios + log_lik, axis=1)
        lpd = logsumexp(log_lik, axis=1) - np.log(log_lik.shape[1])
        relative = weight / weight.mean()
        total = relative @ elpd
        se = np.sqrt((relative**2) @ (elpd - total / len(elpd)) ** 2)
        rows[group] = [total, se, relative @ (lpd - elpd), (pareto_k > 0.7).mean()]
    return pd.DataFrame.from_dict(rows, orient="index", columns=["elpd", "se", "p_loo", "bad"])


def check_fits(fits: Mapping[str, NsumFit], seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Check several fits in every way; two flat tables, for files.

    Parameters
    ----------
    fits : by name, e.g. by reference population.

    Returns
    -------
    Predictive checks, one row per fit, kind (posterior, prior), group and statistic: see
    `predictive_check`. Leave-one-out, one row per fit and group, see `leave_one_out`, with `ess`
    and `rhat` of the hidden groups' reported sizes.
    """
    predictive, left_out = [], []
    for name, fit in fits.items():
        for kind in ("posterior", "prior"):
            table = predictive_check(fit, kind, seed).reset_index()
            predictive.append(table.assign(fit=name, kind=kind))
        table = leave_one_out(fit).join(fit.diagnostics.sizes[["ess", "rhat"]])
        left_out.append(table.rename_axis("group").reset_index().assign(fit=name))
    checks = pd.concat(predictive).set_index(["fit", "kind", "group", "statistic"])
    return checks.reset_index(), pd.concat(left_out).set_index(["fit", "group"]).reset_index()


def _kept(fit: NsumFit) -> xr.Dataset:
    """Posterior at the kept draws along `sample`, with everyone's degree and factor, if any."""
    posterior = fit.posterior
    if "kept" in posterior.dims:
        chosen = posterior.drop_dims("kept").isel(draw=posterior["kept"].to_numpy())
        for name in ("degree", "factor"):
            if name in posterior:
                own = posterior[name].rename(kept="draw")
                chosen[name] = own.assign_coords(draw=chosen["draw"])
    else:
        chosen = posterior.isel(draw=slice(None, None, max(1, posterior.sizes["draw"] // 250)))
    if fit.answers.log_degree is not None:  # observed
        chosen["degree"] = ("respondent", np.exp(fit.answers.log_degree))
    return chosen.stack(sample=("chain", "draw"))  # noqa: PD013


def _cells(fit: NsumFit, at: xr.Dataset, of: slice = slice(None)) -> _Cells:
    """Distribution of every answer to the groups `of`, given its respondent's degree and factor.

    At one draw (n, K), or at all of them (sample, n, K).
    """

    def values(name: str, own: str) -> np.ndarray:
        """(..., 1, K) of a group's parameter, (..., n, 1) of a respondent's."""
        outer = ["sample"] if "sample" in at[name].dims else []
        array = np.asarray(at[name].transpose(*outer, own))
        return array[..., None, of] if own == "group" else array[..., None]

    mean = values("degree", "respondent").astype(float) * values("share", "group")
    if "loading" in at:
        loading = values("loading", "group")
        factor = values("factor", "respondent").astype(float)
        mean = mean * np.exp(factor * loading - loading**2 / 2)
        if "beta" in at:
            beta = at["beta"].transpose(..., "beta_dim_0", "beta_dim_1").to_numpy()
            effect = np.exp(np.asarray(fit.answers.covariates) @ beta)
            mean = mean * (effect / effect.mean(axis=-2, keepdims=True))[..., of]
    if "shape" in at:
        return _Cells(mean, values("shape", "group"))
    if "inverse_omega" in at:
        inverse = values("inverse_omega", "group")
        return _Cells(mean, mean * inverse / (1 - inverse))
    return _Cells(mean, None)

"""Bayesian scale-up models, each a short function from answers and priors to a PyMC model.

Common ground: respondent i knows d_i people (log-normal), a known group k is the share
m_k = N_k / N of its population, a hidden group u is reported at the rate r_u = tau_u N_u / N.
With p(N_u) proportional to 1 / N_u, log r_u is uniform, whatever tau is: tau stays outside
(`smallarea.nsum.reporting.tau`).

Likelihoods enter as sums that were collapsed beforehand: the Poisson model needs row and column
totals only; of the negative binomial, log-gamma terms are evaluated once per distinct
(group, answer) pair. Degrees are sampled centred, because each respondent's answers say much
about the respondent's own degree. Data are mutable in the model, so that one compilation
serves every survey of the same numbers of respondents and groups.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pymc as pm

Tensor = Any
Data = SimpleNamespace  # the arrays of Answers.arrays as shared variables of a model


@dataclass(frozen=True)
class Priors:
    """Bounds of the uniform priors; the defaults are those of Maltiel et al. 2015.

    `size` bounds N_u (people; p(N_u) is proportional to 1 / N_u between them), `rho` the
    correlation of two answers of one respondent about a group.
    """

    mu: tuple[float, float] = (3.0, 8.0)
    sigma: tuple[float, float] = (0.25, 2.0)
    rho: tuple[float, float] = (0.0, 1.0)
    size: tuple[float, float] = (1.0, np.inf)
    log_exponent_sd: float = 0.5
    log_scatter: tuple[float, float] = (np.log(0.2), 0.8)
    loading_sd: float = 0.5


@dataclass(frozen=True)
class Answers:
    """What the models see: known groups first, then hidden ones.

    counts : (n, K) answers, 0 where unanswered. weights : (n, K) likelihood weights, 0 where
    unanswered. log_known : (K_known,) log m_k. log_degree : (n,) if the degrees were observed
    (summation; then there are no known columns), else None. population : N.
    covariates : (n, p), centred, or None.
    """

    counts: np.ndarray
    weights: np.ndarray
    log_known: np.ndarray
    log_degree: np.ndarray | None
    population: float
    covariates: np.ndarray | None = None

    @property
    def n_hidden(self) -> int:
        return self.counts.shape[1] - len(self.log_known)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all that a model reads, by name; other values of it can be swapped in.

        `rows`, `columns` : weighted totals. `cell_*` : the cells answered above 0, in the long
        form. `pair_*` : the distinct (group, answer) pairs and the weight of their cells.
        """
        weighted = self.weights * self.counts
        person, group = np.nonzero(weighted)
        answer, mass = self.counts[person, group], self.weights[person, group]
        pairs, which = np.unique(np.column_stack([group, answer]), axis=0, return_inverse=True)
        arrays = {
            "counts": np.ascontiguousarray(self.counts.T),
            "weights": np.ascontiguousarray(self.weights.T),
            "rows": weighted.sum(axis=1),
            "columns": weighted.sum(axis=0),
            "log_known": self.log_known,
            "cell_person": person,
            "cell_group": group,
            "cell_answer": answer,
            "cell_weight": mass,
            "pair_group": pairs[:, 0].astype(int),
            "pair_answer": pairs[:, 1],
            "pair_weight": np.bincount(which.ravel(), mass, len(pairs)),
        }
        if self.log_degree is not None:
            arrays["observed_log_degree"] = self.log_degree
        if self.covariates is not None:
            arrays["covariates"] = self.covariates
        return arrays


def degree(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """Random degree: y_ik ~ Poisson(d_i m_k) (Maltiel et al. 2015, model 1)."""
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        data = _data(answers)
        log_degree = _log_degree(answers, priors, data)
        log_share = _log_share(answers, priors, data, recall)
        totals = (data.rows * log_degree).sum() + (data.columns * log_share).sum()
        exposure = (data.weights * pt.exp(log_degree)).sum(axis=1)
        expected = (pt.exp(log_share) * exposure).sum()
        pm.Potential("answers", totals - expected)
    return model


def barrier(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """Barrier effects: the chance to know a member varies between respondents.

    Maltiel et al. 2015, model 2, y_ik ~ Binomial(d_i, q_ik) with q_ik ~ Beta(mean m_k,
    correlation rho_k), marginalised to a negative binomial of shape m_k (1 / rho_k - 1). For
    a hidden group m and rho describe what is reported.
    """
    import pymc as pm
    import pytensor.tensor as pt

    from smallarea.nsum.bayesian.kernels import NegativeBinomialCells

    with pm.Model() as model:
        data = _data(answers)
        log_degree = _log_degree(answers, priors, data)
        log_share = _log_share(answers, priors, data, recall)
        shape = _barrier_shape(answers, priors, data, log_share)
        cells: Tensor = NegativeBinomialCells()(
            log_degree, log_share, shape, data.counts, data.weights
        )
        powers = (data.rows * log_degree).sum()
        powers += (data.columns * (log_share - pt.log(shape))).sum()
        pm.Potential("answers", cells[0] + powers + _log_gammas(data, shape))
    return model


def beta_binomial(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """The barrier model with its exact likelihood: to validate `barrier`, at many times its cost.

    Degrees are continuous, in the binomial coefficient as well, and at least the largest answer.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        data = _data(answers)
        log_degree = _log_degree(answers, priors, data)
        log_share = _log_share(answers, priors, data, recall)
        a = _barrier_shape(answers, priors, data, log_share)
        b = a * (pt.exp(-log_share) - 1)
        degree, y, w = pt.exp(log_degree), data.counts, data.weights
        possible = degree > y.max(axis=0)
        others = pt.switch(possible, degree - y, 1.0)
        cells = pt.gammaln(others + b[:, None]) - pt.gammaln(others + 1)
        cells -= pt.gammaln(degree + (a + b)[:, None])
        rows = w.sum(axis=0) * pt.gammaln(degree + 1)
        columns = w.sum(axis=1) * (pt.gammaln(a + b) - pt.gammaln(b))
        impossible = pt.switch(possible, 0.0, -np.inf)
        whole = (w * cells).sum() + (rows + impossible).sum() + columns.sum()
        pm.Potential("answers", whole + _log_gammas(data, a))
    return model


def overdispersed(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """Overdispersion omega_k = variance / mean per group (Zheng, Salganik, Gelman 2006).

    1 / omega_k is uniform on (0, 1) as there; known groups are anchored at their sizes instead
    of being renormalised afterwards.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        data = _data(answers)
        log_degree = _log_degree(answers, priors, data)
        log_share = _log_share(answers, priors, data, recall)
        inverse = pm.Uniform("inverse_omega", 0, 1, shape=answers.counts.shape[1])
        log_scale = pt.log(inverse) - pt.log1p(-inverse)  # of 1 / (omega - 1)
        # Shape is mean / (omega - 1), so cells that answered 0 contribute a term linear in d.
        k, y = data.cell_group, data.cell_answer
        shape = pt.exp(log_degree[data.cell_person] + (log_share + log_scale)[k])
        cells = pt.gammaln(y + shape) - pt.gammaln(shape) + y * pt.log1p(-inverse)[k]
        zero = pt.exp(log_share + log_scale) * pt.log(inverse)
        exposure = (data.weights * pt.exp(log_degree)).sum(axis=1)
        pm.Potential("answers", (data.cell_weight * cells).sum() + (zero * exposure).sum())
    return model


def correlated(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """Answers correlated over groups, explained by covariates (after Laga, Bao, Niu 2023).

    log mean_ik = log d_i + log m_k + x_i' beta_k + lambda_k f_i, negative binomial. One
    standard normal factor f_i per respondent stands in for their full K x K correlation: n
    effects instead of n x K. Covariate and factor terms average 1 over the sample and the
    factor's distribution, so m_k keeps its meaning. A factor and its mirror image are the same:
    `fit_nsum` gives the loadings of all draws one sign.
    """
    import pymc as pm
    import pytensor.tensor as pt

    n, groups = answers.counts.shape
    with pm.Model() as model:
        data = _data(answers)
        log_degree = _log_degree(answers, priors, data)
        log_share = _log_share(answers, priors, data, recall)
        shape = _barrier_shape(answers, priors, data, log_share)
        factor = pm.Normal("factor", shape=n)
        loading = pm.Normal("loading", 0, priors.loading_sd, shape=groups)
        effect = loading[:, None] * factor - (loading**2 / 2)[:, None]
        if answers.covariates is not None:
            beta = pm.Normal("beta", 0, 0.5, shape=(answers.covariates.shape[1], groups))
            explained = pt.dot(data.covariates, beta).T
            effect += explained - pt.log(pt.exp(explained).mean(axis=1))[:, None]
        log_ratio = log_degree + (log_share - pt.log(shape))[:, None] + effect
        y = data.counts
        cells = y * log_ratio - (y + shape[:, None]) * pt.log1p(pt.exp(log_ratio))
        pm.Potential("answers", (data.weights * cells).sum() + _log_gammas(data, shape))
    return model


MODELS: dict[str, Callable[[Answers, Priors, bool], pm.Model]] = {
    "degree": degree,
    "barrier": barrier,
    "beta_binomial": beta_binomial,
    "transmission": degree,
    "full": barrier,
    "overdispersed": overdispersed,
    "correlated": correlated,
}


def _data(answers: Answers) -> Data:
    import pymc as pm

    return Data(**{name: pm.Data(name, value) for name, value in answers.arrays().items()})


def _log_degree(answers: Answers, priors: Priors, data: Data) -> Tensor:
    import pymc as pm

    if answers.log_degree is not None:
        return data.observed_log_degree
    mu = pm.Uniform("mu", *priors.mu)
    sigma = pm.Uniform("sigma", *priors.sigma)
    return pm.Normal("log_degree", mu, sigma, shape=len(answers.counts))


def _log_share(answers: Answers, priors: Priors, data: Data, recall: bool) -> Tensor:
    """log of m_k as answered: known groups, then the reported rates of the hidden ones.

    With `recall`, log answers follow c + exponent (log m_k - c) plus a group's own error of sd
    `scatter` (m_u of a hidden group being what is known of it, tau_u N_u / N: one cannot forget
    what one was not told), c being the mean log m_k of the known groups (Killworth et al. 2003,
    McCormick et al. 2010). A common part of the known groups' errors cannot be told from larger
    degrees, so it is left to degrees and rates; it, a hidden group's own error and the size
    behind what was answered follow outside. A flat prior on the log of that size has the density
    1 / exponent.
    """
    import pymc as pm
    import pytensor.tensor as pt

    low, high = np.log(np.clip(priors.size, None, answers.population) / answers.population)
    log_rate = pm.Uniform("log_rate", low, high, shape=answers.n_hidden)
    known = data.log_known
    if recall:
        exponent = pm.LogNormal("exponent", 0, priors.log_exponent_sd)
        scatter = pm.LogNormal("scatter", *priors.log_scatter)
        error = pm.ZeroSumNormal("error", shape=len(answers.log_known))
        known = known.mean() + exponent * (known - known.mean()) + scatter * error
        pm.Potential("flat_size", -answers.n_hidden * pt.log(exponent))
    log_share = pt.concatenate([known, log_rate])
    pm.Deterministic("share", pt.exp(log_share))
    return log_share


def _barrier_shape(answers: Answers, priors: Priors, data: Data, log_share: Tensor) -> Tensor:
    """Shape of q_ik: m_k (1 / rho_k - 1), with m_k the true share where it is known."""
    import pymc as pm
    import pytensor.tensor as pt

    rho = pm.Uniform("rho", *priors.rho, shape=answers.counts.shape[1])
    log_true = pt.concatenate([data.log_known, log_share[-answers.n_hidden :]])
    return pm.Deterministic("shape", pt.exp(log_true) * (1 / rho - 1))


def _log_gammas(data: Data, shape: Tensor) -> Tensor:
    """Sum of log gamma(y + a_k) - log gamma(a_k), once per distinct answer to each group."""
    import pytensor.tensor as pt

    own = shape[data.pair_group]
    return (data.pair_weight * (pt.gammaln(data.pair_answer + own) - pt.gammaln(own))).sum()

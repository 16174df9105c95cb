"""Bayesian scale-up models, each a short function from answers and priors to a PyMC model.

Common ground: respondent i knows d_i people (log-normal), a known group k is the share
m_k = N_k / N of its population, a hidden group u is reported at the rate r_u = tau_u N_u / N.
With p(N_u) proportional to 1 / N_u, log r_u is uniform, whatever tau is: tau stays outside
(`smallarea.nsum.tau`).

Likelihoods enter as sums that were collapsed beforehand: the Poisson model needs row and column
totals only; of the negative binomial, log-gamma terms are evaluated once per distinct
(group, answer) pair. Degrees are sampled centred, because each respondent's answers say much
about the respondent's own degree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pymc as pm

Tensor = Any


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
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        group = np.broadcast_to(np.arange(self.counts.shape[1]), self.counts.shape)
        answered = (self.counts > 0) & (self.weights > 0)
        keys = np.column_stack([group[answered], self.counts[answered]])
        unique, where = np.unique(keys, axis=0, return_inverse=True)
        mass = np.bincount(where.ravel(), self.weights[answered], len(unique))
        pairs = unique[:, 0].astype(int), unique[:, 1], mass
        object.__setattr__(self, "pairs", pairs)

    @property
    def n_hidden(self) -> int:
        return self.counts.shape[1] - len(self.log_known)


def degree(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """Random degree: y_ik ~ Poisson(d_i m_k) (Maltiel et al. 2015, model 1)."""
    import pymc as pm

    with pm.Model() as model:
        log_degree = _log_degree(answers, priors)
        log_share = _log_share(answers, priors, recall)
        pm.Potential("answers", _poisson(answers, log_degree, log_share))
    return model


def barrier(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """Barrier effects: the chance to know a member varies between respondents.

    Maltiel et al. 2015, model 2, y_ik ~ Binomial(d_i, q_ik) with q_ik ~ Beta(mean m_k,
    correlation rho_k), marginalised to a negative binomial of shape m_k (1 / rho_k - 1). For
    a hidden group m and rho describe what is reported.
    """
    import pymc as pm

    with pm.Model() as model:
        log_degree = _log_degree(answers, priors)
        log_share = _log_share(answers, priors, recall)
        shape = _barrier_shape(answers, priors, log_share)
        pm.Potential("answers", _negative_binomial(answers, log_degree, log_share, shape))
    return model


def beta_binomial(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """The barrier model with its exact likelihood: to validate `barrier`, at ten times its cost.

    Degrees are continuous, in the binomial coefficient as well, and at least the largest answer.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        log_degree = _log_degree(answers, priors)
        log_share = _log_share(answers, priors, recall)
        a = _barrier_shape(answers, priors, log_share)
        b = a * (pt.exp(-log_share) - 1)
        degree, y, w = pt.exp(log_degree), answers.counts, answers.weights
        others = degree[:, None] - y
        possible = degree > y.max(axis=1)
        others = pt.switch(possible[:, None], others, 1.0)
        cells = pt.gammaln(others + b) - pt.gammaln(others + 1)
        rows = w.sum(axis=1) * pt.gammaln(degree + 1)
        columns = w.sum(axis=0) * (pt.gammaln(a + b) - pt.gammaln(b))
        whole = (w * (cells - pt.gammaln(degree[:, None] + a + b))).sum() + columns.sum()
        impossible = pt.switch(possible, 0.0, -np.inf).sum()
        pm.Potential("answers", rows.sum() + whole + _log_gammas(answers, a) + impossible)
    return model


def overdispersed(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """Overdispersion omega_k = variance / mean per group (Zheng, Salganik, Gelman 2006).

    1 / omega_k is uniform on (0, 1) as there; known groups are anchored at their sizes instead
    of being renormalised afterwards.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        log_degree = _log_degree(answers, priors)
        log_share = _log_share(answers, priors, recall)
        inverse = pm.Uniform("inverse_omega", 0, 1, shape=answers.counts.shape[1])
        log_scale = pt.log(inverse) - pt.log1p(-inverse)  # of 1 / (omega - 1)
        # Shape is mean / (omega - 1), so cells that answered 0 contribute a term linear in d.
        i, k = np.nonzero(answers.counts * answers.weights)
        y, w = answers.counts[i, k], answers.weights[i, k]
        shape = pt.exp(log_degree[i] + log_share[k] + log_scale[k])
        positive = w * (pt.gammaln(y + shape) - pt.gammaln(shape) + y * pt.log1p(-inverse[k]))
        exposure = (answers.weights * pt.exp(log_degree)[:, None]).sum(axis=0)
        zero = pt.exp(log_share + log_scale) * exposure * pt.log(inverse)
        pm.Potential("answers", positive.sum() + zero.sum())
    return model


def correlated(answers: Answers, priors: Priors, recall: bool = False) -> pm.Model:
    """Answers correlated over groups, explained by covariates (after Laga, Bao, Niu 2023).

    log mean_ik = log d_i + log m_k + x_i' beta_k + lambda_k f_i, negative binomial. One
    standard normal factor f_i per respondent stands in for their full K x K correlation: n
    effects instead of n x K. Covariate and factor terms average 1 over the sample and the
    factor's distribution, so m_k keeps its meaning.
    """
    import pymc as pm
    import pytensor.tensor as pt

    n, groups = answers.counts.shape
    with pm.Model() as model:
        log_degree = _log_degree(answers, priors)
        log_share = _log_share(answers, priors, recall)
        shape = _barrier_shape(answers, priors, log_share)
        factor = pm.Normal("factor", shape=n)
        loading = pm.Normal("loading", 0, priors.loading_sd, shape=groups)  # sign: see bayes
        effect = factor[:, None] * loading - loading**2 / 2
        if answers.covariates is not None:
            p = answers.covariates.shape[1]
            beta = pm.Normal("beta", 0, 0.5, shape=(p, groups))
            explained = pt.dot(answers.covariates, beta)
            effect += explained - pt.log(pt.exp(explained).mean(axis=0))
        log_mean = log_degree[:, None] + log_share + effect
        y, w = answers.counts, answers.weights
        cells = w * (
            y * (log_mean - pt.log(shape)) - (y + shape) * pt.log1p(pt.exp(log_mean) / shape)
        )
        pm.Potential("answers", cells.sum() + _log_gammas(answers, shape))
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


def _log_degree(answers: Answers, priors: Priors) -> Tensor:
    import pymc as pm
    import pytensor.tensor as pt

    if answers.log_degree is not None:
        return pt.as_tensor(answers.log_degree)
    mu = pm.Uniform("mu", *priors.mu)
    sigma = pm.Uniform("sigma", *priors.sigma)
    return pm.Normal("log_degree", mu, sigma, shape=len(answers.counts))


def _log_share(answers: Answers, priors: Priors, recall: bool) -> Tensor:
    """log of m_k as answered: known groups, then the reported rates of the hidden ones.

    With `recall`, log answers follow c + exponent (log m_k - c) plus a group's own error of sd
    `scatter`, c being the mean log m_k of the known groups (Killworth et al. 2003, McCormick et
    al. 2010). A common part of the known groups' errors cannot be told from larger degrees, so
    it is left to degrees and rates; it, a hidden group's own error and the size behind what was
    answered follow outside. A flat prior on the log of that size has the density 1 / exponent.
    """
    import pymc as pm
    import pytensor.tensor as pt

    low, high = np.log(np.clip(priors.size, None, answers.population) / answers.population)
    log_rate = pm.Uniform("log_rate", low, high, shape=answers.n_hidden)
    known = pt.as_tensor(answers.log_known)
    if recall:
        exponent = pm.LogNormal("exponent", 0, priors.log_exponent_sd)
        scatter = pm.LogNormal("scatter", *priors.log_scatter)
        centre = answers.log_known.mean()
        expected = centre + exponent * (answers.log_known - centre)
        known = expected + scatter * pm.ZeroSumNormal("error", shape=len(answers.log_known))
        pm.Potential("flat_size", -answers.n_hidden * pt.log(exponent))
    log_share = pt.concatenate([known, log_rate])
    pm.Deterministic("share", pt.exp(log_share))
    return log_share


def _barrier_shape(answers: Answers, priors: Priors, log_share: Tensor) -> Tensor:
    """Shape of q_ik: m_k (1 / rho_k - 1), with m_k the true share where it is known."""
    import pymc as pm
    import pytensor.tensor as pt

    rho = pm.Uniform("rho", *priors.rho, shape=answers.counts.shape[1])
    share = pt.concatenate([np.exp(answers.log_known), pt.exp(log_share[-answers.n_hidden :])])
    return pm.Deterministic("shape", share * (1 / rho - 1))


def _rows(answers: Answers) -> np.ndarray:
    return (answers.weights * answers.counts).sum(axis=1)


def _columns(answers: Answers) -> np.ndarray:
    return (answers.weights * answers.counts).sum(axis=0)


def _poisson(answers: Answers, log_degree: Tensor, log_share: Tensor) -> Tensor:
    """Poisson log likelihood from the row and column totals (up to a constant)."""
    import pytensor.tensor as pt

    weights = answers.weights
    share, people = pt.exp(log_share), pt.exp(log_degree)
    # Columns that share their weights share their exposure: usually all, or known and hidden.
    columns, first = np.unique(weights, axis=1, return_inverse=True)
    member = np.eye(columns.shape[1])[first.ravel()]  # (K, distinct columns)
    exposure = (columns * people[:, None]).sum(axis=0)
    expected = (exposure * pt.dot(share, member)).sum()
    totals = (_rows(answers) * log_degree).sum() + (_columns(answers) * log_share).sum()
    return totals - expected


def _negative_binomial(
    answers: Answers, log_degree: Tensor, log_share: Tensor, shape: Tensor
) -> Tensor:
    """Negative binomial log likelihood, mean d_i m_k and shape a_k (up to a constant)."""
    import pytensor.tensor as pt

    from smallarea.nsum.kernels import NegativeBinomialCells

    counts, weights = (np.ascontiguousarray(v.T) for v in (answers.counts, answers.weights))
    cells: Tensor = NegativeBinomialCells()(log_degree, log_share, shape, counts, weights)
    powers = (_rows(answers) * log_degree).sum()
    powers += (_columns(answers) * (log_share - pt.log(shape))).sum()
    return cells[0] + powers + _log_gammas(answers, shape)


def _log_gammas(answers: Answers, shape: Tensor) -> Tensor:
    """Sum of log gamma(y + a_k) - log gamma(a_k), once per distinct answer to each group."""
    import pytensor.tensor as pt

    group, answer, mass = answers.pairs
    return (mass * (pt.gammaln(answer + shape[group]) - pt.gammaln(shape[group]))).sum()

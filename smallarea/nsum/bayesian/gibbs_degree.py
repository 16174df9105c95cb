"""The degree model without gradients or compilation: every block from its own distribution.

Answers enter by their row and column totals alone, so a sweep costs a few passes over the
respondents, however many groups were asked:

- degrees given the rest: an independence proposal, Student t about each respondent's own mode;
- a hidden group's rate given the degrees: a gamma draw between the bounds of its prior, exact;
- mean and spread of the log degrees, twice: from their exact conditional distribution, and once
  more with every degree moving along, standardised degrees held (Yu & Meng 2011 interweave the
  two): each is quick where the other creeps, with many reports per respondent and with few.

The draws are from the posterior that NUTS samples (`pymc_models.degree`), up to Monte Carlo error.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from smallarea.nsum.bayesian.gibbs_cells import EVERY, Tell, kept_draws, move_spread
from smallarea.nsum.bayesian.pymc_models import Answers, Priors

DF = 5.0  # of the Student t proposals: heavier tails than any block has
NEWTON = 4  # steps to a respondent's mode: near it is enough for a proposal
STEP = 1.7  # of the walk of mean and spread, in standard deviations


class DegreeChain:
    """One Markov chain of the degree model; every hidden group was reported by somebody."""

    def __init__(self, answers: Answers, priors: Priors, rng: np.random.Generator) -> None:
        self.rng, self.priors = rng, priors
        known = len(answers.log_known)
        self.rows = (answers.weights * answers.counts).sum(axis=1)
        self.columns = (answers.weights * answers.counts).sum(axis=0)[known:]
        self.of_known = answers.weights[:, :known] @ np.exp(answers.log_known)
        self.weights = answers.weights[:, known:]
        self.log_known = answers.log_known
        bounds = np.clip(priors.size, None, answers.population) / answers.population
        self.low, self.high = bounds
        self.observed = answers.log_degree
        self.mu, self.sigma = rng.uniform(*priors.mu), rng.uniform(0.5, 1.0)
        self.root = np.diag([0.1, 0.1])
        start = np.log((self.rows + 1.0) / (self.of_known + np.exp(-self.mu)))
        self.log_degree = start if self.observed is None else self.observed
        self._move_rates()

    def run(self, draws: int, tune: int, tell: Tell) -> dict[str, np.ndarray]:
        """Warm up, then draw; arrays (draws, ...) by the names of `pymc_models.degree`.

        `tell` hears the share done.
        """
        tune = max(tune, 8)
        seen: list[list[float]] = []
        for step in range(tune):
            if step % EVERY == 0:
                tell(step / (tune + draws))
            self._sweep()
            seen.append([self.mu, np.log(self.sigma)])
            if step in (tune // 4, tune // 2, tune - 1):
                spread = np.cov(np.array(seen[step // 2 :]).T) + 1e-8 * np.eye(2)
                self.root = np.linalg.cholesky(spread) * STEP / np.sqrt(2)
        warm = tune / (tune + draws)
        return kept_draws(
            self._sweep, self._state, draws, lambda done: tell(warm + (1 - warm) * done)
        )

    def _state(self) -> dict[str, np.ndarray]:
        share = np.concatenate([np.exp(self.log_known), self.rates])
        of_groups = {"log_rate": np.log(self.rates), "share": share}
        if self.observed is not None:
            return of_groups
        spread = {"mu": np.array(self.mu), "sigma": np.array(self.sigma)}
        return spread | of_groups | {"log_degree": self.log_degree.astype(np.float32)}

    def _sweep(self) -> None:
        if self.observed is None:
            exposure = self.of_known + self.weights @ self.rates
            self._move_degrees(exposure)
            self.mu, self.sigma = move_spread(
                self.log_degree, self.priors.mu, self.priors.sigma, self.rng
            )
            self._move_along(exposure)
        self._move_rates()

    def _move_rates(self) -> None:
        """Rates, uniform in their logs between the bounds, given Poisson totals."""
        exposure = self.weights.T @ np.exp(self.log_degree)
        a, b = special.gammainc(self.columns, np.outer([self.low, self.high], exposure))
        chance = a + (b - a) * self.rng.uniform(size=len(exposure))
        drawn = special.gammaincinv(self.columns, chance) / exposure
        self.rates = np.clip(drawn, self.low, self.high)

    def _move_degrees(self, exposure: np.ndarray) -> None:
        precision = self.sigma**-2
        start = np.log((self.rows + 0.5) / np.maximum(exposure, 1e-12))
        at = (self.rows * start + precision * self.mu) / (self.rows + precision)
        for _ in range(NEWTON):
            expected = np.exp(at) * exposure
            bend = expected + precision
            slope = self.rows - expected - precision * (at - self.mu)
            at = at + np.clip(slope / bend, -1.0, 1.0)
        spread = (np.exp(at) * exposure + precision) ** -0.5
        proposed = at + spread * self.rng.standard_t(DF, len(at))

        def log_ratio(x: np.ndarray) -> np.ndarray:
            target = self.rows * x - np.exp(x) * exposure
            target -= 0.5 * precision * (x - self.mu) ** 2
            return target + (DF + 1) / 2 * np.log1p(((x - at) / spread) ** 2 / DF)

        gain = log_ratio(proposed) - log_ratio(self.log_degree)
        moved = -self.rng.exponential(size=len(at)) < gain
        self.log_degree = np.where(moved, proposed, self.log_degree)

    def _move_along(self, exposure: np.ndarray) -> None:
        """Move mean and log spread together with every degree; the prior of these is uniform."""
        old = np.array([self.mu, np.log(self.sigma)])
        new = old + self.root @ self.rng.normal(size=2)
        (low, high), (least, most) = self.priors.mu, np.log(self.priors.sigma)
        if not (low < new[0] < high and least < new[1] < most):
            return
        stretch = np.exp(new[1] - old[1])
        degrees = new[0] + stretch * (self.log_degree - old[0])

        def log_target(x: np.ndarray) -> float:
            return float(self.rows @ x - np.exp(x) @ exposure)

        # Uniform in sigma: its log has the density of sigma itself.
        gain = log_target(degrees) - log_target(self.log_degree) + new[1] - old[1]
        if -self.rng.exponential() < gain:
            self.mu, self.sigma, self.log_degree = float(new[0]), float(np.exp(new[1])), degrees

"""The barrier model without gradients or compilation: exact draws, block by block.

Given the degrees, groups are independent of each other, with one or two parameters each; given the
groups, respondents are independent, each with one degree. So every block is updated for all its
members at once, in whole-array arithmetic (Metropolis within Gibbs):

- degrees: an independence proposal, Student t about each respondent's own mode;
- mean and spread of the log degrees: drawn from their exact conditional distribution; then once
  more with the known groups' correlations, every degree moving along;
- each group's rate and correlation: an independence proposal shaped on the warm-up, then a random
  walk, which is what moves a draw in the tails.

Warm-up tunes the proposals; afterwards they are fixed, so the draws are from the posterior that
NUTS samples (`pymc_models.barrier`), up to Monte Carlo error. Where the blocks still depend on one
another (few known groups), R-hat and the effective sample size say so, and NUTS is the remedy.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import xarray as xr

from smallarea.nsum.bayesian.gibbs_cells import (
    EVERY,
    Cells,
    Tell,
    Together,
    kept_draws,
    log_jacobian,
    move_spread,
    shares,
)
from smallarea.nsum.bayesian.gibbs_degree import DegreeChain
from smallarea.nsum.bayesian.pymc_models import Answers, Priors
from smallarea.progress import Progress, silent

DF = 5.0  # of the Student t proposals: heavier tails than any block has
WIDER = 1.05  # than the block's own spread
STEP = 1.7  # of the random walk, in standard deviations
JUMPS = 0.8  # share of jumps among the moves of a group's parameters; the others walk
MOVES = 3  # of the hidden groups per sweep: they are few, and two parameters each
DF_ALL = 15.0  # of the joint proposal, which has many dimensions


def sample_gibbs(
    model: str,
    answers: Answers,
    priors: Priors,
    draws: int,
    tune: int,
    chains: int,
    seed: int,
    progress: Progress = silent,
) -> tuple[Any, dict[str, float]]:
    """Sample the barrier or the degree model; return a trace and CPU seconds, as `fit.sample` does.

    The trace has the variables of the model in `pymc_models`. There are no divergences here and
    no energy. `progress` is told (what, share done) after every so many sweeps.
    """
    start = time.process_time()
    kind = DegreeChain if model == "degree" else _Chain
    made: list[dict[str, np.ndarray]] = []
    for chain in range(chains):
        sampler = kind(answers, priors, np.random.default_rng([seed, chain]))

        def tell(done: float, chain: int = chain) -> None:
            progress(f"sampling: {model} model", (chain + done) / chains)

        made.append(sampler.run(draws, tune, tell))
    posterior = {name: np.stack([one[name] for one in made]) for name in made[0]}
    dims = ("chain", "draw")
    arrays = {
        name: ([*dims, *(f"{name}_dim_{d}" for d in range(values.ndim - 2))], values)
        for name, values in posterior.items()
    }
    axes = {"chain": np.arange(chains), "draw": np.arange(draws)}
    quiet = {"diverging": (dims, np.zeros((chains, draws), dtype=bool))}
    trace = SimpleNamespace(
        posterior=xr.Dataset(arrays, axes), sample_stats=xr.Dataset(quiet, axes)
    )
    return trace, {"compile": 0.0, "sample": time.process_time() - start}


class _Chain:
    """One Markov chain: its state, its proposals, and the blocks that move it."""

    def __init__(self, answers: Answers, priors: Priors, rng: np.random.Generator) -> None:
        self.rng, self.priors, self.answers = rng, priors, answers
        n, groups = answers.counts.shape
        self.n_known, self.observed = groups - answers.n_hidden, answers.log_degree
        parts = [slice(0, self.n_known), slice(self.n_known, groups)]
        self.cells = Cells(answers, slice(0, groups))
        self.parts = [(of, Cells(answers, of)) for of in parts if of.stop > of.start]
        bounds = np.log(np.clip(priors.size, None, answers.population) / answers.population)
        self.low, self.high = bounds
        # Per group: logit of the correlation and log rate, the latter known for known groups.
        self.theta = np.empty((groups, 2))
        self.theta[:, 0] = rng.normal(-4.0, 1.0, groups)
        self.free = np.arange(groups) >= self.n_known
        self.theta[: self.n_known, 1] = answers.log_known
        self.mu, self.sigma = float(np.mean(priors.mu)), 1.0
        self.log_degree = np.full(n, self.mu) if self.observed is None else self.observed
        if self.observed is None and self.n_known:
            self._start_degrees()
        exposure = (self.cells.weights * np.exp(self.log_degree)).sum(axis=1)
        crude = np.log((self.cells.columns + 0.5) / exposure) + rng.normal(0.0, 0.3, groups)
        inside = np.clip(crude, self.low + 1e-3, self.high - 1e-3)
        self.theta[self.free, 1] = inside[self.free]
        self.scale = np.full(groups, 0.3)  # of the random walk while it is learning
        self.middle = self.theta.copy()
        self.root = np.tile(np.diag([0.5, 0.2]), (groups, 1, 1))
        self.at, self.spread = self.log_degree, np.ones(n)
        self._refresh()

    def _start_degrees(self) -> None:
        """Scale answers up to the population, a little shrunk: a start, no more."""
        w, known = self.cells.weights[: self.n_known], np.exp(self.answers.log_known)
        seen = self.cells.weighted[: self.n_known].sum(axis=0)
        self.log_degree = np.log((seen + 1.0) / (w.T @ known + np.exp(-self.mu)))
        self.log_degree = np.clip(self.log_degree, *self.priors.mu)
        self.mu, self.sigma = float(self.log_degree.mean()), max(float(self.log_degree.std()), 0.3)

    def _refresh(self) -> None:
        """Evaluate the cells and groups at the present state."""
        self.share, self.shape, self.rho = shares(self.theta, self.priors.rho)
        self.now = self.cells.logs(np.exp(self.log_degree), self.share, self.shape)

    def _log_target(self, of: slice, part: Cells, theta: np.ndarray, *at: np.ndarray) -> np.ndarray:
        """Log posterior of groups given the degrees, `at` their cells, shares and shapes.

        The prior of a hidden group's rate is uniform in its log, of a correlation uniform.
        """
        jacobian = log_jacobian(theta[:, 0])
        total = part.of_groups(*at) + jacobian
        outside = self.free[of] & ((theta[:, 1] < self.low) | (theta[:, 1] > self.high))
        return np.where(outside | ~np.isfinite(total), -np.inf, total)

    def run(self, draws: int, tune: int, tell: Tell) -> dict[str, np.ndarray]:
        """Warm up, then draw; `tell` hears the share done."""
        tune = max(tune, 8)
        seen: list[np.ndarray] = []
        together: list[np.ndarray] = []
        stages = sorted({tune // 8, tune // 4, tune // 2, tune - 1})
        for step in range(tune):
            if step % EVERY == 0:
                tell(step / (tune + draws))
            self._sweep(learning=True, shaped=step > tune // 4)
            seen.append(self.theta.copy())
            together.append(self._together())
            if step in stages:
                late = slice(step // 2, None)
                self._shape_proposals(np.array(seen[late]), np.array(together[late]))
        warm = tune / (tune + draws)
        return kept_draws(
            self._sweep, self._state, draws, lambda done: tell(warm + (1 - warm) * done)
        )

    def _state(self) -> dict[str, np.ndarray]:
        of_groups = {
            "log_rate": self.theta[self.free, 1].copy(),
            "rho": self.rho.copy(),
            "share": self.share.copy(),
            "shape": self.shape.copy(),
        }
        if self.observed is not None:
            return of_groups
        spread = {"mu": np.array(self.mu), "sigma": np.array(self.sigma)}
        return spread | of_groups | {"log_degree": self.log_degree.copy()}

    def _sweep(self, *, learning: bool = False, shaped: bool = True) -> None:
        if self.observed is None:
            self._move_degrees()
            self._move_spread()
            if shaped:
                self._move_together()
        for of, part in self.parts:
            for _ in range(MOVES if of.start == self.n_known else 1):
                self._move_groups(of, part, jumps=JUMPS if shaped else 0.0, learning=learning)

    def _move_degrees(self) -> None:
        n = len(self.log_degree)
        proposed = self.at + self.spread * self.rng.standard_t(DF, n)
        cells = self.cells.logs(np.exp(proposed), self.share, self.shape)

        def log_ratio(x: np.ndarray, taken: np.ndarray) -> np.ndarray:
            prior = -0.5 * ((x - self.mu) / self.sigma) ** 2
            away = (x - self.at) / self.spread
            from_t = -(DF + 1) / 2 * np.log1p(away**2 / DF)
            return prior + self.cells.rows * x - taken.sum(axis=0) - from_t

        gain = log_ratio(proposed, cells) - log_ratio(self.log_degree, self.now)
        moved = -self.rng.exponential(size=n) < gain
        self.log_degree = np.where(moved, proposed, self.log_degree)
        np.copyto(self.now, cells, where=moved)

    def _move_spread(self) -> None:
        self.mu, self.sigma = move_spread(
            self.log_degree, self.priors.mu, self.priors.sigma, self.rng
        )

    def _move_together(self) -> None:
        """Move mu, sigma and the known groups' correlations, and with them every degree.

        Block by block these creep, since the degrees carry the memory of the others. Here each
        degree moves as its conditional mode and spread do, to first order, so the proposal is close
        to a draw from the posterior with the degrees integrated out. The ratio accounts for the
        rest.
        """
        joint, old = self.joint, self._together()
        step = WIDER * joint.root @ self.rng.normal(size=len(old))
        new = joint.centre + step * np.sqrt(DF_ALL / self.rng.chisquare(DF_ALL))
        (low, high), (least, most) = self.priors.mu, np.log(self.priors.sigma)
        if not (low < new[0] < high and least < new[1] < most):
            return
        theta = self.theta.copy()
        theta[: self.n_known, 0] = new[2:]
        share, shape, rho = shares(theta, self.priors.rho)
        stretch = (new - old) @ joint.stretch
        at = joint.at + (old - joint.centre) @ joint.drift
        degrees = at + (new - old) @ joint.drift + np.exp(stretch) * (self.log_degree - at)
        cells = self.cells.logs(np.exp(degrees), share, shape)

        def log_density(x: np.ndarray, phi: np.ndarray, *groups: np.ndarray) -> float:
            """Of the degrees and all groups, less that of the proposal."""
            prior = -0.5 * (((x - phi[0]) * np.exp(-phi[1])) ** 2).sum() + (1 - len(x)) * phi[1]
            prior += log_jacobian(phi[2:]).sum()
            likelihood = self.cells.of_groups(*groups).sum() + (self.cells.rows * x).sum()
            away = np.linalg.solve(WIDER * joint.root, phi - joint.centre)
            from_t = -(DF_ALL + len(phi)) / 2 * np.log1p((away**2).sum() / DF_ALL)
            return float(prior + likelihood - from_t)

        gain = log_density(degrees, new, cells, share, shape) + stretch.sum()
        gain -= log_density(self.log_degree, old, self.now, self.share, self.shape)
        if -self.rng.exponential() < gain:
            self.mu, self.sigma = float(new[0]), float(np.exp(new[1]))
            self.log_degree, self.now = degrees, cells
            self.theta, self.share, self.shape, self.rho = theta, share, shape, rho

    def _together(self) -> np.ndarray:
        """Return what `_move_together` moves: mu, log sigma, the known groups' logits."""
        return np.concatenate([[self.mu, np.log(self.sigma)], self.theta[: self.n_known, 0]])

    def _move_groups(self, of: slice, part: Cells, *, jumps: float, learning: bool) -> None:
        """Propose new parameters for each group: a Student t's, or a step of the random walk."""
        held = self.theta[of]
        jump = self.rng.uniform(size=len(held)) < jumps
        normal = self.rng.normal(size=held.shape) * np.column_stack(
            [np.ones(len(held)), self.free[of]]
        )
        step = np.einsum("kij,kj->ki", self.root[of], normal)
        radius = np.sqrt(DF / self.rng.chisquare(DF, len(held)))[:, None]
        walked = held + self.scale[of, None] * step
        proposed = np.where(jump[:, None], self.middle[of] + radius * step, walked)
        share, shape, rho = shares(proposed, self.priors.rho)
        cells = part.logs(np.exp(self.log_degree), share, shape)
        present = self.now[of], self.share[of], self.shape[of]
        gain = self._log_target(of, part, proposed, cells, share, shape)
        gain -= self._log_target(of, part, held, *present)
        gain -= np.where(jump, self._log_t(of, proposed) - self._log_t(of, held), 0.0)
        moved = -self.rng.exponential(size=len(gain)) < gain
        for state, new in (
            (self.theta, proposed), (self.now, cells), (self.share, share),
            (self.shape, shape), (self.rho, rho),
        ):  # fmt: skip
            state[of][moved] = new[moved]
        if learning:
            learnt = self.scale[of] * np.exp(0.1 * (moved - 0.4))
            self.scale[of] = np.where(jump, self.scale[of], np.clip(learnt, 1e-3, 10.0))

    def _log_t(self, of: slice, theta: np.ndarray) -> np.ndarray:
        away = np.linalg.solve(self.root[of], (theta - self.middle[of])[..., None])[..., 0]
        return -(DF + 1 + self.free[of]) / 2 * np.log1p((away**2).sum(axis=1) / DF)

    def _shape_proposals(self, seen: np.ndarray, together: np.ndarray) -> None:
        """Shape the proposals on the states seen lately: groups on moments, degrees on modes."""
        self.middle = seen.mean(axis=0)
        away = seen - self.middle
        covariance = np.einsum("ski,skj->kij", away, away) / max(len(seen) - 1, 1)
        least = np.array([1e-4, 1e-6])
        covariance[:, [0, 1], [0, 1]] += least
        covariance[~self.free, :, 1] = covariance[~self.free, 1, :] = 0.0
        covariance[~self.free, 1, 1] = 1.0
        self.root = WIDER * np.linalg.cholesky(covariance)
        self.scale = np.full(len(self.scale), STEP) / np.sqrt(1 + self.free)
        if self.observed is None:
            known = self.cells, together, self.middle, self.priors.rho, self.log_degree
            self.joint = Together.tuned(*known)
            self.at, self.spread = self.joint.at, WIDER / np.sqrt(self.joint.bend)

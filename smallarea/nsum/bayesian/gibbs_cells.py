"""Gibbs sampling of the barrier model rests on these: its likelihood by blocks, a joint proposal.

See `smallarea.nsum.bayesian.gibbs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from smallarea.nsum.bayesian.pymc_models import Answers

Tell = Callable[[float], None]  # told the share of one chain that is done
EVERY = 20  # sweeps between two reports
NUDGE = 0.02  # by which parameters move, to see how the degrees follow
NEWTON = 30  # steps to a respondent's mode, at most
TINY = np.finfo(float).tiny


def shares(
    theta: np.ndarray, bounds: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return share, shape and correlation of groups, `theta` (K, 2): logit and log rate.

    bounds : of the correlation, between which the logit takes it.
    """
    low, high = bounds
    rho = low + (high - low) * special.expit(theta[:, 0])
    share = np.exp(theta[:, 1])
    return share, np.maximum(share * (1.0 / np.maximum(rho, TINY) - 1.0), TINY), rho


def log_jacobian(logit: np.ndarray) -> np.ndarray:
    """Log density of logits whose inverse is uniform on (0, 1)."""
    return special.log_expit(logit) + special.log_expit(-logit)


def kept_draws(
    sweep: Callable[[], None], state: Callable[[], dict[str, np.ndarray]], draws: int, tell: Tell
) -> dict[str, np.ndarray]:
    """Sweep so many times and keep the state after each; arrays (draws, ...) by name.

    tell : hears the share done after every so many sweeps.
    """
    kept: dict[str, list[np.ndarray]] = {}
    for step in range(draws):
        if step % EVERY == 0:
            tell(step / draws)
        sweep()
        for name, value in state().items():
            kept.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in kept.items()}


def move_spread(
    x: np.ndarray,
    mu: tuple[float, float],
    sigma: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Draw the mean and spread of log degrees `x` (n,), uniform between the bounds mu and sigma.

    Sigma with mu integrated out (but for its bounds); then mu given both.
    """
    n, mean = len(x), float(x.mean())
    half = float(((x - mean) ** 2).sum()) / 2
    # Uniform sigma: 2 half / sigma^2 is chi-squared with n - 2 degrees of freedom.
    low, high = (half / s**2 for s in sigma[::-1])
    freedom = max(n - 2, 1) / 2
    a, b = special.gammainc(freedom, [low, high])
    value = special.gammaincinv(freedom, a + (b - a) * rng.uniform())
    spread = float(np.sqrt(half / np.clip(value, low, high)))
    se = spread / np.sqrt(n)
    a, b = special.ndtr((np.array(mu) - mean) / se)
    value = special.ndtri(a + (b - a) * rng.uniform())
    return float(np.clip(mean + se * value, *mu)), spread


class Cells:
    """The likelihood of the barrier model, of all groups or some; arrays are (K, n)."""

    def __init__(self, answers: Answers, of: slice) -> None:
        given = answers.arrays()
        self.rows, self.columns = given["rows"], given["columns"][of]
        self.weights = given["weights"][of]
        self.weighted = self.weights * given["counts"][of]
        first, last, _ = of.indices(answers.counts.shape[1])
        here = (given["pair_group"] >= first) & (given["pair_group"] < last)
        self.pair = (
            given["pair_group"][here] - first,
            given["pair_answer"][here],
            given["pair_weight"][here],
        )
        self._work = np.empty(self.weights.shape)

    def logs(self, degree: np.ndarray, share: np.ndarray, shape: np.ndarray) -> np.ndarray:
        """w (y + a) log(1 + d m / a), what a cell takes off the log-likelihood."""
        out = np.multiply.outer(share / shape, degree)
        out += 1.0
        np.log(out, out=out)
        work = np.multiply(self.weights, shape[:, None], out=self._work)
        work += self.weighted
        out *= work
        return out

    def of_groups(self, cells: np.ndarray, share: np.ndarray, shape: np.ndarray) -> np.ndarray:
        """Log-likelihood of each group given the degrees, up to their own constant."""
        group, answer, weight = self.pair
        own = shape[group]
        gammas = weight * (special.gammaln(answer + own) - special.gammaln(own))
        total = np.bincount(group, gammas, len(shape))
        return total + self.columns * np.log(share / shape) - cells.sum(axis=1)

    def slopes(
        self, degree: np.ndarray, share: np.ndarray, shape: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """First and (negative) second derivative of the log-likelihood by each log degree."""
        scaled = np.multiply.outer(share / shape, degree)
        chance = scaled / (1.0 + scaled)
        pull = (self.weights * shape[:, None] + self.weighted) * chance
        return self.rows - pull.sum(axis=0), (pull * (1.0 - chance)).sum(axis=0)

    def modes(
        self, x: np.ndarray, mu: float, sigma: float, share: np.ndarray, shape: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mode and curvature of every log degree given the rest, by Newton's method from `x`."""
        bend = np.ones(len(x))
        for _ in range(NEWTON):
            slope, bend = self.slopes(np.exp(x), share, shape)
            slope, bend = slope - (x - mu) / sigma**2, bend + sigma**-2
            step = np.clip(slope / bend, -1.0, 1.0)
            x = x + step
            if np.abs(step).max() < 1e-4:
                break
        return x, bend


@dataclass(frozen=True)
class Together:
    """Joint proposal of phi (mu, log sigma, the known groups' logits), and how degrees go with it.

    centre, root : of the proposal of phi. at, bend : modes of the log degrees at the centre, and
    their curvature. drift, stretch : (phi, n), derivatives of the modes and of the log spreads.
    """

    centre: np.ndarray
    root: np.ndarray
    at: np.ndarray
    bend: np.ndarray
    drift: np.ndarray
    stretch: np.ndarray

    @classmethod
    def tuned(
        cls,
        cells: Cells,
        seen: np.ndarray,
        theta: np.ndarray,
        bounds: tuple[float, float],
        start: np.ndarray,
    ) -> Together:
        """Find the modes at the mean of the phis seen, and the curvature about it.

        The curvature is that of the posterior with the degrees integrated out, by Louis' formula at
        the modes: what complete data would tell, less what the degrees leave open.

        Parameters
        ----------
        theta : (K, 2), hidden groups' parameters among them. start : log degrees to start from.
        """
        centre = seen.mean(axis=0)

        def groups(phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            moved = theta.copy()
            moved[: len(phi) - 2, 0] = phi[2:]
            return shares(moved, bounds)[:2]

        def modes(phi: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return cells.modes(x, phi[0], np.exp(phi[1]), *groups(phi))

        def separately(phi: np.ndarray) -> np.ndarray:
            """Log posterior by parameter, the others and the degrees held."""
            share, shape = groups(phi)
            of_groups = cells.of_groups(cells.logs(np.exp(at), share, shape), share, shape)
            squares = (at - phi[0]) ** 2 * np.exp(-2 * centre[1])
            spread = ((at - centre[0]) ** 2 + 1 / bend) * np.exp(-2 * phi[1])
            own = [-0.5 * squares.sum(), -0.5 * spread.sum() + (1 - len(at)) * phi[1]]
            return np.array([*own, *(of_groups[: len(phi) - 2] + log_jacobian(phi[2:]))])

        at, bend = modes(centre, start)
        there = [modes(centre + step, at) for step in np.eye(len(centre)) * NUDGE]
        drift = np.array([(x - at) / NUDGE for x, _ in there])
        stretch = np.array([-0.5 * np.log(b / bend) / NUDGE for _, b in there])
        here, up, down = (separately(centre + d) for d in (0.0, NUDGE, -NUDGE))
        complete = (2 * here - up - down) / NUDGE**2
        complete[1] -= 2 * ((np.exp(-2 * centre[1]) / bend) ** 2).sum()
        precision = np.diag(complete) - np.einsum("ji,i,ki->jk", drift, bend, drift)
        eigenvalues, axes = np.linalg.eigh(precision)
        if eigenvalues.min() > 0:
            root = axes * eigenvalues**-0.5
        else:  # little is known: small steps about what was seen
            root = np.diag(seen.std(axis=0) / np.sqrt(len(centre)) + 1e-4)
        return cls(centre, root, at, bend, drift, stretch)

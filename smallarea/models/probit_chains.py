"""Markov chains of a probit model of areas in groups: Gibbs sampling with Metropolis steps.

eta_a = x_a' beta + u_g + v_a, as `unit_probit.UnitProbit` has it. Coefficients, group effects and
standard deviations are drawn given every area's eta; each eta moves by Metropolis steps; then all
move together. A normal latent value for every person (Albert & Chib 1993) would hardly move where
the trait is as rare as here (Johndrow, Smith, Pillai & Dunson 2019).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri

Array = NDArray[np.float64]

_FEWEST_GROUPS = 4  # of which a flat prior on their standard deviation still gives a posterior
_STEPS = 2  # Metropolis steps for the areas in every sweep
_THIN = 4  # sweeps for a draw that is kept
_WIDTH = 2.4  # of a step in standard deviations (Gelman, Roberts & Gilks 1996)


class Chains:
    """Chains of all components at once: every array has them, c in all, on its first axis.

    yes, asked : (c, m), answers in m areas; need not be whole. Z : (m, p). group : (m,), codes.
    """

    def __init__(
        self, yes: Array, asked: Array, Z: Array, group: Array, rng: np.random.Generator
    ) -> None:
        self.yes, self.no, self.Z, self.rng = yes, asked - yes, Z, rng
        self.member = (group[:, None] == np.arange(group.max() + 1)).astype(float)
        self.many = self.member.shape[1] >= _FEWEST_GROUPS
        self.size = self.member.sum(axis=0)
        self.root = np.linalg.cholesky(np.linalg.inv(Z.T @ Z))
        self.hat = np.linalg.solve(Z.T @ Z, Z.T)
        level = ndtri((yes.sum(1) + 0.5) / (asked.sum(1) + 1))[:, None]
        density = np.exp(-(level**2)) / (2 * np.pi)
        self.information = asked * density / (ndtr(level) * ndtr(-level))
        whole = np.einsum("cm,mp,mq->cpq", self.information, Z, Z)
        self.stride = np.linalg.cholesky(np.linalg.inv(whole)) * _WIDTH / np.sqrt(Z.shape[1])
        c, (m, p) = len(yes), Z.shape
        self.eta = level + 0.3 * rng.standard_normal((c, m))
        self.u, self.beta = np.zeros((c, self.member.shape[1])), np.zeros((c, p))
        self.sd_area, self.sd_group = np.full((c, 1), 0.3), np.full((c, 1), 0.3 * self.many)

    def run(self, tune: int, draws: int) -> dict[str, Array]:
        """Return draws by name, (c, draws, ...)."""
        kept: dict[str, list[Array]] = {
            name: [] for name in ("eta", "u", "beta", "sd_area", "sd_group")
        }
        for draw in range(tune + draws):
            for _ in range(_THIN):
                self._given_areas()
                self._move_areas()
                self._move_together()
            if draw >= tune:
                for name, values in kept.items():
                    values.append(getattr(self, name).copy())
        found = {name: np.stack(values, axis=1) for name, values in kept.items()}
        return found | {name: found[name][..., 0] for name in ("sd_area", "sd_group")}

    def _given_areas(self) -> None:
        """Draw coefficients, groups and standard deviations given every area's eta."""
        z = self.rng.standard_normal
        rest = self.eta - self.u @ self.member.T
        self.beta = rest @ self.hat.T + self.sd_area * (z(self.beta.shape) @ self.root.T)
        left = self.eta - self.beta @ self.Z.T
        if self.many:
            precision = self.size / self.sd_area**2 + 1 / self.sd_group**2
            mean = left @ self.member / self.sd_area**2 / precision
            self.u = mean + z(self.u.shape) / np.sqrt(precision)
            self.sd_group = self._sd(self.u)
        self.sd_area = self._sd(left - self.u @ self.member.T)

    def _sd(self, effects: Array) -> Array:
        """Draw the standard deviation of effects under a flat prior."""
        half = self.rng.chisquare(effects.shape[1] - 1, (len(effects), 1))
        return np.sqrt((effects**2).sum(axis=1, keepdims=True) / half)

    def _move_areas(self) -> None:
        """Move each area's eta, all else fixed."""
        expected = self.beta @ self.Z.T + self.u @ self.member.T
        width = _WIDTH / np.sqrt(self.information + 1 / self.sd_area**2)

        def density(eta: Array) -> Array:
            within: Array = ((eta - expected) / self.sd_area) ** 2
            return self._answers(eta) - 0.5 * within

        here = density(self.eta)
        for _ in range(_STEPS):
            proposed = self.eta + width * self.rng.standard_normal(self.eta.shape)
            there = density(proposed)
            move = self._accepted(there - here)
            self.eta, here = np.where(move, proposed, self.eta), np.where(move, there, here)

    def _move_together(self) -> None:
        """Move coefficients, groups and standard deviations, every area's eta along with them.

        Where areas say little, their eta would hold the others fast (Yu & Meng 2011).
        """
        z, here = self.rng.standard_normal, self._answers(self.eta)
        step = np.einsum("cpq,cq->cp", self.stride, z(self.beta.shape))
        move, here = self._try(self.eta + step @ self.Z.T, here, 0.0)
        self.beta = np.where(move, self.beta + step, self.beta)
        if self.many:
            here = self._move_groups(here)
            ratio = self._ratio()
            along = (ratio - 1) * self.u @ self.member.T
            move, here = self._try(self.eta + along, here, np.log(ratio))
            self.u = np.where(move, ratio * self.u, self.u)
            self.sd_group = np.where(move, ratio * self.sd_group, self.sd_group)
        ratio = self._ratio()
        expected = self.beta @ self.Z.T + self.u @ self.member.T
        move, here = self._try(expected + ratio * (self.eta - expected), here, np.log(ratio))
        self.sd_area = np.where(move, ratio * self.sd_area, self.sd_area)

    def _move_groups(self, here: Array) -> Array:
        """Move each group and its areas; return the log density of the answers then."""
        width = _WIDTH / np.sqrt(self.information @ self.member + 1 / self.sd_group**2)
        u = self.u + width * self.rng.standard_normal(self.u.shape)
        eta = self.eta + (u - self.u) @ self.member.T
        there = self._answers(eta)
        prior = 0.5 * (self.u**2 - u**2) / self.sd_group**2
        moved = self._accepted((there - here) @ self.member + prior)
        self.u = np.where(moved, u, self.u)
        move = moved @ self.member.T > 0
        self.eta = np.where(move, eta, self.eta)
        return np.where(move, there, here)

    def _try(
        self, eta: Array, here: Array, prior: Array | float
    ) -> tuple[NDArray[np.bool_], Array]:
        """Accept or not, chain by chain, all areas' eta; return which, and their log density."""
        there = self._answers(eta)
        move = self._accepted((there - here).sum(axis=1, keepdims=True) + prior)
        self.eta = np.where(move, eta, self.eta)
        return move, np.where(move, there, here)

    def _ratio(self) -> Array:
        """Propose factors of standard deviations, near 1 and far from it."""
        shape = self.sd_area.shape
        width = np.exp(self.rng.uniform(np.log(0.05), 0, shape))
        return np.exp(width * self.rng.standard_normal(shape))

    def _accepted(self, log_ratio: Array) -> NDArray[np.bool_]:
        return np.asarray(np.log(self.rng.random(log_ratio.shape)) < log_ratio, dtype=bool)

    def _answers(self, eta: Array) -> Array:
        """Return the log density of each area's answers, (c, m), up to a constant."""
        return np.asarray(self.yes * log_ndtr(eta) + self.no * log_ndtr(-eta), dtype=float)

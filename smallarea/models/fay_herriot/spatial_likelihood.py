"""The likelihood of A and rho where area effects have the covariance A C(rho), and its maximum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from smallarea.models.fay_herriot.inputs import Array, Places
from smallarea.models.fay_herriot.structures import Structure


@dataclass(frozen=True)
class Point:
    """The likelihood at one (A, rho), its score and information, and the matrices behind."""

    variance: float
    rho: float
    value: float
    score: Array
    information: Array
    beta: Array
    covariance: Array
    V_inverse: Array
    C: Array
    C1: Array


@dataclass(frozen=True)
class SpatialLikelihood:
    """The (restricted) likelihood of m direct estimates on a graph of N areas.

    y, psi : (m,). X : (m, p). data : (m,), the place of each area with data in the graph.
    """

    y: Array
    X: Array
    psi: Array
    structure: Structure
    data: Places
    restricted: bool

    def value(self, A: float, rho: float) -> float:
        """Return the log-likelihood alone, for much less work."""
        V = A * self.structure.among(rho, self.data) + np.diag(self.psi)
        factor = cho_factor(V, lower=True, overwrite_a=True)
        both = np.column_stack([self.X, self.y])
        M = both.T @ cho_solve(factor, both)
        beta = np.linalg.solve(M[:-1, :-1], M[:-1, -1])
        value = -np.log(np.diag(factor[0])).sum() - 0.5 * (M[-1, -1] - M[-1, :-1] @ beta)
        if self.restricted:
            value -= 0.5 * np.linalg.slogdet(M[:-1, :-1])[1]
        return float(value)

    def at(self, A: float, rho: float) -> Point:
        C, C1 = self.structure.at(rho)
        observed = np.ix_(self.data, self.data)
        factor = cho_factor(A * C[observed] + np.diag(self.psi), lower=True)
        Vi = cho_solve(factor, np.eye(len(self.psi)))
        ViX = Vi @ self.X
        covariance = np.linalg.inv(self.X.T @ ViX)
        beta = covariance @ (ViX.T @ self.y)
        P = Vi - ViX @ covariance @ ViX.T
        Py = Vi @ (self.y - self.X @ beta)
        value = -np.log(np.diag(factor[0])).sum() - 0.5 * self.y @ Py
        if self.restricted:
            value += 0.5 * np.linalg.slogdet(covariance)[1]
        slopes = C[observed], A * C1[observed]
        middle = P if self.restricted else Vi
        products = [middle @ slope for slope in slopes]
        score = [0.5 * (Py @ D @ Py - np.trace(MD)) for D, MD in zip(slopes, products, strict=True)]
        # The information that scoring and g3 use is that of P, as the peers' is.
        inner = products if self.restricted else [P @ slope for slope in slopes]
        information = [[0.5 * np.sum(a * b.T) for b in inner] for a in inner]
        return Point(
            A,
            rho,
            float(value),
            np.array(score),
            np.array(information),
            beta,
            covariance,
            Vi,
            C,
            C1,
        )

    def maximum(self) -> Point:
        """Return the highest point: the best of a coarse grid, then Fisher scoring by halved steps.

        Where A falls to zero nothing can be said of rho, which then is zero too.
        """
        low, high = self.structure.bounds
        floor = 1e-8 * float(np.median(self.psi))
        ordinary = np.linalg.lstsq(self.X, self.y)[0]
        spread = float(np.var(self.y - self.X @ ordinary))
        starts = [
            (A, rho)
            for A in np.geomspace(0.05 * np.median(self.psi), max(spread, np.median(self.psi)), 4)
            for rho in self.structure.starts
        ]
        here = self.at(*starts[int(np.argmax([self.value(*start) for start in starts]))])
        for _ in range(200):
            theta = np.array([here.variance, here.rho])
            at_low, at_high = theta <= [floor, low], theta >= [np.inf, high]
            free = ~((at_low & (here.score < 0)) | (at_high & (here.score > 0)))
            step = np.linalg.pinv(here.information * np.outer(free, free)) @ (here.score * free)
            for halving in range(30):
                A, rho = theta + step / 2**halving
                there = self.at(max(A, floor), float(np.clip(rho, low, high)))
                if there.value >= here.value - 1e-12 * abs(here.value):
                    break
            still = (
                abs(there.variance - here.variance) <= 1e-10 * here.variance
                and abs(there.rho - here.rho) <= 1e-10
            )
            here = there
            if still:
                break
        if here.variance <= floor:
            return self.at(0.0, 0.0)
        return here

"""Latent Gaussian values under observations of given precision, factorised component by component.

Latent values of component k are f_k = u + h_k: u ~ N(0, rho A) is common to all components and
h_k ~ N(0, D) a component's own, D = (1 - rho) A + own I + level 11'. So components have covariance
C (x) A + own I + level 11' with C exchangeable of correlation rho. Given u components are
independent: everything costs O(K m^3), not O(K^3 m^3), and nothing larger than m x m is formed.

Rasmussen & Williams 2006, ch. 3. Arrays are (K, m), (K, m, m).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dpotrf, dpotri

Array = NDArray[np.float64]

_LITTLE = 1e-4  # information below which a variance is not found from what the data took off


@dataclass(frozen=True)
class Prior:
    """Covariance of latent values. shared : A, (m, m). own, level : variances."""

    shared: Array
    correlation: float
    own: float
    level: float

    @cached_property
    def block(self) -> Array:
        """D, the covariance of what is a component's own, (m, m)."""
        block = (1 - self.correlation) * self.shared + self.level
        block.flat[:: len(block) + 1] += self.own
        return block

    @cached_property
    def root(self) -> Array:
        """Lower Cholesky factor of rho A, in the order that LAPACK works on."""
        return np.asfortranarray(np.linalg.cholesky(self.correlation * self.shared))

    def times(self, x: Array) -> Array:
        """Return the covariance times `x`, (K, m)."""
        return x @ self.block + self.correlation * (x.sum(axis=0) @ self.shared)


class Sites:
    """The Gaussian posterior under observations of precision `weight` (K, m), factorised.

    R = (covariance + 1 / weight)^-1 is never formed. inverse : P, (D + 1 / weight_k)^-1 of each
    component, (K, m, m). common_root : Y, (m, m), with Y'Y the posterior covariance of u.
    log_det : of I + covariance times weight.
    """

    def __init__(self, prior: Prior, weight: Array) -> None:
        self.prior, self.weight = prior, weight
        self.inverse, log_det = _inverses(prior.block, np.sqrt(weight))
        root = prior.root
        total = dtrmm(1.0, root, dtrmm(1.0, root, self.inverse.sum(axis=0), 1, 1), 0, 1, 1)
        total.flat[:: len(total) + 1] += 1
        common = np.linalg.cholesky(total)
        self.common_root = solve_triangular(common, root.T, lower=True, check_finite=False)
        self.log_det = log_det + 2 * float(np.log(np.diagonal(common)).sum())

    @cached_property
    def through(self) -> Array:
        """Y P_k, (K, m, m); `forget` drops it."""
        return self.common_root @ self.inverse

    def forget(self) -> None:
        """Drop what derivatives need and draws do not."""
        vars(self).pop("through", None)

    def solve(self, x: Array) -> Array:
        """Return R times `x`, (K, m, n)."""
        return self._less_common(self.inverse @ x)

    def solve_noisy(self, f: Array, z: Array) -> Array:
        """Return R (f + z / sqrt(weight)), (K, m, n), also where a weight is 0."""
        root = np.sqrt(self.weight)[:, :, None]
        noise = np.divide(z, root, out=np.zeros_like(z), where=root > 0)
        return self._less_common(self.inverse @ (f + noise))

    def _less_common(self, y: Array) -> Array:
        common = self.common_root.T @ (self.common_root @ y.sum(axis=0))
        return y - self.inverse @ common

    def _of(self) -> tuple[Array, Array]:
        """Own and common parts of the posterior of the latent values.

        Returns V, (K, m, m), and H, (K, m, m): the covariance of f_k and f_l is V_k V_l', and for
        k = l also H_k, the covariance of h_k given u.
        """
        block = self.prior.block
        kept = np.eye(len(block)) - block @ self.inverse
        return kept @ self.common_root.T, kept @ block.T

    def variance(self) -> Array:
        """Return the posterior variance of each latent value, (K, m)."""
        w, block = self.weight, self.prior.block
        informed = w * np.diagonal(block) > _LITTLE
        with np.errstate(divide="ignore", invalid="ignore"):
            own = (1 - np.diagonal(self.inverse, axis1=1, axis2=2) / w) / w
            common = np.einsum("kij,kij->kj", self.through, self.through) / w**2
        for k in np.flatnonzero(~informed.all(axis=1)):
            rows = block[~informed[k]]
            own[k, ~informed[k]] = np.diagonal(block)[~informed[k]] - (
                (rows @ self.inverse[k]) * rows
            ).sum(axis=1)
            V = self.common_root[:, ~informed[k]] - self.through[k] @ rows.T
            common[k, ~informed[k]] = (V**2).sum(axis=0)
        return own + common

    def covariances(self, groups: Sequence[NDArray[np.intp]]) -> Iterator[Array]:
        """Yield the posterior covariance of all components of each group's areas, (K n, K n)."""
        everywhere, block = self._of()
        for areas in groups:
            V, H = everywhere[:, areas], block[:, areas[:, None], areas]
            K, n, m = V.shape
            flat = V.reshape(K * n, m)
            out = flat @ flat.T
            for k in range(K):
                out[k * n : (k + 1) * n, k * n : (k + 1) * n] += H[k]
            yield out


def _inverses(block: Array, scale: Array) -> tuple[Array, float]:
    """Return (block + 1 / scale_k^2)^-1, (K, m, m), and the log determinant of I + block scale^2.

    A scale of 0 is nothing observed: the row and the column are 0.
    """
    out, log_det = np.empty((len(scale), *block.shape)), 0.0
    for s, place in zip(scale, out, strict=True):
        np.multiply(block, s, out=place)
        place *= s[:, None]
        place.flat[:: len(place) + 1] += 1
        # Symmetric, so its transpose is the same in the order that LAPACK works in place on.
        lower, failed = dpotrf(place.T, lower=1, clean=1, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("a covariance is not positive definite")
        log_det += 2 * float(np.log(np.diagonal(lower)).sum())
        half = dpotri(lower, lower=1, overwrite_c=1)[0]  # zeros above the diagonal
        diagonal = np.diagonal(half).copy()
        np.add(half, half.T, out=place)
        place.flat[:: len(place) + 1] = diagonal
        place *= s
        place *= s[:, None]
    return out, log_det

"""Scales on which an area-level model may be fitted, and the way back from them.

On its own scale a direct estimate has z = f(y) and the sampling variance f'(y)^2 psi. The way back
is the mean of f^-1 over the normal distribution of the predicted truth, not f^-1 of its mean,
which would be biased wherever f^-1 curves (Slud & Maiti 2006; Sugasawa & Kubokawa 2017; Hadam,
Wuerz & Kreutzmann 2020).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from smallarea.models.fay_herriot.inputs import Array, as_floats, fail

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_BLOCK = 65_536  # rows integrated at a time


class Scale(ABC):
    """A scale f: direct estimates forward, means and variances back."""

    @abstractmethod
    def forward(self, y: Array, psi: Array, size: Array) -> tuple[Array, Array]:
        """Return f(y) and its sampling variance, each (m,).

        `psi` are sampling variances of y, `size` effective sample sizes; NaN where not given.
        """

    @abstractmethod
    def back(self, z: Array) -> Array:
        """Return f^-1(z)."""

    @abstractmethod
    def slope(self, z: Array) -> Array:
        """Return the derivative of f^-1 at z."""

    def moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Return mean and variance of f^-1(Z), Z ~ N(mean, variance), by Gauss-Hermite quadrature.

        Forty-one nodes: exact to 1e-8 for the logistic function at standard deviations up to 2.
        """
        shape = np.broadcast_shapes(np.shape(mean), np.shape(variance))
        mu = np.broadcast_to(mean, shape).ravel()
        sd = np.sqrt(np.broadcast_to(variance, shape).ravel())
        first, second = np.empty((2, mu.size))
        for begin in range(0, mu.size, _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            values = self.back(mu[rows, None] + sd[rows, None] * _NODES)
            first[rows] = values @ _WEIGHTS
            second[rows] = ((values - first[rows, None]) ** 2) @ _WEIGHTS
        return first.reshape(shape), second.reshape(shape)


class Natural(Scale):
    """No transformation."""

    def forward(self, y: Array, psi: Array, size: Array) -> tuple[Array, Array]:
        return y, psi

    def back(self, z: Array) -> Array:
        return z

    def slope(self, z: Array) -> Array:
        return np.ones_like(z)

    def moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        return mean, variance


class Log(Scale):
    """Logarithms of positive quantities; a zero has none, and adding a constant would bias all."""

    def forward(self, y: Array, psi: Array, size: Array) -> tuple[Array, Array]:
        if (y <= 0).any():
            fail(
                f"{int((y <= 0).sum())} direct estimates are not positive on the log scale",
                "use scale='logit' or 'arcsine' for shares, or model counts with their exposure",
            )
        return np.log(y), psi / y**2

    def back(self, z: Array) -> Array:
        return np.exp(z)

    def slope(self, z: Array) -> Array:
        return np.exp(z)

    def moments(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        first = np.exp(mean + variance / 2)
        return first, np.expm1(variance) * first**2


class Logit(Scale):
    """Log odds of shares.

    A share of zero or one has no log odds; it enters by the empirical ones, half a case added on
    either side (Haldane 1956; Anscombe 1956), with their variance, which is large.
    """

    def forward(self, y: Array, psi: Array, size: Array) -> tuple[Array, Array]:
        n = effective_size(y, psi, size)
        edge = (y == 0) | (y == 1)
        yes, no = n * y + 0.5, n * (1 - y) + 0.5
        inner = np.where(edge, 0.5, y)
        own = np.where(np.isnan(psi), inner * (1 - inner) / n, psi)
        z = np.where(edge, np.log(yes / no), logit(inner))
        return z, np.where(edge, 1 / yes + 1 / no, own / (inner * (1 - inner)) ** 2)

    def back(self, z: Array) -> Array:
        return np.asarray(expit(z), dtype=float)

    def slope(self, z: Array) -> Array:
        return np.asarray(expit(z) * expit(-z), dtype=float)


class Arcsine(Scale):
    """Arcsines of the root of shares; variance 1 / (4 effective size), zero and one included."""

    def forward(self, y: Array, psi: Array, size: Array) -> tuple[Array, Array]:
        n = effective_size(y, psi, size)
        return np.arcsin(np.sqrt(y)), 1 / (4 * n)

    def back(self, z: Array) -> Array:
        return np.sin(np.clip(z, 0, np.pi / 2)) ** 2

    def slope(self, z: Array) -> Array:
        return np.sin(2 * np.clip(z, 0, np.pi / 2))


SCALES: dict[str, Scale] = {
    "natural": Natural(),
    "log": Log(),
    "logit": Logit(),
    "arcsine": Arcsine(),
}


def effective_size(y: Array, psi: Array, size: Array) -> Array:
    """Return effective sample sizes: those given, else y (1 - y) / psi, shape (m,).

    A share of zero or one says nothing of its own variance; there the mean share of all areas
    stands in for y.

    Raises
    ------
    InputError : shares outside 0 to 1, or all of them zero, or all one.
    """
    if ((y < 0) | (y > 1)).any():
        fail(f"{int(((y < 0) | (y > 1)).sum())} shares lie outside 0 to 1", "use another scale")
    typical = y.mean()
    edge = (y == 0) | (y == 1)
    if edge.all():
        fail("every share is zero or one", "pool areas until shares differ")
    share = np.where(edge, typical, y)
    return np.where(np.isnan(size), share * (1 - share) / psi, size)


def to_scale(
    scale: str, y: Array, variance: Any, size: Any, labels: pd.Index | None
) -> tuple[Array, Array]:
    """Return direct estimates and sampling variances on a scale, each (m,), both checked.

    `variance` and `size` (effective sample sizes) are given or None; `labels` are the rows' own
    if X is a table. Raises InputError on what is missing, not positive or not finite.
    """
    if variance is None and (size is None or scale in ("natural", "log")):
        fail("no sampling variances", "give variance=")
    if not np.isfinite(y).all():
        fail("direct estimates are missing or infinite", "leave out areas without data")
    given = []
    for values, name in ((variance, "variance"), (size, "effective size")):
        numbers = np.full(len(y), np.nan) if values is None else as_floats(values, name, labels)
        if numbers.shape != y.shape:
            fail(f"shapes disagree: y {y.shape}, {name} {numbers.shape}", "give one per area")
        if values is not None and not np.isfinite(numbers).all():
            fail(f"a sampling {name} is missing or infinite", "leave out areas without data")
        if (numbers <= 0).any():
            fail(f"a sampling {name} is not positive", "smooth the variances first")
        given.append(numbers)
    return SCALES[scale].forward(y, *given)

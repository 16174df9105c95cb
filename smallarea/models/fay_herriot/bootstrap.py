"""Mean squared errors by the parametric bootstrap, on the scale of the direct estimates.

Worlds are drawn from the fitted model, each is fitted anew, and the predictions are compared with
the truth of their own world (Butar & Lahiri 2003; Gonzalez-Manteiga et al. 2008).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from smallarea.models.fay_herriot.inputs import Array, Places
from smallarea.models.fay_herriot.replicates import Replicates
from smallarea.models.fay_herriot.scales import Scale

_CELLS = 1_000_000  # areas x worlds held at a time


class Redrawable(Protocol):
    """A fit that can draw worlds from itself."""

    @property
    def coefficients(self) -> Array: ...
    @property
    def between_variance(self) -> float: ...
    @property
    def variance(self) -> Array: ...
    def replicate(self, n: int, rng: np.random.Generator) -> Replicates: ...


def bootstrap_mse(
    fit: Redrawable,
    X: Array,
    position: Places,
    scale: Scale,
    corrected: bool,
    worlds: int,
    seed: int | None,
) -> Array:
    """Return mean squared errors of the rows of X, shape (rows,).

    Parameters
    ----------
    X : design of the rows, (rows, p). position : each area's place in the fit, or -1.
    corrected : whether predictions are brought back by their mean (else by f^-1 alone).
    worlds : number of replicates. The Monte Carlo error of a mean squared error is about
        sqrt(2 / worlds) of it.
    """
    rng = np.random.default_rng(seed)
    total, seen = np.zeros(len(X)), position >= 0
    at = position[seen]
    expected = (X @ fit.coefficients)[:, None]
    step = max(_CELLS // max(len(X), len(fit.variance)), 1)
    for begin in range(0, worlds, step):
        n = min(step, worlds - begin)
        world = fit.replicate(n, rng)
        estimate = X @ world.beta
        estimate[seen] += world.effects[at]
        v = np.empty((len(X), n))
        v[seen] = world.v[at]
        v[~seen] = np.sqrt(world.true_A) * rng.standard_normal((int((~seen).sum()), n))
        if corrected:
            spread = np.broadcast_to(world.A, v.shape).copy()
            spread[seen] = world.spread[at]
            guess = scale.moments(estimate, spread)[0]
        else:
            guess = scale.back(estimate)
        total += ((guess - scale.back(expected + v)) ** 2).sum(1)
    return total / worlds

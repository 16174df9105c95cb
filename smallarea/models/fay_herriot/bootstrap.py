"""Mean squared errors by the parametric bootstrap, on the scale of the direct estimates.

Worlds are drawn from the fitted model, each is fitted anew, and the predictions are compared with
the truth of their own world (Butar & Lahiri 2003; Gonzalez-Manteiga et al. 2008).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from smallarea.executors import spread
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

    Blocks of worlds, each with random numbers of its own, are spread, see `smallarea.executors`.
    """
    step = max(_CELLS // max(len(X), len(fit.variance)), 1)
    sizes = [min(step, worlds - begin) for begin in range(0, worlds, step)]
    blocks = list(zip(sizes, np.random.SeedSequence(seed).spawn(len(sizes)), strict=True))
    errors = spread(_squared_errors, blocks, fit, X, position, scale, corrected)
    return np.asarray(sum(errors) / worlds)


def _squared_errors(
    block: tuple[int, np.random.SeedSequence],
    fit: Redrawable,
    X: Array,
    position: Places,
    scale: Scale,
    corrected: bool,
) -> Array:
    """Return the sum of squared errors of each row over a number of worlds."""
    n, rng = block[0], np.random.default_rng(block[1])
    seen = position >= 0
    at = position[seen]
    expected = (X @ fit.coefficients)[:, None]
    world = fit.replicate(n, rng)
    estimate = X @ world.beta
    estimate[seen] += world.effects[at]
    v = np.empty((len(X), n))
    v[seen] = world.v[at]
    v[~seen] = np.sqrt(world.true_A) * rng.standard_normal((int((~seen).sum()), n))
    if corrected:
        variance = np.broadcast_to(world.A, v.shape).copy()
        variance[seen] = world.spread[at]
        guess = scale.moments(estimate, variance)[0]
    else:
        guess = scale.back(estimate)
    return np.asarray(((guess - scale.back(expected + v)) ** 2).sum(1))

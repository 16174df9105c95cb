"""Mean squared errors of empirical best predictors by formula, second-order unbiased.

g1 is the error with known parameters, g2 what estimating beta adds, g3 what estimating A adds;
the estimator of g1 is itself biased by -g3 and by the bias of A's estimator, hence g1 + g2 + 2 g3
less a bias term (Prasad & Rao 1990; Datta & Lahiri 2000; Yoshimori & Lahiri 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallarea.models.fay_herriot.inputs import Array
from smallarea.models.fay_herriot.likelihood import Method


@dataclass(frozen=True)
class Rows:
    """Predictions of some rows on the scale of the model, each shape (rows,).

    Attributes
    ----------
    estimate : the predictor.
    spread : variance of the truth about it if parameters were known (g1; A outside the sample).
    mse : mean squared error by formula; NaN where there is none.
    """

    estimate: Array
    spread: Array
    mse: Array


def leverage(X: Array, covariance: Array) -> Array:
    """Return x' C x of every row, shape (rows,)."""
    return np.einsum("ij,ij->i", X @ covariance, X)


def mse_inside(psi: Array, A: float, g2: Array, variance_of_A: float, bias: float) -> Array:
    """Return the mean squared error of areas with data, shape (rows,).

    The bias term may exceed the rest where an adjusted likelihood holds A just above zero; it is
    left out where it would make an error negative.

    Parameters
    ----------
    psi : sampling variances. g2 : x' Cov(beta) x, with x the covariates less the share of them
        that the area's own data take back. variance_of_A, bias : of the estimator of A.
    """
    w = 1 / (A + psi)
    plain = A * w * psi + g2 + 2 * psi**2 * w**3 * variance_of_A
    corrected = plain - (psi * w) ** 2 * bias
    return np.where(corrected > 0, corrected, plain)


def mse_outside(A: float, g2: Array, bias: float) -> Array:
    """Return the mean squared error of areas without data: A less its bias, and that of x' beta."""
    return (A - bias if bias < A else A) + g2


def bias_of_between_variance(method: Method, A: float, trace: float, sum_w2: float) -> float:
    """Return the leading bias of the estimator of A.

    `trace` is that of (X' W X)^-1 X' W^2 X, `sum_w2` the sum of 1 / (A + psi)^2. Restricted
    likelihood has none; the adjustment of Li & Lahiri adds 2 / A, that of Yoshimori & Lahiri less
    than the order considered.
    """
    if method in ("amrl", "ampl") and A == 0:
        return np.inf
    lifted = 2 / A if method in ("amrl", "ampl") else 0.0
    lost = trace if method in ("ml", "ampl", "ampl_yl") else 0.0
    return (lifted - lost) / sum_w2

"""Fit the area-level model: coefficients, empirical best predictors, their mean squared errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from scipy.linalg import solve_triangular

from smallarea.models.fay_herriot.inputs import Array, Places, fail
from smallarea.models.fay_herriot.likelihood import Method, Profile, maximise
from smallarea.models.fay_herriot.mse import (
    Rows,
    bias_of_between_variance,
    leverage,
    mse_inside,
    mse_outside,
)
from smallarea.models.fay_herriot.replicates import Replicates, Sample, fit_replicates

_BLOCK = 65_536  # rows predicted at a time


@dataclass(frozen=True)
class FayHerriotFit:
    """A fitted area-level model; m areas, p coefficients.

    Attributes
    ----------
    method : how A was estimated.
    between_variance : A, the variance between areas that covariates leave unexplained.
    coefficients : beta, shape (p,); `coefficient_covariance` its covariance, (p, p).
    shrinkage : weight of each area's own estimate, A / (A + psi_a), shape (m,).
    effects : predicted area effects v, shape (m,).
    estimate : empirical best linear unbiased predictor of each fitted area, shape (m,).
    mse : its second-order unbiased mean squared error, g1 + g2 + 2 g3 less the bias of A, (m,).
    log_likelihood : the maximised (restricted, adjusted) log-likelihood without m/2 log(2 pi).
    bias : leading bias of the estimator of A, subtracted in every mean squared error.
    variance_of_A : asymptotic variance of the estimator of A.
    X, variance : what was fitted, (m, p) and (m,).
    """

    method: Method
    between_variance: float
    coefficients: Array
    coefficient_covariance: Array
    shrinkage: Array
    effects: Array
    estimate: Array
    mse: Array
    log_likelihood: float
    bias: float
    variance_of_A: float
    X: Array
    variance: Array

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Return estimate and mean squared error of areas outside the sample, each (rows,).

        The area effect of such an area comes from its prior, so its variance contains A, with
        the leading bias of A's estimator removed.
        """
        g2 = leverage(X, self.coefficient_covariance)
        return X @ self.coefficients, mse_outside(self.between_variance, g2, self.bias)

    def rows(self, X: Array, position: Places) -> Rows:
        """Return predictions of rows; `position` is an area's place in the fit, or -1.

        An area keeps the effect found in the fit, whatever covariates it is given here.
        """
        estimate, spread, mse = np.empty((3, len(X)))
        for begin in range(0, len(X), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            part = self._rows(X[rows], position[rows])
            estimate[rows], spread[rows], mse[rows] = part.estimate, part.spread, part.mse
        return Rows(estimate, spread, mse)

    def _rows(self, X: Array, position: Places) -> Rows:
        estimate, mse = self.predict(X)
        spread = np.full(len(X), self.between_variance)
        seen = np.flatnonzero(position >= 0)
        at = position[seen]
        psi, share = self.variance[at], self.shrinkage[at]
        estimate[seen] += self.effects[at]
        spread[seen] = share * psi
        g2 = leverage(X[seen] - share[:, None] * self.X[at], self.coefficient_covariance)
        mse[seen] = mse_inside(psi, self.between_variance, g2, self.variance_of_A, self.bias)
        return Rows(estimate, spread, mse)

    def replicate(self, n: int, rng: np.random.Generator) -> Replicates:
        """Draw `n` worlds from the fitted model and fit each anew."""
        sample = Sample.draw(
            self.X @ self.coefficients, self.between_variance, self.variance, n, rng
        )
        profile = Profile(self.estimate, self.X, self.variance)
        A, beta = fit_replicates(profile, sample.y, self.method)
        share = A / (A + self.variance[:, None])
        effects = share * (sample.y - self.X @ beta)
        return Replicates(sample.A, sample.v, A, beta, effects, share * self.variance[:, None])


def fit_fay_herriot(y: Array, X: Array, variance: Array, method: Method = "reml") -> FayHerriotFit:
    """Fit the area-level model.

    Parameters
    ----------
    y : direct estimates, shape (m,).
    X : covariates, shape (m, p), with a column of ones if an intercept is wanted.
    variance : known sampling variances of `y`, positive, shape (m,).
    method : ``reml``, ``ml``; Li-Lahiri ``amrl``, ``ampl``; Yoshimori-Lahiri ``amrl_yl``,
        ``ampl_yl`` (adjusted restricted and adjusted profile likelihood).

    Raises
    ------
    InputError : shapes that disagree, values that are not finite, a variance that is not
        positive, linearly dependent columns, or no more areas than coefficients.

    References
    ----------
    Prasad & Rao 1990; Datta & Lahiri 2000; Li & Lahiri 2010; Yoshimori & Lahiri 2014.
    """
    if method not in get_args(Method):
        fail(f"unknown method {method!r}", f"use one of {get_args(Method)}")
    X = np.asarray(X, dtype=float)
    profile = Profile(y, X, variance)
    A = maximise(profile, method)
    at = profile.at(np.array([A]))
    psi, m = profile.psi, len(profile.psi)
    covariance_q = np.linalg.inv(at.xx[0])
    back = solve_triangular(profile.R, np.eye(X.shape[1]))

    shrinkage = A / (A + psi)
    residual = profile.residual - profile.Q @ at.beta[0]
    bias = bias_of_between_variance(
        method, A, float(np.trace(covariance_q @ at.xx2[0])), float(at.sum_w2[0])
    )
    variance_of_A = float(2 / at.sum_w2[0])
    g2 = (1 - shrinkage) ** 2 * leverage(profile.Q, covariance_q)
    return FayHerriotFit(
        method=method,
        between_variance=A,
        coefficients=profile.start + back @ at.beta[0],
        coefficient_covariance=back @ covariance_q @ back.T,
        shrinkage=shrinkage,
        effects=shrinkage * residual,
        estimate=profile.y - (1 - shrinkage) * residual,
        mse=mse_inside(psi, A, g2, variance_of_A, bias),
        log_likelihood=float(at.log_likelihood(method, m)[0] + profile.log_scale(method)),
        bias=bias,
        variance_of_A=variance_of_A,
        X=X,
        variance=psi,
    )

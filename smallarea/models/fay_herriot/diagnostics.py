"""Whether a fitted area-level model describes its data: normality, influence, explained share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

from smallarea.models.fay_herriot.inputs import Array
from smallarea.models.fay_herriot.mse import leverage

_MOST_FOR_SHAPIRO = 5000


@dataclass(frozen=True)
class Diagnostics:
    """How a model fits, on its own scale.

    Attributes
    ----------
    areas : one row per fitted area: `standardised_residual` of y on x' beta, about N(0, 1) if the
        model holds; `conditional_residual`, (y - predictor) / sqrt(psi); `leverage` of the area on
        its own x' beta; `influence` on all coefficients (Cook's distance); `shrinkage`.
    normality : p-values that standardised residuals, conditional residuals and area effects are
        normal (Shapiro & Wilk 1965; of more than 5,000 areas D'Agostino & Pearson 1973).
    r2 : share of the variance between true area values that the covariates explain, with the
        sampling variances taken off (Lahiri & Suntornchost 2015).
    log_likelihood, aic, bic : at the estimates, of y (not restricted).
    goodness : Brown et al. (2001), sum (y - predictor)^2 / (psi + mse), with its p-value on m
        degrees of freedom as the second; it cannot see over-smoothing.
    """

    areas: pd.DataFrame
    normality: dict[str, float]
    r2: float
    log_likelihood: float
    aic: float
    bic: float
    goodness: tuple[float, float]


def diagnose(
    y: Array,
    X: Array,
    psi: Array,
    A: float,
    coefficients: Array,
    covariance: Array,
    shrinkage: Array,
    estimate: Array,
    mse: Array,
    index: pd.Index,
) -> Diagnostics:
    """Return diagnostics of a fit; all on its scale, areas (m,), coefficients (p,)."""
    m, p = X.shape
    V = A + psi
    residual = y - X @ coefficients
    h = np.minimum(leverage(X, covariance) / V, 1 - 1e-12)
    standardised = residual / np.sqrt(V * (1 - h))
    conditional = (y - estimate) / np.sqrt(psi)
    log_likelihood = -0.5 * float(np.sum(np.log(2 * np.pi * V) + residual**2 / V))
    brown = float(np.sum((y - estimate) ** 2 / (psi + mse)))
    table = pd.DataFrame(
        {
            "standardised_residual": standardised,
            "conditional_residual": conditional,
            "leverage": h,
            "influence": standardised**2 * h / (1 - h) / p,
            "shrinkage": shrinkage,
        },
        index=index,
    )
    return Diagnostics(
        areas=table,
        normality={
            "standardised_residual": normality(standardised),
            "conditional_residual": normality(conditional),
            "area_effect": normality(estimate - X @ coefficients),
        },
        r2=explained_share(y, X, psi),
        log_likelihood=log_likelihood,
        aic=-2 * log_likelihood + 2 * (p + 1),
        bic=-2 * log_likelihood + np.log(m) * (p + 1),
        goodness=(brown, float(stats.chi2.sf(brown, m))),
    )


def normality(values: Array) -> float:
    """Return the p-value that values are normal; NaN where they do not vary or are under eight."""
    if len(values) < 8 or np.ptp(values) <= 1e-12 * (1 + np.abs(values).max()):
        return np.nan
    test = stats.shapiro if len(values) <= _MOST_FOR_SHAPIRO else stats.normaltest
    return float(test(values).pvalue)


def explained_share(y: Array, X: Array, psi: Array) -> float:
    """Return the adjusted R2 of the true values: sampling variance taken off both mean squares.

    A difference of mean square and sampling variance could fall below zero; Lahiri & Suntornchost
    put 2 x / (1 + exp(2 b / x)) in the place of x - b, which agrees where b is small and cannot.
    """
    m, p = X.shape
    Q = np.linalg.qr(X)[0]
    h = (Q**2).sum(1)
    unexplained = ((y - Q @ (Q.T @ y)) ** 2).sum() / (m - p)
    left = _less(unexplained, ((1 - h) * psi).sum() / (m - p))
    total = _less(y.var(ddof=1), psi.mean())
    return float(1 - left / total) if total > 0 else np.nan


def _less(x: float, b: float) -> float:
    """Return about x - b, never below zero."""
    return 2 * x * float(expit(-2 * b / x)) if x > 0 else 0.0

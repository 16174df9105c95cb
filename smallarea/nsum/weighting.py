"""Survey weights and clusters in a Bayesian scale-up: a weighted likelihood, honestly scaled.

A respondent's degree is the respondent's own: estimating it from known groups needs no weight.
The rate of a hidden group is a population quantity: its likelihood is weighted (pseudo-
likelihood; Skinner 1989), so that the posterior centres on what the design estimates. Plain
weights would leave the posterior too narrow, because unequal weights and the likeness of
neighbours make respondents worth less than independent ones. So each group's weights are divided
by its design effect: the design-based (clustered sandwich) variance of the log rate over the
variance the model believes in (Ribatet et al. 2012, "magnitude adjustment").
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.survey.ard import ARD


def likelihood_weights(
    ard: ARD, log_degree: np.ndarray | None, weighted: bool
) -> tuple[pd.DataFrame, pd.Series]:
    """Return likelihood weights (respondent x group) and each hidden group's design effect.

    Unanswered cells weigh 0. Known groups weigh 1. Hidden groups weigh 1, or, `weighted`, the
    survey weight over its mean, over the design effect.
    """
    answered = ard.counts.notna()
    weights, deff = answered.astype(float), pd.Series(1.0, index=ard.hidden(), name="deff")
    if not weighted:
        return weights, deff
    known = ard.counts[ard.known()]
    if log_degree is None:
        sizes = ard.groups.loc[known.columns, "size"]
        degrees = known.sum(axis=1) / (known.notna() @ sizes) * ard.groups["population"].iloc[0]
    else:
        degrees = pd.Series(np.exp(log_degree), index=known.index)
    for group in deff.index:
        used = answered[group] & (ard.design["weight"] > 0)
        w = ard.design["weight"].where(used, 0.0)
        w = w * used.sum() / w.sum()
        deff[group] = design_effect(ard.counts[group].fillna(0), degrees, w, ard.design["psu"])
        weights[group] = w / deff[group]
    return weights, deff


def design_effect(
    reports: pd.Series, degrees: pd.Series, weights: pd.Series, psu: pd.Series
) -> float:
    """Design-based over model-based variance of the log rate in y_i ~ NB(rate * d_i, shape).

    The shape comes from the weighted second moment. Respondents without a PSU are their own.
    At least 1: a model is never made more certain than it is.
    """
    d, w = degrees.to_numpy(float), weights.to_numpy(float)
    y = reports.to_numpy(float)
    if not (w * y).sum() > 0:
        return max(1.0, (w**2).sum() / w.sum())
    mean = d * (w * y).sum() / (w * d).sum()
    excess = (w * ((y - mean) ** 2 - mean)).sum() / (w * mean**2).sum()  # 1 / shape
    precision = w / (1 + np.maximum(excess, 0) * mean)
    score = pd.Series(precision * (y - mean))
    clusters = np.arange(len(y)) if psu.isna().any() else psu.to_numpy()
    sums = score.groupby(clusters).sum().to_numpy()
    m = len(sums)
    between = m / (m - 1) * ((sums - sums.mean()) ** 2).sum() if m > 1 else (score**2).sum()
    return max(1.0, between / (precision * mean).sum())

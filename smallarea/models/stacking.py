"""Weights of several models, by how well they predict reports they have not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Reports of an imagined survey that all models predict alike, in cells: it pulls towards equality.
PULL = 1.0


def stack(log_scores: pd.DataFrame, pull: float = PULL, iterations: int = 2000) -> pd.Series:
    """Return weights of models: those of the mixture that predicts best, pulled towards equal ones.

    Parameters
    ----------
    log_scores : log predictive densities, rows (area_id, component), one column per model.
    pull : how much equal weights count beside the data: 0 not at all, 1 as much as all of it.

    Notes
    -----
    Stacking of predictive distributions (Yao, Vehtari, Simpson & Gelman 2018) under a Dirichlet
    prior (Yao, Pirs, Vehtari & Gelman 2022). The problem is convex; expectation-maximisation
    climbs to its one maximum from equal weights. With a hundred reports of a rare group the
    weights that maximise alone are mostly noise.
    """
    density = np.exp(log_scores.sub(log_scores.max(axis=1), axis=0).to_numpy())
    models = density.shape[1]
    weights = np.full(models, 1 / models)
    for _ in range(iterations):
        share = density * weights
        ideal = (share / share.sum(1, keepdims=True)).mean(0)
        weights = (ideal + pull / models) / (1 + pull)
    return pd.Series(weights, log_scores.columns, name="weight")

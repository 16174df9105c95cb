"""Draws from priors without a graph are those that PyMC makes of the same model."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from smallarea.nsum.bayesian.forward import prior_draws
from smallarea.nsum.bayesian.predictive import _Cells
from smallarea.nsum.bayesian.pymc_models import MODELS, Answers, Priors


class Fit:
    """As much of a fit as its priors take."""

    def __init__(self, model: str, recall: bool = False) -> None:
        rng = np.random.default_rng(0)
        self.answers = Answers(
            rng.poisson(2.0, (5, 4)).astype(float), np.ones((5, 4)), np.log([0.01, 0.03, 0.2]),
            None, 1e6, rng.normal(size=(5, 2)) if model == "correlated" else None,
        )  # fmt: skip
        self.model, self.recall, self.priors = model, recall, Priors()


@pytest.mark.parametrize(
    ("model", "recall"),
    [("degree", False), ("barrier", True), ("overdispersed", False), ("correlated", False)],
)
def test_priors_are_those_of_the_model(model, recall):
    fit, draws = Fit(model, recall), 3000
    own = prior_draws(fit, seed=1, draws=draws)
    with MODELS[model](fit.answers, fit.priors, recall):
        theirs = pm.sample_prior_predictive(draws, random_seed=2).prior
    names = {"degree": "log_degree"}
    for name in own.data_vars:
        mine = np.asarray(own[name])
        other = theirs[names.get(name, name)].to_numpy()[0]
        mine = np.log(mine) if name == "degree" else mine
        assert mine.shape == other.shape
        for at in np.ndindex(mine.shape[1:]):
            assert stats.ks_2samp(mine[(slice(None), *at)], other[(slice(None), *at)])[1] > 1e-5


def test_log_density_is_scipys():
    rng = np.random.default_rng(0)
    y, mean = rng.poisson(3.0, 50).astype(float), rng.gamma(2.0, size=(7, 50))
    shape = rng.gamma(1.0, size=(7, 1)) + 0.01
    for cells in (_Cells(mean, shape), _Cells(mean, None), _Cells(mean, mean * shape)):
        np.testing.assert_allclose(cells.log_density(y), cells.exact.logpmf(y), rtol=1e-9)

"""R-hat and effective sample sizes against ArviZ."""

import arviz as az
import numpy as np
import pytest

from smallarea.nsum.bayesian.convergence import ess, rhat


@pytest.mark.parametrize("memory", [-0.5, 0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("shape", [(2, 500), (4, 101), (3, 40)])
def test_figures_are_arviz(memory, shape):
    rng = np.random.default_rng(0)
    draws = rng.standard_t(3, shape)
    for at in range(1, shape[1]):
        draws[:, at] += memory * draws[:, at - 1]
    draws[0] += 0.3
    draws[:, ::7] = np.round(draws[:, ::7])  # some ties
    assert rhat(draws) == pytest.approx(float(az.rhat(draws)), rel=1e-9)
    expected = min(az.ess(draws), az.ess(draws, method="tail"))
    assert ess(draws) == pytest.approx(float(expected), rel=1e-6)


def test_chains_that_never_moved_do_not_pass():
    stuck = np.tile([[0.0], [1.0]], (1, 100))
    assert not rhat(stuck) <= 1.01
    assert not rhat(np.full((2, 100), np.nan)) <= 1.01
    assert not ess(np.full((2, 100), np.nan)) >= 200

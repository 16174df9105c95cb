"""The hand-written loop against SciPy's negative binomial and finite differences."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from smallarea.nsum.bayesian.kernels import _log, negative_binomial_cells
from smallarea.nsum.bayesian.pymc_models import Answers, Priors, barrier


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.floats(1.0, 1e300), min_size=1, max_size=50))
def test_logarithm_is_exact_to_rounding(values):
    x, out = np.array(values), np.empty(len(values))
    _log(x.copy(), out)
    np.testing.assert_allclose(out, np.log(x), rtol=1e-14, atol=1e-15)


@settings(deadline=None)
@given(st.integers(0, 2**31))
def test_gradient_matches_finite_differences(seed):
    rng = np.random.default_rng(seed)
    n, groups = 5, 3
    counts, weights = rng.poisson(3, (groups, n)).astype(float), rng.uniform(0, 2, (groups, n))
    point = [rng.normal(5, 1, n), rng.normal(-5, 1, groups), rng.gamma(1, 1, groups) + 0.01]
    _, *slopes = negative_binomial_cells(*point, counts, weights)
    for which, slope in enumerate(slopes):
        for j in range(len(slope)):
            step = 1e-6 * max(1.0, abs(point[which][j]))
            value = []
            for sign in (1, -1):
                moved = [p.copy() for p in point]
                moved[which][j] += sign * step
                value.append(float(negative_binomial_cells(*moved, counts, weights)[0]))
            finite = (value[0] - value[1]) / (2 * step)
            np.testing.assert_allclose(slope[j], finite, rtol=1e-4, atol=1e-5)


def test_barrier_likelihood_is_the_negative_binomial_up_to_a_constant():
    rng = np.random.default_rng(0)
    counts, weights = rng.poisson(2, (30, 4)).astype(float), rng.integers(0, 3, (30, 4)) / 2
    answers = Answers(counts, weights, np.log([0.01, 0.02, 0.03]), None, 1e6)
    model = barrier(answers, Priors(), False)
    potential = model.replace_rvs_by_values(model.potentials)[0]
    logp = model.compile_fn(potential, inputs=model.value_vars, on_unused_input="ignore")

    def difference(point: dict[str, np.ndarray]) -> float:
        low = np.log(1e-6)
        rate = low * (1 - 1 / (1 + np.exp(-point["log_rate_interval__"])))
        rho = 1 / (1 + np.exp(-point["rho_interval__"]))
        share = np.exp([*answers.log_known, *rate])
        shape = share * (1 / rho - 1)
        mean = np.exp(point["log_degree"])[:, None] * share
        exact = stats.nbinom.logpmf(counts, shape, shape / (shape + mean))
        return float(logp(point)) - (weights * exact).sum()

    start = model.initial_point()
    moved = {name: value + rng.normal(0, 0.3, np.shape(value)) for name, value in start.items()}
    np.testing.assert_allclose(difference(start), difference(moved), rtol=1e-9)


def test_an_infinite_degree_does_not_pass_as_a_number():
    one = np.ones((1, 1))
    _, slope, *_ = negative_binomial_cells(np.array([800.0]), np.zeros(1), np.ones(1), one, one)
    assert not np.isfinite(slope).all()

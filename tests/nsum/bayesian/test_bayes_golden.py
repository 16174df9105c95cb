"""Posterior means against R NSUM 1.0 and independent PyMC prototypes (500 x 20, one hidden group).

Tolerance: 4 combined Monte Carlo standard errors.
"""

from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pytest

from smallarea.nsum.bayesian.fit import fit_nsum
from smallarea.nsum.bayesian.posterior import NsumFit
from smallarea.nsum.reporting.tau import TauPrior

GROUP = "heavy.drug.user"


@pytest.fixture(scope="module")
def references(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "nsum" / "posterior_summaries.csv").set_index(["case", "param"])


@pytest.fixture(scope="module")
def degree_fit(curitiba) -> NsumFit:
    return fit_nsum(curitiba("degree"), "degree", chains=2, tune=500, seed=1)


@pytest.fixture(scope="module")
def barrier_fit(curitiba) -> NsumFit:
    return fit_nsum(curitiba("barrier"), "barrier", chains=2, tune=500, seed=1)


@pytest.fixture(scope="module")
def exact_fit(curitiba) -> NsumFit:
    return fit_nsum(curitiba("barrier"), "beta_binomial", chains=2, tune=400, draws=500, seed=1)


def assert_agree(draws, reference: pd.Series) -> None:
    """draws : (chain, draw)."""
    values = np.asarray(draws)
    error = np.hypot(values.std() / np.sqrt(az.ess(values, method="mean")), reference["mcse"])
    assert abs(values.mean() - reference["mean"]) <= 4 * error


@pytest.mark.parametrize(
    ("case", "param"),
    [
        ("cu_degree__degree", "N_unknown"),
        ("cu_degree__degree_binomial", "N_u[0]"),
        ("cu_degree__degree_marginal", "N_u[0]"),
        ("cu_degree__degree_poisson", "N_u[0]"),
    ],
)
def test_degree_model_gives_the_references_size(degree_fit, references, case, param):
    assert_agree(degree_fit.reported.sel(group=GROUP), references.loc[case, param])


@pytest.mark.parametrize("param", ["mu", "sigma"])
def test_degree_model_gives_the_references_degrees(degree_fit, references, param):
    assert_agree(degree_fit.posterior[param], references.loc["cu_degree__degree", param])


@pytest.mark.parametrize("case", ["cmp_cu_barrier_nb500", "cu_barrier__barrier_nb"])
def test_barrier_model_gives_the_references_size(barrier_fit, references, case):
    found = references.loc[(case, "N_u[0]")]
    for _, reference in pd.DataFrame(found).T.iterrows() if found.ndim == 1 else found.iterrows():
        assert_agree(barrier_fit.reported.sel(group=GROUP), reference)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "param"),
    [("cu_barrier__barrier", "N_unknown"), ("cu_barrier__barrier_bb", "N_u[0]")],
)
def test_beta_binomial_gives_the_size_of_exact_references(exact_fit, references, case, param):
    """R NSUM samples q_ik itself; the negative binomial lies 1 % above both."""
    assert_agree(exact_fit.reported.sel(group=GROUP), references.loc[case, param])


def test_negative_binomial_is_near_the_exact_likelihood(barrier_fit, references):
    exact = references.loc[("cu_barrier__barrier", "N_unknown")]
    draws = barrier_fit.reported.sel(group=GROUP)
    assert float(draws.mean()) == pytest.approx(exact["mean"], rel=0.025)
    assert float(draws.quantile(0.025)) == pytest.approx(exact["q2_5"], rel=0.04)
    assert float(draws.quantile(0.975)) == pytest.approx(exact["q97_5"], rel=0.04)


@pytest.mark.slow
def test_tau_outside_the_sampler_gives_the_size_with_tau_inside(curitiba, references):
    prior = TauPrior.from_mean(0.542, 0.05 / 0.542, "as in the reference")
    fit = fit_nsum(
        curitiba("transmission"), "transmission", tau_prior=prior, chains=2, tune=500, seed=1
    )
    for case, param in [
        ("cu_trans__trans_info", "N_unknown"),
        ("cu_trans__transmission_binomial_info", "N_u[0]"),
    ]:
        draws = fit.totals()[GROUP].to_numpy().reshape(2, -1)
        assert_agree(draws, references.loc[case, param])

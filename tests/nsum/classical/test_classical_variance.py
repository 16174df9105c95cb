"""Design-based variance: the rescaled bootstrap and linearisation against each other and R."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.nsum import killworth
from smallarea.nsum.classical.variance import bootstrap_totals, clusters, total_covariance
from smallarea.survey import ARD


def design(stratum: list, psu: list, weight: list | float = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"stratum": stratum, "psu": psu}).assign(weight=weight)


def test_bootstrap_of_networkreporting(rwanda_zero_filled: ARD, golden: Path) -> None:
    """Quantiles of surveybootstrap's rescaled bootstrap over clusters, 2,000 replicates.

    Tolerance 3 %, or 4 Monte Carlo standard errors of the reference's own quantile where that is
    more (the tails of the two rarest groups); its error is read off the present replicates.
    """
    reference = pd.read_csv(golden / "nsum" / "networkreporting_bootstrap.csv").set_index("group")
    ard = replace(rwanda_zero_filled, design=rwanda_zero_filled.design.assign(stratum=None))
    draws = killworth(ard).bootstrap(replicates=20_000, seed=1)
    for group, expected in reference.iterrows():
        values = draws[group].to_numpy()
        assert values.std() == pytest.approx(expected["boot_sd"], rel=0.05)
        assert values.mean() == pytest.approx(expected["boot_mean"], rel=0.03)
        for level, column in ((0.025, "q2.5"), (0.5, "q50"), (0.975, "q97.5")):
            found = np.quantile(values, level)
            error = np.std([np.quantile(part, level) for part in values.reshape(10, 2000)])
            assert abs(found - expected[column]) < max(0.03 * expected[column], 4 * error)


def test_strata_and_clusters_matter_on_the_rwandan_survey(rwanda: ARD) -> None:
    clustered = killworth(rwanda).standard_error()
    alone = killworth(replace(rwanda, design=rwanda.design.assign(psu=None, stratum=None)))
    assert clustered["clients"] > 1.08 * alone.standard_error()["clients"]
    no_strata = replace(rwanda, design=rwanda.design.assign(stratum=None))
    assert clustered["clients"] < killworth(no_strata).standard_error()["clients"]


def test_the_variance_of_a_total_is_the_textbook_one() -> None:
    table = design(["n", "n", "n", "s", "s"], ["1", "1", "2", "3", "4"], [1, 2, 1, 3, 1])
    values = np.array([[1.0], [2.0], [4.0], [1.0], [7.0]])
    # PSU totals 5 and 4 in the north, 3 and 7 in the south: 2/1 (0.5 + 8).
    assert total_covariance(values, table).item() == pytest.approx(2 * 0.5 * 0.5 * 2 + 2 * 2 * 4)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_bootstrap_estimates_the_linearised_variance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    psu = np.repeat(np.arange(12), rng.integers(1, 6, 12))
    table = design((psu // 4).astype(str).tolist(), psu.astype(str).tolist(), 1.0)
    values = rng.gamma(2, 1, size=(len(psu), 2))
    draws = bootstrap_totals(values, table, replicates=6000, seed=seed)
    exact = total_covariance(values, table)
    np.testing.assert_allclose(draws.mean(axis=0), values.sum(axis=0), rtol=0.05)
    np.testing.assert_allclose(np.diag(np.cov(draws.T)), np.diag(exact), rtol=0.15)


def test_replicates_follow_the_seed_and_resample_whole_psus() -> None:
    table = design(["a"] * 6, list("uuvvww"))
    values = np.array([1.0, 2, 10, 20, 100, 200])[:, None]
    draws = bootstrap_totals(values, table, replicates=50, seed=4)
    np.testing.assert_array_equal(draws, bootstrap_totals(values, table, replicates=50, seed=4))
    # Two of the three PSUs (totals 3, 30, 300) with replacement, each times 3 / 2.
    possible = {1.5 * (a + b) for a in (3, 30, 300) for b in (3, 30, 300)}
    assert set(draws.ravel()) <= possible
    assert len(set(draws.ravel())) > 3


def test_a_stratum_with_one_psu_joins_its_neighbour() -> None:
    units = clusters(design(["a", "b", "b", "c", "d", "d"], list("123456")))
    assert units.collapsed == ("a", "c")
    assert units.stratum.tolist() == [0, 0, 0, 1, 1, 1]
    last = clusters(design(["a", "a", "b"], list("123")))
    assert last.stratum.tolist() == [0, 0, 0]
    assert all(np.bincount(units.stratum) >= 2)


def test_one_sampling_unit_has_no_variance() -> None:
    with pytest.raises(InputError, match="one sampling unit shows no variation"):
        clusters(design([None] * 3, ["x"] * 3))

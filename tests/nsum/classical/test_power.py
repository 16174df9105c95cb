"""The posterior that keeps to the design: its centre, its width, its bounds, its study."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallarea.nsum import TauPrior, killworth
from smallarea.nsum.classical.power import power_posterior, power_summary
from smallarea.survey import ARD, make_ard

RESULT = Path(__file__).parents[3] / "benchmarks" / "results" / "nsum_power.json"


@pytest.fixture
def ard() -> ARD:
    rng = np.random.default_rng(2)
    d = rng.lognormal(5, 0.5, 800)
    table = pd.DataFrame({"k": rng.poisson(d * 0.05), "h": rng.poisson(d * 0.004), "silent": 0})
    groups = pd.DataFrame(
        {
            "group": list(table),
            "kind": ["known", "hidden", "hidden"],
            "size": [50_000, None, None],
            "population": 1_000_000,
        }
    )
    return make_ard(table.assign(psu=np.repeat(np.arange(80), 10)), groups, psu="psu")


def test_it_centres_on_the_ratio_of_sums_and_is_as_wide_as_the_design(ard: ARD) -> None:
    result = killworth(ard)
    draws = power_posterior(result, draws=100_000)
    # 80 PSUs: Student's t is 1.3 % wider than a normal; Monte Carlo error 0.3 %.
    assert draws["h"].mean() == pytest.approx(result.estimate["h"], rel=2e-3)
    assert draws["h"].std() == pytest.approx(result.standard_error()["h"] * 1.013, rel=0.015)
    assert (draws["silent"] > result.upper_bound()["silent"]).mean() == pytest.approx(
        0.025, abs=0.002
    )


def test_under_a_reporting_rate_no_moment_is_made_up(ard: ARD) -> None:
    result = killworth(ard)
    table = power_summary(result, None)
    assert table.loc["silent", "q975"] == result.upper_bound()["silent"]
    assert table.loc["silent", ["mean", "median"]].tolist() == [0, 0]
    divided = power_summary(result, TauPrior(1, 19, "a test"))
    assert divided[["mean", "sd"]].loc["h"].isna().all()
    assert divided.loc["h", "median"] > 10 * table.loc["h", "median"]
    assert (divided["q975"] <= 1_000_000).all()


def test_its_intervals_cover_whether_or_not_the_rate_goes_with_degree() -> None:
    found = json.loads(RESULT.read_text())
    assert found["surveys"] >= 200
    assert len(found["results"]) == 4
    for methods in found["results"].values():
        assert 0.74 <= methods["power"]["cover80"] <= 0.86
        assert abs(methods["power"]["bias"]) < 0.03

"""The study's measures: sums, rates and the ratio always agree with their components."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from study import COMPONENTS, INDICATORS, UNITS

from smallarea.errors import InputError
from smallarea.nsum.measures import indicator_draws, killworth_indicators
from smallarea.survey import make_ard

PEOPLE = {"children": 40_000.0, "adults": 70_000.0}
DRAWS = pd.DataFrame([[40, 20, 10, 5], [8, 0, 0, 0]], columns=list(COMPONENTS), dtype=float)


def test_indicators_follow_from_components_draw_by_draw() -> None:
    out = indicator_draws(DRAWS, PEOPLE, INDICATORS)
    assert list(out.columns) == list(UNITS)
    assert out["victims"].tolist() == [60, 8]
    assert out["traffickers_rate"].tolist() == pytest.approx([1000 * 15 / 70_000, 0])
    assert out["victims_live_rate"].tolist() == pytest.approx([1.0, 0.2])
    assert out["ratio"][0] == 4
    assert np.isnan(out["ratio"][1])
    with pytest.raises(InputError, match="no draws of victims_live"):
        indicator_draws(DRAWS.drop(columns="victims_live"), PEOPLE, INDICATORS)


def test_components_are_resampled_together() -> None:
    rng = np.random.default_rng(0)
    n = 800
    d, child = rng.lognormal(5, 0.5, n), rng.poisson(40, n)
    trouble = rng.gamma(0.5, 2, n)  # the same respondents report victims and traffickers
    survey = pd.DataFrame({"jobs": rng.poisson(d * 0.1), "children": child})
    for name, network in zip(COMPONENTS, (child, child, d, d), strict=True):
        survey[name] = rng.poisson(network * 0.002 * trouble)
    groups = pd.DataFrame(
        {
            "group": survey.columns,
            "kind": ["known"] * 2 + ["hidden"] * 4,
            "size": [7000, 40_000] + [None] * 4,
            "population": [70_000, 40_000, 40_000, 40_000, 70_000, 70_000],
            "network": ["adult", "child", "child", "child", "adult", "adult"],
        }
    )
    table = killworth_indicators(make_ard(survey, groups), INDICATORS, seed=1)
    mean = table["mean"]
    assert mean["victims"] == pytest.approx(mean["victims_live"] + mean["victims_nonlive"])
    assert mean["ratio"] == pytest.approx(mean["victims"] / mean["traffickers"])
    relative = table["sd"] / mean
    alone = np.hypot(relative["victims"], relative["traffickers"])
    assert relative["ratio"] < 0.9 * alone
    assert table.loc["ratio", "unit"] == "victims per trafficker"

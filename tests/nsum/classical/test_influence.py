"""One unit left out of every total: in closed form as by estimating again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smallarea.nsum import killworth
from smallarea.nsum.classical.influence import carriers, influence
from smallarea.survey import ARD, make_ard


@pytest.fixture
def ard() -> ARD:
    rng = np.random.default_rng(1)
    d = rng.lognormal(5, 0.4, 60)
    survey = pd.DataFrame(
        {
            "k": rng.poisson(d * 0.05),
            "j": rng.poisson(d * 0.02),
            "h": rng.poisson(d * 0.01),
            "silent": 0,
            "w": rng.uniform(0.5, 2, 60),
            "psu": np.repeat(np.arange(12), 5),
            "area": np.repeat([f"a{i}" for i in range(6)], 10),
        }
    )
    survey.loc[3, "h"] = 500
    groups = pd.DataFrame(
        {
            "group": ["k", "j", "h", "silent"],
            "kind": ["known", "known", "hidden", "hidden"],
            "size": [50_000, 20_000, None, None],
            "population": 1_000_000,
        }
    )
    return make_ard(survey, groups, weight="w", psu="psu", area="area")


@pytest.mark.parametrize("level", ["respondent", "psu", "area_id"])
def test_leaving_a_unit_out_is_estimating_without_it(ard: ARD, level: str) -> None:
    ids = pd.Series(ard.counts.index, ard.counts.index)
    units = ids if level == "respondent" else ard.design[level]
    found = influence(killworth(ard), units)
    for unit in units.unique()[:6]:
        again = killworth(ard.respondents((units != unit).to_numpy())).estimate
        row = found.loc[("h", unit)]
        assert row["without"] == pytest.approx(again["h"])
        assert row["change"] == pytest.approx(again["h"] / row["estimate"] - 1)
    assert found.loc["h", "share"].sum() == pytest.approx(1)


def test_the_unit_that_carries_a_total_is_named(ard: ARD) -> None:
    by_level = {c.level: c for c in carriers(killworth(ard))}
    assert set(by_level) == {"respondent", "psu", "area_id"}
    assert {c.group for c in by_level.values()} == {"h"}  # of the silent one nothing is carried
    assert (by_level["respondent"].row, by_level["psu"].unit) == (4, "0")
    assert by_level["area_id"].unit == "a0"
    assert by_level["respondent"].much
    assert by_level["respondent"].sentence().startswith("h: one respondent (row 4) gives 77")
    calm = ard.counts.assign(h=ard.counts["h"].clip(upper=3))
    result = killworth(ARD(calm, ard.groups, ard.design))
    assert not any(c.much for c in carriers(result))

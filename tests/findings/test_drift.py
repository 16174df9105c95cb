"""Indices of drift: known values, what never moves, what always does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.findings.drift import estimate_drift, feature_drift, reasons_to_refit, stability

values = st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=1, max_size=40)


@given(values, values)
def test_stability_is_never_negative_and_nought_for_the_same(one, other):
    one, other = pd.Series(one, dtype=float), pd.Series(other, dtype=float)
    assert stability(one, one) == 0
    assert stability(one, other) >= 0


def test_stability_by_hand():
    before, after = pd.Series([1.0] * 2 + [2.0] * 2), pd.Series([1.0] * 3 + [2.0])
    p, q = np.array([2.5, 2.5, 0.5]) / 5.5, np.array([3.5, 1.5, 0.5]) / 5.5
    assert stability(before, after, 2) == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_features():
    rng = np.random.default_rng(1)
    before = pd.DataFrame(rng.normal(size=(500, 3)), columns=["same", "shifted", "gone"])
    after = before.rename(columns={"gone": "new"})
    after["shifted"] = after["shifted"] + 1
    found = feature_drift(before, after)
    assert found["state"].to_dict() == {
        "same": "same", "shifted": "changed", "gone": "gone", "new": "new",
    }  # fmt: skip
    assert found.loc["same", "psi"] == 0
    assert found.loc["shifted", "psi"] > 0.5
    assert found.loc["shifted", "ks"] == pytest.approx(0.38, abs=0.05)  # 2 Phi(1/2) - 1
    assert found.loc["shifted", "rank_correlation"] == pytest.approx(1)
    swapped = feature_drift(before, before[::-1].set_axis(before.index))
    assert swapped["psi"].max() == pytest.approx(0)
    assert swapped["rank_correlation"].abs().max() < 0.2
    said = reasons_to_refit(found, 0.2)
    assert len(said) == 4
    assert reasons_to_refit(found.loc[["same"]], 0.01) == []


def test_estimates():
    row = {"indicator": "i", "name": "n", "q10": 1.0, "q50": 2.0, "q90": 3.0, "rank_low": 1}
    before = pd.DataFrame([row | {"area_id": a, "rank_high": 2} for a in "abc"])
    after = before.copy()
    after.loc[1, ["q50", "rank_low", "rank_high"]] = [3.5, 3, 4]
    after.loc[2, "q50"] = np.nan
    found = estimate_drift(before, after).set_index("area_id")
    assert found[["moved", "rank_moved"]].values.tolist() == [[False, False], [True, True]]

"""Who reported: figures by hand, intervals that cover, and nothing to be had by subtraction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from smallarea.errors import InputError
from smallarea.survey.descriptive import HIDDEN, bands, disclose, who_reported


def survey(seed: int = 0, n: int = 3600, psu_sd: float = 0.0) -> tuple[pd.Series, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    psu = np.arange(n) // 24
    urban = rng.random(n // 24)[psu] < 0.5
    rate = np.where(urban, 0.06, 0.02) * np.exp(rng.normal(-(psu_sd**2) / 2, psu_sd, n // 24))[psu]
    people = pd.DataFrame(
        {
            "weight": rng.uniform(0.5, 1.5, n),
            "psu": psu.astype(str),
            "urban": np.where(urban, "urban", "rural"),
            "age": rng.integers(18, 66, n),
        }
    )
    return pd.Series(rng.poisson(rate), dtype=float), people


def test_figures_by_hand():
    people = pd.DataFrame(
        {
            "weight": [1.0, 3, 2, 2],
            "psu": ["a", "a", "b", "b"],
            "sex": ["F", "M", "F", None],
        }
    )
    table = who_reported(pd.Series([2.0, 0, 0, np.nan]), people, ["sex"])
    assert table.index.tolist() == [("all", "all"), ("sex", "F"), ("sex", "M")]
    assert table["respondents"].tolist() == [3, 2, 1]
    assert table["share"].tolist() == pytest.approx([1 / 6, 1 / 3, 0])
    assert table["of_reporters"].tolist() == pytest.approx([1, 1, 0])
    assert table["of_respondents"].tolist() == pytest.approx([1, 0.5, 0.5])


def test_missing_characteristics_are_a_level():
    people = pd.DataFrame({"weight": 1.0, "psu": None, "sex": ["F", None]})
    assert ("sex", "missing") in who_reported(pd.Series([0.0, 1]), people, ["sex"]).index


def test_intervals_cover_the_true_share_under_clustering():
    truth = np.mean([(survey(s, 24_000, 0.8)[0] > 0).mean() for s in range(20)])
    inside = 0
    for seed in range(100, 220):
        reports, people = survey(seed, psu_sd=0.8)
        low, high = who_reported(reports, people, ["urban"]).loc[("all", "all"), ["low", "high"]]
        inside += low <= truth <= high
    assert stats.binom(120, 0.95).ppf(0.001) <= inside


def test_bands():
    labels = bands(pd.Series([17, 18, 29, 30, 60, 99]), (18, 30, 60))
    assert labels.fillna("none").tolist() == ["none", "18-29", "18-29", "30-59", "60+", "60+"]


def test_a_single_small_level_takes_the_next_smallest_with_it():
    table = counts({"a": (500, 60), "b": (400, 30), "c": (300, 4), "d": (200, 0)})
    safe = disclose(table)
    assert safe["note"].tolist() == ["", "", HIDDEN, HIDDEN, ""]
    assert safe.loc[("x", "b")].drop("note").isna().all()
    assert safe.loc[("x", "a"), "reporters"] == 60


def test_levels_of_fewer_than_three_places_are_suppressed_with_another():
    table = counts({"a": (500, 60), "b": (400, 40), "c": (300, 30)})
    places = pd.Series(9, table.index)
    assert (disclose(table, places=places)["note"] == "").all()
    places[("x", "c")] = 2
    safe = disclose(table, places=places)
    assert safe["note"].tolist() == ["", "", HIDDEN, HIDDEN]


def test_small_levels_that_are_too_few_together_take_another():
    safe = disclose(counts({"a": (500, 60), "b": (400, 40), "c": (300, 4), "d": (200, 3)}))
    assert safe["note"].tolist() == ["", "", HIDDEN, HIDDEN, HIDDEN]


def test_numbers_are_rounded():
    safe = disclose(counts({"a": (503, 62), "b": (401, 38)}))
    assert safe["respondents"].tolist() == [905, 505, 400]
    assert safe.loc[("x", "a"), "share"] == 0.125


@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), min_size=1, max_size=8),
    st.integers(2, 12),
)
def test_nothing_suppressed_can_be_had_by_subtraction(pairs, minimum):
    table = counts(
        {f"l{i}": (r + o, r) for i, (r, o) in enumerate(pairs) if r + o > 0} or {"l": (1, 0)}
    )
    safe = disclose(table, minimum=minimum)
    shown = safe["note"] == ""
    for column in (table["reporters"], table["respondents"] - table["reporters"]):
        assert not ((column > 0) & (column < minimum) & shown).any()
        if shown[("all", "all")]:
            rest = column[("all", "all")] - column[shown].drop(("all", "all")).sum()
            assert rest == 0 or rest >= minimum
            hidden = column[~shown]
            assert (hidden > 0).sum() != 1
    assert (table["respondents"][shown] >= minimum).all()


def test_the_study_table_of_a_survey():
    reports, people = survey(3)
    people["band"] = bands(people["age"], (18, 30, 45, 60))
    table = disclose(who_reported(reports, people, ["urban", "band"]))
    urban = table.loc[("urban", "urban")]
    assert urban["of_reporters"] > 0.6 > urban["of_respondents"]
    with pytest.raises(InputError, match="no column income"):
        who_reported(reports, people, ["income"])


def counts(levels: dict[str, tuple[int, int]]) -> pd.DataFrame:
    table = pd.DataFrame.from_dict(levels, orient="index", columns=["respondents", "reporters"])
    table.index = pd.MultiIndex.from_tuples([("x", level) for level in levels])
    whole = pd.DataFrame(
        [table.sum()], index=pd.MultiIndex.from_tuples([("all", "all")]), columns=table.columns
    )
    table = pd.concat([whole, table]).rename_axis(["variable", "level"])
    return table.assign(share=table["reporters"] / table["respondents"])

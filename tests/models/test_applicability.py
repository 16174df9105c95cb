import numpy as np
import pandas as pd
import pytest

from smallarea.models.applicability import applicability


def world(seed: int) -> tuple[pd.DataFrame, pd.Index, pd.Series]:
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"{i:010d}" for i in range(400)], name="area_id")
    X = pd.DataFrame(rng.normal(size=(400, 6)), ids, columns=list("abcdef"))
    surveyed = ids[rng.permutation(400)[:80]]
    return X, surveyed, pd.Series([f"p{i // 10}" for i in range(400)], ids)


def test_areas_like_the_surveyed_ones_are_inside_and_strange_ones_outside():
    X, surveyed, province = world(0)
    strange = X.index.difference(surveyed)[:5]
    X.loc[strange] += 50
    found = applicability(X, surveyed, province)
    assert found.loc[strange, "outside"].all()
    assert found["outside"].mean() < 0.1
    assert not found.loc[surveyed, "outside"].any()
    assert (found.loc[surveyed, "dissimilarity"] < 1e-9).all()


def test_order_of_rows_is_irrelevant_and_missing_values_are_allowed():
    X, surveyed, province = world(1)
    X.iloc[3, 2] = np.nan
    first = applicability(X, surveyed, province)
    again = applicability(X.sample(frac=1, random_state=0), surveyed[::-1], province[::-1])
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("number", [1, 5])
def test_where_all_surveyed_are_of_one_group_nothing_is_marked(number):
    X, surveyed, _ = world(2)
    found = applicability(X, surveyed[:number], pd.Series("all", X.index))
    assert not found["outside"].any()
    assert found["dissimilarity"].isna().all() == (number == 1)


def test_density_counts_the_surveyed_areas_no_farther_than_what_was_tested():
    X, surveyed, province = world(3)
    strange = X.index.difference(surveyed)[0]
    X.loc[strange] += 50
    found = applicability(X, surveyed, province)
    assert found.loc[strange, "near"] == 0
    assert ((found["near"] == 0) == found["outside"]).all()
    middle = (X - X.mean()).abs().sum(axis=1).idxmin()
    assert found.loc[middle, "near"] > found["near"].median()

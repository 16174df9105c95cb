"""Ways of holding out: everybody is tested once, nobody by models that have seen him."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.models.parts import WAYS, make_parts
from smallarea.models.spatial_splits import (
    blocks,
    matched,
    mismatch,
    positions,
    predicted_distances,
)
from smallarea.models.splits import at_random, by_level, excluded, part_of


def country(seed: int, size: int = 300, towns: int = 12) -> pd.DataFrame:
    """Areas around a few towns, in counties (one each) and halves; two counties are not covered."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform([10, 40], [18, 46], (towns, 2))
    county = rng.integers(0, towns, size)
    lon, lat = (centre[county] + rng.normal(0, 0.4, (size, 2))).T
    ids = pd.Index([f"a{i:04d}" for i in range(size)], name="area_id")
    half = np.where(county < towns / 2, "h1", "h2")
    table = pd.DataFrame({"lon": lon, "lat": lat, "half_id": half}, ids)
    table.insert(0, "county_id", [f"c{c:02d}" for c in county])
    return table.assign(covered=~np.isin(county, [0, 1]))


def sample(areas: pd.DataFrame, seed: int, size: int = 60) -> pd.Index:
    rng = np.random.default_rng(seed)
    covered = areas.index[areas["covered"]]
    return pd.Index(rng.choice(covered, size, replace=False), name="area_id")


def every_way(areas, surveyed, folds=4, key="k"):
    return {by: make_parts(areas, surveyed, by, folds=folds, key=key).splits for by in WAYS}


@given(seed=st.integers(0, 50), folds=st.integers(2, 6))
@settings(max_examples=5)
def test_every_area_is_tested_once_by_models_that_have_not_seen_it(seed, folds):
    areas = country(seed)
    surveyed = sample(areas, seed)
    for splits in every_way(areas, surveyed, folds).values():
        assert sorted(area for split in splits for area in split.test) == sorted(surveyed)
        for split in splits:
            assert split.test.isin(split.left_out).all()
            assert split.left_out.isin(surveyed).all()
            assert len(split.left_out) < len(surveyed)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_rows_is_irrelevant_and_the_key_is_not(seed):
    areas = country(seed)
    surveyed = sample(areas, seed)
    one = every_way(areas, surveyed)
    other = every_way(areas.sample(frac=1, random_state=seed), surveyed[::-1])
    again = every_way(areas, surveyed, key="another")
    for by in WAYS:
        pd.testing.assert_series_equal(part_of(one[by]), part_of(other[by]))
        if by != "excluded":
            assert not part_of(one[by]).equals(part_of(again[by]))


@pytest.mark.parametrize("level", [None, "county", "half"])
def test_groups_stay_whole(level):
    areas = country(3)
    surveyed = sample(areas, 3)
    part = part_of(by_level(areas, surveyed, 3, "k", level))
    group = areas.loc[part.index, f"{level or 'county'}_id"]
    assert part.groupby(group).nunique().max() == 1


@pytest.mark.parametrize(("side", "buffer"), [(None, None), (150.0, 0.0), (90.0, 60.0)])
def test_blocks_are_whole_and_no_teacher_is_within_the_buffer(side, buffer):
    areas = country(4)
    surveyed = sample(areas, 4, 90)
    found = blocks(areas, surveyed, 4, "k", side, buffer)
    assert found.side == (side or found.side)
    assert found.buffer == (found.side / 4 if buffer is None else buffer)
    if side is None:
        assert 10 <= found.number <= 22  # about 4 x 4
    points = pd.DataFrame(positions(areas, surveyed), surveyed)
    for split in found.splits:
        teachers = surveyed.difference(split.left_out)
        apart = np.linalg.norm(
            points.loc[teachers].to_numpy()[:, None] - points.loc[split.test].to_numpy(), axis=2
        )
        assert apart.min() >= found.buffer * 0.999  # chords are shorter than arcs
        assert apart.min(axis=0).shape == (len(split.test),)


@given(seed=st.integers(0, 30))
@settings(max_examples=6)
def test_matched_folds_are_as_far_as_prediction_is(seed):
    """Interviews around three towns only: at random, tested areas are much too near."""
    areas = country(seed, size=400, towns=16)
    near = areas.index[areas["county_id"].isin(["c03", "c09", "c14"])]
    surveyed = pd.Index(np.random.default_rng(seed).choice(near, 40, replace=False))
    splits = matched(areas, surveyed, 3, "k").splits
    random = mismatch(areas, at_random(areas, surveyed, 3, "k"))
    assert mismatch(areas, splits) <= random
    assert max(len(split.test) for split in splits) <= 20
    assert mismatch(areas, splits) < 0.9 * random


def test_a_random_sample_is_held_out_nearly_at_random():
    areas = country(5, size=600, towns=40).assign(covered=True)
    surveyed = sample(areas, 5, 150)
    found = matched(areas, surveyed, 5, "k")
    assert found.clusters > 30
    assert mismatch(areas, found.splits) < 0.5 * np.median(predicted_distances(areas, surveyed))


def test_excluded_groups_are_left_out_alone():
    areas = country(6)
    surveyed = sample(areas, 6)
    splits = excluded(areas, surveyed)
    counties = areas.loc[surveyed, "county_id"]
    assert len(splits) == counties.nunique()
    for split in splits:
        assert set(counties[split.test]) == {counties[split.test[0]]}
        assert (counties == counties[split.test[0]]).sum() == len(split.test)
    halves = areas.assign(covered=areas["half_id"] == "h2")
    surveyed = sample(halves, 6)
    with pytest.raises(InputError, match="in one group"):  # of halves, one is surveyed
        excluded(halves, surveyed)


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"covered": True}, {"by": "excluded"}, "the survey covers every area"),
        ({"lon": np.nan}, {"by": "block"}, "60 areas lack coordinates"),
        ({"lon": np.nan}, {"by": "knn"}, "lack coordinates"),
        ({}, {"by": "level", "level": "shire"}, "choose one of county, half"),
        ({}, {"by": "hexagon"}, "choose one of level, block, knn, random, excluded"),
        ({}, {"by": "random", "side": 3.0}, "side says nothing"),
        ({}, {"by": "block", "side": -1.0}, "a side above 0"),
        ({}, {"by": "block", "side": 5000.0}, "in one group"),
        ({}, {"by": "block", "buffer": 5000.0}, "nothing is left to learn from"),
        ({}, {"by": "random", "folds": 1}, "at least two"),
    ],
)
def test_what_cannot_be_is_said(change, options, said):
    areas = country(7)
    surveyed = sample(areas, 7)
    with pytest.raises(InputError, match=said):
        make_parts(areas.assign(**change), surveyed, **options)


def test_words_say_how_parts_were_made():
    areas = country(8)
    surveyed = sample(areas, 8)
    parts = make_parts(areas, surveyed, "knn", folds=4)
    assert "clusters" in parts.words
    assert f"W = {parts.figures['mismatch_km']:.0f} km" in parts.words
    bare = make_parts(areas.drop(columns=["lon", "lat"]), surveyed, folds=4)
    assert bare.words == "level: 4 parts of whole groups of level county (10)"
    assert set(bare.figures) == {"parts", "groups", "left_out"}
    assert make_parts(areas, surveyed, "block", folds=4).figures["left_out"] > 0

"""The stratified PPS sample: exact probabilities, lists that nest, margins that agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from smallarea.errors import InputError
from smallarea.survey.design import (
    allocate,
    design_effect,
    draw_sample,
    inclusion_probabilities,
    margin_of_error,
    margin_table,
    nested_sample,
)

STUDY = {"n_areas": 30, "take": 24, "expansion": 10, "replacements": 2, "replicates": 3}


def country(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sixty areas in four strata, each with three to twelve PSUs."""
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"{i:010d}" for i in range(60)], name="area_id")
    area = np.repeat(ids, rng.integers(3, 13, 60))
    psus = pd.DataFrame({"area_id": area, "population": rng.lognormal(7, 0.8, len(area)).round()})
    psus.index = pd.Index([f"{i:012d}" for i in range(len(area))], name="psu_id")
    size = psus.groupby("area_id")["population"].sum()
    stratum = [f"region {i % 4}" for i in range(60)]
    return pd.DataFrame({"stratum": stratum, "size": size}, ids), psus


@given(
    sizes=st.lists(st.floats(0.1, 1e4), min_size=1, max_size=40),
    part=st.floats(0, 1),
)
def test_probabilities_sum_to_n_and_are_proportional_below_certainty(sizes, part):
    size = np.array(sizes)
    n = round(part * len(size))
    p = inclusion_probabilities(size, n)
    assert p.sum() == pytest.approx(n)
    assert ((p >= 0) & (p <= 1)).all()
    below = p < 1
    if n and below.any():
        ratio = p[below] / size[below]
        assert ratio.max() == pytest.approx(ratio.min())
        assert (size[~below] * ratio.min() >= 1 - 1e-9).all()


@settings(max_examples=50)
@given(
    sizes=st.lists(st.floats(0.1, 1e4), min_size=2, max_size=30),
    split=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 1000),
)
def test_nested_samples_have_the_sizes_asked_for_and_share_no_unit(sizes, split, seed):
    total = round(split[0] * len(sizes))
    n = round(split[1] * total)
    small, others, _, _ = nested_sample(np.array(sizes), n, total - n, np.random.default_rng(seed))
    assert len(set(small)) == len(small) == n
    assert len(set(others)) == len(others) == total - n
    assert not set(small) & set(others)


def test_inclusion_frequencies_are_the_probabilities_of_both_samples():
    size = np.array([400.0, 90, 60, 50, 40, 30, 20, 10, 8, 5])
    rng = np.random.default_rng(1)
    reps = 10_000
    counts = np.zeros((2, len(size)))
    for _ in range(reps):
        small, others, p_small, p_large = nested_sample(size, 3, 3, rng)
        counts[0, small] += 1
        counts[1, np.r_[small, others]] += 1
    for count, p in zip(counts, (p_small, p_large), strict=True):
        z = (count / reps - p) / np.sqrt(p * (1 - p) / reps + 1e-12)
        assert np.abs(z).max() < 4


@given(
    sizes=st.lists(st.floats(1, 1e6), min_size=1, max_size=12),
    rooms=st.lists(st.integers(1, 30), min_size=12, max_size=12),
    part=st.floats(0, 1),
)
def test_allocation_is_whole_bounded_and_complete(sizes, rooms, part):
    size, capacity = pd.Series(sizes), pd.Series(rooms[: len(sizes)])
    least = capacity.clip(upper=2).sum()
    n = int(least + round(part * (capacity.sum() - least)))
    shared = allocate(size, capacity, n)
    assert shared.sum() == n
    assert ((shared >= capacity.clip(upper=2)) & (shared <= capacity)).all()


def test_allocation_is_proportional_to_size_where_nothing_binds():
    shared = allocate(pd.Series([100.0, 300.0, 600.0]), pd.Series([50, 50, 50]), 20)
    assert shared.tolist() == [2, 6, 12]


def test_the_sample_has_its_parts_and_every_replacement_stands_for_one():
    areas, psus = country()
    sample = draw_sample(areas, psus, **STUDY, seed=4)
    assert sample["role"].value_counts().loc[["main", "replicate", "expansion"]].tolist() == [
        30,
        3,
        10,
    ]
    assert sample.index.is_unique
    assert (sample["area_id"] == psus["area_id"].loc[sample.index]).all()
    spare = sample[sample["role"] == "replacement"]
    assert (spare["area_id"] == sample.loc[spare["replaces"], "area_id"].to_numpy()).all()
    assert (
        spare.groupby("replaces")["order"]
        .apply(list)
        .map(lambda o: o == [*range(1, 1 + len(o))])
        .all()
    )
    stood_for = sample.loc[spare["replaces"], ["p_area", "p_psu", "weight"]]
    assert spare[["p_area", "p_psu", "weight"]].to_numpy() == pytest.approx(stood_for.to_numpy())
    assert sample.equals(draw_sample(areas, psus, **STUDY, seed=4))
    assert not sample.index.equals(draw_sample(areas, psus, **STUDY, seed=5).index)


def test_weights_estimate_the_population_without_bias():
    areas, psus = country()
    truth = psus["population"].sum()
    rich = psus["population"] * (areas["size"].rank().loc[psus["area_id"]].to_numpy() > 40)
    totals, means = [], []
    for seed in range(80):
        sample = draw_sample(areas, psus, **STUDY, seed=seed)
        used = sample[sample["role"].isin(["main", "replicate"])]
        people = used["weight"] * used["interviews"]
        totals.append(people.sum())
        means.append((people * (rich > 0).loc[used.index]).sum())
    assert np.mean(totals) == pytest.approx(truth)  # PPS: every sample says the same
    assert abs(np.mean(means) - rich.sum()) < 3 * np.std(means) / np.sqrt(len(means))


def test_the_real_country_can_be_drawn(frame):
    table = frame.table[frame.table["covered"].astype(bool)]
    areas = pd.DataFrame({"stratum": table["region"], "size": table["adults"]})
    sample = draw_sample(
        areas, frame.psus, n_areas=150, take=24, expansion=30, replacements=2, replicates=4, seed=1
    )
    main = sample[sample["role"] == "main"]
    assert len(main) == main["area_id"].nunique() == 150
    assert set(main["stratum"]) == set(areas["stratum"])
    per_stratum = main.groupby("stratum").size()
    assert per_stratum.min() >= 2
    taken_whole = per_stratum == areas.groupby("stratum").size()  # the capital has 17 areas
    share = areas.groupby("stratum")["size"].sum()[~taken_whole]
    rest = per_stratum[~taken_whole]
    assert (rest - share / share.sum() * rest.sum()).abs().max() < 1
    assert (sample["p_area_expanded"] >= sample["p_area"] - 1e-12).all()


def test_impossible_designs_are_refused():
    areas, psus = country()
    with pytest.raises(InputError, match="choose from"):
        draw_sample(areas, psus, n_areas=7, take=24, seed=1)
    with pytest.raises(InputError, match="60 in the frame"):
        draw_sample(areas, psus, n_areas=61, take=24, seed=1)
    with pytest.raises(InputError, match="no populated PSU"):
        draw_sample(areas, psus[psus["area_id"] != areas.index[3]], n_areas=30, take=24, seed=1)
    with pytest.raises(InputError, match="replicates"):
        draw_sample(areas, psus, n_areas=30, take=24, replicates=31, seed=1)


def test_the_stated_margin_of_error_comes_out():
    assert round(margin_of_error(3600, confidence=0.99), 4) == 0.0215


def test_clusters_widen_margins_by_the_root_of_the_design_effect():
    table = margin_table(3600, 24, confidence=0.99).set_index(["share", "icc"])
    assert table.loc[(0.5, 0.0), "margin"] == margin_of_error(3600, confidence=0.99)
    assert table.loc[(0.5, 0.05), "deff"] == pytest.approx(1 + 23 * 0.05)
    ratio = table.loc[(0.02, 0.05), "margin"] / table.loc[(0.02, 0.0), "margin"]
    assert ratio == pytest.approx(np.sqrt(2.15))


def test_the_design_effect_is_the_variance_ratio_of_clustered_interviews():
    rng = np.random.default_rng(2)
    icc, take, psus, reps = 0.1, 24, 50, 4000
    cluster = rng.normal(0, np.sqrt(icc), (reps, psus, 1))
    means = (cluster + rng.normal(0, np.sqrt(1 - icc), (reps, psus, take))).mean(axis=(1, 2))
    ratio = means.var() * psus * take
    low, high = stats.chi2.ppf([0.001, 0.999], reps) / reps
    assert low < ratio / design_effect(icc, take) < high
    assert design_effect(0.0, 24, [1, 1, 1, 3]) == pytest.approx(4 * 12 / 36)

"""Models compared on held-out places: the truth wins, and the table is what it says it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline

from smallarea.models import Candidate, NationalRate, Supervised, cross_validate
from smallarea.models.comparing import POOL, compare
from smallarea.models.losing import loss_without
from smallarea.models.parts import Parts, make_parts
from smallarea.models.scores import clustered_sum
from smallarea.models.splits import Split

RIDGE = make_pipeline(SimpleImputer(), PoissonRegressor(alpha=3.0))
SCORES = ("log_score", "gain", "crps", "error", "cover_80", "pit", "top", "rank")


class Oracle(BaseEstimator):
    """Draws that are the truth, and a note of what was seen."""

    def __init__(self, truth: pd.DataFrame, seen: list) -> None:
        self.truth, self.seen = truth, seen

    def __sklearn_clone__(self) -> Oracle:
        return self

    def fit(self, X, direct, areas):
        self.seen.append(direct.reports.index)
        return self

    def draws(self, X, areas, n, seed):
        value = xr.DataArray(
            self.truth.loc[X.index].to_numpy().T,
            {"component": list(self.truth), "area_id": X.index.to_numpy(object)},
            ("component", "area_id"),
        )
        return value.expand_dims(draw=n, axis=2)


def models(world, seen: list) -> dict[str, Candidate]:
    return {
        "national_rate": Candidate("national_rate", NationalRate(), (), stack=False),
        "ridge": Candidate("ridge", Supervised(RIDGE, repeats=1), "all"),
        "oracle": Candidate("oracle", Oracle(world.truth, seen), (), stack=False),
    }


@pytest.fixture(scope="module")
def judged(make_world):
    world = make_world(3, n_areas=300, surveyed=150, reports=500.0)
    parts = make_parts(world.areas, world.direct.reports.index, folds=5, key="0")
    return (
        world,
        parts,
        compare(models(world, []), world.X, world.direct, world.areas, parts, n=200),
    )


def test_the_truth_wins_by_every_score(judged):
    scores = judged[2].scores
    assert list(scores.index.get_level_values("model").unique())[-1] == POOL
    flat, ridge, oracle = (
        scores.loc[(model, "all")] for model in ("national_rate", "ridge", "oracle")
    )
    for better, worse in ((oracle, ridge), (ridge, flat)):
        assert better["gain"] > worse["gain"]
        assert better["crps"] < worse["crps"]
        assert better["error"] < worse["error"]
        assert better["top"] > worse["top"]
        assert better["rank"] > worse["rank"]
    assert oracle["gain_low"] > 0
    assert oracle["over_pool_low"] > 0
    assert oracle["rank"] == pytest.approx(1.0, abs=0.1)
    assert abs(flat["rank"]) < 0.25  # one rate for all says nothing, nor the opposite
    assert flat["top"] == pytest.approx(flat["top_exposure"], abs=0.1)
    assert oracle["cover_80"] == pytest.approx(0.8, abs=0.05)
    assert oracle["pit"] < 0.05


def test_the_pool_is_that_of_the_published_models(judged):
    _, _, found = judged
    own, pooled = (found.scores.loc[model] for model in ("ridge", POOL))
    pd.testing.assert_frame_equal(own, pooled)  # ridge alone is published
    assert (found.scores.loc["national_rate", ["gain", "gain_low", "gain_high"]] == 0).all(
        axis=None
    )


def test_scores_are_those_of_the_cross_validation(judged):
    """The same parts, draws and seed: the same log scores and errors."""
    world, parts, found = judged
    cv = cross_validate(models(world, []), world.X, world.direct, world.areas, n=200)
    for ours, theirs in (("log_score", "log_score"), ("gain", "gain"), ("error", "rmse_net")):
        for component in world.direct.reports:
            np.testing.assert_allclose(
                found.scores.loc[(["ridge", "oracle"], component), ours],
                cv.scores.loc[(["ridge", "oracle"], component), theirs],
            )
    gain = cv.log_scores["oracle"] - cv.log_scores["national_rate"]
    row = found.scores.loc[("oracle", "all")]
    half = (row["gain_high"] - row["gain_low"]) / 2
    assert half == pytest.approx(1.96 * clustered_sum(gain, parts.group)[1], rel=0.25)


def test_every_score_lies_within_its_interval(judged):
    scores = judged[2].scores
    for score in SCORES:
        if score == "pit":
            continue  # resampling roughens: its replicates lie above
        known = scores[scores[score].notna()]
        assert (known[f"{score}_low"] <= known[score] + 1e-9).mean() > 0.95
        assert (known[f"{score}_high"] >= known[score] - 1e-9).mean() > 0.95


def test_transforms_are_a_histogram(judged):
    heights = judged[2].transforms
    np.testing.assert_allclose(heights.mean(axis=1), 1.0)
    assert heights.loc["oracle"].between(0.6, 1.4).all()


def test_nobody_in_the_buffer_teaches(world):
    surveyed = world.direct.reports.index.sort_values()
    tests = np.array_split(surveyed, 3)
    splits = [Split(test, test.union(surveyed[::4])) for test in tests]
    seen: list[pd.Index] = []
    parts = Parts(splits, pd.Series(surveyed, surveyed), "", {"groups": len(surveyed)})
    compare(models(world, seen), world.X, world.direct, world.areas, parts, n=20)
    for ids, split in zip(seen, splits, strict=True):
        assert ids.equals(surveyed.difference(split.left_out))


def test_order_of_rows_is_irrelevant_and_seeds_are_kept(judged):
    world, parts, found = judged
    again = compare(models(world, []), world.X[::-1], world.direct, world.areas, parts, n=200)
    pd.testing.assert_frame_equal(again.scores, found.scores)


def test_the_stream_that_tells_is_missed(judged):
    """Features of one world split at random, but for a stream that is pure noise."""
    world, parts, _ = judged
    rng = np.random.default_rng(0)
    noise = pd.DataFrame(rng.normal(size=(300, 3)), world.X.index, ["n1", "n2", "n3"])
    X = world.X.join(noise)
    chosen = models(world, [])
    found = compare(chosen, X, world.direct, world.areas, parts, n=200)
    blocks = {"all that tells": list(world.X), "noise": list(noise), "nothing": []}
    losses = loss_without(found, chosen, X, world.direct, world.areas, blocks, n=200)
    assert losses.index[0] == "all that tells"
    assert losses.loc["all that tells", "loss_low"] > 0
    assert losses.loc["noise", "loss"] < losses.loc["all that tells", "loss"] / 4
    assert losses.loc["nothing", "loss"] == 0
    assert list(losses["features"]) == [len(blocks[name]) for name in losses.index]


def test_without_any_feature_a_regressor_says_one_rate(judged):
    world, _, found = judged
    chosen = models(world, [])
    blocks = {"everything": list(world.X)}
    losses = loss_without(found, chosen, world.X, world.direct, world.areas, blocks, n=200)
    gain = found.scores.loc[(POOL, "all"), "gain"]
    assert losses.loc["everything", "loss"] == pytest.approx(gain, abs=0.1 * gain)

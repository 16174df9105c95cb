"""What covariates add, and what each model of the pool is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from smallarea.models import (
    Candidate,
    NationalRate,
    Supervised,
    covariate_evidence,
    cross_validate,
)
from smallarea.models.evidence import pool_without_each


def candidates() -> dict[str, Candidate]:
    ridge = make_pipeline(SimpleImputer(), StandardScaler(), PoissonRegressor(alpha=3.0))
    return {
        "national_rate": Candidate("national_rate", NationalRate(), ()),
        "ridge": Candidate("ridge", Supervised(ridge, repeats=1), "all"),
    }


def evidence(world, seed: int = 0, n: int = 200):
    cv = cross_validate(candidates(), world.X, world.direct, world.areas, n=n, seed=seed)
    return covariate_evidence(cv, ["ridge"], ["national_rate"])


@pytest.mark.slow
def test_evidence_on_unrelated_features_is_weak(make_world):
    """Ten worlds of noise: none is clearly helped, and chances lean to neither side by much."""
    chances = [
        evidence(make_world(seed, signal=0.0, n_areas=1000), seed).figures["chance"]
        for seed in range(10)
    ]
    assert max(chances) < 0.977
    assert np.mean(chances) < 0.65


def test_evidence_on_strong_features_is_clear(make_world):
    for seed in range(3):
        found = evidence(make_world(seed, signal=0.8, n_areas=1000), seed)
        assert found.sentence.startswith("Covariates clearly help")
        assert found.figures["gain"] > 2 * found.figures["gain_se"]
        assert found.figures["weight"] == 1


def test_the_sentence_has_the_figures(make_world):
    found = evidence(make_world(1, signal=0.0, n_areas=300), n=100)
    figures = found.figures
    assert f"{figures['gain']:+.1f} (standard error {figures['gain_se']:.1f})" in found.sentence
    assert f"{figures['weight']:.0%}" in found.sentence
    assert f"{figures['groups']} held-out groups" in found.sentence
    assert f"a chance of {figures['chance']:.0%}" in found.sentence


def test_only_models_without_covariates(make_world):
    """With nothing to compare, covariates cannot have helped."""
    world = make_world(1, n_areas=200, surveyed=60)
    plain = {"national_rate": candidates()["national_rate"]}
    cv = cross_validate(plain, world.X, world.direct, world.areas, n=50)
    found = covariate_evidence(cv, ["national_rate"], ["national_rate"])
    assert found.sentence.startswith("No model uses covariates")
    assert found.figures["weight"] == 0


class Wrong(NationalRate):
    """Ten times the rates that were reported."""

    def fit(self, X, direct, areas):
        return super().fit(X, replace(direct, exposure=direct.exposure / 10), areas)


def test_a_model_that_does_harm_is_worth_less_than_nothing(make_world):
    world = make_world(2, n_areas=300)
    models = candidates() | {"wrong": Candidate("wrong", Wrong(), ())}
    cv = cross_validate(models, world.X, world.direct, world.areas, n=100)
    worth = pool_without_each(cv, ["ridge", "wrong"])
    assert worth.loc["wrong", "worth"] < -2 * worth.loc["wrong", "worth_se"]
    assert worth.loc["ridge", "worth"] > 2 * worth.loc["ridge", "worth_se"]

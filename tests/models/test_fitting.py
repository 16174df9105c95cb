"""Model files and the stage as a whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from study import COMPONENTS

from smallarea.errors import InputError
from smallarea.models import fit_models, load_models

PROJECT = Path(__file__).parents[2] / "models"

NATIONAL = """
from smallarea.models import NationalRate, model

@model(features=[])
def national_rate():
    return NationalRate()
"""
LINEAR = """
from smallarea.models import FayHerriotRates, model

@model(features=["f00", "f01"], profiles=["full"])
def two_features():
    return FayHerriotRates(components=2)
"""


@pytest.fixture
def models_dir(tmp_path) -> Path:
    (tmp_path / "national.py").write_text(NATIONAL)
    (tmp_path / "linear.py").write_text(LINEAR)
    return tmp_path


def test_the_project_compares_models_with_and_without_covariates():
    models = load_models(PROJECT, "fast")
    assert {name for name, c in models.items() if c.stack} == {"latent_gaussian", "extra_trees"}
    assert next(iter(models)) == "place_alone"
    full = load_models(PROJECT, "full")
    assert {"national_rate", "fay_herriot", "partial_pooling", "boosted_rates"} <= set(full)
    assert {name for name, c in full.items() if c.stack} == {"latent_gaussian", "extra_trees"}


def test_profiles_choose_models(models_dir):
    assert list(load_models(models_dir, "fast")) == ["national_rate"]
    assert list(load_models(models_dir, "full")) == ["national_rate", "two_features"]


def test_the_full_profile_changes_settings(models_dir):
    text = LINEAR.replace('profiles=["full"]', 'full={"components": 1}')
    (models_dir / "linear.py").write_text(text)
    assert load_models(models_dir, "fast")["two_features"].estimator.components == 2
    assert load_models(models_dir, "full")["two_features"].estimator.components == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("linear.py", "def nothing(): pass", "linear.py: declares no model"),
        ("linear.py", "import no_such_package", "linear.py: ModuleNotFoundError"),
        ("linear.py", "def (", "linear.py: SyntaxError"),
        ("second.py", NATIONAL, "second.py: a second model is called national_rate"),
        ("national.py", LINEAR.replace("two", "three"), "no model without covariates"),
    ],
)
def test_bad_model_files_are_refused(models_dir, name, text, message):
    (models_dir / name).write_text(text)
    with pytest.raises(InputError, match=message):
        load_models(models_dir, "full")


def test_a_directory_without_models_is_refused(tmp_path):
    with pytest.raises(InputError, match="no model files"):
        load_models(tmp_path, "fast")


def test_unknown_features_are_refused(models_dir, world):
    (models_dir / "linear.py").write_text(LINEAR.replace("f01", "moonlight"))
    with pytest.raises(
        InputError, match="model two_features: features that no stream gives: moonlight"
    ):
        fit_models(load_models(models_dir, "full"), world.X, world.direct, world.areas)


def fit(world, told=None):
    return fit_models(
        load_models(PROJECT, "fast"), world.X, world.direct, world.areas,
        folds=3, n=300, seed=1,
        progress=None if told is None else lambda what, share: told.append(share),
    )  # fmt: skip


@pytest.fixture(scope="module")
def fitted(world):
    """The stage's result, and what it told of its progress."""
    told = []
    return fit(world, told), told


def test_the_stage_uses_covariates_that_help(world, fitted):
    result, told = fitted
    assert result.evidence.figures["gain"] > 0
    assert result.draws.shape == (4, len(world.X), 300)
    assert (result.draws > 0).all()
    assert list(result.draws["component"].values) == list(COMPONENTS)
    assert told == sorted(told)
    assert told[-1] < 1
    truth, mean = np.log(world.truth), np.log(result.draws).mean("draw").to_pandas().T
    flat = np.log(world.truth.mean())
    assert ((mean - truth) ** 2).mean(axis=None) < 0.7 * ((flat - truth) ** 2).mean(axis=None)


def test_models_that_are_only_compared_have_no_part_in_the_estimates(world, fitted):
    members = fitted[0].members
    assert members["weight"].to_dict() == {
        "place_alone": 0.0, "latent_gaussian": 0.5, "extra_trees": 0.5
    }  # fmt: skip
    assert np.isnan(members.loc["place_alone", "worth"])
    assert {"place_alone", "latent_gaussian"} <= set(fitted[0].diagnostics["model"])


@pytest.mark.slow
def test_the_stage_is_reproducible(world, fitted):
    first, second = fitted[0], fit(world)
    xr.testing.assert_identical(first.draws, second.draws)
    pd.testing.assert_frame_equal(first.scores, second.scores)
    assert first.evidence == second.evidence
    xr.testing.assert_identical(first.cross_fitted, second.cross_fitted)


def test_a_component_nobody_reports_goes_through(world):
    direct = replace(
        world.direct,
        reports=world.direct.reports.assign(traffickers_live=0.0),
        variance=world.direct.variance.assign(traffickers_live=0.0),
    )
    models = load_models(PROJECT, "fast")
    result = fit_models(models, world.X, direct, world.areas, folds=2, n=100)
    assert np.isfinite(result.draws).all()
    assert np.isfinite(result.scores["log_score"]).all()

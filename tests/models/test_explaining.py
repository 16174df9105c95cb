"""Parts of a fit add up to what the fit says; what it never saw, it does not speak of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from latent_world import drawn
from lightgbm import LGBMRegressor
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from smallarea.models import LatentGaussian, NationalRate, Supervised
from smallarea.models.explaining import OWN, TOGETHER, centred, parts_of

SDS = {"linear": 0.6, "features": 0.3, "space": 0.4, "province": 0.3}
STREAM = {"x": "roads", "y": "roads", "z": "lights"}


@pytest.fixture(scope="module")
def world():
    return drawn(3, SDS, areas=80, surveyed=50)


def test_the_latent_models_parts_are_its_posterior_mean(world):
    fit = LatentGaussian(components=3, points=4).fit(world.X, world.direct, world.areas)
    parts = parts_of(fit, world.X, world.areas, STREAM)
    assert set(parts) == {"roads", "lights", TOGETHER, "space", "groups", OWN}
    logs = np.log(fit.draws(world.X, world.areas, 4000, 1))
    sd = logs.std("draw").to_series()
    found = centred(parts).sum(axis=1)
    mean = centred(logs.mean("draw").to_series().to_frame("mean"))["mean"].loc[found.index]
    # The mean of 4,000 draws; points of the posterior share draws by their weight, to one draw.
    np.testing.assert_allclose(found, mean, atol=float(5 * sd.max() / np.sqrt(4000)))
    own = parts[OWN].groupby(level="area_id").apply(lambda x: (x != 0).any())
    assert set(own.index[own]) <= set(world.direct.reports.index)


def test_the_linear_kernel_is_told_apart_exactly(world):
    fit = LatentGaussian(components=3, points=1).fit(world.X, world.direct, world.areas)
    features = parts_of(fit, world.X, world.areas, {})
    laplace, theta = fit.posterior_.fits[0], fit.posterior_.thetas[0]
    (linear,) = [n for n, k in enumerate(fit.kernels_) if k.name == "linear"]
    rho, pull = laplace.prior.correlation, laplace.slope + laplace.shift
    pull = (1 - rho) * pull + rho * pull.sum(axis=0)
    whole = theta[linear] ** 6 * pull @ fit.kernels_[linear].between(fit.surveyed_, fit.at_)
    np.testing.assert_allclose(features[["x", "y", "z"]].sum(axis=1), whole.ravel(), atol=1e-8)


@pytest.mark.parametrize(
    "regressor",
    [
        LGBMRegressor(
            boosting_type="rf", extra_trees=True, n_estimators=20, num_leaves=8, verbose=-1,
            feature_fraction_bynode=0.7, colsample_bytree=0.999, min_child_samples=5, n_jobs=1,
        ),
        LGBMRegressor(objective="poisson", n_estimators=20, num_leaves=5, verbose=-1, n_jobs=1),
        make_pipeline(StandardScaler(), PoissonRegressor(alpha=0.1)),
    ],
    ids=["forest", "boosted", "linear"],
)  # fmt: skip
def test_a_regressors_parts_are_the_log_of_its_mean_function(world, regressor):
    fit = Supervised(regressor, folds=3, repeats=1).fit(world.X, world.direct, world.areas)
    parts = centred(parts_of(fit, world.X, world.areas, STREAM))
    which = np.tile(np.eye(2), (len(world.X), 1))
    stacked = np.hstack([np.repeat(world.X.to_numpy(), 2, axis=0), which])
    logs = np.mean([np.log(member.predict(stacked)) for member in fit.members_], axis=0)
    slope = [effects.mean("slope") for effects in fit.effects_.values()]
    logs = pd.DataFrame(logs.reshape(-1, 2), world.X.index, fit.log_f_.columns)
    logs.update(fit.log_f_)  # of surveyed areas the fit takes predictions out of fold
    whole = logs.to_numpy().T * np.array(slope)[:, None]
    whole -= whole.mean(axis=1, keepdims=True)
    found = parts.drop(columns=OWN).sum(axis=1).to_numpy().reshape(2, -1)
    np.testing.assert_allclose(found, whole, atol=1e-6)
    new = parts[~parts.index.get_level_values("area_id").isin(fit.log_f_.index)]
    told = new[["roads", "lights"]].std()
    assert (told > 3 * new[TOGETHER].std()).any()  # told apart, not lumped


def test_a_model_that_cannot_be_taken_apart_has_no_parts(world):
    fit = NationalRate().fit(world.X[[]], world.direct, world.areas)
    assert parts_of(fit, world.X[[]], world.areas, {}).empty

"""Gradient-boosted rates: small trees under a Poisson objective, weighted by exposure."""

from lightgbm import LGBMRegressor

from smallarea.models import Supervised, model


@model(features="all", profiles=["full"], stack=False)
def boosted_rates():
    return Supervised(
        LGBMRegressor(
            objective="poisson",
            n_estimators=80,
            learning_rate=0.05,
            num_leaves=5,
            min_child_samples=40,
            colsample_bytree=0.3,
            reg_lambda=5.0,
            deterministic=True,
            force_row_wise=True,
            n_jobs=1,
            verbose=-1,
        )
    )

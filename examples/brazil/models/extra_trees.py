"""Extremely randomised trees: rates by features, averaged over many random splits."""

from lightgbm import LGBMRegressor

from smallarea.models import Supervised, model


@model(features="all", full={"regressor__n_estimators": 100})
def extra_trees():
    return Supervised(
        LGBMRegressor(
            boosting_type="rf",
            extra_trees=True,
            n_estimators=40,
            num_leaves=64,
            min_child_samples=10,
            min_child_weight=0,
            reg_lambda=0.5,  # expected reports, by which a leaf is drawn towards the mean
            feature_fraction_bynode=0.15,
            colsample_bytree=0.999,  # such a forest must leave something out
            deterministic=True,
            force_row_wise=True,
            n_jobs=1,
            verbose=-1,
        ),
        repeats=1,
        family="binomial",
    )

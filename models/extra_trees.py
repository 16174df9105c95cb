"""Extremely randomised trees: rates by features, averaged over many random splits."""

from sklearn.ensemble import ExtraTreesRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from smallarea.models import Supervised, model


@model(features="all")
def extra_trees():
    return Supervised(
        make_pipeline(
            SimpleImputer(strategy="median"),
            ExtraTreesRegressor(n_estimators=100, min_samples_leaf=10, max_features=0.15),
        ),
        repeats=1,
    )

"""Few numbers per area out of many features: principal components of robustly scaled ranks."""

from __future__ import annotations

import pandas as pd
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, StandardScaler


def usable(X: pd.DataFrame) -> pd.Index:
    """Return the names of the features that have at least two different values."""
    return X.columns[X.min() < X.max()]


def principal_components(X: pd.DataFrame, number: int) -> Pipeline:
    """Fit a pipeline from features to at most `number` scores of mean 0 and variance 1.

    Medians stand in for missing values; ranks become normal scores, so that a skewed feature
    (people, money, light) does not make a component of its few largest areas. It is fitted on
    every area given, surveyed or not: no report is looked at.
    """
    steps = make_pipeline(
        FunctionTransformer(_columns, kw_args={"columns": usable(X)}),
        SimpleImputer(strategy="median"),
        QuantileTransformer(n_quantiles=min(200, len(X)), output_distribution="normal"),
        PCA(min(number, len(usable(X)), len(X)), svd_solver="full"),
        StandardScaler(),
    )
    return steps.fit(X)


def _columns(X: pd.DataFrame, columns: pd.Index) -> pd.DataFrame:
    return X[columns]

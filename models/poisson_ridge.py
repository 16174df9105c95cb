"""Ridge regression of rates on all features: Poisson with a log link, weighted by exposure."""

from sklearn.impute import SimpleImputer
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from smallarea.models import Supervised, model


@model(features="all", profiles=["full"], stack=False)
def poisson_ridge():
    return Supervised(
        make_pipeline(
            SimpleImputer(strategy="median"),
            QuantileTransformer(n_quantiles=100, output_distribution="normal"),
            PoissonRegressor(alpha=3.0, max_iter=1000),
        ),
        repeats=1,
    )

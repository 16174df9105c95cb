"""Area-level models of direct estimates with known sampling variances (Fay & Herriot 1979)."""

from smallarea.models.fay_herriot.benchmarking import benchmark
from smallarea.models.fay_herriot.diagnostics import Diagnostics
from smallarea.models.fay_herriot.estimator import FayHerriot
from smallarea.models.fay_herriot.fitting import FayHerriotFit, fit_fay_herriot
from smallarea.models.fay_herriot.likelihood import Method, Profile
from smallarea.models.fay_herriot.posterior import GaussianPosterior, gaussian_posterior

__all__ = [
    "Diagnostics",
    "FayHerriot",
    "FayHerriotFit",
    "GaussianPosterior",
    "Method",
    "Profile",
    "benchmark",
    "fit_fay_herriot",
    "gaussian_posterior",
]

"""Small area models: estimators that a model file calls, their comparison and combination."""

from smallarea.models.area_level import FayHerriotRates
from smallarea.models.candidates import Candidate, load_models, model
from smallarea.models.evidence import Evidence, covariate_evidence
from smallarea.models.fay_herriot import FayHerriot, FayHerriotFit, fit_fay_herriot
from smallarea.models.fitting import FittedModels, fit_models
from smallarea.models.latent_gaussian import LatentGaussian
from smallarea.models.national_rate import NationalRate
from smallarea.models.partial_pooling import PartialPooling
from smallarea.models.pooling import pool
from smallarea.models.supervised import Supervised
from smallarea.models.validation import CrossValidation, cross_validate

__all__ = [
    "Candidate",
    "CrossValidation",
    "Evidence",
    "FayHerriot",
    "FayHerriotFit",
    "FayHerriotRates",
    "FittedModels",
    "LatentGaussian",
    "NationalRate",
    "PartialPooling",
    "Supervised",
    "covariate_evidence",
    "cross_validate",
    "fit_fay_herriot",
    "fit_models",
    "load_models",
    "model",
    "pool",
]

"""The baseline: one national rate per component, with spread between areas and no covariates."""

from smallarea.models import NationalRate, model


@model(features=[])
def national_rate():
    return NationalRate()

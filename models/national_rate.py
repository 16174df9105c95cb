"""The baseline: one national rate per component, with spread between areas and no covariates."""

from smallarea.models import NationalRate, model


@model(features=[], profiles=["full"], stack=False)
def national_rate():
    return NationalRate()

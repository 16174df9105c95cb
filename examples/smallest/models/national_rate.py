"""One rate for all, with spread between areas."""

from smallarea.models import NationalRate, model


@model(features=[])
def national_rate():
    return NationalRate()

"""Bayesian pooling of all components over regions and provinces, with and without features."""

from smallarea.models import PartialPooling, model


@model(features="all")
def partial_pooling():
    return PartialPooling(components=8)


@model(features=[])
def partial_pooling_plain():
    return PartialPooling(components=8)

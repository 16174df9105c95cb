"""Bayesian pooling of all components over regions and provinces, with and without features."""

from smallarea.models import PartialPooling, model

LONG = {"chains": 4, "tune": 1000, "draws_per_chain": 1000}


@model(features="all", profiles=["full"], full=LONG, stack=False)
def partial_pooling():
    return PartialPooling(components=8)


@model(features=[], profiles=["full"], full=LONG, stack=False)
def partial_pooling_plain():
    return PartialPooling(components=8)

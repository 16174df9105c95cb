"""Fay-Herriot: a linear model of direct rates on principal components of all features."""

from smallarea.models import FayHerriotRates, model


@model(features="all", profiles=["full"], stack=False)
def fay_herriot():
    return FayHerriotRates(components=8, method="amrl_yl")

"""Fay-Herriot: a linear model of direct rates on principal components of all features."""

from smallarea.models import FayHerriot, model


@model(features="all")
def fay_herriot():
    return FayHerriot(components=8, method="amrl_yl")

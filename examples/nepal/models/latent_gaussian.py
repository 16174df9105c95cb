"""A latent Gaussian model: features, place and groups smooth the log rates of all components."""

from smallarea.models import LatentGaussian, model


@model(features="all", full={"points": 64})
def latent_gaussian():
    return LatentGaussian(components=8, points=16)


@model(features=[], full={"points": 64}, stack=False)
def place_alone():
    return LatentGaussian(components=0, points=16)

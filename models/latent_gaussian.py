"""A latent Gaussian model: features, place and groups smooth the log rates of all components."""

from smallarea.models import LatentGaussian, model


@model(features="all", full={"points": 128})
def latent_gaussian():
    return LatentGaussian(components=8)

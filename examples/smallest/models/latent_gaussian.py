"""Books, place and shire smooth the log odds of who is left-handed."""

from smallarea.models import LatentGaussian, model


@model(features="all")
def latent_gaussian():
    return LatentGaussian(components=1, family="binomial")

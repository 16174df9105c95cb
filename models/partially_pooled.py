"""The closest peer: municipalities within regions, pooled without covariates.

After the description of the partially pooled scale-up model of the study's own authors
(Nyarko-Agyei, Moser, Seymour et al., JRSS C, in press): log rates of an area vary about its
region's, regions' about the nation's. Theirs models each respondent's answers; here they are the
area's counts, as for all other candidates, and components share a correlation.
"""

from smallarea.models import LatentGaussian, model


@model(features=[], profiles=["full"], full={"points": 64}, stack=False)
def partially_pooled():
    return LatentGaussian(components=0, points=16, levels=["region_id"], range_km=None)

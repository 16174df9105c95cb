"""The other close peer: a unit-level Bayesian probit of persons in areas, which ranks the areas.

After the description of a survey of child trafficking in the chiefdoms of Sierra Leone (Datta,
Li, Yi & Okech, JSSAM 2025), as far as its summary goes: a hierarchical probit regression of
children, random areas, ranks from the posterior. Their covariates and priors are not told there;
here they are principal components of all features and flat, and children are the people known.
"""

from smallarea.models import model
from smallarea.models.unit_probit import UnitProbit


@model(features="all", profiles=["full"], stack=False)
def unit_probit():
    return UnitProbit(components=8)

"""The municipal hierarchy: areas in provinces in regions, with a spatial effect."""

from smallarea.models import model
from smallarea.models.hierarchy import AreaHierarchy


@model(features="all", profiles=["full"], stack=False)
def municipal_hierarchy():
    return AreaHierarchy(components=8)

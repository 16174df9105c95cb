"""Land cover: share of each area per group of IGBP classes, and how mixed they are.

Trap: pixels of 5.5 km; a town smaller than that shows no urban land, and coastal ones much water.
"""

from smallarea.features import stream, zonal

CLASSES = {
    "forest_share": "share(1, 2, 3, 4, 5)",
    "savanna_share": "share(8, 9)",
    "crop_share": "share(12, 14)",
    "grass_share": "share(10)",
    "wetland_share": "share(11)",
    "urban_land_share": "share(13)",
    "water_share": "share(0)",
}


UNITS = dict.fromkeys(CLASSES, "share of area")


@stream(
    source="land_cover",
    unit=UNITS | {"land_cover_mix": "chance that two places differ in cover (Simpson)"},
)
def land_cover(igbp, areas):
    shares = zonal(igbp, areas, CLASSES)
    rest = 1 - shares.sum(axis=1, skipna=False)
    same = (shares**2).sum(axis=1, skipna=False) + rest**2
    return shares.assign(land_cover_mix=1 - same)

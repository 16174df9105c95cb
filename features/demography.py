"""Demography from the frame itself: how many, how dense, how urban, how young, how well off.

Trap: the age shares behind `children_share` may be a province's, not the area's own, and the
income class ranks the local government's revenue, not its people's.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    domain="socio-demographic",
    unit={
        "population": "persons",
        "population_density": "persons per km2",
        "urban_share": "share of population",
        "children_share": "share of population",
        "income_class": "class, 1 is the highest",
    },
)
def demography(areas):
    table = areas.table
    return pd.DataFrame(
        {
            "population": table["population"],
            "population_density": tables.ratio(table["population"], table["area_km2"]),
            "urban_share": table["urban_share"],
            "children_share": tables.ratio(table["children"], table["children"] + table["adults"]),
            "income_class": table["income_class"]
            .astype("str")
            .str.extract(r"(\d)")[0]
            .astype(float),
        }
    )

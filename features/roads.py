"""Roads: kilometres per km2 and per 1,000 people, the part of them that is large, and how
far such a road is.

Trap: a volunteers' map is fuller where volunteers are.
"""

import pandas as pd

from smallarea.features import lines, stream, tables

LARGE = ["trunk", "primary"]


@stream(
    source="roads",
    unit={
        "road_density": "km per km2",
        "roads_per_1000": "km per 1,000 people",
        "primary_road_share": "share of road length, trunk roads with them",
        "trunk_road_km": "km from the area's centre to a trunk or primary road",
    },
)
def roads(network, areas):
    km = lines.length_km(network, areas, by="fclass")
    total = km.sum(axis=1)
    large = km.reindex(columns=LARGE, fill_value=0.0).sum(axis=1)
    return pd.DataFrame(
        {
            "road_density": tables.ratio(total, areas.table["area_km2"]),
            "roads_per_1000": tables.per_capita(total, areas),
            "primary_road_share": tables.ratio(large, total),
            "trunk_road_km": lines.nearest_km(network[network["fclass"].isin(LARGE)], areas),
        }
    )

"""Roads: kilometres per km2 and per 1,000 people, and the part of them that is primary.

Trap: a volunteers' map is fuller where volunteers are.
"""

import pandas as pd

from smallarea.features import lines, stream, tables


@stream(
    source="roads",
    unit={
        "road_density": "km per km2",
        "roads_per_1000": "km per 1,000 people",
        "primary_road_share": "share of road length",
    },
)
def roads(network, areas):
    km = lines.length_km(network, areas, by="fclass")
    total = km.sum(axis=1)
    return pd.DataFrame(
        {
            "road_density": tables.ratio(total, areas.table["area_km2"]),
            "roads_per_1000": tables.per_capita(total, areas),
            "primary_road_share": tables.ratio(km.get("primary", 0 * total), total),
        }
    )

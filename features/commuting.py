"""Commuting: who stays, who comes, and who stands in the middle of the network.

Trap: an area absent from the file was not observed; it is missing, not without commuters.
"""

import pandas as pd

from smallarea.features import flows, stream, tables


@stream(
    source="commuting",
    unit={
        "self_containment": "share of trips that stay in the area",
        "commuters_in": "trips per 1,000 people",
        "commuters_out": "trips per 1,000 people",
        "commuting_centrality": "PageRank, 1 is average",
        "commuting_zone_population": "persons in the commuting zone",
    },
)
def commuting(trips, areas):
    balance = flows.balance(trips, areas, "trips")
    centrality = flows.centrality(trips, areas, "trips")
    zone = flows.zones(trips, areas, "trips")
    return pd.DataFrame(
        {
            "self_containment": balance["self_containment"],
            "commuters_in": tables.per_capita(balance["inflow"], areas, year=2022),
            "commuters_out": tables.per_capita(balance["outflow"], areas, year=2022),
            "commuting_centrality": centrality.where(balance["inflow"].notna()),
            "commuting_zone_population": areas.table["population"].groupby(zone).transform("sum"),
        }
    )

"""Mobile network use: means over the observed months of the year, per subscriber.

Trap: one operator's customers. Months with few subscribers are withheld: an area with fewer than
six observed months is missing, and one with some withheld is seen in its larger months.
"""

import pandas as pd

from smallarea.features import stream, tables

PER_SUBSCRIBER = {
    "data_per_subscriber": ("data_gb", "GB per month"),
    "video_calls_per_subscriber": ("video_calls", "calls per month"),
    "video_minutes_per_subscriber": ("video_minutes", "minutes per month"),
    "long_trips_per_subscriber": ("long_trips", "trips per month"),
    "short_trips_per_subscriber": ("short_trips", "trips per month"),
}


@stream(
    source="telco",
    unit={
        "subscribers_per_1000": "subscribers per 1,000 people",
        "subscriber_variation": "coefficient of variation over months",
        "contacts": "contacts per subscriber",
        "network_centrality": "index",
        **{name: unit for name, (_, unit) in PER_SUBSCRIBER.items()},
    },
)
def telco(months, areas):
    mean = tables.annual(months, areas, "mean", least=6)
    variation = tables.annual(months, areas, "cv", least=6)
    rates = {
        name: tables.ratio(mean[column], mean["subscribers"])
        for name, (column, _) in PER_SUBSCRIBER.items()
    }
    return pd.DataFrame(
        {
            "subscribers_per_1000": tables.per_capita(mean["subscribers"], areas, year=2022),
            "subscriber_variation": variation["subscribers"],
            "contacts": mean["network_size"],
            "network_centrality": mean["centrality"],
            **rates,
        }
    )

"""Armed conflict: events and deaths per 100,000 people, over the last five and ten years on file.

Trap: only events placed at a municipality count (where_prec 1-3); the rest stand at the centre of
a province or region and would make a hot spot of whatever lies there. Media report remote events
less.
"""

import pandas as pd

from smallarea.features import points, stream, tables


@stream(
    source="conflict_events",
    unit={
        "conflict_events_5y": "events per 100,000 people",
        "conflict_deaths_5y": "deaths per 100,000 people",
        "conflict_events_10y": "events per 100,000 people",
        "conflict_near": "sum of 1/km within 50 km, ten years",
    },
)
def conflict(events, areas):
    placed = events[events["where_prec"] <= 3]
    age = events["year"].max() - placed["year"]
    counts = {
        "conflict_events_5y": points.count(placed[age < 5], areas),
        "conflict_deaths_5y": points.total(placed[age < 5], areas, "best"),
        "conflict_events_10y": points.count(placed[age < 10], areas),
    }
    rates = {k: tables.per_capita(n, areas, 100_000) for k, n in counts.items()}
    return pd.DataFrame(rates | {"conflict_near": points.density(placed[age < 10], areas)})

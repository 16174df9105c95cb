"""Migration: who came and left in five years, who works overseas, and what these send home.

Trap: what a worker sends is the region's mean, so that `remittances` follows the number of workers
within a region. People who moved and moved back are not seen.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source=["migration", "remittances"],
    unit={
        "net_migration": "people per 1,000 people in five years",
        "migration_turnover": "people who came or left per 1,000 people in five years",
        "overseas_workers": "workers per 1,000 people",
        "remittances": "PHP per person in half a year",
    },
)
def migration(moves, sent, areas):
    here = tables.align(moves, areas)
    workers = tables.per_capita(here["overseas_workers"], areas, year=2020)
    each = tables.join_down(sent, areas)["cash_per_worker"]
    return pd.DataFrame(
        {
            "net_migration": tables.per_capita(here["came"] - here["left"], areas, year=2020),
            "migration_turnover": tables.per_capita(here["came"] + here["left"], areas, year=2020),
            "overseas_workers": workers,
            "remittances": workers * each / 1000,
        }
    )

"""Migration: who came and left in five years, and who works overseas.

Trap: people who moved and moved back are not seen, nor are whole households that left the country.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="migration",
    unit={
        "net_migration": "people per 1,000 people in five years",
        "migration_turnover": "people who came or left per 1,000 people in five years",
        "overseas_workers": "workers per 1,000 people",
    },
)
def migration(moves, areas):
    here = tables.align(moves, areas)
    counts = {
        "net_migration": here["came"] - here["left"],
        "migration_turnover": here["came"] + here["left"],
        "overseas_workers": here["overseas_workers"],
    }
    return pd.DataFrame({k: tables.per_capita(n, areas, year=2020) for k, n in counts.items()})

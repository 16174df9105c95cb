"""Healthcare workers: doctors, and all who are trained, per 10,000 people; village volunteers.

Trap: counted where they work; a town with a hospital for its neighbours has their doctors too.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="healthcare_workers",
    unit={
        "doctors": "doctors per 10,000 people",
        "health_workers": "doctors, nurses and midwives per 10,000 people",
        "village_health_workers": "volunteers per 10,000 people",
    },
)
def healthcare_workers(workers, areas):
    here = tables.align(workers, areas)
    counts = {
        "doctors": here["doctors"],
        "health_workers": here["doctors"] + here["nurses"] + here["midwives"],
        "village_health_workers": here["village_workers"],
    }
    rates = {k: tables.per_capita(n, areas, 10_000, year=2022) for k, n in counts.items()}
    return pd.DataFrame(rates)

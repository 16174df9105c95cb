"""Electronic services: how much livestreams are used, means over the observed months of the year.

Trap: one provider's accounts, placed where they sign in. It says who broadcasts, never what; months
with few accounts are withheld, so an area with fewer than six observed ones is missing.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="electronic_services",
    unit={
        "livestream_accounts": "accounts per 1,000 people",
        "livestreams_per_account": "broadcasts per account and month",
        "livestream_minutes": "minutes per broadcast",
    },
)
def electronic_services(months, areas):
    mean = tables.annual(months, areas, "mean", least=6)
    return pd.DataFrame(
        {
            "livestream_accounts": tables.per_capita(mean["accounts"], areas, year=2022),
            "livestreams_per_account": tables.ratio(mean["broadcasts"], mean["accounts"]),
            "livestream_minutes": tables.ratio(mean["broadcast_minutes"], mean["broadcasts"]),
        }
    )

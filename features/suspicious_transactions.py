"""Suspicious transaction reports: how many and how much, per person and quarter.

Trap: counts below five are withheld, so the means of an area with few reports are missing, not
zero, and otherwise over its larger quarters; only `suspicious_quarters` is free of that. Reports
map where banks and remittance desks are watchful.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="suspicious_transactions",
    unit={
        "suspicious_reports": "reports per 100,000 people and quarter",
        "suspicious_amount": "PHP per person and quarter",
        "suspicious_quarters": "share of quarters with five reports or more",
    },
)
def suspicious_transactions(quarters, areas):
    seen = quarters["reports"].notna().groupby(quarters["area_id"]).mean()
    mean = tables.annual(quarters, areas, "mean", least=2)
    return pd.DataFrame(
        {
            "suspicious_reports": tables.per_capita(mean["reports"], areas, 100_000, year=2022),
            "suspicious_amount": tables.per_capita(mean["amount_php"], areas, 1, year=2022),
            "suspicious_quarters": seen.reindex(areas.table.index),
        }
    )

"""Suspicious transaction reports: how many and how much, per adult and quarter.

Trap: counts below five are withheld, so the means of an area with few reports are missing, not
zero, and otherwise over its larger quarters; only `suspicious_quarters` is free of that. Reports
map where banks and remittance desks are watchful.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="suspicious_transactions",
    unit={
        "suspicious_reports": "reports per 100,000 adults and quarter",
        "suspicious_amount": "PHP per adult and quarter",
        "suspicious_quarters": "share of quarters with five reports or more",
        "implicated_share": "share of the amount, received by implicated beneficiaries",
    },
)
def suspicious_transactions(quarters, areas):
    seen = quarters["reports"].notna().groupby(quarters["area_id"]).mean()
    mean = tables.annual(quarters, areas, "mean", least=2)

    def per_adult(values, per):
        return tables.per_capita(values, areas, per, of="adults", year=2022)

    return pd.DataFrame(
        {
            "suspicious_reports": per_adult(mean["reports"], 100_000),
            "suspicious_amount": per_adult(mean["amount_php"], 1),
            "suspicious_quarters": seen.reindex(areas.table.index),
            "implicated_share": tables.ratio(mean["implicated_php"], mean["amount_php"]),
        }
    )

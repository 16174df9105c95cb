"""Municipal finance: income and expenditure per person, and how much is raised at home.

Trap: the file has no codes. Names that fit no single area are listed in the read report.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="municipal_finance",
    unit={
        "municipal_income": "PHP per person",
        "municipal_expenditure": "PHP per person",
        "municipal_tax": "PHP per person",
        "local_source_share": "share of income",
    },
)
def municipal_finance(accounts, areas):
    million = tables.align(accounts, areas)
    per_person = {
        "municipal_income": "total_income",
        "municipal_expenditure": "total_expenditure",
        "municipal_tax": "tax_revenue",
    }
    values = {
        k: tables.per_capita(million[c] * 1e6, areas, 1, year=2022) for k, c in per_person.items()
    }
    share = tables.ratio(million["local_sources"], million["total_income"])
    return pd.DataFrame(values | {"local_source_share": share})

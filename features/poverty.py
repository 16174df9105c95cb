"""Poverty: share of people below the poverty line, and how it moved from the first year on record.

Trap: these are small area estimates themselves, with standard errors of about 4 points, and they
borrow from census housing: partly circular with `housing`. Manila is missing.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="poverty_sae",
    unit={
        "poverty_incidence": "% of population",
        "poverty_error": "percentage points, standard error of poverty_incidence",
        "poverty_change": "percentage points",
    },
)
def poverty(estimates, areas):
    first = estimates[estimates["year"] == estimates["year"].min()]
    newest = tables.latest(estimates, areas)
    now = newest["poverty_incidence_pct"]
    then = tables.align(first, areas)["poverty_incidence_pct"]
    return pd.DataFrame(
        {
            "poverty_incidence": now,
            "poverty_error": newest["se_pct"],
            "poverty_change": now - then,
        }
    )

"""Social Amelioration Program 2020: families helped during the pandemic, and with how much.

Trap: nearly universal in the first round; the rest of the variation is the length of lockdowns.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="social_amelioration",
    unit={"amelioration_families": "families per 1,000 people", "amelioration": "PHP per family"},
)
def social_amelioration(programme, areas):
    served = tables.align(programme, areas)
    return pd.DataFrame(
        {
            "amelioration_families": tables.per_capita(served["families_served"], areas, year=2020),
            "amelioration": tables.ratio(served["amount_php"], served["families_served"]),
        }
    )

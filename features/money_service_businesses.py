"""Money service businesses: outlets per adult, and how near the next one is.

Trap: registered outlets only; agents in shops and mobile wallets are not on the list.
"""

import pandas as pd

from smallarea.features import points, stream, tables


@stream(
    source="money_service_businesses",
    unit={
        "money_outlets": "outlets per 100,000 adults",
        "money_outlet_km": "km from the area's centre",
        "money_outlet_density": "sum of 1/km within 50 km",
    },
)
def money_service_businesses(outlets, areas):
    return pd.DataFrame(
        {
            "money_outlets": tables.per_capita(
                points.count(outlets, areas), areas, 100_000, of="adults"
            ),
            "money_outlet_km": points.nearest_km(outlets, areas),
            "money_outlet_density": points.density(outlets, areas),
        }
    )

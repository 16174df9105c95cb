"""Health facilities: how many per person, how near the next one is, and the same of hospitals.

Trap: in the first two columns a village health station and a hospital count alike.
"""

import pandas as pd

from smallarea.features import points, stream, tables


@stream(
    source="health_facilities",
    unit={
        "health_facilities": "facilities per 100,000 people",
        "health_facility_km": "km from the area's centre",
        "hospitals": "hospitals per 100,000 people",
        "hospital_km": "km from the area's centre",
    },
)
def health_facilities(facilities, areas):
    hospitals = facilities[facilities["type"] == "hospital"]
    return pd.DataFrame(
        {
            "health_facilities": tables.per_capita(points.count(facilities, areas), areas, 100_000),
            "health_facility_km": points.nearest_km(facilities, areas),
            "hospitals": tables.per_capita(points.count(hospitals, areas), areas, 100_000),
            "hospital_km": points.nearest_km(hospitals, areas),
        }
    )

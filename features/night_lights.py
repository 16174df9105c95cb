"""Night-time lights: mean radiance, sum per 1,000 people, and share of the area that is lit.

Trap: lights saturate nowhere but blur by a few hundred metres; ports, fishing fleets and gas
flares shine without residents.
"""

import pandas as pd

from smallarea.features import stream, tables, zonal


@stream(
    source="viirs_annual",
    unit={
        "lights_mean": "nW/cm2/sr",
        "lights_per_1000": "nW/cm2/sr per 1,000 people",
        "lit_share": "share of area",
    },
)
def night_lights(viirs, areas):
    radiance = zonal(viirs, areas, ["mean", "sum", "share_above(0.5)"])
    return pd.DataFrame(
        {
            "lights_mean": radiance["mean"],
            "lights_per_1000": tables.per_capita(radiance["sum"], areas),
            "lit_share": radiance["share_above(0.5)"],
        }
    )

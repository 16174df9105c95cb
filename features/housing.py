"""Housing: shares of dwellings by what their roof and walls are made of (census 2010).

Trap: partly circular with `poverty`, whose model uses the same census columns.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="housing_2010",
    unit=dict.fromkeys(
        ("strong_housing_share", "weak_wall_share", "salvaged_housing_share"), "share of dwellings"
    ),
)
def housing(materials, areas):
    units = tables.align(materials, areas)
    weak = units.filter(regex="wall_(light|salvaged)").sum(axis=1, skipna=False)
    salvaged = units.filter(like="salvaged").sum(axis=1, skipna=False)
    return pd.DataFrame(
        {
            "strong_housing_share": tables.ratio(
                units["roof_strong_wall_strong"], units["housing_units"]
            ),
            "weak_wall_share": tables.ratio(weak, units["housing_units"]),
            "salvaged_housing_share": tables.ratio(salvaged, units["housing_units"]),
        }
    )

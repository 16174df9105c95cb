"""Relative Wealth Index: mean over the grid points of each area, and their spread.

Trap: a model's output, trained on phone and satellite data: partly circular with `night_lights`
and `telco`. The first mean is over inhabited
grid points; the second gives each village the value of the point that is nearest to it.
"""

import pandas as pd

from smallarea.features import points, stream


@stream(
    source="relative_wealth",
    unit={
        "relative_wealth": "index, 0 is the country's mean",
        "wealth_of_people": "index, the mean over people",
        "wealth_spread": "index (sd)",
    },
)
def relative_wealth(grid, areas):
    spread = grid.groupby("area_id")["rwi"].std().reindex(areas.table.index)
    return pd.DataFrame(
        {
            "relative_wealth": points.mean(grid, areas, "rwi"),
            "wealth_of_people": points.mean_of_people(grid, areas, "rwi"),
            "wealth_spread": spread,
        }
    )

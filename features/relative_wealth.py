"""Relative Wealth Index: mean over the grid points of each area, and their spread.

Trap: a model's output, trained on phone and satellite data: partly circular with `night_lights`
and `telco`. The mean is over inhabited grid points, not over people.
"""

import pandas as pd

from smallarea.features import points, stream


@stream(
    source="relative_wealth",
    unit={"relative_wealth": "index, 0 is the country's mean", "wealth_spread": "index (sd)"},
)
def relative_wealth(grid, areas):
    spread = grid.groupby("area_id")["rwi"].std().reindex(areas.table.index)
    return pd.DataFrame(
        {"relative_wealth": points.mean(grid, areas, "rwi"), "wealth_spread": spread}
    )

"""Population growth since the census of 2015, as a mean rate per year.

Trap: a municipality that lost barangays to a new one since 2015 shows a false decline, and the
new one has no figure at all.
"""

from smallarea.features import stream, tables


@stream(source="population_2015", unit={"population_growth": "share per year"})
def population_2015(census, areas):
    old = tables.align(census, areas)["population_2015"]
    growth = tables.growth(areas.table["population"], old, years=2024 - 2015)
    return growth.to_frame("population_growth")

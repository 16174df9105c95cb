"""Population growth since the census of 2015, as a mean rate per year.

Trap: barangays that changed hands since are carried along by where people live now, so the parts of
a divided municipality share the growth of the whole.
"""

from smallarea.features import stream, tables


@stream(source="population_2015", unit={"population_growth": "share per year"})
def population_2015(census, areas):
    old = tables.align(census, areas)["population_2015"]
    growth = tables.growth(areas.table["population"], old, years=2024 - 2015)
    return growth.to_frame("population_growth")

"""Remittances: what workers abroad send home, per person of the area.

Trap: what a worker sends is the region's mean, so within a region this follows the number of
workers. Part of what is sent comes by friends and is not asked about.
"""

from smallarea.features import stream, tables


@stream(source=["migration", "remittances"], unit={"remittances": "PHP per person in half a year"})
def remittances(moves, sent, areas):
    workers = tables.align(moves, areas)["overseas_workers"]
    each = tables.join_down(sent, areas)["cash_per_worker"]
    return tables.per_capita(workers * each, areas, 1, year=2020).to_frame("remittances")

"""Pantawid Pamilya (4Ps): households that receive the conditional cash transfer.

Trap: a household is listed by poverty score of years ago, and has children by rule: the rate
follows poverty and family size together.
"""

from smallarea.features import stream, tables


@stream(source="pantawid", unit={"pantawid_households": "households per 1,000 people"})
def pantawid(beneficiaries, areas):
    households = tables.align(beneficiaries, areas)["households"]
    return tables.per_capita(households, areas, year=2022).to_frame("pantawid_households")

"""COVID-19 response: cases found, people vaccinated, and days of strict quarantine to 2021.

Trap: cases follow testing, and quarantine was often imposed on a whole province: its days say
little about differences within one.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="covid_response",
    unit={
        "covid_cases": "cases per 1,000 people",
        "vaccinated_share": "share of population",
        "strict_quarantine": "days",
    },
)
def covid_response(response, areas):
    here = tables.align(response, areas)
    return pd.DataFrame(
        {
            "covid_cases": tables.per_capita(here["cases"], areas, year=2021),
            "vaccinated_share": tables.per_capita(here["vaccinated"], areas, 1, year=2021),
            "strict_quarantine": here["strict_days"],
        }
    )

"""Schooling, services, crowding, health and work in the census of 2000, as the Atlas has them.

Trap: ten years old when the survey was made; municipalities made since have their parents' values.
"""

from smallarea.features import stream, tables

COLUMNS = {
    "t_analf18m": "% of adults who cannot read",
    "t_luz": "% of people with electric light",
    "t_agua": "% of people with piped water",
    "t_banagua": "% of people with bathroom and water",
    "t_lixo": "% of urban people with waste collection",
    "t_dens": "% of people more than two to a bedroom",
    "p_agro": "% of workers in agriculture",
    "espvida": "life expectancy, years",
    "fectot": "children per woman",
    "mort1": "infant deaths per 1,000 births",
    "e_anosestudo": "expected years of schooling",
    "t_freq6": "% of children of six at school",
    "t_env": "% of people over 65",
    "razdep": "dependants per 100 of working age",
}


@stream(source="atlas_2000", unit=COLUMNS)
def living_conditions(atlas, areas):
    return tables.align(atlas, areas)[list(COLUMNS)]

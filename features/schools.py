"""Schools: pupils and schools per child, girls, teachers, and who goes on to senior high school.

Trap: pupils are counted at the school, not at home; a town with a high school for its neighbours
enrols more than its own children. `senior_share` mixes drop-out
with where senior high schools are.
"""

import pandas as pd

from smallarea.features import stream, tables


@stream(
    source="schools",
    unit={
        "schools_per_1000": "schools per 1,000 children",
        "enrolment_per_child": "pupils per child",
        "girls_share": "share of pupils",
        "pupils_per_teacher": "pupils per teacher",
        "senior_share": "share of pupils who are in senior high school",
    },
)
def schools(enrolment, areas):
    here = enrolment.groupby("area_id")
    everywhere = areas.table.index
    n_schools = here["school_id"].nunique().reindex(everywhere)
    pupils = here[["enrolment_male", "enrolment_female"]].sum(skipna=False).reindex(everywhere)
    total = pupils.sum(axis=1, skipna=False)
    teachers = here["teachers"].sum(min_count=1).reindex(everywhere)
    by_school = enrolment["enrolment_male"] + enrolment["enrolment_female"]
    seniors = by_school.where(enrolment["level"] == "Senior High", 0)
    of_seniors = seniors.groupby(enrolment["area_id"]).sum().reindex(everywhere)
    return pd.DataFrame(
        {
            "schools_per_1000": tables.per_capita(n_schools, areas, of="children", year=2022),
            "enrolment_per_child": tables.per_capita(total, areas, 1, of="children", year=2022),
            "girls_share": tables.ratio(pupils["enrolment_female"], total),
            "pupils_per_teacher": tables.ratio(total, teachers),
            "senior_share": tables.ratio(of_seniors, total),
        }
    )

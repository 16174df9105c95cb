"""The survey's answers, on the frame's codes: read anew by each stage that needs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from smallarea.areas import Frame
    from smallarea.nsum import Direct
    from smallarea.settings import Settings
    from smallarea.survey import ARD


def surveyed_areas(settings: Settings, survey: Path, areas: Frame) -> tuple[ARD, Direct]:
    """Read the survey and estimate the surveyed areas' rates, with the degrees that are set."""
    from smallarea.nsum import direct_estimates
    from smallarea.survey import read_ard
    from smallarea.survey.roster import roster_degrees

    ard = read_ard(survey / "respondents.csv", survey / "groups.csv")
    if settings.degrees == "national":
        return ard, direct_estimates(ard, areas)
    roster = pd.read_csv(survey / "roster.csv", dtype={"respondent_id": str})
    local, cv = roster_degrees(in_frame(ard, areas), roster, areas.table["province_id"])
    return ard, direct_estimates(ard, areas, degree={"adult": local}, degree_cv={"adult": cv})


def in_frame(ard: ARD, areas: Frame) -> ARD:
    """Return the survey with the frame's area codes, whatever vintage it came in."""
    matched = areas.match(ard.design["area_id"], where="survey, column 'area_id'")
    return replace(ard, design=ard.design.assign(area_id=matched.to_numpy(object)))

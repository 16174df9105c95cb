"""What a frame gives those who draw and weight a sample of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.areas.levels import levels_of

if TYPE_CHECKING:
    from smallarea.areas import Frame


def sample_of(frame: Frame, **wanted: Any) -> pd.DataFrame:
    """Draw a stratified PPS sample of the frame's covered areas and sampling units.

    Strata are units of the second lowest level x mostly urban or not; size is population. See
    :func:`smallarea.survey.design.draw_sample` for what may be wanted and the columns returned, to
    which the names of area and unit are added.
    """
    from smallarea.survey.design import draw_sample, strata

    covered = frame.table[frame.table["covered"]]
    sample = draw_sample(
        pd.DataFrame({"stratum": strata(covered), "size": covered["population"]}),
        frame.psus[frame.psus["area_id"].isin(covered.index)],
        **wanted,
    )
    places = covered[["name", *levels_of(covered)]]
    return sample.join(places, on="area_id").join(frame.psus["name"].rename("psu_name"))


def margins_of(frame: Frame) -> pd.DataFrame:
    """Return the covered population by unit of every level: what weights are calibrated to.

    Columns variable (a level), category, people, as `smallarea fieldwork --population` reads
    them; rows on sex and age, which no frame knows, may be added.
    """
    covered = frame.table[frame.table["covered"]]
    tables = {level: covered.groupby(level)["population"].sum() for level in levels_of(covered)}
    table = pd.concat(tables, names=["variable", "category"]).rename("people")
    return table.reset_index()

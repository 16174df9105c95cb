"""Direct estimates: what each area's own respondents say, with smoothed sampling variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.errors import InputError
from smallarea.nsum.classical import degrees
from smallarea.survey.ard import ARD

if TYPE_CHECKING:
    from smallarea.areas import Frame


@dataclass(frozen=True)
class Direct:
    """Direct estimates; every frame is area_id x component, surveyed areas only.

    reports : people reported. exposure : people known, the sum of the respondents' degrees in
    the component's network. variance : smoothed sampling variance of `rate`; NaN where an area
    has no exposure. deff : per component, sampling variance over that of a Poisson count.
    """

    reports: pd.DataFrame
    exposure: pd.DataFrame
    variance: pd.DataFrame
    deff: pd.Series

    @property
    def rate(self) -> pd.DataFrame:
        """Reports per person known (the reported prevalence), area_id x component."""
        return self.reports / self.exposure.where(self.exposure > 0)


def direct_estimates(ard: ARD, frame: Frame | None = None) -> Direct:
    """Estimate each surveyed area's reported rate from its own respondents.

    A respondent counts for a component where both the answer and the degree are known. Adult
    degrees are scaled up from the known groups, child degrees are sums of the child answers.

    Parameters
    ----------
    ard : answers with `area_id` in the design.
    frame : the areas; with it, codes of any vintage are matched and unknown ones refused.

    Raises
    ------
    InputError : respondents without an area, or areas that are not in the frame.
    """
    area = _areas(ard, frame)
    components = ard.hidden()
    reports, exposure = {}, {}
    for component in components:
        network = str(ard.groups.loc[component, "network"])
        degree = degrees(ard, network, "summation" if network == "child" else "known")
        used = degree.where(ard.counts[component].notna())
        reports[component] = ard.counts[component].where(degree.notna()).groupby(area).sum()
        exposure[component] = used.groupby(area).sum()
    y, d = pd.DataFrame(reports).sort_index(), pd.DataFrame(exposure).sort_index()
    national = y.sum() / d.sum()
    pearson = ((y - d * national) ** 2 / (d * national).where(d > 0)).sum() / (len(y) - 1)
    deff = pearson.clip(lower=1.0)
    smooth = (y + deff) / (d + deff / national)
    return Direct(y, d, deff * smooth / d.where(d > 0), deff)


def _areas(ard: ARD, frame: Frame | None) -> pd.Series:
    area = ard.design["area_id"]
    if area.isna().any():
        raise InputError(
            "the survey does not say in which area its respondents live",
            where="survey",
            remedy="name the column of area codes",
        )
    if frame is None:
        return area.rename("area_id")
    matched = frame.match(area, where="survey, column 'area_id'")
    if matched.isna().any():
        unknown = area[matched.isna()].unique()
        raise InputError(
            f"{len(unknown)} areas are not in the frame: {', '.join(map(str, unknown[:5]))}",
            where="survey, column 'area_id'",
            remedy="correct the codes, or use the frame the survey was drawn from",
        )
    return pd.Series(matched.to_numpy(object), index=area.index, name="area_id")

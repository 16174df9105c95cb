"""The survey's answers, on the frame's codes: read anew by each stage that needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.areas.levels import level_ids
from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.areas import Frame
    from smallarea.indicators import Indicators
    from smallarea.nsum import Direct
    from smallarea.settings import EarlierSettings, Settings
    from smallarea.survey import ARD


def surveyed_areas(
    settings: Settings, survey: Path, areas: Frame, indicators: Indicators
) -> tuple[ARD, Direct]:
    """Read the survey and estimate the surveyed areas' rates, with the degrees that are set."""
    ard = read_answers(survey, indicators, settings)
    return ard, _direct(settings, survey, areas, ard)


def modelled(
    settings: Settings, survey: Path, earlier: Path | None, areas: Frame, indicators: Indicators
) -> tuple[Direct, Callable[[pd.Index], Direct]]:
    """Return what the models are fitted to, and the same had some areas never been surveyed.

    earlier : folder of an earlier wave's answers, of which `settings.earlier.share` count.
    """
    from smallarea.nsum.direct.earlier import drawn_share, with_earlier

    ard, direct = surveyed_areas(settings, survey, areas, indicators)
    without = leaving_out(settings, survey, areas, ard)
    if earlier is None or settings.earlier is None:
        return direct, without
    try:
        then = in_frame(read_answers(earlier, indicators, settings), areas)
        of = drawn_share(then.design["area_id"], settings.earlier.share, settings.seed)
        then = then.respondents(of)
        pooled = with_earlier(direct, _direct(settings, earlier, areas, then))
    except InputError as error:
        raise error.at(f"earlier wave, {error.where}") from error
    then_without = leaving_out(settings, earlier, areas, then)

    def both_without(area_ids: pd.Index) -> Direct:
        return with_earlier(without(area_ids), then_without(area_ids))

    return pooled, both_without


def earlier_words(earlier: EarlierSettings) -> str:
    """Say that an earlier wave's answers are in the estimates."""
    return (
        f"{earlier.share:.0%} of the interviews of an earlier wave ({earlier.survey}) help to tell "
        "areas apart; the level is the present wave's. Where places changed places since, the map "
        "shows some of the old order"
    )


def leaving_out(
    settings: Settings, survey: Path, areas: Frame, ard: ARD
) -> Callable[[pd.Index], Direct]:
    """Return a function of area_ids: the direct estimates had these areas not been surveyed."""
    area = in_frame(ard, areas).design["area_id"]

    def without(area_ids: pd.Index) -> Direct:
        others = ard.respondents((~area.isin(area_ids)).to_numpy())
        return _direct(settings, survey, areas, others)

    return without


def _direct(settings: Settings, survey: Path, areas: Frame, ard: ARD) -> Direct:
    from smallarea.nsum import direct_estimates
    from smallarea.survey.household import read_roster
    from smallarea.survey.roster import roster_degrees

    if settings.degrees == "national":
        return direct_estimates(ard, areas)
    roster = read_roster(survey / "roster.csv")
    roster = roster[roster["respondent_id"].isin(ard.counts.index)]
    local, cv = roster_degrees(in_frame(ard, areas), roster, level_ids(areas.table))
    return direct_estimates(ard, areas, degree={"adult": local}, degree_cv={"adult": cv})


def in_frame(ard: ARD, areas: Frame) -> ARD:
    """Return the survey with the frame's area codes, whatever vintage it came in."""
    matched = areas.match(ard.design["area_id"], where="survey, column 'area_id'")
    return replace(ard, design=ard.design.assign(area_id=matched.to_numpy(object)))


def read_answers(survey: Path, indicators: Indicators, settings: Settings) -> ARD:
    """Read the survey; its hidden groups get the names of the components that count them.

    Raises InputError when a component's group is not in the survey, or is counted in another
    network than its reference population's.
    """
    from smallarea.survey import read_ard

    ard = read_ard(
        survey / "respondents.csv",
        survey / "groups.csv",
        remove={str(rule): limit for rule, limit in settings.remove.items()},
    )
    names = {c.group or name: name for name, c in indicators.components.items()}
    for group, name in names.items():
        declared = indicators.populations[indicators.reference[name]].network
        if group not in ard.hidden():
            raise InputError(
                f"no hidden group {group!r}, which component {name!r} counts",
                where="groups.csv, column 'group'",
                remedy="list it with kind 'hidden', or correct indicators.components."
                f"{name}.group in data_catalog.yaml",
            )
        if ard.groups.loc[group, "network"] != declared:
            raise InputError(
                f"{group!r} is counted in network {ard.groups.loc[group, 'network']!r}",
                where="groups.csv, column 'network'",
                remedy=f"its reference population is known in network {declared!r}; correct one "
                "of them",
            )
    if all(group == name for group, name in names.items()):
        return ard
    return replace(
        ard, counts=ard.counts.rename(columns=names), groups=ard.groups.rename(index=names)
    )

"""Who reported anybody, and who tells more than others who live beside the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from smallarea.findings.checks import FEWEST_PLACES
from smallarea.indicators import Indicators
from smallarea.nsum import Direct, degrees
from smallarea.nsum.reporting.sensitivity import relative_reporting
from smallarea.survey import ARD
from smallarea.survey.descriptive import bands, disclose, who_reported

Levels = Sequence[float] | Mapping[str, str] | None


def described(
    respondents: pd.DataFrame, by: Mapping[str, Levels]
) -> tuple[pd.DataFrame, list[str]]:
    """Turn columns of the respondents into levels.

    Parameters
    ----------
    by : column -> None (values as they are), lower ends of bands, or names of its values.

    Returns
    -------
    The respondents with these columns as text (NaN where missing), and the columns that they lack.
    """
    lacking = [column for column in by if column not in respondents.columns]
    people = respondents.copy()
    for column, levels in by.items():
        if column in lacking:
            continue
        values = people[column]
        if levels is None or isinstance(levels, Mapping):
            whole = values.convert_dtypes()  # 1, not 1.0, where a value is missing
            names = levels or {}
            text = whole.astype(object).map(
                lambda v, names=names: names.get(str(v), str(v)), "ignore"
            )
            people[column] = text.where(whole.notna(), np.nan)
        else:
            people[column] = bands(pd.to_numeric(values, errors="coerce"), levels)
    return people, lacking


def who_told(
    ard: ARD, people: pd.DataFrame, by: Sequence[str], indicators: Indicators
) -> pd.DataFrame:
    """Return `who_reported` of all components together, fit to publish.

    people : respondents as `described`, with `area_id`.
    """
    return _safe(_together(ard, list(indicators.components)), people, by)


def who_tells_more(
    ard: ARD, people: pd.DataFrame, by: Sequence[str], direct: Direct, indicators: Indicators
) -> pd.DataFrame:
    """Reported rates relative to other respondents of the same place.

    Returns
    -------
    DataFrame by indicator (the totals), variable and level: `relative` (mean one) and
    its 95 % interval `low`, `high`: the error of `relative_reporting`, which counts only places
    where levels live side by side, widened by the answers' overdispersion.
    Characteristics by which respondents differ within fewer than `FEWEST_PLACES` places are left
    out: there the survey is blind, or tells of a place that can be named.
    Not fit to publish, see `safe_relative`.
    """
    place = _place(people)
    within = [column for column in by if _varies(people[column], place)]
    tables = {}
    for indicator in indicators.totals:
        parts = indicators.parts(indicator)
        reports, exposure = reports_and_exposure(ard, parts)
        widen = np.sqrt(mean_over(direct, "phi", parts))
        for variable in within:
            found = relative_reporting(reports, exposure, people[variable], place)
            half = 1.96 * widen * found["log_se"]
            tables[indicator, variable] = pd.DataFrame(
                {
                    "relative": found["relative"],
                    "low": found["relative"] * np.exp(-half),
                    "high": found["relative"] * np.exp(half),
                }
            )
    if not tables:
        return pd.DataFrame(columns=["indicator", "variable", "level", "relative", "low", "high"])
    return pd.concat(tables, names=["indicator", "variable", "level"]).reset_index()


def safe_relative(
    relative: pd.DataFrame, ard: ARD, people: pd.DataFrame, indicators: Indicators
) -> pd.DataFrame:
    """Blank the levels of `who_tells_more` whose reporters must not be told, that nobody reported
    from or that cannot be compared, saying so in `note`; and round.
    """
    by = list(relative["variable"].unique())
    notes = {
        name: _safe(_together(ard, indicators.parts(name)), people, by)["note"]
        for name in indicators.totals
    }
    keys = ["indicator", "variable", "level"]
    out = relative.join(pd.concat(notes, names=["indicator"]), on=keys)
    told = out["note"] == ""
    out.loc[told & (out["relative"] == 0), "note"] = "nobody reported"
    out.loc[told & (out["relative"] != 0) & ~(out["high"] < np.inf), "note"] = "not compared"
    numbers = ["relative", "low", "high"]
    out[numbers] = out[numbers].round(2).where(out["note"] == "")
    return out


def reports_and_exposure(ard: ARD, parts: Sequence[str]) -> tuple[pd.Series, pd.Series]:
    """People reported in all of some components, and people known, by respondent."""
    network = str(ard.groups.loc[parts[0], "network"])
    return _together(ard, parts), degrees(ard, network)


def mean_over(direct: Direct, column: str, parts: Sequence[str]) -> float:
    """Mean of a variance component over some components, by what they reported."""
    names = list(parts)
    assert direct.components is not None
    weight = direct.reports[names].sum() + 0.5
    return float(np.average(direct.components.loc[names, column], weights=weight))


def _together(ard: ARD, components: Sequence[str]) -> pd.Series:
    return ard.counts[list(components)].sum(axis=1, skipna=False)


def _safe(reports: pd.Series, people: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    table = who_reported(reports, people, by)
    places = {}
    for variable, level in table.index:
        if variable == "all":
            is_in = pd.Series(True, people.index)
        else:
            is_in = people[variable].fillna("missing").astype(str) == level
        places[variable, level] = people.loc[is_in & reports.notna(), "area_id"].nunique()
    return disclose(table, places=pd.Series(places))


def _varies(values: pd.Series, place: pd.Series) -> bool:
    """Whether respondents differ within enough places to compare them."""
    levels = values.groupby(place).nunique()
    return bool((levels >= 2).sum() >= FEWEST_PLACES)


def _place(people: pd.DataFrame) -> pd.Series:
    """PSUs where the survey has them, else areas."""
    return people["area_id"] if people["psu"].isna().all() else people["psu"]

"""The long table everything published is made of: one row per area and indicator."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd
import xarray as xr

from smallarea.areas.levels import levels_of
from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.projection import indicator_draws, probability_top, summarise
from smallarea.projection.summaries import QUANTILES, ranks

#: Rows made from an invented survey carry this in the column `notice`, wherever they travel.
SYNTHETIC = "SYNTHETIC SURVEY"

NUMBERS: tuple[str, ...] = ("mean", "sd", *QUANTILES, "rank_low", "rank_high")

#: The only columns that are ever published per area, with what they mean; behind `name` stand the
#: names of the levels above, one column each.
COLUMNS: dict[str, str] = {
    "area_id": "code of the area, text",
    "name": "name of the area",
    "indicator": "what is estimated; units are listed by indicator",
    "surveyed": "whether anybody was interviewed there",
    "mean": "mean of the draws; empty where it does not exist",
    "sd": "standard deviation of the draws; empty where it does not exist",
    "q025": "95 % interval, lower end",
    "q10": "80 % interval, lower end",
    "q25": "50 % interval, lower end",
    "q50": "median: as likely above as below",
    "q75": "50 % interval, upper end",
    "q90": "80 % interval, upper end",
    "q975": "95 % interval, upper end",
    "rank_low": "90 % interval of the rank among all areas, 1 = largest, lower end",
    "rank_high": "the same, upper end",
    "flags": "warnings, separated by ';'",
    "p_top": "probability of being among the k largest areas, to 0.01; the map's words say k",
    "notice": f"'{SYNTHETIC}' when the survey was invented, empty otherwise",
}

#: Below this population an area is flagged `small_population`, by default.
SMALL_POPULATION = 5_000


def estimate_areas(
    counts: xr.DataArray,
    table: pd.DataFrame,
    flags: pd.Series,
    surveyed: Collection[str],
    indicators: Indicators,
    *,
    k: int = 100,
    mean: bool = True,
    sd: bool = True,
) -> pd.DataFrame:
    """Summarise component counts into the long table of `COLUMNS`.

    Parameters
    ----------
    counts : agreed component counts in persons, dims (component, area_id, draw).
    table : the frame's table, index area_id.
    flags : index area_id, see :func:`flag_areas`.
    surveyed : area_ids in which people were interviewed.
    k : see :func:`smallarea.projection.probability_top`.
    mean, sd : whether these moments of counts and rates exist; ratios do not depend on tau.
    """
    k = min(k, counts.sizes["area_id"])
    parts = []
    for indicator, draws in indicator_draws(counts, table, indicators):
        ratio = indicator in indicators.ratios
        rank = ranks(draws)
        part = summarise(draws, mean=mean or ratio, sd=sd or ratio, rank=rank)
        top = probability_top(draws, k, rank).round(2)
        parts.append(part.assign(indicator=indicator, p_top=top))
    long = pd.concat(parts)
    levels = levels_of(table)
    for column in ("name", *levels):
        long[column] = table.loc[long.index, column]
    long["surveyed"] = long.index.isin(list(surveyed))
    long["flags"] = flags.loc[long.index]
    synthetic = long["flags"].str.contains("synthetic", regex=False)
    long["notice"] = synthetic.map({True: SYNTHETIC, False: ""})
    return long.rename_axis("area_id").reset_index()[column_order(levels)]


def column_order(levels: Sequence[str]) -> list[str]:
    """Return the columns of the long table: those of `COLUMNS`, the levels behind the name."""
    first, second, *others = COLUMNS
    return [first, second, *levels, *others]


def levels_in(estimates: pd.DataFrame) -> list[str]:
    """Return the levels of a long table: the columns between `name` and `indicator`."""
    columns = list(map(str, estimates.columns))
    return columns[columns.index("name") + 1 : columns.index("indicator")]


def estimate_groups(
    counts: xr.DataArray,
    table: pd.DataFrame,
    by: str,
    indicators: Indicators,
    *,
    mean: bool = True,
    sd: bool = True,
) -> pd.DataFrame:
    """Summarise areas added up by a column of `table`: columns `by`, indicator and `NUMBERS`."""
    parts = []
    for name, draws in indicator_draws(counts, table, indicators, by=by):
        ratio = name in indicators.ratios
        part = summarise(draws, mean=mean or ratio, sd=sd or ratio)
        parts.append(part.assign(indicator=name))
    return pd.concat(parts).reset_index()[[by, "indicator", *NUMBERS]]


def flag_areas(
    table: pd.DataFrame,
    *,
    extrapolated: Collection[str] = (),
    mean: bool = True,
    small: float = SMALL_POPULATION,
    synthetic: bool,
) -> pd.Series:
    """Return each area's flags joined by ';' (index area_id), in the order of `FLAG_WORDS`.

    table : the frame's table with `covered`, `geometry_note` and `population`.
    extrapolated : area_ids outside the models' area of applicability.
    small : population below which an area is flagged `small_population`.
    """
    if unknown := sorted(set(extrapolated) - set(table.index)):
        raise InputError(
            f"{len(unknown)} areas are not in the frame: {', '.join(unknown[:5])}",
            where="extrapolated",
            remedy="use the frame's area_id",
        )
    raised = pd.DataFrame(
        {
            "not_covered_by_survey": ~table["covered"].astype(bool),
            "extrapolated": table.index.isin(list(extrapolated)),
            "approximate_geometry": table["geometry_note"].fillna("") != "",
            "small_population": table["population"] < small,
            "no_mean": not mean,
            "synthetic": synthetic,
        },
        index=table.index,
    )
    words = [";".join(raised.columns[row]) for row in raised.to_numpy()]
    return pd.Series(words, index=table.index, name="flags", dtype="str")

"""Who reported anybody: descriptive tables of the survey that are safe to publish."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from smallarea.errors import InputError

_COUNTS = ("respondents", "reporters")
HIDDEN = "suppressed"


def who_reported(
    reports: pd.Series, respondents: pd.DataFrame, by: Sequence[str], *, level: float = 0.95
) -> pd.DataFrame:
    """Count who reported at least one person, by characteristics of the respondents.

    Parameters
    ----------
    reports : people reported per respondent, NaN where not answered (left out), e.g. the sum of
        the hidden groups.
    respondents : index as `reports`; `weight`, `psu` (or None throughout) and the columns of
        `by`, whose missing values make a level of their own.

    Returns
    -------
    Index variable, level, the whole sample first: `respondents`, `reporters` (unweighted
    numbers), `share` (weighted share of the level's respondents who reported), `low`, `high` (its
    Wilson interval at the survey's design effect), `of_reporters` and `of_respondents` (the
    level's weighted part of all who reported and of all respondents). Not yet fit to publish:
    see `disclose`.
    """
    unknown = [column for column in by if column not in respondents.columns]
    if unknown:
        raise InputError(
            f"no column {', '.join(unknown)}",
            where="descriptive tables",
            remedy=f"choose among {', '.join(map(str, respondents.columns))}",
        )
    people = respondents.loc[reports.dropna().index]
    reported = reports.dropna() > 0
    weight = people["weight"].astype(float)
    deff = _design_effect(reported.astype(float), weight, people["psu"])
    rows = {("all", "all"): pd.Series(True, people.index)}
    for column in by:
        labels = people[column].astype("object").where(people[column].notna(), "missing")
        rows |= {(column, str(v)): labels == v for v in sorted(labels.unique(), key=str)}
    table = pd.DataFrame.from_dict(
        {key: _row(reported[is_in], weight[is_in], deff, level) for key, is_in in rows.items()},
        orient="index",
    )
    table.index = pd.MultiIndex.from_tuples(rows, names=["variable", "level"])
    reporting, total = table.pop("_reporting"), table.pop("_weight")
    table["of_reporters"] = reporting / reporting.iloc[0]
    table["of_respondents"] = total / total.iloc[0]
    return table.astype(dict.fromkeys(_COUNTS, int))


def bands(values: pd.Series, edges: Sequence[float]) -> pd.Series:
    """Label values by band: edges (18, 30, 60) give 18-29 and 60+ and so on, as text.

    Values below the first edge are missing.

    >>> bands(pd.Series([17, 29, 30, 64]), (18, 30)).fillna("missing").tolist()
    ['missing', '18-29', '30+', '30+']
    """
    names = [f"{a}-{b - 1}" for a, b in pairwise(edges)] + [f"{edges[-1]}+"]
    cut = pd.cut(values, [*edges, np.inf], right=False, labels=names)
    return cut.astype("str").where(cut.notna())


def disclose(
    table: pd.DataFrame,
    *,
    minimum: int = 10,
    base: int = 5,
    places: pd.Series | None = None,
    fewest: int = 3,
) -> pd.DataFrame:
    """Make a table of `who_reported` fit to publish.

    - A level is suppressed if fewer than `minimum` respondents stand behind it, or if its
      reporters, or those who did not report, are fewer than `minimum` but not nobody.
    - With `places`, the number of areas in which each level's respondents live, a level of fewer
      than `fewest` is suppressed: its answers would be those of a place that can be named.
    - Complementary suppression: where suppressed levels of a variable could be had by
      subtracting the others from the whole (only one is suppressed, or together they are still
      too few), the smallest remaining level goes too, until they cannot.
    - Counts are rounded to `base`, shares to half per cents.

    Returns
    -------
    The same table with NaN in suppressed rows and a column `note` that says so. The whole sample
    counts as a level of a variable of its own; if it is suppressed, everything is.
    """
    keep = pd.Series(True, table.index)
    rows_places = table["respondents"] * 0 + fewest if places is None else places.loc[table.index]
    for _, rows in table.groupby(level="variable", sort=False):
        keep[rows.index] = ~_suppressed(rows, minimum, rows_places[rows.index], fewest)
    if not keep[("all", "all")]:
        keep[:] = False
    shares = [column for column in table.columns if column not in _COUNTS]
    out = table.astype(float)
    out[list(_COUNTS)] = (out[list(_COUNTS)] / base).round() * base
    out[shares] = (out[shares] * 200).round() / 200
    return out.where(keep).assign(note=np.where(keep, "", HIDDEN))


def _row(reported: pd.Series, weight: pd.Series, deff: float, level: float) -> dict[str, float]:
    reporting, total = (weight * reported).sum(), weight.sum()
    share = reporting / total if total > 0 else np.nan
    z2 = stats.norm.ppf((1 + level) / 2) ** 2
    n = len(reported) / deff
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return {
        "respondents": len(reported),
        "reporters": reported.sum(),
        "share": share,
        "low": centre - half,
        "high": centre + half,
        "_reporting": reporting,
        "_weight": total,
    }


def _design_effect(reported: pd.Series, weight: pd.Series, psu: pd.Series) -> float:
    """Variance of the weighted share between PSUs (ultimate clusters) over simple sampling's."""
    share = np.average(reported, weights=weight)
    residual = weight * (reported - share) / weight.sum()
    cluster = psu if psu.notna().all() else pd.Series(range(len(psu)), psu.index)
    totals = residual.groupby(cluster).sum()
    simple = share * (1 - share) / len(reported)
    if simple == 0 or len(totals) < 2:
        return max(len(weight) * (weight**2).sum() / weight.sum() ** 2, 1.0)
    variance = len(totals) / (len(totals) - 1) * (totals**2).sum()
    return float(max(variance / simple, 1.0))


def _suppressed(rows: pd.DataFrame, minimum: int, places: pd.Series, fewest: int) -> pd.Series:
    """Which levels of one variable to suppress, first for themselves, then for the others."""
    reporters, others = rows["reporters"], rows["respondents"] - rows["reporters"]

    def few(number: pd.Series | float) -> pd.Series | bool:
        return (number > 0) & (number < minimum)

    hide = (rows["respondents"] < minimum) | (places < fewest) | few(reporters) | few(others)
    while hide.any() and not hide.all():
        hidden = rows[hide]
        safe = hide.sum() > 1 and not any(
            few(n[hide].sum()) or (n[hide] > 0).sum() == 1 for n in (reporters, others)
        )
        enough = hidden["respondents"].sum() >= minimum and places[hide].sum() >= fewest
        if safe and enough:
            break
        # A level without reporters hides none: take the smallest that has some, if there is one.
        left = rows[~hide]
        able = left[left["reporters"] > 0]
        smallest = (able if len(able) else left)["reporters"].idxmin()
        hide |= hide.index == smallest
    return hide

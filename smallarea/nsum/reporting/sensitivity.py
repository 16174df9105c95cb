"""What totals and maps become when reporting differs between people, or when groups overlap.

A survey cannot tell rare reporting from low prevalence. Between respondents of one place it can:
they live beside the same cases, so their different rates are different reporting. Between urban
and rural areas it cannot: that part is a stated scenario, and these functions show what it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from smallarea.errors import InputError

_FITTING_STEPS = 2000  # few mixed places make slow steps


def relative_reporting(
    reports: pd.Series, exposure: pd.Series, by: pd.Series, place: pd.Series
) -> pd.DataFrame:
    """Reported rates of groups of respondents relative to each other, places held equal.

    Maximum likelihood of y ~ Poisson(exposure * rate of the place * relative rate of the group),
    by iterative proportional fitting; places differ in prevalence and drop out. Given a place's
    reports, those of its groups are multinomial with shares pi: only places where groups live side
    by side inform the comparison, with information sum_p y_p (diag(pi_p) - pi_p pi_p').

    Parameters
    ----------
    reports, exposure : people reported and people known, by respondent; missing ones are left out.
    by : group of each respondent, e.g. an age band or sex.
    place : the respondent's PSU or area.

    Returns
    -------
    DataFrame by group: respondents, reports, relative (exposure-weighted mean one over the groups
    that can be compared; NaN for a group that never lives beside another where anybody reported)
    and the standard error of its logarithm under Poisson answers: infinite without a report, or
    where the groups fall into sets that no place joins.
    """
    table = pd.DataFrame({"y": reports, "d": exposure, "by": by, "place": place}).dropna()
    known = table.pivot_table("d", "place", "by", aggfunc="sum", fill_value=0.0)
    by_place = table.groupby("place")["y"].sum().loc[known.index].to_numpy()
    by_group = table.groupby("by")["y"].sum().loc[known.columns].to_numpy()
    d, relative = known.to_numpy(), np.ones(known.shape[1])
    for _ in range(_FITTING_STEPS):
        fitted = d @ relative
        rate = np.divide(by_place, fitted, out=np.zeros_like(fitted), where=fitted > 0)
        expected = rate @ d
        relative = np.divide(by_group, expected, out=np.ones_like(expected), where=expected > 0)
    beside = d * (d.sum(axis=1, keepdims=True) - d)
    compared = (by_place @ beside > 0) & (expected > 0)
    d, relative = d[:, compared], relative[compared]
    # Nobody's report does not show that nobody would: half a one, for the others' errors.
    error = _log_errors(d * np.maximum(relative, 0.5 / expected[compared]), by_place)
    if compared.any():
        relative *= d.sum() / (d @ relative).sum()
    out = pd.DataFrame(
        {"reports": by_group, "relative": np.nan, "log_se": np.inf}, index=known.columns
    )
    out.loc[compared, "relative"] = relative
    out.loc[compared, "log_se"] = np.where(relative > 0, error, np.inf)
    out.insert(0, "respondents", table.groupby("by").size())
    return out


def respondent_multipliers(
    respondents: pd.DataFrame,
    relative: Mapping[str, Mapping[str, float]],
    exposure: pd.Series,
) -> pd.Series:
    """Relative reporting rate of each respondent, exposure-weighted mean one.

    Parameters
    ----------
    respondents : one row per respondent, with the columns named in `relative`.
    relative : per column, the relative rate of each of its values, e.g.
        ``{"sex": {"F": 1.2, "M": 1.0}}``; columns multiply. Missing values count as average.
    exposure : people known, by respondent.

    Multiply exposures by it to see the estimates that such reporting would have given.
    """
    multiplier = pd.Series(1.0, index=respondents.index)
    for column, values in relative.items():
        found = respondents[column].map(values)
        _covered(respondents[column], found, column)
        multiplier *= found.astype(float)
    weight = exposure.loc[multiplier.index].where(multiplier.notna())
    mean = (multiplier * weight).sum() / weight.sum()
    return (multiplier / mean).fillna(1.0).rename("multiplier")


def area_multipliers(
    shares: pd.DataFrame,
    relative: Mapping[str, float],
    counts: pd.Series,
    anchor: Sequence[str] | None = None,
) -> pd.Series:
    """Relative reporting rate of each area from the groups that live in it.

    Parameters
    ----------
    shares : area_id x group, the share of each group in the area (rows sum to one), e.g. the
        columns urban and rural.
    relative : relative reporting rate of each group; only ratios matter.
    counts : estimated cases per area under one common tau.
    anchor : areas where tau was learned (those with casework). Their total stays as it is and
        the others move. None: tau is the nation's mean rate, so the nation's total stays.
    """
    if not np.allclose(shares.sum(axis=1), 1.0) or set(relative) != set(shares.columns):
        raise InputError(
            f"shares of {', '.join(map(str, shares.columns))} do not sum to one in every area, "
            f"or rates are given for other groups ({', '.join(relative)})",
            where="reporting scenario",
            remedy="give exhaustive groups, one relative rate for each",
        )
    raw = shares @ pd.Series(relative, dtype=float)
    base = counts.loc[list(anchor)] if anchor is not None else counts
    return (raw * (base / raw.loc[base.index]).sum() / base.sum()).rename("multiplier")


def tau_variation(
    counts: pd.Series,
    shares: pd.DataFrame,
    scenarios: Mapping[str, Mapping[str, float]],
    *,
    anchor: Sequence[str] | None = None,
    top_k: int = 100,
) -> pd.DataFrame:
    """Total and map under each scenario of reporting that differs between groups.

    Parameters are those of `area_multipliers`; `scenarios` names sets of relative rates.

    Returns
    -------
    DataFrame by scenario: `total`; `total_ratio` to the common tau; `moved`, the share of cases
    placed in another area; `rank_correlation` of the areas' counts (Spearman); `top_kept`, the
    share of the `top_k` areas that stay among them.
    """
    rows = {}
    for name, relative in scenarios.items():
        other = counts / area_multipliers(shares.loc[counts.index], relative, counts, anchor)
        total = {"total": other.sum(), "total_ratio": other.sum() / counts.sum()}
        rows[name] = total | map_change(counts, other, top_k)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("scenario")


def map_change(counts: pd.Series, other: pd.Series, top_k: int) -> dict[str, float]:
    """Compare two maps: `moved`, `rank_correlation` and `top_kept` as in `tau_variation`."""
    top = set(counts.nlargest(top_k).index)
    return {
        "moved": (other / other.sum() - counts / counts.sum()).abs().sum() / 2,
        "rank_correlation": other.rank().corr(counts.rank()),
        "top_kept": len(top & set(other.nlargest(top_k).index)) / len(top),
    }


def overlap_sensitivity(
    live: np.ndarray,
    nonlive: np.ndarray,
    overlaps: Sequence[float] = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0),
) -> pd.DataFrame:
    """People in either of two groups, for each share of the smaller that is in the larger too.

    Parameters
    ----------
    live, nonlive : draws of the two sizes, paired, shape (draws,).

    Returns
    -------
    DataFrame by overlap: mean, q025, q50, q975. Overlap 0 is the plain sum, an upper bound; at
    overlap 1 the smaller group lies wholly in the larger.
    """
    smaller = np.minimum(live, nonlive)
    rows = {}
    for overlap in overlaps:
        people = live + nonlive - overlap * smaller
        q025, q50, q975 = np.quantile(people, [0.025, 0.5, 0.975])
        rows[overlap] = {"mean": people.mean(), "q025": q025, "q50": q50, "q975": q975}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("overlap")


def _log_errors(fitted: np.ndarray, reports: np.ndarray) -> np.ndarray:
    """Standard errors of log relative rates of exposure-weighted mean one; infinite if not known.

    fitted : exposure times relative rate, (places, groups). reports : of all groups, by place.
    """
    total = fitted.sum(axis=1, keepdims=True)
    pi = np.divide(fitted, total, out=np.zeros_like(fitted), where=total > 0)
    information, vectors = np.linalg.eigh(np.diag(reports @ pi) - (pi.T * reports) @ pi)
    # Along each eigenvector, what is left once the mean is put back to one (delta method).
    moves = (vectors - fitted.sum(axis=0) @ vectors / fitted.sum()) ** 2
    known = information > 1e-9 * max(reports.sum(), 1.0)
    blind = (moves[:, ~known] > 1e-9).any(axis=1)
    return np.where(blind, np.inf, np.sqrt(moves[:, known] @ (1 / information[known])))


def _covered(values: pd.Series, found: pd.Series, column: str) -> None:
    unknown = values[found.isna() & values.notna()].unique()
    if len(unknown):
        raise InputError(
            f"no relative rate for {', '.join(map(str, unknown[:5]))}",
            where=f"reporting scenario, column '{column}'",
            remedy="give one for every value of the column",
        )

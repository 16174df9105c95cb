"""What moved between two runs: features, estimates beyond their uncertainty, ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

#: A population stability index above it is, by convention, a large shift (Siddiqi 2006).
LARGE = 0.25
#: The share of areas beyond what the fit has seen above which models had better be fitted again.
OUTSIDE = 0.05
BINS = 10


def stability(before: pd.Series, after: pd.Series, bins: int | None = None) -> float:
    """Return the population stability index: sum of (q - p) log(q / p) over bins.

    p and q are the shares before and after of the bins between the quantiles of `before`, and of
    missing values; half a case is added to each, so that an empty one is no infinity.

    bins : by default ten, fewer where they would hold fewer than five areas, at least two.
    """
    known = before.dropna()
    bins = bins or min(BINS, max(2, len(known) // 5))
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(known, inner)) if len(known) else np.empty(0)

    def shares(values: pd.Series) -> np.ndarray:
        told = values.dropna()
        counts = np.bincount(np.searchsorted(edges, told, side="left"), minlength=len(edges) + 1)
        halves = np.append(counts, len(values) - len(told)) + 0.5
        return np.asarray(halves / halves.sum())

    p, q = shares(before), shares(after)
    return float(((q - p) * np.log(q / p)).sum())


def feature_drift(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare features (area_id x feature) of two runs.

    Returns
    -------
    Index feature; `state` (`same`, `changed`, `new`, `gone`), `psi`, `ks` (the Kolmogorov-Smirnov
    distance of the two distributions), `rank_correlation` (Spearman's, of the areas known in both:
    areas that change places leave a distribution as it was), `coverage_before`, `coverage_after`.
    """
    rows: dict[str, dict[str, Any]] = {}
    for name in [*before.columns, *after.columns.difference(before.columns)]:
        if name not in after or name not in before:
            rows[name] = {"state": "new" if name in after else "gone"}
            continue
        one, other = before[name], after[name]
        both = pd.concat([one, other], axis=1, keys=["one", "other"]).dropna()
        varied = len(both) > 1 and both.nunique().min() > 1
        known = one.notna().any() and other.notna().any()
        rows[name] = {
            "state": "same" if one.sort_index().equals(other.sort_index()) else "changed",
            "psi": stability(one, other),
            "ks": ks_2samp(one.dropna(), other.dropna()).statistic if known else np.nan,
            "rank_correlation": both["one"].corr(both["other"], "spearman") if varied else np.nan,
            "coverage_before": one.notna().mean(),
            "coverage_after": other.notna().mean(),
        }
    columns = ["state", "psi", "ks", "rank_correlation", "coverage_before", "coverage_after"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("feature")


def estimate_drift(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare the tables of estimates of two runs, area by area.

    Returns
    -------
    A row for each area and indicator in both that has numbers in both: `area_id`, `name`,
    `indicator`, `before` and `after` (medians), `moved` (the median left the earlier 80 %
    interval), `rank_moved` (the two intervals of its rank do not meet).
    """
    keys = ["area_id", "indicator"]
    wanted = ["q10", "q50", "q90", "rank_low", "rank_high"]
    both = after[[*keys, "name", *wanted]].merge(
        before[[*keys, *wanted]], on=keys, suffixes=("", "_before")
    )
    both = both[both["q50"].notna() & both["q50_before"].notna()]
    apart = (both["rank_low"] > both["rank_high_before"]) | (
        both["rank_high"] < both["rank_low_before"]
    )
    return pd.DataFrame(
        {
            "area_id": both["area_id"],
            "name": both["name"],
            "indicator": both["indicator"],
            "before": both["q50_before"],
            "after": both["q50"],
            "moved": (both["q50"] < both["q10_before"]) | (both["q50"] > both["q90_before"]),
            "rank_moved": apart,
        }
    ).reset_index(drop=True)


def reasons_to_refit(features: pd.DataFrame, outside: float) -> list[str]:
    """Say why models had better be fitted again; nothing if they need not.

    features : of `feature_drift`, since the fit. outside : share of areas beyond what it has seen.
    """
    moved = features.index[features["psi"] > LARGE]
    said = [
        f"{name} has shifted since the fit (PSI {features.loc[name, 'psi']:.2f})" for name in moved
    ]
    said += [f"{name} is {state} since the fit" for name, state in features["state"].items()
             if state in ("new", "gone")]  # fmt: skip
    if outside > OUTSIDE:
        said.append(f"{outside:.0%} of the areas are unlike any that the fit has seen")
    return said

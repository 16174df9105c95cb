"""What may be told of the model's checks and of casework."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.survey import ARD

FEWEST = 10  # respondents behind a published number
FEWEST_PLACES = 3
ROUNDED_TO = 5  # numbers of respondents
NUMBERS = ("observed", "predicted", "q05", "q95")
LEFT_OUT = ("elpd", "se", "p_loo", "bad")


def safe_checks(checks: pd.DataFrame, ard: ARD) -> pd.DataFrame:
    """Make predictive checks fit to publish, with `reproduced`: 0.05 <= tail <= 0.95.

    The largest answer is one respondent's, and so few answers above zero that they could be
    counted out are blanked; the rest is rounded to three digits.
    """
    out = checks.assign(reproduced=checks["tail"].between(0.05, 0.95))
    hide = _few(checks["group"], ard) | (out["statistic"] == "largest")
    for column in NUMBERS:
        out[column] = digits(out[column]).mask(hide)
    return out.assign(tail=out["tail"].round(2))


def safe_left_out(left_out: pd.DataFrame, ard: ARD) -> pd.DataFrame:
    """Make the table of `leave_one_out` fit to publish: blanked and rounded as `safe_checks`."""
    hide = _few(left_out["group"], ard)
    return left_out.assign(**{name: digits(left_out[name]).mask(hide) for name in LEFT_OUT})


def casework_table(
    summary: pd.DataFrame, sensitivity: pd.DataFrame, areas: pd.DataFrame
) -> pd.DataFrame:
    """Flatten what casework said: columns quantity, statistic, value.

    Parameters
    ----------
    summary : `Bridge.summary`. sensitivity : of `detection_sensitivity`.
    areas : index area_id, `used` whether it has both casework and interviews; told as numbers of
        areas only. If they are fewer than `FEWEST_PLACES`, only priors are told: any posterior
        would give away a place's own reports over its cases.
    """
    if areas["used"].sum() < FEWEST_PLACES:
        summary = summary[summary.index.str.endswith(" prior")]
        sensitivity = sensitivity.iloc[:0]
    known = summary.rename_axis("quantity").reset_index().melt("quantity", var_name="statistic")
    scaled = sensitivity.rename(index=lambda factor: f"detection x {factor:g}")
    scaled = scaled.rename_axis("quantity").reset_index().melt("quantity", var_name="statistic")
    counts = [
        {"quantity": "areas with casework", "statistic": name, "value": float(number)}
        for name, number in (("used", areas["used"].sum()), ("left out", (~areas["used"]).sum()))
    ]
    return pd.concat([known, scaled, pd.DataFrame(counts)], ignore_index=True)


def _few(groups: pd.Series, ard: ARD) -> pd.Series:
    return groups.map((ard.counts > 0).sum()) < FEWEST


def digits(values: pd.Series, number: int = 3) -> pd.Series:
    """Round to a number of digits that count."""
    return values.map(lambda v: v if np.isnan(v) or v == 0 else float(f"{v:.{number}g}"))

"""What may be told of the model's checks and of casework."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.survey import ARD

FEWEST = 10  # respondents behind a published number
FEWEST_PLACES = 3
NUMBERS = ("observed", "predicted", "q05", "q95")


def safe_checks(checks: pd.DataFrame, ard: ARD) -> pd.DataFrame:
    """Make predictive checks fit to publish, with `reproduced`: 0.05 <= tail <= 0.95.

    The largest answer is one respondent's, and so few answers above zero that they could be
    counted out are blanked; the rest is rounded to three digits.
    """
    reporters = (ard.counts > 0).sum()
    few = checks["group"].map(reporters) < FEWEST
    out = checks.assign(reproduced=checks["tail"].between(0.05, 0.95))
    hide = few | (out["statistic"] == "largest")
    for column in NUMBERS:
        out[column] = _digits(out[column]).mask(hide)
    return out.assign(tail=out["tail"].round(2))


def casework_table(
    summary: pd.DataFrame, sensitivity: pd.DataFrame, areas: pd.DataFrame
) -> pd.DataFrame:
    """Flatten what casework said: columns quantity, statistic, value.

    Parameters
    ----------
    summary : `Bridge.summary`. sensitivity : of `detection_sensitivity`.
    areas : index area_id, `used` whether it has both casework and interviews; told as numbers of
        areas only.
    """
    if areas["used"].sum() < FEWEST_PLACES:  # its reports over its cases would be a place's own
        summary = summary.drop(index="tau ceiling", errors="ignore")
    known = summary.rename_axis("quantity").reset_index().melt("quantity", var_name="statistic")
    scaled = sensitivity.rename(index=lambda factor: f"detection x {factor:g}")
    scaled = scaled.rename_axis("quantity").reset_index().melt("quantity", var_name="statistic")
    counts = [
        {"quantity": "areas with casework", "statistic": name, "value": float(number)}
        for name, number in (("used", areas["used"].sum()), ("left out", (~areas["used"]).sum()))
    ]
    return pd.concat([known, scaled, pd.DataFrame(counts)], ignore_index=True)


def _digits(values: pd.Series, digits: int = 3) -> pd.Series:
    return values.map(lambda v: v if np.isnan(v) or v == 0 else float(f"{v:.{digits}g}"))

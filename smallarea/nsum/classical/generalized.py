"""Scale-up as Feehan & Salganik (2016) restate it: reports over visibility, factors explicit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.nsum.classical.scale_up import ScaleUp, killworth
from smallarea.survey.ard import ARD


@dataclass(frozen=True)
class Adjustment:
    """Why reports understate or overstate a group (Feehan & Salganik 2016, eq. 15 ff.).

    frame_ratio : mean degree among the frame population over that of the whole population.
    degree_ratio : mean degree of the hidden group's members over that of the frame population.
    true_positive_rate : share of ties to members that are reported as such (transmission).
    precision : share of reports that are true.
    """

    frame_ratio: float = 1.0
    degree_ratio: float = 1.0
    true_positive_rate: float = 1.0
    precision: float = 1.0

    def __post_init__(self) -> None:
        for name, most in vars(self).items():
            limit = 1.0 if name in ("true_positive_rate", "precision") else np.inf
            if not 0 < most <= limit:
                raise InputError(
                    f"{name} is {most}",
                    where="adjustment",
                    remedy="ratios are positive; the true positive rate and precision at most 1",
                )

    @property
    def factor(self) -> float:
        """What the unadjusted size is multiplied by."""
        return self.precision / (self.frame_ratio * self.degree_ratio * self.true_positive_rate)


def adjusted(result: ScaleUp, adjustment: Adjustment) -> ScaleUp:
    """Return the estimates times the factor of an adjustment."""
    return replace(result, scale=result.scale * adjustment.factor)


def modified_basic(ard: ARD, adjustment: Adjustment | None = None) -> ScaleUp:
    """Estimate hidden sizes as total reports over the frame population's mean degree.

    With known groups inside the frame population this is sum_k N_k sum w y / sum w y_known, in
    numbers the basic estimate; what it says is different: the mean degree is that of people who
    could have been interviewed, and whatever sets members of the hidden group apart from them
    is a factor to state (`Adjustment`), not an assumption to make.
    """
    result = killworth(ard, degree="known")
    return result if adjustment is None else adjusted(result, adjustment)


@dataclass(frozen=True)
class Visibility:
    """Mean number of people in the frame population who would report a member of the group."""

    mean: float
    standard_error: float


def visibility(
    aware: pd.DataFrame,
    sizes: pd.Series,
    frame_population: float,
    weights: np.ndarray | None = None,
) -> Visibility:
    """Estimate the visibility of a hidden group from interviews with its members.

    Parameters
    ----------
    aware : hidden-group respondent x known group: how many people of the group would report
        the respondent as a member (enriched ARD); no missing cells.
    sizes : people of each known group who are in the frame population.
    frame_population : people who could have been interviewed in the general survey.
    weights : of the hidden-group respondents (relative inclusion), 1 by default.

    Returns
    -------
    N_F / sum_k N_k times the weighted mean of the row sums, and its standard error with
    respondents as independent.
    """
    if aware.isna().to_numpy().any() or len(aware) < 2:
        raise InputError(
            "visibility needs at least two respondents and every answer",
            where="interviews with members of the hidden group",
            remedy="leave out the respondents or groups with missing answers",
        )
    w = np.ones(len(aware)) if weights is None else np.asarray(weights, float)
    scale = frame_population / float(sizes.loc[list(aware.columns)].sum())
    rows = aware.sum(axis=1).to_numpy(float)
    mean = float(w @ rows / w.sum())
    n = len(rows)
    error = np.sqrt(n / (n - 1) * np.sum((w * (rows - mean)) ** 2)) / w.sum()
    return Visibility(scale * mean, scale * float(error))


def generalized(ard: ARD, group: str, seen: Visibility, frame_population: float) -> ScaleUp:
    """Estimate a hidden size as total reports of the frame population over mean visibility.

    N_H = N_F mean_w(y) / v, unbiased whatever the mixing and the awareness of the hidden group,
    provided there are no false reports (multiply by a precision otherwise).
    """
    y = ard.counts[[group]]
    return ScaleUp(
        reports=y,
        exposure=y.where(y.isna(), seen.mean),
        scale=pd.Series({group: float(frame_population)}),
        design=ard.design,
        scale_cv=seen.standard_error / seen.mean,
        notes=ard.notes,
    )

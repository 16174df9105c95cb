"""All that a survey and its fits should be warned of, in the order in which it matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.nsum.classical.scale_up import killworth
from smallarea.nsum.plausible import Doubts, doubts
from smallarea.nsum.thresholds import (
    design_effect_warnings,
    disagreement_warnings,
    fit_warnings,
    known_group_warnings,
)
from smallarea.survey.ard import ARD

if TYPE_CHECKING:
    from smallarea.nsum.bayesian.posterior import NsumFit


def answer_warnings(ard: ARD, degree: str | None = None) -> tuple[list[str], Doubts]:
    """Warn of answers, and of what they make of known groups and of the design.

    Parameters
    ----------
    degree : as in `killworth`.
    """
    found = doubts(ard, degree)
    said = found.warnings() + known_group_warnings(ard)
    return said + design_effect_warnings(killworth(ard, degree=degree)), found


def model_warnings(
    ard: ARD,
    fits: Mapping[str, NsumFit],
    checks: pd.DataFrame,
    left_out: pd.DataFrame,
    degree: str | None = None,
) -> list[str]:
    """Warn where fits do not describe the answers, or are far from what the design gives.

    Parameters
    ----------
    checks, left_out : as `check_fits` gives them.
    """
    closed = killworth(ard, degree=degree)
    design = pd.DataFrame({"estimate": closed.estimate, "se": closed.standard_error()})
    said = fit_warnings(checks, left_out, ard.hidden())
    for fit in fits.values():
        said += disagreement_warnings(design, as_reported(fit), ard)
    return said


def as_reported(fit: NsumFit) -> pd.DataFrame:
    """Median and 95 % interval of the reported sizes, by hidden group, in people."""
    quantiles = np.quantile(fit.reported.to_numpy(), [0.025, 0.5, 0.975], axis=(1, 2)).T
    groups = pd.Index(fit.reported["group"].to_numpy())
    return pd.DataFrame(quantiles, groups, ["q025", "median", "q975"])

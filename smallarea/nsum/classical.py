"""Network scale-up in closed form: personal degrees, and hidden sizes as ratios of totals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.survey.ard import ARD


def degrees(ard: ARD, network: str = "adult", method: str = "known") -> pd.Series:
    """Estimate how many people of a network's reference population each respondent knows.

    Parameters
    ----------
    network : adult or child; only known groups of this network are used.
    method : `known` scales the answers up to the population, d = N sum_k y / sum_k N_k over the
        groups a respondent answered (the maximum likelihood estimate of Killworth et al. 1998);
        `summation` adds up the answers to exhaustive, exclusive groups, d = sum_k y (McCarty et
        al. 2001), and is missing when one of them is.

    Returns
    -------
    Series by respondent_id, people; NaN where nothing (or, for summation, not everything) was
    answered.
    """
    known = ard.known(network)
    if not known:
        raise InputError(
            f"no known group in the {network} network, so no {network} degrees",
            where="groups",
            remedy=f"give the size of at least one group counted among {network} acquaintances",
        )
    answers = ard.counts[known]
    if method == "summation":
        return answers.sum(axis=1, skipna=False)
    if method != "known":
        raise InputError(f"'{method}' is no degree", where="degree", remedy="known or summation")
    asked = answers.notna() @ ard.groups.loc[known, "size"]
    return ard.population(network) * answers.sum(axis=1) / asked.where(asked > 0, np.nan)

"""The baseline: one national rate per component, and areas that vary around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.base import BaseEstimator

from smallarea.models.area_effects import fit_area_effects, shared_correlation
from smallarea.models.counts import as_draws, at_areas, check_areas, effective_counts

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct


class NationalRate(BaseEstimator):
    """Every area has the national rate times a gamma effect learned from the surveyed areas.

    A surveyed area's draws weigh its own reports against the national rate (Clayton & Kaldor
    1987); any other area gets the national rate with the spread between areas. No covariates.
    """

    def fit(self, X: pd.DataFrame, direct: Direct, areas: pd.DataFrame) -> Self:
        """Fit each component on the surveyed areas; features are not used."""
        check_areas(X, direct, areas)
        self.reports_, self.exposure_ = effective_counts(direct)
        self.effects_ = {
            k: fit_area_effects(self.reports_[k].to_numpy(), self.exposure_[k].to_numpy())
            for k in self.reports_
        }
        level = np.zeros(self.reports_.shape)
        self.dependence_, self.information_ = shared_correlation(self.effects_, direct, level)
        self.diagnostics_ = {f"cv {k}": e.mean("cv") for k, e in self.effects_.items()}
        self.diagnostics_["correlation"] = self.dependence_.correlation
        return self

    def draws(self, X: pd.DataFrame, areas: pd.DataFrame, n: int, seed: int) -> xr.DataArray:
        """Return draws of reported rates (component, area_id, draw) for the areas of `X`."""
        rng = np.random.default_rng(seed)
        index = X.index.sort_values()
        reports, exposure = at_areas(self.reports_, index), at_areas(self.exposure_, index)
        information = self.information_.reindex(index, fill_value=0.0).to_numpy()
        scores = self.dependence_.scores(information, len(self.effects_), n, rng)
        level = np.zeros(len(X))
        values = [
            effects.draw(reports[k].to_numpy(), exposure[k].to_numpy(), level, score, rng)
            for (k, effects), score in zip(self.effects_.items(), scores, strict=True)
        ]
        return as_draws(values, reports.columns, X.index)

"""A latent Gaussian model of sparse counts: features, place and groups smooth all components."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator

from smallarea.models.components import principal_components, usable
from smallarea.models.counts import check_areas, check_features
from smallarea.models.hyperparameters import Marginal, integrate
from smallarea.models.kernels import Places, kernels, levels_above, places, scaled_scores
from smallarea.models.latent_draws import Everywhere, LatentDraws
from smallarea.models.left_out import LeftOut, leave_out
from smallarea.models.observations import Family, observed

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

_FEWEST_POINTS = 3


class LatentGaussian(BaseEstimator):
    """Gaussian process of log rates over areas and components, from counts with exposure.

    Log rates (log odds, or values: see `family`) of area a and component k are a level of the
    component, an effect of area and component, and a Gaussian process whose covariance
    between components is exchangeable, and between areas the sum of kernels: a linear and a smooth
    function of principal components of the features, a smooth function of place, an effect of each
    group of every level above the area, and one of the area. Laplace's approximation integrates the
    latent values, importance sampling the standard deviations and the correlation
    (Rue, Martino & Chopin 2009); draws of any area are exact given both (Matheron's rule:
    a draw of the prior corrected by what it misses of the data; Wilson et al. 2021).

    Parameters
    ----------
    components : number of principal components of the features.
    family : ``"poisson"``, reports with exposure, both over the design effect; ``"binomial"``,
        yes (reports) among asked (exposure), likewise; ``"gaussian"``, rates with variances.
    levels : columns of the areas' table that name groups above the area; None for all there are.
    range_km : distance over which the smooth function of place loses all but 1/e of correlation;
        None leaves it out.
    scale : mean of the exponential priors of standard deviations, on the latent scale.
    level_sd : of a component's level about the survey's own.
    points : size of the design over standard deviations and correlation; 1 plugs in their mode.
    anchors : areas drawn jointly at most; more are drawn given those (`kernels.Smooth.field`).

    Attributes
    ----------
    posterior_ : points, weights and fits of the design.
    kernels_, centre_ : the kernels in use; each component's centre of latent values.
    diagnostics_ : posterior means of standard deviations and correlation, the effective number of
        points, and ``weak``: 1 where fewer than 3 carry the integral.
    """

    def __init__(
        self,
        components: int = 8,
        family: Family = "poisson",
        levels: Sequence[str] | None = None,
        range_km: float | None = 100.0,
        scale: float = 0.5,
        level_sd: float = 1.0,
        points: int = 64,
        anchors: int = 2500,
    ) -> None:
        self.components = components
        self.family = family
        self.levels = levels
        self.range_km = range_km
        self.scale = scale
        self.level_sd = level_sd
        self.points = points
        self.anchors = anchors

    def fit(self, X: pd.DataFrame, direct: Direct, areas: pd.DataFrame) -> Self:
        """Fit all components; `X` has all areas, so that its components are those of the nation.

        Raises
        ------
        InputError : as `check_areas`, `observed` and `places`.
        """
        check_areas(X, direct, areas)
        self.features_ = X.columns
        self.levels_ = levels_above(areas) if self.levels is None else list(self.levels)
        self.pipeline_ = (
            principal_components(X.sort_index(), self.components)
            if self.components and len(usable(X))
            else None
        )
        self.at_ = self._places(X, areas, X.index.sort_values())
        surveyed = self._surveyed(direct)
        self.kernels_ = kernels(surveyed, self.range_km)
        self.everywhere_ = Everywhere(self.at_, self.kernels_, surveyed.ids, self.anchors)
        return self._learn(direct)

    def refit(self, direct: Direct) -> Self:
        """Return a fit to other data of the surveyed areas, or of some of them.

        What hangs on features and places alone is kept, and no more: nothing of the data that this
        fit has seen is in the new one.
        """
        return copy(self)._learn(direct)

    def _surveyed(self, direct: Direct) -> Places:
        return self.at_.take(self.at_.ids.get_indexer(direct.reports.index.sort_values()))

    def _learn(self, direct: Direct) -> Self:
        self.data_, self.centre_ = observed(direct, self.family)
        self.direct_, self.surveyed_ = direct, self._surveyed(direct)
        matrices = np.stack([k.between(self.surveyed_, self.surveyed_) for k in self.kernels_])
        marginal = Marginal(self.data_, matrices, len(self.centre_), self.scale, self.level_sd)
        self.posterior_ = integrate(marginal, self.points)
        self.diagnostics_ = self._diagnostics()
        return self

    def draws(self, X: pd.DataFrame, areas: pd.DataFrame, n: int, seed: int) -> xr.DataArray:
        """Return draws of rates (component, area_id, draw) for the areas of `X`.

        Areas as they were at fitting have the same draws whichever of them are asked for.

        Raises
        ------
        InputError : features of the fit are missing, or areas lack a group or coordinates.
        """
        X = check_features(X, self.features_)
        at = self._places(X, areas, X.index.sort_values())
        everywhere = self.everywhere_
        if not at.within(self.at_):
            at = at.joined(self.surveyed_)
            everywhere = Everywhere(at, self.kernels_, self.surveyed_.ids, self.anchors)
        draw = LatentDraws(
            self.posterior_, everywhere, self.surveyed_, everywhere.at.ids.get_indexer(X.index)
        )
        out = np.empty((len(self.centre_), len(X), n))
        centre = self.centre_.to_numpy()[:, None, None]
        for positions, latent in draw(n, seed):
            out[:, :, positions] = self._rates(centre + latent)
        coords = {"component": list(self.centre_.index), "area_id": X.index.to_numpy(object)}
        return xr.DataArray(out, coords, ("component", "area_id", "draw"), "rate")

    def _rates(self, latent: Array) -> Array:
        if self.family == "gaussian":
            return latent
        return np.exp(latent) if self.family == "poisson" else np.asarray(expit(latent))

    def leave_out(self, groups: pd.Series | None = None) -> LeftOut:
        """Return how well each group of surveyed areas is predicted by all the others.

        In closed form from the one fit (`left_out.leave_out`).

        Parameters
        ----------
        groups : index area_id, the group of each surveyed area; None leaves out area by area.
        """
        ids = self.surveyed_.ids
        labels = ids.to_series() if groups is None else groups.loc[ids]
        return leave_out(self.posterior_, labels, self.direct_, self.centre_, self.family)

    def _places(self, X: pd.DataFrame, areas: pd.DataFrame, index: pd.Index) -> Places:
        features = np.zeros((len(index), 0))
        if self.pipeline_ is not None:
            features = scaled_scores(self.pipeline_, X.loc[index])
        return places(features, areas.loc[index], self.levels_)

    def _diagnostics(self) -> dict[str, float]:
        posterior = self.posterior_
        names = [f"sd {k.name}" for k in self.kernels_] + ["sd own"]
        sds = posterior.weights @ posterior.thetas[:, :-1] ** 3
        found = dict(zip(names, map(float, sds), strict=True))
        found["correlation"] = float(posterior.weights @ expit(posterior.thetas[:, -1]))
        weak = len(posterior.weights) > 1 and posterior.effective < _FEWEST_POINTS
        return {**found, "effective_points": posterior.effective, "weak": float(weak)}

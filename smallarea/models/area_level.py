"""The Fay-Herriot model as an estimator of reported rates, with draws from its posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp
from sklearn.base import BaseEstimator

from smallarea.models.area_effects import AreaEffects, fit_area_effects
from smallarea.models.components import principal_components, usable
from smallarea.models.counts import (
    as_draws,
    at_areas,
    check_areas,
    check_features,
    effective_counts,
    rows,
)
from smallarea.models.dependence import Exchangeable, exchangeable_correlation, shared_noise
from smallarea.models.fay_herriot import (
    FayHerriotFit,
    GaussianPosterior,
    Method,
    fit_fay_herriot,
    gaussian_posterior,
)

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

_FEWEST_REPORTS = 5


class FayHerriotRates(BaseEstimator):
    """Area-level linear model of reported rates on principal components of the features.

    Each component is fitted on its own (Fay & Herriot 1979), with the smoothed sampling variances
    as known; area effects of the components are drawn with the correlation that their residuals
    show. Draws are from the posterior under flat priors on beta and on the variance between
    areas A, restricted to positive rates: the share of draws that the restriction
    replaced is the attribute ``share_truncated`` of what `draws` returns.

    Parameters
    ----------
    components : number of principal components, at most one for every five surveyed areas.
    method : how the point fit `fits_` estimates A; draws integrate over A instead.

    Attributes
    ----------
    fits_ : the point fit of each component, with empirical best predictors and their errors.
    fallback_ : components with too few reports for a Gaussian model; they get the national rate.
    """

    def __init__(self, components: int = 8, method: Method = "amrl_yl") -> None:
        self.components = components
        self.method = method

    def fit(self, X: pd.DataFrame, direct: Direct, areas: pd.DataFrame) -> Self:
        """Fit each component; `X` has all areas, so that its components are those of the nation."""
        check_areas(X, direct, areas)
        self.reports_, self.exposure_ = effective_counts(direct)
        self.rate_, self.variance_ = direct.rate.sort_index(), direct.variance.sort_index()
        self.names_ = [str(k) for k in self.rate_]
        self.features_ = X.columns
        number = min(self.components, len(self.rate_) // 5)
        has_features = number > 0 and len(usable(X)) > 0
        self.pipeline_ = principal_components(X.sort_index(), number) if has_features else None
        Z = self._design(X.loc[self.rate_.index])
        self.fits_: dict[str, FayHerriotFit] = {}
        self.posteriors_: dict[str, GaussianPosterior] = {}
        self.fallback_: dict[str, AreaEffects] = {}
        for k in self.names_:
            y, psi = self.rate_[k].to_numpy(), self.variance_[k].to_numpy()
            seen = np.isfinite(y) & np.isfinite(psi) & (psi > 0)
            if direct.reports[k].sum() < _FEWEST_REPORTS or seen.sum() < Z.shape[1] + 3:
                self.fallback_[k] = fit_area_effects(
                    self.reports_[k].to_numpy(), self.exposure_[k].to_numpy()
                )
                continue
            data = y[seen], Z[seen], psi[seen]
            self.fits_[k] = fit_fay_herriot(*data, method=self.method)
            self.posteriors_[k] = gaussian_posterior(*data)
        self.dependence_, self.information_ = self._dependence(Z, direct)
        self.diagnostics_ = {f"A {k}": f.between_variance for k, f in self.fits_.items()}
        self.diagnostics_["correlation"] = self.dependence_.correlation
        return self

    def _dependence(self, Z: Array, direct: Direct) -> tuple[Exchangeable, pd.Series]:
        """Correlation of the area effects of the components, and the areas' information on them."""
        residuals, effects, sampling, weight = np.zeros((4, *self.rate_.shape))
        for j, k in enumerate(self.names_):
            if k not in self.posteriors_:
                continue
            posterior = self.posteriors_[k]
            y, psi = self.rate_[k].to_numpy(), self.variance_[k].to_numpy()
            seen = np.isfinite(y) & (psi > 0)
            A = posterior.probability @ posterior.variances
            weight[seen, j] = 1 / (A + psi[seen])
            fitted = Z[seen] @ (posterior.probability @ posterior.means)
            residuals[seen, j] = weight[seen, j] * (y[seen] - fitted)
            effects[seen, j] = weight[seen, j] * np.sqrt(A)
            sampling[seen, j] = weight[seen, j] * np.sqrt(psi[seen])
        noise = shared_noise(rows(direct, self.rate_.index), weight)
        ratio = np.divide(effects, sampling, out=np.zeros_like(effects), where=sampling > 0)
        information = pd.Series((ratio**2).mean(axis=1), self.rate_.index)
        return exchangeable_correlation(residuals, effects, sampling, noise), information

    def draws(self, X: pd.DataFrame, areas: pd.DataFrame, n: int, seed: int) -> xr.DataArray:
        """Return draws of reported rates (component, area_id, draw) for the areas of `X`."""
        rng = np.random.default_rng(seed)
        index = X.index.sort_values()
        Z = self._design(check_features(X, self.features_).loc[index])
        rate, variance = self.rate_.reindex(index), self.variance_.reindex(index)
        information = self.information_.reindex(index, fill_value=0.0).to_numpy()
        scores = self.dependence_.scores(information, len(self.names_), n, rng)
        of_beta = self.dependence_.scores(np.zeros(Z.shape[1]), len(self.names_), n, rng)
        values, truncated = [], {}
        for k, score, z in zip(self.names_, scores, of_beta, strict=True):
            if k in self.fallback_:
                reports, exposure = self.reports_[[k]], self.exposure_[[k]]
                draws = self.fallback_[k].draw(
                    at_areas(reports, index)[k].to_numpy(),
                    at_areas(exposure, index)[k].to_numpy(),
                    np.zeros(len(X)),
                    score,
                    rng,
                )
                values.append(draws)
                continue
            y, psi = rate[k].to_numpy(), variance[k].to_numpy()
            seen = np.isfinite(y) & (psi > 0)
            known = np.where(seen, y, 0), Z, np.where(seen, psi, np.inf)
            draws, truncated[k] = _positive_draws(self.posteriors_[k], *known, score, z, rng)
            values.append(draws)
        return as_draws(values, self.rate_.columns, X.index).assign_attrs(share_truncated=truncated)

    def _design(self, X: pd.DataFrame) -> Array:
        ones = np.ones((len(X), 1))
        return ones if self.pipeline_ is None else np.hstack([ones, self.pipeline_.transform(X)])


def _positive_draws(
    posterior: GaussianPosterior,
    y: Array,
    X: Array,
    psi: Array,
    scores: Array,
    of_beta: Array,
    rng: np.random.Generator,
) -> tuple[Array, float]:
    """Return draws of theta > 0, (areas, n), and the share of them that the restriction moved.

    Given A and beta each theta is normal, so restricting it gives a truncated normal, whose
    quantiles the standard normal `scores` (areas, n) name. An area outside the sample has psi
    infinite. `of_beta` (p, n) are the standard normal errors of beta.
    """
    cell = rng.choice(len(posterior.variances), size=scores.shape[1], p=posterior.probability)
    A = posterior.variances[cell]
    beta = posterior.means[cell] + np.einsum("npq,qn->np", posterior.roots[cell], of_beta)
    shrink = A / (A + psi[:, None])  # (areas, n)
    centre = shrink * y[:, None] + (1 - shrink) * (X @ beta.T)
    spread = np.sqrt(A * (1 - shrink))
    bound = -centre / spread
    tail = log_ndtr(-scores) + log_ndtr(-bound)  # of all above 0, the share above the draw
    above = np.maximum(-ndtri_exp(tail) - bound, 1e-9 / (1 + bound**2))
    return spread * above, float((scores <= bound).mean())

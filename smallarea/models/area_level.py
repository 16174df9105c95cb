"""The Fay-Herriot model as an estimator of reported rates, with draws from its posterior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp
from sklearn.base import BaseEstimator

from smallarea.errors import InputError
from smallarea.models.area_effects import AreaEffects, fit_area_effects
from smallarea.models.components import principal_components, usable
from smallarea.models.counts import (
    as_draws,
    at_areas,
    check_areas,
    check_features,
    effective_counts,
)
from smallarea.models.dependence import Exchangeable, exchangeable_correlation
from smallarea.models.fay_herriot import FayHerriotFit, Method, Profile, fit_fay_herriot

if TYPE_CHECKING:
    from smallarea.nsum.municipal import Direct

Array = NDArray[np.float64]

_FEWEST_REPORTS = 5


@dataclass(frozen=True)
class GaussianPosterior:
    """Posterior of the area-level model under flat priors on beta and on A, on a grid over A.

    `variances` (G,) with `probability` (G,), and beta given A: `means` (G, p), `roots` (G, p, p).
    """

    variances: Array
    probability: Array
    means: Array
    roots: Array

    def moments(self, y: Array, X: Array, psi: Array) -> tuple[Array, Array]:
        """Return posterior mean and variance of theta at areas with data, each (m,)."""
        shrink = self.variances[:, None] / (self.variances[:, None] + psi)
        centre = shrink * y + (1 - shrink) * (self.means @ X.T)
        leverage = ((X @ self.roots) ** 2).sum(-1)
        within = shrink * psi + (1 - shrink) ** 2 * leverage
        mean = self.probability @ centre
        return mean, self.probability @ (within + (centre - mean) ** 2)


def gaussian_posterior(y: Array, X: Array, variance: Array, points: int = 200) -> GaussianPosterior:
    """Integrate the area-level model over A by quadrature.

    With beta integrated out, the likelihood of A is the restricted one, so under a flat prior
    on A the posterior of A is its restricted likelihood (Datta, Rao & Smith 2005).

    Raises
    ------
    InputError : as `fit_fay_herriot`, and with fewer than p + 3 areas (no proper posterior).
    """
    m, p = X.shape
    if m < p + 3:
        raise InputError(
            f"{m} areas for {p} coefficients", where="Fay-Herriot", remedy="use fewer covariates"
        )
    profile = Profile(y, X, variance)
    A = np.exp(np.linspace(-14, 14, points)) * np.median(profile.psi)
    log_density = profile.at(A).log_likelihood("reml", m) + np.log(A)
    massive = A[log_density > log_density.max() - 18]
    A = np.geomspace(massive[0], massive[-1], points)
    at = profile.at(A)
    log_density = at.log_likelihood("reml", m) + np.log(A)
    probability = np.exp(log_density - log_density.max())
    back = np.linalg.inv(profile.R)
    return GaussianPosterior(
        variances=A,
        probability=probability / probability.sum(),
        means=profile.start + at.beta @ back.T,
        roots=back @ np.linalg.cholesky(np.linalg.inv(at.xx)),
    )


class FayHerriot(BaseEstimator):
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
        self.dependence_ = self._dependence(Z)
        self.diagnostics_ = {f"A {k}": f.between_variance for k, f in self.fits_.items()}
        self.diagnostics_["correlation"] = self.dependence_.correlation
        return self

    def _dependence(self, Z: Array) -> Exchangeable:
        """Correlation of the area effects of the components that were fitted here."""
        residuals, scales = np.zeros((2, len(Z), len(self.posteriors_)))
        for j, (k, posterior) in enumerate(self.posteriors_.items()):
            y, psi = self.rate_[k].to_numpy(), self.variance_[k].to_numpy()
            seen = np.isfinite(y) & (psi > 0)
            A = posterior.probability @ posterior.variances
            residuals[:, j] = (y - Z @ (posterior.probability @ posterior.means)) / (A + psi)
            scales[:, j] = np.sqrt(A) / (A + psi)
            residuals[~seen, j] = scales[~seen, j] = 0.0
        return exchangeable_correlation(residuals, scales)

    def draws(self, X: pd.DataFrame, areas: pd.DataFrame, n: int, seed: int) -> xr.DataArray:
        """Return draws of reported rates (component, area_id, draw) for the areas of `X`."""
        rng = np.random.default_rng(seed)
        index = X.index.sort_values()
        Z = self._design(check_features(X, self.features_).loc[index])
        rate, variance = self.rate_.reindex(index), self.variance_.reindex(index)
        scores = self.dependence_.scores(len(self.names_), len(X), n, rng)
        values, truncated = [], {}
        for k, score in zip(self.names_, scores, strict=True):
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
            draws, truncated[k] = _positive_draws(
                self.posteriors_[k],
                np.where(seen, y, 0),
                Z,
                np.where(seen, psi, np.inf),
                score,
                rng,
            )
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
    rng: np.random.Generator,
) -> tuple[Array, float]:
    """Return draws of theta > 0, (areas, n), and the share of them the restriction replaced.

    Given A and beta each theta is normal, so restricting it gives a truncated normal: a normal
    draw stands if it is positive, otherwise one is drawn from the positive tail by inversion.
    An area outside the sample has psi infinite. `scores` (areas, n) are the draws' standard
    normal deviates from the area's mean.
    """
    n = scores.shape[1]
    cell = rng.choice(len(posterior.variances), size=n, p=posterior.probability)
    A = posterior.variances[cell]
    z = rng.standard_normal((n, X.shape[1]))
    beta = posterior.means[cell] + np.einsum("npq,nq->np", posterior.roots[cell], z)
    shrink = A / (A + psi[:, None])  # (areas, n)
    centre = shrink * y[:, None] + (1 - shrink) * (X @ beta.T)
    spread = np.sqrt(A * (1 - shrink))
    theta = centre + spread * scores
    below = theta <= 0
    bound = -centre[below] / spread[below]
    tail = np.log(rng.uniform(size=bound.shape)) + log_ndtr(-bound)
    theta[below] = spread[below] * np.maximum(-ndtri_exp(tail) - bound, 1e-9 / (1 + bound**2))
    return theta, float(below.mean())

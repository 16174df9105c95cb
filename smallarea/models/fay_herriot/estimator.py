"""The area-level model as an estimator in scikit-learn's manner, usable on its own."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.base import BaseEstimator, RegressorMixin

from smallarea.models.fay_herriot.bootstrap import bootstrap_mse
from smallarea.models.fay_herriot.diagnostics import Diagnostics, diagnose
from smallarea.models.fay_herriot.fitting import FayHerriotFit, fit_fay_herriot
from smallarea.models.fay_herriot.inputs import (
    Array,
    Places,
    as_floats,
    design,
    fail,
    identifiers,
    places,
)
from smallarea.models.fay_herriot.likelihood import Method
from smallarea.models.fay_herriot.measurement_error import (
    MeasurementErrorFit,
    fit_measurement_error,
)
from smallarea.models.fay_herriot.options import check_options
from smallarea.models.fay_herriot.posterior import gaussian_posterior
from smallarea.models.fay_herriot.robust import RobustFit, fit_robust
from smallarea.models.fay_herriot.scales import SCALES, Natural, Scale, to_scale
from smallarea.models.fay_herriot.spatial import SpatialFit, fit_spatial, neighbourhood
from smallarea.models.fay_herriot.structures import Spatial

_FEW = 5_000  # areas whose intervals integrate over A
_Fit = FayHerriotFit | RobustFit | MeasurementErrorFit | SpatialFit


class FayHerriot(RegressorMixin, BaseEstimator):
    """Small area estimates from direct estimates with known variances and area covariates.

    y_a = x_a' beta + v_a + e_a, Var v_a = A, Var e_a = psi_a known (Fay & Herriot 1979).

    Parameters
    ----------
    method : how A is estimated. ``reml``, ``ml``; ``amrl``, ``ampl`` (Li & Lahiri 2010),
        ``amrl_yl``, ``ampl_yl`` (Yoshimori & Lahiri 2014), which stay above zero; ``robust``
        (Sinha & Rao 2009), against outlying areas.
    scale : ``natural``; ``log`` for positive values; ``logit`` or ``arcsine`` for shares, zero and
        one included. `y` and `variance` are always given, and predictions returned, as they are;
        the scale is the model's.
    bias_correction : whether predictions come back from the scale by their mean, rather than by
        the inverse transformation, which is biased.
    mse : ``formula`` (second-order, g1 + g2 + 2 g3 less the bias of A), ``bootstrap``
        (parametric; of spatial fits one world after the other, for hundreds of areas), or
        ``auto``: the formula if there is one, which robust fits and covariates measured with error
        lack.
    worlds : number of bootstrap replicates.
    tuning : Huber's constant of the robust method.
    spatial : how effects of neighbours are correlated, where neighbours are given: ``sar``,
        autoregressive (Petrucci & Salvati 2006), or ``bym2``, spatial and independent parts
        (Riebler et al. 2016).
    fit_intercept : whether to put a column of ones before X.
    random_state : seed of the bootstrap; the same seed gives the same errors.

    Attributes
    ----------
    coef_ (p,), intercept_ : coefficients on the model's scale; `coef_covariance_` their
        covariance, the intercept first if it was fitted.
    random_variance_ : A. spatial_correlation_ : rho of a spatial fit; by ``bym2`` the share of A
        that is spatial.
    area_effects_, shrinkage_ : predicted v_a and weight of the direct estimate, by area.
    areas_ : identifiers of the fitted areas, None if none were given.
    fit_ : the fit itself on the model's scale; `direct_`, `variance_` what it was given there.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.arange(6.0)[:, None], np.array([1.0, 2.5, 2.0, 5.0, 4.0, 6.5])
    >>> model = FayHerriot().fit(x, y, variance=np.full(6, 0.1), areas=list("abcdef"))
    >>> estimate, mse = model.predict(x[:2], areas=["b", "z"], return_mse=True)
    >>> bool(mse[1] > mse[0])
    True
    """

    def __init__(
        self,
        method: Method | Literal["robust"] = "reml",
        *,
        scale: Literal["natural", "log", "logit", "arcsine"] = "natural",
        bias_correction: bool = True,
        mse: Literal["auto", "formula", "bootstrap"] = "auto",
        worlds: int = 200,
        tuning: float = 1.345,
        spatial: Spatial = "sar",
        fit_intercept: bool = True,
        random_state: int | None = 0,
    ) -> None:
        self.method = method
        self.scale = scale
        self.bias_correction = bias_correction
        self.mse = mse
        self.worlds = worlds
        self.tuning = tuning
        self.spatial = spatial
        self.fit_intercept = fit_intercept
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        variance: ArrayLike | None = None,
        areas: ArrayLike | pd.Index | None = None,
        *,
        effective_size: ArrayLike | None = None,
        X_covariance: ArrayLike | None = None,
        neighbours: ArrayLike | pd.DataFrame | None = None,
    ) -> Self:
        """Fit the model to areas with direct estimates.

        Parameters
        ----------
        X : covariates, (m, p), table or array. y : direct estimates, (m,).
        variance : their sampling variances, positive, (m,). On the logit and arcsine scales
            `effective_size`, the effective sample sizes (m,), may stand in for it.
        areas : identifiers, (m,), by which `predict` finds an area again.
        X_covariance : error variances of estimated covariates, (m, p), or covariances,
            (m, p, p): Ybarra & Lohr 2008.
        neighbours : weights of neighbours, for spatially correlated effects: an array in the
            order of the rows, or a table with identifiers on both sides, which may hold areas
            without direct estimate too.

        Raises
        ------
        InputError : missing or infinite values, a variance that is not positive, shapes or labels
            that disagree, identifiers that are missing or appear twice, dependent covariates,
            too few areas, values outside the scale, or options that do not go together.
        """
        check_options(self, X_covariance is not None, neighbours is not None)
        labels = next(
            (d.index for d in (X, y, variance) if isinstance(d, pd.DataFrame | pd.Series)), None
        )
        self._remember_columns(X)
        Z = self._with_intercept(design(X))
        y = as_floats(y, "y", labels)
        if Z.shape[0] != len(y) or y.ndim != 1:
            fail(f"shapes disagree: y {y.shape}, X {Z.shape}", "give one row per area")
        self.areas_ = None if areas is None else identifiers(areas, len(Z))
        self.direct_, self.variance_ = to_scale(self.scale, y, variance, effective_size, labels)
        self.known_ = self.areas_
        if neighbours is not None:
            self.known_, W, data = neighbourhood(neighbours, self.areas_, len(y))
            method: Any = self.method
            self.fit_: _Fit = fit_spatial(
                self.direct_, Z, self.variance_, W, data, method, self.spatial
            )
        elif X_covariance is not None:
            C = self._errors_of_design(X_covariance, labels)
            self.fit_ = fit_measurement_error(self.direct_, Z, self.variance_, C)
        elif self.method == "robust":
            self.fit_ = fit_robust(self.direct_, Z, self.variance_, self.tuning)
        else:
            self.fit_ = fit_fay_herriot(self.direct_, Z, self.variance_, self.method)
        self._publish()
        return self

    def predict(
        self, X: Any, areas: ArrayLike | pd.Index | None = None, return_mse: bool = False
    ) -> Array | tuple[Array, Array]:
        """Return predictions of areas, (rows,), and on wish their mean squared errors, (rows,).

        Areas that the fit saw get the empirical best predictor, all others the synthetic one,
        whose error contains A. Without `areas` every row is synthetic.

        Raises
        ------
        InputError : covariates other than fitted, missing values, identifiers that are missing,
            appear twice or are of another type than those of the fit.
        """
        Z, position = self._rows(X, areas)
        rows = self.fit_.rows(Z, position)
        scale: Scale = SCALES[self.scale]
        if self.bias_correction:
            estimate = scale.moments(rows.estimate, rows.spread)[0]
        else:
            estimate = scale.back(rows.estimate)
        if not return_mse:
            return estimate
        if self._by_bootstrap():
            return estimate, self._bootstrap(Z, position, scale)
        if self.bias_correction:
            return estimate, scale.moments(rows.estimate, rows.mse)[1]
        return estimate, scale.slope(rows.estimate) ** 2 * rows.mse

    def predict_interval(
        self, X: Any, areas: ArrayLike | pd.Index | None = None, level: float = 0.95
    ) -> Array:
        """Return intervals for the true values, (rows, 2), lower and upper.

        Normal on the model's scale and brought back from it, so that shares stay within 0 and 1.
        Of up to 5,000 areas, intervals integrate over A under a flat prior (Datta, Rao & Smith
        2005): with few areas A is often found to be zero, and an interval that takes it for true
        is too short. Of more areas, and of robust, spatial and noisy-covariate fits, they are
        the prediction and its mean squared error's. Raises as `predict`, and if `level` is not
        between 0 and 1.
        """
        if not 0 < level < 1:
            fail(f"the level is {level}", "use one between 0 and 1, such as 0.95")
        Z, position = self._rows(X, areas)
        centre, variance = self._centre_and_variance(Z, position)
        reach = norm.isf((1 - level) / 2) * np.sqrt(variance)
        scale = SCALES[self.scale]
        return np.column_stack([scale.back(centre - reach), scale.back(centre + reach)])

    def diagnose(self) -> Diagnostics:
        """Return residuals, influence, normality and explained share, on the model's scale."""
        fit = self.fit_
        position = self._data_places()
        rows = fit.rows(fit.X, position)
        bootstrap = self._by_bootstrap()
        return diagnose(
            self.direct_,
            fit.X,
            self.variance_,
            fit.between_variance,
            fit.coefficients,
            fit.coefficient_covariance,
            fit.shrinkage,
            rows.estimate,
            self._bootstrap(fit.X, position, Natural()) if bootstrap else rows.mse,
            self._index(),
        )

    def _remember_columns(self, X: Any) -> None:
        self.columns_ = X.columns if isinstance(X, pd.DataFrame) else pd.RangeIndex(np.shape(X)[-1])
        self.n_features_in_ = len(self.columns_)
        if isinstance(X, pd.DataFrame):
            self.feature_names_in_ = self.columns_.to_numpy(dtype=object)

    def _with_intercept(self, X: Array) -> Array:
        return np.column_stack([np.ones(len(X)), X]) if self.fit_intercept else X

    def _errors_of_design(self, given: Any, labels: pd.Index | None) -> Array:
        """Put the intercept, which has no error, before the covariates' error variances."""
        if isinstance(given, pd.DataFrame) and set(given.columns) == set(self.columns_):
            given = given[self.columns_]
        C = as_floats(given, "X_covariance", labels)
        if not self.fit_intercept or C.ndim not in (2, 3):
            return C
        return np.pad(C, [(0, 0)] + [(1, 0)] * (C.ndim - 1))

    def _publish(self) -> None:
        """Set the public attributes from the fit."""
        fit, first = self.fit_, int(self.fit_intercept)
        self.coef_ = fit.coefficients[first:]
        self.intercept_ = float(fit.coefficients[0]) if first else 0.0
        self.coef_covariance_ = fit.coefficient_covariance
        self.random_variance_ = fit.between_variance
        self.shrinkage_ = pd.Series(fit.shrinkage, self._index(), name="shrinkage")
        effects = fit.effects[self._data_places()]
        self.area_effects_ = pd.Series(effects, self._index(), name="area_effect")
        if isinstance(fit, SpatialFit):
            self.spatial_correlation_ = fit.correlation

    def _index(self) -> pd.Index:
        return pd.RangeIndex(len(self.direct_)) if self.areas_ is None else self.areas_

    def _data_places(self) -> Places:
        """Return where each fitted area stands among those the fit knows."""
        if self.areas_ is None or self.known_ is None:
            return np.arange(len(self.direct_))
        return places(self.known_, self.areas_)

    def _rows(self, X: Any, areas: Any) -> tuple[Array, Places]:
        """Return the design of rows to predict, and each one's place in the fit, or -1."""
        if not hasattr(self, "fit_"):
            fail("the model has not been fitted", "call fit first")
        Z = self._with_intercept(design(X, self.columns_))
        if areas is None:
            return Z, np.full(len(Z), -1)
        if self.known_ is None:
            fail("areas to predict, but the fit was given no identifiers", "give areas= to fit too")
        return Z, places(self.known_, identifiers(areas, len(Z)))

    def _centre_and_variance(self, Z: Array, position: Places) -> tuple[Array, Array]:
        """Return the middle of intervals and their variance on the model's scale, each (rows,)."""
        fit, (m, p) = self.fit_, self.fit_.X.shape
        if isinstance(fit, FayHerriotFit) and p + 3 <= m <= _FEW:
            posterior = gaussian_posterior(self.direct_, fit.X, self.variance_)
            seen = position >= 0
            y, psi = self.direct_[position], np.where(seen, self.variance_[position], np.inf)
            return posterior.moments(y, fit.X[position], psi, at=Z)
        rows = fit.rows(Z, position)
        bootstrap = self._by_bootstrap()
        return rows.estimate, self._bootstrap(Z, position, Natural()) if bootstrap else rows.mse

    def _by_bootstrap(self) -> bool:
        noisy = isinstance(self.fit_, RobustFit | MeasurementErrorFit)
        return self.mse == "bootstrap" or (self.mse == "auto" and noisy)

    def _bootstrap(self, Z: Array, position: Places, scale: Scale) -> Array:
        return bootstrap_mse(
            self.fit_, Z, position, scale, self.bias_correction, self.worlds, self.random_state
        )

"""Any regressor as the mean function of sparse counts, calibrated on groups it did not see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from smallarea.areas.levels import level_ids
from smallarea.errors import InputError
from smallarea.models.applicability import distance_to_another_group
from smallarea.models.area_effects import fit_area_effects, shared_correlation
from smallarea.models.components import principal_components, usable
from smallarea.models.counts import (
    as_draws,
    at_areas,
    check_areas,
    check_features,
    effective_counts,
)
from smallarea.models.validation import group_folds

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

_COMPONENTS = 8
_MOST_GROWTH = 2.0
_MOST_SHARE = 0.9


class Supervised(BaseEstimator):
    """Rates from a regressor of the features, and gamma area effects around them.

    The regressor learns rates relative to the national one, weighted by the reports expected at
    the national rate, all components at once (which component is a feature too: reports
    are few, and components share what drives them). It is fitted `repeats` times without
    each fold of groups; the prediction of a surveyed area comes from the fits without its
    group, that of any other area from all fits. On these out-of-fold predictions level,
    calibration slope and spread between areas are learned (`fit_area_effects`), so
    that a regressor that found nothing shrinks to the national rate once a few hundred reports show
    it (with 50 a slope of noise is still .6): it should shrink by itself too. Without any feature
    the regressor is not asked, and that rate is all there is.

    Parameters
    ----------
    regressor : scikit-learn regressor (or pipeline) whose ``fit`` takes ``sample_weight`` and whose
        predictions are positive, e.g. one with a Poisson objective.
    folds, repeats : folds of groups, and fits per fold.
    family : of the counts. ``binomial`` (yes among asked): a count of mean n p varies by less than
        Poisson's, n p (1 - p); it is taken for as many more asked as tell p so much better.
    random_state : seed of folds and of the regressor.

    Notes
    -----
    The error of the mean function is carried as if independent between areas, except for level
    and slope, which all areas of a draw share. Its variance grows with how far an area's features
    lie from the nearest surveyed area's: with its square root, between half of and twice what
    it is at the distances over which the folds have tested it (eight principal components). By
    itself a regressor gives no sign that it extrapolates.
    """

    def __init__(
        self,
        regressor: Any,
        folds: int = 5,
        repeats: int = 3,
        family: Literal["poisson", "binomial"] = "poisson",
        random_state: int = 0,
    ) -> None:
        self.regressor = regressor
        self.folds = folds
        self.repeats = repeats
        self.family = family
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, direct: Direct, areas: pd.DataFrame) -> Self:
        """Fit the regressor out of fold, then the area effects of each component."""
        check_areas(X, direct, areas)
        self.reports_, self.exposure_ = effective_counts(direct)
        self.features_ = usable(X)
        index = self.reports_.index
        own = X.loc[index, self.features_].to_numpy(float)
        national = (self.reports_.sum() + 0.5) / self.exposure_.sum()
        expected = (self.exposure_ * national).to_numpy()
        relative = (
            self.reports_ / (self.exposure_.where(self.exposure_ > 0) * national)
        ).to_numpy()
        group = level_ids(areas)[index]
        self.members_: list[Any] = []
        log_f = np.zeros((self.repeats, *expected.shape))
        for repeat in range(self.repeats if len(self.features_) else 0):
            seed = self.random_state + 1000 * repeat
            fold = group_folds(group, self.exposure_.sum(axis=1), self.folds, seed).to_numpy()
            for k in np.unique(fold):
                used = (fold != k)[:, None] & (expected > 0)
                member = _fit(
                    self.regressor,
                    _stacked(own, expected.shape[1])[used.ravel()],
                    relative[used],
                    expected[used],
                    seed + int(k),
                )
                self.members_.append(member)
                log_f[repeat, fold == k] = _log_predict(member, own[fold == k], expected.shape[1])
        self.log_f_ = pd.DataFrame(log_f.mean(0), index, self.reports_.columns)
        if self.family == "binomial":
            share = np.exp(self.log_f_.to_numpy()) * national.to_numpy()
            more = 1 / (1 - np.minimum(share, _MOST_SHARE))
            self.reports_, self.exposure_ = self.reports_ * more, self.exposure_ * more
        growth = self._learn_growth(X, group.to_numpy())
        self.growth_ = pd.Series(growth, index)
        self.effects_ = {
            k: fit_area_effects(
                self.reports_[k].to_numpy(),
                self.exposure_[k].to_numpy(),
                self.log_f_[k].to_numpy(),
                growth,
            )
            for k in self.reports_
        }
        self.dependence_, self.information_ = shared_correlation(
            self.effects_, direct, self.log_f_.to_numpy()
        )
        self.diagnostics_ = {
            f"{name} {k}": effects.mean(name)
            for k, effects in self.effects_.items()
            for name in ("slope", "cv")
        } | {"correlation": self.dependence_.correlation}
        return self

    def draws(self, X: pd.DataFrame, areas: pd.DataFrame, n: int, seed: int) -> xr.DataArray:
        """Return draws of reported rates (component, area_id, draw) for the areas of `X`."""
        index = X.index.sort_values()
        features = check_features(X, self.features_).loc[index].to_numpy(float)
        members = [
            _log_predict(member, features, self.reports_.shape[1]) for member in self.members_
        ]
        mean = np.mean(members, axis=0) if members else 0.0
        log_f = pd.DataFrame(mean, index, self.reports_.columns)
        log_f.update(self.log_f_)
        reports, exposure = at_areas(self.reports_, index), at_areas(self.exposure_, index)
        growth = self._growth(X.loc[index])
        information = self.information_.reindex(index, fill_value=0.0)
        # Streams of their own: draws of what all areas share do not hang on how many are drawn.
        of_areas, *of_all = np.random.default_rng(seed).spawn(1 + len(self.effects_))
        scores = self.dependence_.scores(information.to_numpy(), len(self.effects_), n, of_areas)
        values = [
            effects.draw(
                reports[k].to_numpy(),
                exposure[k].to_numpy(),
                log_f[k].to_numpy(),
                score,
                rng,
                growth,
            )
            for (k, effects), score, rng in zip(self.effects_.items(), scores, of_all, strict=True)
        ]
        return as_draws(values, reports.columns, X.index)

    def _learn_growth(self, X: pd.DataFrame, group: NDArray[np.object_]) -> Array:
        """Keep distances between features that the folds have tested; return the growth there."""
        index = self.reports_.index
        self.scores_ = principal_components(X, _COMPONENTS) if len(self.features_) else None
        tested = np.full(len(index), np.inf)
        if self.scores_ is not None:
            taught = (self.exposure_ > 0).any(axis=1).to_numpy()
            self.surveyed_ = self.scores_.transform(X.loc[index[taught]])
            tested[taught] = distance_to_another_group(self.surveyed_, group[taught])
        known = tested[np.isfinite(tested) & (tested > 0)]
        self.typical_ = float(np.median(known)) if len(known) else np.inf
        self.tested_ = pd.Series(np.where(np.isfinite(tested), tested, self.typical_), index)
        if self.scores_ is not None:
            self.tested_ = self.tested_[taught]
        return self._growth(X.loc[index])

    def _growth(self, X: pd.DataFrame) -> Array:
        """Return by how much an area's unexplained variance is more than at tested distances."""
        if self.scores_ is None or not np.isfinite(self.typical_):
            return np.ones(len(X))
        distance = cdist(self.scores_.transform(X), self.surveyed_).min(axis=1)
        seen = X.index.isin(self.tested_.index)
        distance[seen] = self.tested_[X.index[seen]]
        return np.clip(np.sqrt(distance / self.typical_), 1 / _MOST_GROWTH, _MOST_GROWTH)


def _stacked(features: Array, components: int) -> Array:
    """Return a row per area and component: features, then indicators of the component."""
    which = np.tile(np.eye(components), (len(features), 1))
    return np.hstack([np.repeat(features, components, axis=0), which])


def _log_predict(member: Any, features: Array, components: int) -> Array:
    """Return the log of the predicted relative rate, (areas, components)."""
    prediction = np.asarray(member.predict(_stacked(features, components)))
    if not (prediction > 0).all():
        raise InputError(
            "a predicted rate is not positive",
            where=f"regressor {type(member).__name__}",
            remedy="use a Poisson objective or a log link",
        )
    return np.log(prediction).reshape(len(features), components)


def _fit(regressor: Any, X: Array, y: Array, weight: Array, seed: int) -> Any:
    seeds = {name: seed for name in regressor.get_params() if name.endswith("random_state")}
    member = clone(regressor).set_params(**seeds)
    last = f"{member.steps[-1][0]}__" if isinstance(member, Pipeline) else ""
    return member.fit(X, y, **{f"{last}sample_weight": weight})

"""What a fit says of each area, taken apart: how much of its log rate comes from where.

Of a latent Gaussian model the posterior mean is a sum over kernels, exactly; its linear kernel is a
sum over features, exactly. A linear regressor is one too. Of trees each feature has its Shapley
value (Lundberg, Erion & Lee 2018), on the scale of the prediction, scaled so that they add up on
the log scale. What cannot be told apart by features stands under `together`. Parts are differences
from the mean over the areas: what makes this area another than most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from smallarea.models.kernels import Kernel, Linear, Places, Same
from smallarea.models.latent_gaussian import LatentGaussian
from smallarea.models.supervised import Supervised

Array = NDArray[np.float64]

TOGETHER = "together"  # features, as far as they cannot be told apart
SPACE = "space"
GROUPS = "groups"  # levels above the area
OWN = "own"  # the area's own answers


def parts_of(
    fit: Any, X: pd.DataFrame, areas: pd.DataFrame, stream: Mapping[str, str]
) -> pd.DataFrame:
    """Take apart what a fit says of the areas of `X`.

    Parameters
    ----------
    fit : a fitted estimator. X : its features. areas : the frame's table. stream : of each feature.

    Returns
    -------
    Index component, area_id; a column of log rates per stream, `together`, and where the model has
    them `space`, `groups`, `own`. Empty columns for an estimator that cannot be taken apart.
    """
    if isinstance(fit, LatentGaussian):
        made = _latent(fit, X, areas)
    elif isinstance(fit, Supervised):
        made = _supervised(fit, X)
    else:
        return pd.DataFrame(index=pd.MultiIndex.from_product([[], X.index], names=_INDEX))
    by = {feature: stream.get(feature, feature) for feature in X.columns}
    return made.rename(columns=by).T.groupby(level=0, sort=False).sum().T


_INDEX = ["component", "area_id"]


def centred(parts: pd.DataFrame) -> pd.DataFrame:
    """Take off each component's mean over the areas."""
    return parts - parts.groupby(level="component").transform("mean")


def _latent(fit: LatentGaussian, X: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Return the posterior mean of latent values by kernel, the linear one by feature."""
    at = fit._places(X, areas, X.index.sort_values())
    surveyed, posterior = fit.surveyed_, fit.posterior_
    components = list(fit.centre_.index)
    total: dict[str, Array] = {}
    loadings = _loadings(fit.pipeline_, X.loc[at.ids]) if fit.pipeline_ is not None else None
    for share, theta, laplace in zip(
        posterior.weights, posterior.thetas, posterior.fits, strict=True
    ):
        rho, pull = laplace.prior.correlation, laplace.slope + laplace.shift  # (K, m)
        pull = (1 - rho) * pull + rho * pull.sum(axis=0)
        for kernel, root in zip(fit.kernels_, theta[:-2], strict=True):
            scaled = share * root**6 * pull
            for name, values in _of_kernel(kernel, at, surveyed, scaled, loadings):
                total[name] = total.get(name, 0.0) + values
        own = np.zeros((len(components), len(at.ids)))
        rows = at.ids.get_indexer(surveyed.ids)
        seen = rows >= 0
        own[:, rows[seen]] = share * laplace.prior.own * (laplace.slope + laplace.shift)[:, seen]
        total[OWN] = total.get(OWN, 0.0) + own
    index = pd.MultiIndex.from_product([components, at.ids], names=_INDEX)
    return pd.DataFrame({name: values.ravel() for name, values in total.items()}, index)


def _of_kernel(
    kernel: Kernel,
    at: Places,
    surveyed: Places,
    pull: Array,
    loadings: tuple[list[str], Array] | None,
) -> list[tuple[str, Array]]:
    """Return names and (components, areas) of what one kernel adds."""
    if isinstance(kernel, Linear) and loadings is not None:
        names, weights = loadings  # weights: (areas, features, scores)
        slope = pull @ surveyed.features / kernel.scale  # (components, scores)
        return [(name, slope @ weights[:, j].T) for j, name in enumerate(names)]
    name = TOGETHER if kernel.name == "features" else SPACE if kernel.name == "space" else GROUPS
    if isinstance(kernel, Same) and kernel.level is None:
        name = OWN
    return [(name, pull @ kernel.between(surveyed, at))]


def _loadings(pipeline: Pipeline, X: pd.DataFrame) -> tuple[list[str], Array]:
    """Return what each feature adds to each area's scaled scores, (areas, features, scores)."""
    first, *middle, pca, scale = (step for _, step in pipeline.steps)
    columns = first.transform(X)
    values = columns
    for step in middle:
        values = step.transform(values)
    spread = np.sqrt(pca.explained_variance_ / pca.explained_variance_[0])
    each = (np.asarray(values) - pca.mean_)[:, :, None] * pca.components_.T[None]
    return list(columns.columns), each / scale.scale_ * spread


def _supervised(fit: Supervised, X: pd.DataFrame) -> pd.DataFrame:
    """Return what features add to the log of the calibrated mean function."""
    index = X.index.sort_values()
    values = X.loc[index, fit.features_]
    components = list(fit.reports_.columns)
    names = list(map(str, fit.features_))
    total = np.zeros((len(components), len(index), len(names) + 1))
    for member in fit.members_:
        total += _of_member(member, values.to_numpy(float), len(components)) / len(fit.members_)
    # Of surveyed areas the fit takes predictions out of fold, which features do not tell apart.
    surveyed = fit.log_f_.index.intersection(index)
    at = index.get_indexer(surveyed)
    unseen = fit.log_f_.loc[surveyed, components].to_numpy().T
    total[:, at, -1] += unseen - total[:, at].sum(axis=-1)
    slope = [fit.effects_[component].mean("slope") for component in components]
    total *= np.array(slope)[:, None, None]
    rows = pd.MultiIndex.from_product([components, index], names=_INDEX)
    told = pd.DataFrame(total.reshape(-1, len(names) + 1), rows, [*names, TOGETHER])
    return told.assign(**{OWN: _answers(fit, index).to_numpy().T.ravel()})


def _answers(fit: Supervised, index: pd.Index) -> pd.DataFrame:
    """Return what an area's own reports do to its gamma effect, at the mean spread: logs."""
    moved = pd.DataFrame(0.0, index, fit.reports_.columns)
    for component, effects in fit.effects_.items():
        shape = 1 / (max(effects.mean("cv"), 1e-3) ** 2 * fit.growth_)
        expected = effects.expected(fit.log_f_[component].to_numpy()) * fit.exposure_[component]
        found = np.log((shape + fit.reports_[component]) / (shape + expected))
        moved[component] = found.reindex(index).fillna(0.0)
    return moved


def _of_member(member: Any, features: Array, components: int) -> Array:
    """Return (components, areas, features + 1): each feature's part, and what is not told apart."""
    which = np.tile(np.eye(components), (len(features), 1))
    stacked = np.hstack([np.repeat(features, components, axis=0), which])
    number = features.shape[1]
    logs = np.log(np.asarray(member.predict(stacked), dtype=float))
    known = (
        _linear(member, stacked) if isinstance(member, Pipeline) else _trees(member, stacked, logs)
    )
    told = np.zeros((len(stacked), number + 1))
    if known is not None:
        told[:, :number] = known[:, :number]
    told[:, number] = logs - told[:, :number].sum(axis=1)
    return told.reshape(len(features), components, number + 1).transpose(1, 0, 2)


def _trees(member: Any, X: Array, logs: Array) -> Array | None:
    """Return Shapley values of the prediction, scaled to add up to its log less the base's."""
    if not hasattr(member, "booster_"):
        return None
    raw = np.asarray(member.predict(X, pred_contrib=True))
    if member.boosting_type == "rf":  # a sum over trees, where predictions are means
        raw = raw / member.booster_.num_trees()
    values, base = raw[:, :-1], raw[:, -1]
    if np.allclose(raw.sum(axis=1), logs, atol=1e-3):  # a log link: logs already
        return values
    change, rise = values.sum(axis=1), logs - np.log(np.maximum(base, 1e-12))
    scale = np.divide(rise, change, out=np.exp(-logs), where=np.abs(change) > 1e-9)
    return values * scale[:, None]


def _linear(member: Pipeline, X: Array) -> Array | None:
    """Return coefficients times values of a linear last step on as many columns as came in."""
    last = member.steps[-1][1]
    values = member[:-1].transform(X)
    if not hasattr(last, "coef_") or np.shape(values) != X.shape:
        return None
    return np.asarray(values * np.ravel(last.coef_))

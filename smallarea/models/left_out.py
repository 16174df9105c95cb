"""How well groups of areas are predicted by all others, in closed form from one fit.

What a group's own data added to the Gaussian approximation is taken out of it again (its cavity),
the other areas' terms left as they are (Vehtari, Mononen, Tolvanen, Sivula & Winther 2016; Liu &
Rue 2022). Standard deviations and correlation are reweighted to what they would be without the
group by the inverse of its predictive density (Gelfand, Dey & Chang 1992).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp

from smallarea.models.counts import rows
from smallarea.models.laplace import Laplace
from smallarea.models.observations import Family, Observed
from smallarea.models.scores import log_mass

if TYPE_CHECKING:
    from smallarea.models.hyperparameters import Integrated
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(24)


@dataclass(frozen=True)
class LeftOut:
    """Log predictive densities of data given the data of areas outside their group.

    cells : area_id x component, each count or estimate on its own; NaN where nothing was observed.
        Counts of the Poisson family have the survey's overdispersion, as in `scores.log_density`.
    joint : by group, all (effective) data of the group together.
    """

    cells: pd.DataFrame
    joint: pd.Series


class Cavity(NamedTuple):
    """Latent values of a group given others' data; log density of its own given those.

    mean : (K, areas). covariance : (K areas, K areas), components outside, areas inside.
    log_density : Laplace's approximation, of all its data together.
    """

    mean: Array
    covariance: Array
    log_density: float

    @property
    def variance(self) -> Array:
        """Variances of the latent values, (K, areas)."""
        return np.maximum(np.diagonal(self.covariance), 0.0).reshape(self.mean.shape)


class Group(NamedTuple):
    """A group of surveyed areas, its cavities under each point, and what the points weigh then.

    areas : positions. log_weights : (G,), they sum to one. joint : log density of the group's data.
    """

    areas: NDArray[np.intp]
    cavities: list[Cavity]
    log_weights: Array
    joint: float


def cavities(fit: Laplace, groups: Sequence[NDArray[np.intp]]) -> list[Cavity]:
    """Take the data of each group of the surveyed areas out of a fit."""
    covariances = fit.sites.covariances(groups)
    return [_cavity(fit, *group) for group in zip(groups, covariances, strict=True)]


def _cavity(fit: Laplace, areas: NDArray[np.intp], covariance: Array) -> Cavity:
    shape = (len(fit.mode), len(areas))
    weight = fit.sites.weight[:, areas].ravel()
    kept = np.eye(len(weight)) - covariance * weight
    without = np.linalg.solve(kept, covariance)
    slope = fit.slope[:, areas].ravel()
    mean = fit.mean[:, areas].ravel() - without @ (slope + fit.shift[:, areas].ravel())
    own = fit.data.at(areas).log_density(fit.mode[:, areas]).sum()
    log_density = own - 0.5 * slope @ without @ slope + 0.5 * np.linalg.slogdet(kept)[1]
    return Cavity(mean.reshape(shape), (without + without.T) / 2, float(log_density))


def left_out(posterior: Integrated, groups: pd.Series) -> dict[Hashable, Group]:
    """Take each group of surveyed areas out of the fits in turn.

    Parameters
    ----------
    groups : group of each surveyed area, in the order of the fits.
    """
    codes, labels = pd.factorize(groups, sort=True)
    members = [np.flatnonzero(codes == code) for code in range(len(labels))]
    by_fit = [cavities(fit, members) for fit in posterior.fits]
    found = {}
    for code, label in enumerate(labels):
        own = [each[code] for each in by_fit]
        log_weights = np.log(posterior.weights) - [c.log_density for c in own]
        joint = -float(logsumexp(log_weights))
        found[label] = Group(members[code], own, log_weights + joint, joint)
    return found


def leave_out(
    posterior: Integrated, groups: pd.Series, direct: Direct, centre: pd.Series, family: Family
) -> LeftOut:
    """Leave out each group of surveyed areas in turn.

    Parameters
    ----------
    groups : group of each surveyed area, in the order of the fits. direct, centre, family : what
        was fitted, see `observations.observed`.
    """
    direct = rows(direct, groups.index)
    shape = (len(posterior.fits), len(centre), len(groups))
    log_weights, mean, variance = np.empty((3, *shape))
    without = left_out(posterior, groups)
    for group in without.values():
        log_weights[:, :, group.areas] = group.log_weights[:, None, None]
        for g, each in enumerate(group.cavities):
            mean[g][:, group.areas], variance[g][:, group.areas] = each.mean, each.variance
    cells = np.full(mean.shape[1:], -np.inf)
    for g, log_weight in enumerate(log_weights):
        density = _cells(mean[g], variance[g], posterior.fits[g].data, direct, centre, family)
        cells = np.logaddexp(cells, log_weight + density)
    seen = direct.variance > 0 if family == "gaussian" else direct.exposure > 0
    table = pd.DataFrame(cells.T, groups.index, centre.index)
    joint = pd.Series({label: group.joint for label, group in without.items()}, name="log_density")
    return LeftOut(table.where(seen & direct.reports.notna()), joint)


def _cells(
    mean: Array,
    variance: Array,
    data: Observed,
    direct: Direct,
    centre: pd.Series,
    family: Family,
) -> Array:
    """Log predictive density of each cell, (K, m), by Gauss-Hermite quadrature."""
    nodes = mean + np.sqrt(variance) * _NODES[:, None, None]
    if family == "poisson":
        rates = np.exp(centre.to_numpy()[:, None] + nodes)
        deff = direct.deff.reindex(centre.index).to_numpy()[:, None]
        reports, exposure = direct.reports.to_numpy().T, direct.exposure.to_numpy().T
        log_p = log_mass(reports, rates * exposure, deff)
    else:
        log_p = data.log_density(nodes)
    log_weights = np.log(_WEIGHTS / _WEIGHTS.sum())[:, None, None]
    return np.asarray(logsumexp(log_p + log_weights, axis=0))

"""How well groups of areas are predicted by all others, in closed form from one fit.

What a group's own data added to the Gaussian approximation is taken out of it again (its cavity),
the other areas' terms left as they are (Vehtari, Mononen, Tolvanen, Sivula & Winther 2016; Liu &
Rue 2022). Standard deviations and correlation are reweighted to what they would be without the
group by the inverse of its predictive density (Gelfand, Dey & Chang 1992).
"""

from __future__ import annotations

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

    mean, variance : (K, areas). log_density : Laplace's approximation, of all its data together.
    """

    mean: Array
    variance: Array
    log_density: float


def cavity(fit: Laplace, areas: NDArray[np.intp]) -> Cavity:
    """Take the data of some of the surveyed areas out of a fit."""
    shape = (len(fit.mode), len(areas))
    covariance = fit.sites.covariance(areas)
    weight = (fit.sites.scale[:, areas] ** 2).ravel()
    kept = np.eye(len(weight)) - covariance * weight
    without = np.linalg.solve(kept, covariance)
    slope = fit.slope[:, areas].ravel()
    mean = fit.mean[:, areas].ravel() - without @ (slope + fit.shift[:, areas].ravel())
    own = fit.data.at(areas).log_density(fit.mode[:, areas]).sum()
    log_density = own - 0.5 * slope @ without @ slope + 0.5 * np.linalg.slogdet(kept)[1]
    variance = np.maximum(np.diagonal(without), 0.0)
    return Cavity(mean.reshape(shape), variance.reshape(shape), float(log_density))


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
    codes, labels = pd.factorize(groups, sort=True)
    log_weights = np.empty((len(posterior.fits), len(labels)))
    mean, variance = np.empty((2, len(posterior.fits), len(centre), len(groups)))
    for code in range(len(labels)):
        areas = np.flatnonzero(codes == code)
        for g, fit in enumerate(posterior.fits):
            mean[g][:, areas], variance[g][:, areas], lost = cavity(fit, areas)
            log_weights[g, code] = np.log(posterior.weights[g]) - lost
    joint = -logsumexp(log_weights, axis=0)
    log_weights = (log_weights + joint)[:, None, codes]
    cells = np.full(mean.shape[1:], -np.inf)
    for g, log_weight in enumerate(log_weights):
        density = _cells(mean[g], variance[g], posterior.fits[g].data, direct, centre, family)
        cells = np.logaddexp(cells, log_weight + density)
    seen = direct.variance > 0 if family == "gaussian" else direct.exposure > 0
    table = pd.DataFrame(cells.T, groups.index, centre.index)
    return LeftOut(
        table.where(seen & direct.reports.notna()),
        pd.Series(joint, pd.Index(labels), name="log_density"),
    )


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

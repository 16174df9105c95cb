"""Area effects of sparse counts: the Poisson-gamma model of Clayton and Kaldor (1987).

y_a ~ Poisson(theta_a e_a), theta_a = level * f_a^slope * u_a, u_a ~ Gamma of mean 1 and variance
cv^2 g_a: `f` is a given mean function (none: the level alone), `slope` its calibration slope, and
`cv` the coefficient of variation of what the mean function leaves unexplained where the given
`growth` g_a is 1. The three are integrated over a grid, so their uncertainty is carried; given them
an area's posterior is a gamma.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaincinv, gammaln, logsumexp, ndtr

from smallarea.models.counts import effective_counts, rows
from smallarea.models.dependence import Exchangeable, exchangeable_correlation, shared_noise

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

_CV_SCALE, _SLOPE_SCALE = 0.7, 0.3
_NODES = np.linspace(-6, 6, 601)  # standard normal scores between which gamma quantiles are linear
_LEVELS, _SLOPES, _SPREADS = 31, 13, 17
_STEP = 0.1  # of log growth


@dataclass(frozen=True)
class AreaEffects:
    """Posterior of level, slope and cv on a grid of G cells.

    Attributes
    ----------
    log_level, slope, cv : centres of the cells, each (G,).
    width : width of a cell in log level and in slope, shape (2,).
    probability : posterior probability of the cells, (G,).
    centre : what is taken off log f before it is multiplied by the slope.
    """

    log_level: Array
    slope: Array
    cv: Array
    width: Array
    probability: Array
    centre: float

    def draw(
        self,
        reports: Array,
        exposure: Array,
        log_f: Array,
        scores: Array,
        rng: np.random.Generator,
        growth: Array | None = None,
    ) -> Array:
        """Return posterior draws of the rates theta, shape (areas, n).

        An area with exposure 0 is outside the sample: its effect u comes from the prior.
        `scores` (areas, n), standard normal, say which quantile of its effect each draw takes.
        `growth` (areas,) is as in `fit_area_effects`; outside the sample in steps of 10 %.
        """
        n = scores.shape[1]
        growth = np.ones(len(log_f)) if growth is None else growth
        cell = rng.choice(len(self.probability), size=n, p=self.probability)
        jitter = self.width[:, None] * rng.uniform(-0.5, 0.5, size=(2, n))
        slope = np.maximum(self.slope[cell] + jitter[1], 0.0)
        log_mean = self.log_level[cell] + jitter[0] + slope * (log_f[:, None] - self.centre)
        asked, step = exposure > 0, np.rint(np.log(growth) / _STEP)
        growth = np.where(asked, growth, np.exp(step * _STEP))
        shape = self.cv[cell] ** -2.0 / growth[:, None]
        draws = np.empty(scores.shape)
        draws[asked] = gammaincinv(shape[asked] + reports[asked, None], ndtr(scores[asked]))
        for cv in np.unique(self.cv[cell]):
            for g in np.unique(growth[~asked]):
                same = np.ix_(~asked & (growth == g), self.cv[cell] == cv)
                quantiles = _log_quantiles(cv**-2.0 / g)
                draws[same] = np.exp(np.interp(scores[same], _NODES, quantiles))
        return np.maximum(draws, np.finfo(float).tiny) / (
            shape * np.exp(-log_mean) + exposure[:, None]
        )

    def expected(self, log_f: Array) -> Array:
        """Return the rates without area effects at the posterior mean of level and slope."""
        return np.exp(self.mean("log_level") + self.mean("slope") * (log_f - self.centre))

    def mean(self, parameter: str) -> float:
        """Return the posterior mean of ``log_level``, ``slope`` or ``cv``."""
        return float(self.probability @ getattr(self, parameter))


def _log_quantiles(shape: float) -> Array:
    """Log of the gamma quantiles at the nodes, which are standard normal."""
    return np.log(np.maximum(gammaincinv(shape, ndtr(_NODES)), np.finfo(float).tiny))


def fit_area_effects(
    reports: Array, exposure: Array, log_f: Array | None = None, growth: Array | None = None
) -> AreaEffects:
    """Return the posterior of level, slope and cv.

    Parameters
    ----------
    reports, exposure : effective counts and exposure, each (m,); areas with exposure 0 count not.
    log_f : log of the mean function at the areas, (m,). It must not have seen these reports,
        or the variance left between areas is learned too small.
    growth : by what each area's unexplained variance is multiplied, (m,); by default 1.

    Notes
    -----
    Priors: Jeffreys' for the level (so that no reports at all give a proper answer), normal about 1
    with standard deviation 0.3, on [0, 2], for the slope (0: the mean function is useless, 1: it
    is calibrated, as what was predicted out of fold nearly is; with some fifty reports a flat
    prior adds noise), Rayleigh with
    scale 0.7 for cv: it avoids 0 (Chung, Rabe-Hesketh et al. 2013), where sparse reports would
    otherwise put much of the posterior and intervals would cover too little.
    """
    seen = exposure > 0
    y, e = reports[seen], exposure[seen]
    g = np.ones(len(y)) if growth is None else growth[seen]
    total, m = y.sum() + 0.5, len(y)
    scale = np.sqrt(1 / total + 1 / m)
    log_level = np.log(total / e.sum()) + np.linspace(-5, 5, _LEVELS) * scale
    cv = np.geomspace(0.03, 3, _SPREADS)
    if log_f is None:
        slope, centre, f = np.zeros(1), 0.0, np.zeros(m)
    else:
        slope = np.linspace(0, 2, _SLOPES)
        centre = float(np.average(log_f[seen], weights=e))
        f = log_f[seen] - centre

    shape = cv**-2.0
    log_mean = log_level[:, None, None] + slope[:, None] * f  # (levels, slopes, m)
    mu = np.exp(log_mean) * e
    log_density = np.empty((len(log_level), len(slope), len(cv)))
    for j, k in enumerate(shape[:, None] / g):
        fixed = (gammaln(k + y) - gammaln(k) + k * np.log(k)).sum()
        log_density[..., j] = fixed + log_mean @ y - np.log(k + mu) @ (k + y)
    log_density += 0.5 * log_level[:, None, None] - 0.5 * (cv / _CV_SCALE) ** 2 + 2 * np.log(cv)
    log_density -= 0.5 * ((slope[:, None] - 1) / _SLOPE_SCALE) ** 2

    cells = [axis.ravel() for axis in np.meshgrid(log_level, slope, cv, indexing="ij")]
    return AreaEffects(
        log_level=cells[0],
        slope=cells[1],
        cv=cells[2],
        width=np.array([np.ptp(log_level) / (_LEVELS - 1), np.ptp(slope) / (_SLOPES - 1)]),
        probability=np.exp(log_density - logsumexp(log_density)).ravel(),
        centre=centre,
    )


def shared_correlation(
    effects: Mapping[Hashable, AreaEffects], direct: Direct, log_f: Array
) -> tuple[Exchangeable, pd.Series]:
    """Return the correlation of the components' area effects, and the areas' information on them.

    Parameters
    ----------
    direct : the estimates that `effects` were fitted to. log_f : (areas, components), as in
        `fit_area_effects`, areas sorted.

    Returns
    -------
    correlation; and, index area_id, variance of effects over sampling variance, mean over
    components (see `Exchangeable.scores`).
    """
    reports, exposure = (table[list(effects)] for table in effective_counts(direct))
    fitted = np.column_stack(
        [e.expected(f) for e, f in zip(effects.values(), log_f.T, strict=True)]
    )
    expected = exposure.to_numpy() * fitted
    cv = np.array([e.mean("cv") for e in effects.values()])
    dependence = exchangeable_correlation(
        reports.to_numpy() - expected,
        expected * cv,
        np.sqrt(expected),
        shared_noise(rows(direct, reports.index), exposure.to_numpy()),
    )
    return dependence, pd.Series((expected * cv**2).mean(axis=1), reports.index)

"""The posterior of the area-level model under flat priors, its variance A integrated over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallarea.models.fay_herriot.inputs import Array, fail
from smallarea.models.fay_herriot.likelihood import Profile

_BLOCK = 1024  # areas at a time, at all values of A


@dataclass(frozen=True)
class GaussianPosterior:
    """Posterior of the area-level model under flat priors on beta and on A, on a grid over A.

    `variances` (G,) with `probability` (G,), and beta given A: `means` (G, p), `roots` (G, p, p).
    """

    variances: Array
    probability: Array
    means: Array
    roots: Array

    def moments(
        self, y: Array, X: Array, psi: Array, at: Array | None = None
    ) -> tuple[Array, Array]:
        """Return posterior mean and variance of theta, each (rows,).

        Parameters
        ----------
        y, X, psi : direct estimates, covariates and sampling variances of the areas; infinite
            variances for areas without data, whatever their `y`.
        at : covariates at which to predict, if other than `X`.
        """
        mean, variance = np.empty((2, len(y)))
        at = X if at is None else at
        for begin in range(0, len(y), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            shrink = self.variances[:, None] / (self.variances[:, None] + psi[rows])
            residual = y[rows] - self.means @ X[rows].T
            centre = self.means @ at[rows].T + shrink * residual
            left = at[rows] - shrink[:, :, None] * X[rows]
            leverage = ((left @ self.roots) ** 2).sum(-1)
            within = self.variances[:, None] * (1 - shrink) + leverage
            mean[rows] = self.probability @ centre
            variance[rows] = self.probability @ (within + (centre - mean[rows]) ** 2)
        return mean, variance


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
        fail(f"{m} areas for {p} coefficients", "use fewer covariates")
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
